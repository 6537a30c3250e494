"""One file after another: bytes, message, mapped transaction, the service's door.

What is known of a document is its Provenance: its id follows from the document's key, its targets are the document's
resources, and an extension carries the digest of the file they came from. It is written in the same transaction as the
resources, so there is no state beside them that a crash could leave behind.
"""

import asyncio
import hashlib
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from fhir_server.exchange import FhirRequest, FhirResponse
from fhir_server.outcome import FhirError
from fhir_server.ssmix2.aside import Aside
from fhir_server.ssmix2.importer import ImportFailed
from fhir_server.ssmix2.report import FileResult
from fhir_server.ssmix2.tree import Document, Found, documents, files, look_at
from mappers import mapping
from mappers.file_name import KNOWN_KINDS, FileName
from mappers.hl7v2 import message as hl7v2
from mappers.hl7v2.strict import judge
from profiles import json

DIGEST = "urn:tsunagi:ssmix2:digest"
SIZE_LIMIT = 16 * 1024 * 1024  # bytes of one message; the largest laboratory messages seen have some hundred kilobytes
PATIENCE = 120.0  # seconds that the database may be away
CHUNK = 50

Perform = Callable[[FhirRequest], Awaitable[FhirResponse]]
Judge = Callable[[hl7v2.Message], None]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of a document: the digest of the file it came from, that file's 発生日時, and its resources."""

    digest: str
    occurred: datetime
    targets: tuple[str, ...]


class Refused(Exception):
    """A file is not imported; the text says why without repeating its content."""

    def __init__(self, reason: str, segment: str | None = None) -> None:
        super().__init__(reason)
        self.segment = segment


class Pipeline:
    """Imports the files of one facility below `root` through `perform`.

    `judge` may refuse a message by raising MessageError (--strict). Set `stopping` and it ends after the file at hand.
    """

    def __init__(self, perform: Perform, root: Path, facility: mapping.Facility, aside: Aside, judge: Judge | None = None) -> None:
        self._perform = perform
        self._root = root
        self._facility = facility
        self._aside = aside
        self._judge = judge
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
        past = [FileResult(file.path, _name(file).kind, "past") for file in document.past]
        if name.kind in KNOWN_KINDS and name.kind not in mapping.KINDS:
            return [FileResult(file.path, name.kind, "unmapped") for file in (document.newest, *document.past) if file]
        try:
            if document.current is None:
                return await self._withdraw(past, known)
            return [await self._import_file(document.current, name, known), *past]
        except Refused as refusal:
            return [self._refuse(document.newest, name.kind, str(refusal), refusal.segment), *past]
        except ImportFailed:
            raise
        except Exception as failure:  # one file, whatever is in it, must not hinder the next
            log.exception("a file of kind %s could not be imported", name.kind)
            return [self._refuse(document.newest, name.kind, f"unexpected {type(failure).__name__}; please report it"), *past]

    async def _import_file(self, file: Found, name: FileName, known: Known | None) -> FileResult:
        data = self._read(file.path)
        digest = f"{mapping.VERSION}:{hashlib.sha256(data).hexdigest()}"
        if known is not None and known.digest == digest:
            return FileResult(file.path, name.kind, "unchanged", unchanged=len(known.targets))
        if known is not None and known.occurred > name.occurred:
            return FileResult(file.path, name.kind, "past")  # a newer version came before, from another volume
        mapped = self._map(data, name)
        encounter = await self._needed(mapped)
        mapped = mapping.complete(mapped, encounter)
        entries = _with_digest(mapped.bundle["entry"], digest) + _gone(mapped.home, known)
        counts = await self._write(entries)
        self._aside.release(file.path)
        warnings = tuple(f"{issue.segment} {issue.field}: {issue.text}" for issue in mapped.issues if issue.severity == "warning")
        return FileResult(file.path, name.kind, "imported", **counts, warnings=warnings)

    def _read(self, path: str) -> bytes:
        try:
            descriptor = os.open(self._root / path, os.O_RDONLY | os.O_NOFOLLOW)
            with os.fdopen(descriptor, "rb") as file:
                data = file.read(SIZE_LIMIT + 1)
        except OSError as error:
            raise Refused(f"cannot be read: {error.strerror}") from None
        if len(data) > SIZE_LIMIT:
            raise Refused(f"larger than {SIZE_LIMIT // 1024 // 1024} MB")
        return data

    def _map(self, data: bytes, name: FileName) -> mapping.Mapped:
        if name.kind not in KNOWN_KINDS:
            raise Refused("unknown kind (データ種別)")
        try:
            message = hl7v2.parse(data)
            if self._judge is not None:
                self._judge(message)
            return mapping.map_message(message, name, self._facility)
        except hl7v2.MessageError as error:
            raise Refused(str(error), error.field or error.segment or None) from None

    async def _withdraw(self, past: list[FileResult], known: Known | None) -> list[FileResult]:
        """Delete what a document had brought that has no current file any more."""
        if known is None:
            return past
        counts = await self._write([_delete(reference) for reference in known.targets])
        newest = past[-1]
        return [*past[:-1], FileResult(newest.path, newest.kind, "deleted", **counts)]

    async def _write(self, entries: list[dict[str, Any]]) -> dict[str, int]:
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        response = await self._ask(FhirRequest("transaction", body=bundle))
        counts = dict.fromkeys(("created", "updated", "unchanged", "deleted"), 0)
        for version in response.versions:
            counts[version.change or "unchanged"] += 1
        return counts

    async def _known(self, document: Document) -> Known | None:
        id = mapping.provenance_id(_name(document.newest), self._facility)
        try:
            response = await self._ask(FhirRequest("read", "Provenance", id), absent_is_fine=True)
        except FhirError:
            return None
        assert response.body is not None
        stored = json.decode(response.body)
        digest = next((e["valueString"] for e in stored.get("extension", ()) if e["url"] == DIGEST), "")
        targets = tuple(target["reference"] for target in stored["target"])
        return Known(digest, datetime.fromisoformat(stored["occurredDateTime"]), (*targets, f"Provenance/{id}"))

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
            data = self._read(file.path)
        except Refused:
            data = b""
        self._aside.keep(file.path, data, segment=segment, reason=reason)
        return FileResult(file.path, kind, "refused", segment=segment, reason=reason)


def open_pipeline(perform: Perform, root: Path, facility: str, aside: Aside, *, strict: bool) -> Pipeline:
    """Make a pipeline; `strict` lets hl7apy judge every message."""
    return Pipeline(perform, root, mapping.Facility(facility), aside, judge if strict else None)


def _name(file: Found) -> FileName:
    assert file.name is not None
    return file.name


def _with_digest(entries: list[dict[str, Any]], digest: str) -> list[dict[str, Any]]:
    for entry in entries:
        resource = entry.get("resource")
        if resource is not None and resource["resourceType"] == "Provenance":
            resource.setdefault("extension", []).append({"url": DIGEST, "valueString": digest})
    return entries


def _gone(home: tuple[str, ...], known: Known | None) -> list[dict[str, Any]]:
    """Entries that delete what the document's earlier version had brought and this one does not."""
    return [_delete(reference) for reference in known.targets if reference not in home] if known is not None else []


def _delete(reference: str) -> dict[str, Any]:
    return {"request": {"method": "DELETE", "url": reference}}
