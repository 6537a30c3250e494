"""One file after another: bytes, message, mapped transaction, the service's door."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from fhir_server.exchange import FhirRequest, FhirResponse
from fhir_server.outcome import FhirError
from fhir_server.ssmix2.aside import Aside
from fhir_server.ssmix2.importer import ImportFailed
from fhir_server.ssmix2.known import Known, digest_of, read_known, with_digest
from fhir_server.ssmix2.reading import Unreadable, read
from fhir_server.ssmix2.report import Changes, FileResult
from fhir_server.ssmix2.tree import Document, Found, documents, files, look_at, shown
from mappers import mapping
from mappers.file_name import KNOWN_KINDS, FileName
from mappers.hl7v2 import message as hl7v2
from profiles import json

INPATIENT = "http://terminology.hl7.org/CodeSystem/v3-ActCode|IMP"
MOST_STAYS = 1000
PATIENCE = 120.0  # seconds that the database may be away
CHUNK = 50
MOST_PRESENT = 100_000  # doctors, wards and patients remembered as present, so that not every message asks for them again


class Finding(Protocol):
    """What a strict judge found in a message."""

    @property
    def segment(self) -> str:
        """The segment's name."""

    @property
    def text(self) -> str:
        """What is wrong with it, without repeating a value."""


Perform = Callable[[FhirRequest], Awaitable[FhirResponse]]
Judge = Callable[[hl7v2.Message], Sequence[Finding]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ready:
    """A mapped message, ready to be written: its entries, the references of its own resources, what was noticed."""

    entries: list[dict[str, Any]]
    home: tuple[str, ...]
    warnings: tuple[str, ...]
    of_stay: bool


class Refused(Exception):  # noqa: N818 - a decision about a file, not a fault
    """A file is not imported; the text says why without repeating its content."""

    def __init__(self, reason: str, segment: str | None = None) -> None:
        super().__init__(reason)
        self.segment = segment


class Pipeline:
    """Imports the files of one facility below `root` through `perform`.

    `judge` names departures from HL7 v2.5, for which a message is refused (--strict). Set `stopping` and it ends after the file at hand.
    """

    def __init__(self, perform: Perform, root: Path, facility: mapping.Facility, aside: Aside, judge: Judge | None = None) -> None:
        self._perform = perform
        self._root = root
        self._facility = facility
        self._aside = aside
        self._judge = judge
        self._present: set[str] = set()
        self.stopping = False

    async def import_folder(self, folder: str) -> AsyncIterator[list[FileResult]]:
        """Import one patient's folder and give the results in handfuls. Raises ImportFailed where the database stays away."""
        found = [look_at(path) for path in files(self._root, folder)]
        results = [self._misnamed(file) for file in found if file.name is None]
        all_documents = documents(found)
        for start in range(0, len(all_documents), CHUNK):
            chunk = all_documents[start : start + CHUNK]
            known = await asyncio.gather(*(self._known(document) for document in chunk))
            for document, state in zip(chunk, known, strict=True):
                if self.stopping:
                    return
                results += await self._import(document, state)
            yield results
            results = []
        yield results

    async def _import(self, document: Document, known: Known | None) -> list[FileResult]:
        name = _name(document.newest)
        state = "unmapped" if name.kind in KNOWN_KINDS and name.kind not in mapping.KINDS else "past"
        others = [FileResult(file.path, name.kind, state) for file in document.past if file is not document.newest]
        if state == "unmapped":
            return [FileResult(document.newest.path, name.kind, state), *others]
        return [await self._import_newest(document, name, known), *others]

    async def _import_newest(self, document: Document, name: FileName, known: Known | None) -> FileResult:
        newest = document.newest
        try:
            if document.current is None:
                return await self._withdraw(newest, name, known)
            return await self._import_file(newest, name, known)
        except (Refused, Unreadable) as refusal:
            return self._refuse(newest, name.kind, str(refusal), getattr(refusal, "segment", None))
        except ImportFailed:
            raise
        except Exception as failure:  # one file, whatever is in it, must not hinder the next
            log.exception("a file of kind %s could not be imported", name.kind)
            return self._refuse(newest, name.kind, f"unexpected {type(failure).__name__}; please report it")

    async def _import_file(self, file: Found, name: FileName, known: Known | None) -> FileResult:
        data = read(self._root / file.path)
        digest = digest_of(data)
        if known is not None and known.digest == digest:
            return FileResult(file.path, name.kind, "unchanged", Changes(unchanged=len(known.resources)))
        if known is not None and known.occurred > name.occurred:
            return FileResult(file.path, name.kind, "past")  # a newer version came before, from another volume
        mapped = await self._completed(self._map(data, name))
        changes = await self._write(with_digest(mapped.entries, digest) + _gone(mapped, known), fresh=known is None)
        self._aside.release(file.path)
        return FileResult(file.path, name.kind, "imported", changes, warnings=mapped.warnings)

    async def _completed(self, mapped: mapping.Mapped) -> "Ready":
        """Add what follows from the stays that are stored, where the message speaks of one."""
        stay = mapped.stay
        complete = mapping.complete(mapped, await self._stays(stay.patient)) if stay is not None else mapped
        warnings = tuple(
            f"{issue.field or issue.segment}: {issue.text}".lstrip(": ") for issue in mapped.issues if issue.severity == "warning"
        )
        return Ready(complete.bundle["entry"], mapped.home, warnings, stay is not None)

    async def _stays(self, patient: str) -> list[dict[str, Any]]:
        parameters = (("patient", patient), ("class", INPATIENT), ("_count", str(MOST_STAYS)))
        response = await self._ask(FhirRequest("search-type", "Encounter", parameters=parameters))
        assert response.body is not None
        bundle = json.decode(response.body)
        if any(link["relation"] == "next" for link in bundle.get("link", ())):
            raise Refused(f"the patient has more than {MOST_STAYS} stays")
        return [entry["resource"] for entry in bundle.get("entry", ())]

    def _map(self, data: bytes, name: FileName) -> mapping.Mapped:
        if name.kind not in KNOWN_KINDS:
            raise Refused("unknown kind (データ種別)")
        try:
            message = hl7v2.parse(data)
            findings = self._judge(message) if self._judge is not None else ()
            if findings:
                raise Refused(f"not strictly HL7 v2.5: {findings[0].text}", findings[0].segment)
            return mapping.map_message(message, name, self._facility)
        except hl7v2.MessageError as error:
            raise Refused(str(error), error.field or error.segment or None) from None

    async def _withdraw(self, newest: Found, name: FileName, known: Known | None) -> FileResult:
        """Take back what a document had brought that has no current file any more.

        Its newest file may be the cancellation itself, which says what is left: a cancelled admission, an inactive
        patient. That is written also where the document was never seen before, so that an import ends in the same state
        whenever it runs.
        """
        data = read(self._root / newest.path)
        digest = digest_of(data, withdrawn=True)  # the file may be the one that was current, renamed
        if known is not None and (known.digest == digest or known.occurred > name.occurred):
            return FileResult(newest.path, name.kind, "past")
        said = self._map(data, name)
        mapped = await self._completed(said if name.flag == "0" else mapping.deletion(said))  # superseded, and its successor is gone
        if mapped.home:
            entries = with_digest(mapped.entries, digest) + _gone(mapped, known)
        elif known is None:
            return FileResult(newest.path, name.kind, "past")
        else:  # a stay may consist of more than this document
            entries = mapped.entries if mapped.of_stay else [_delete(reference) for reference in known.resources]
        return FileResult(newest.path, name.kind, "deleted", await self._write(entries))

    async def _write(self, entries: list[dict[str, Any]], *, fresh: bool = False) -> Changes:
        """Write a message, a `fresh` one where nothing of it is stored yet.

        Left out is what is only to be created where it is absent and was seen in this run.
        """
        bundle = {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [entry for entry in entries if entry["request"]["url"] not in self._present or "ifNoneMatch" not in entry["request"]],
        }
        response = await self._ask(FhirRequest("transaction", body=bundle, fresh=fresh))
        for entry in entries:
            url = entry["request"]["url"]
            if entry["request"]["method"] == "DELETE":
                self._present.discard(url)
            elif len(self._present) < MOST_PRESENT and "ifNoneMatch" in entry["request"]:
                self._present.add(url)
        return Changes(**Counter(version.change or "unchanged" for version in response.versions))

    async def _known(self, document: Document) -> Known | None:
        id = mapping.provenance_id(_name(document.newest), self._facility)
        try:
            response = await self._ask(FhirRequest("read", "Provenance", id), absent_is_fine=True)
        except FhirError:
            return None
        assert response.body is not None
        return read_known(json.decode(response.body))

    async def _ask(self, request: FhirRequest, *, absent_is_fine: bool = False) -> FhirResponse:
        """Perform, waiting for a database that is away. Raises Refused where the request itself is wrong."""
        deadline, pause = asyncio.get_running_loop().time() + PATIENCE, 0.1
        while True:
            try:
                return await self._perform(request)
            except FhirError as error:
                if error.status == 503:
                    if asyncio.get_running_loop().time() > deadline or self.stopping:
                        raise ImportFailed("the database cannot be reached; start the import again when it can") from None
                elif absent_is_fine:
                    raise
                else:
                    issue = error.issues[0]
                    raise Refused(f"{issue.diagnostics} ({', '.join(issue.expression)})") from None
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)

    def _misnamed(self, file: Found) -> FileResult:
        return self._refuse(file, "?", file.wrong or "")

    def _refuse(self, file: Found, kind: str, reason: str, segment: str | None = None) -> FileResult:
        try:
            data = read(self._root / file.path)
        except Unreadable as failure:
            data, reason = None, str(failure) if file.name is None else reason
        try:
            self._aside.keep(file.path, data, segment=segment, reason=reason)
        except OSError as error:
            raise ImportFailed(f"a refused file cannot be kept in {self._aside.folder}: {error.strerror}") from None
        return FileResult(shown(file.path), kind, "refused", segment=segment, reason=reason)


def open_pipeline(perform: Perform, root: Path, facility: str, aside: Aside, *, strict: bool) -> Pipeline:
    """Make a pipeline; `strict` lets hl7apy judge every message."""
    if strict:
        from mappers.hl7v2.strict import judge  # noqa: PLC0415 - hl7apy takes half a second to load

        return Pipeline(perform, root, mapping.Facility(facility), aside, judge)
    return Pipeline(perform, root, mapping.Facility(facility), aside)


def _name(file: Found) -> FileName:
    assert file.name is not None
    return file.name


def _gone(mapped: Ready, known: Known | None) -> list[dict[str, Any]]:
    """Entries that delete what the document's earlier version had brought and this one does not.

    What becomes of a stay is said in the mapped entries already.
    """
    if known is None or mapped.of_stay:
        return []
    return [_delete(reference) for reference in known.resources if reference not in mapped.home]


def _delete(reference: str) -> dict[str, Any]:
    return {"request": {"method": "DELETE", "url": reference}}
