"""FHIR transaction interaction.

https://hl7.org/fhir/R4/http.html#transaction
https://hl7.org/fhir/R4/http.html#trules

Deletes come first, then creates, updates and patches, and at last reads. Reads are answered from the state after the
writes; one that finds nothing reports so in its own entry. An update with `ifNoneMatch` `*` leaves alone what exists and
hinders nothing: so a sender can bring along what others may have brought before.

What criteria and patches were answered by must still be so when all is written; otherwise everything begins again.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from fhir_server.exchange import FhirRequest, FhirResponse, Resource, Version
from fhir_server.interactions import bundle, patch
from fhir_server.interactions.conditional import settled
from fhir_server.interactions.conditional_references import References, placed
from fhir_server.interactions.entry import Entry, asked, check_envelope, entries_of
from fhir_server.interactions.headers import preference, required_version, wants_absence
from fhir_server.interactions.identities import Meant, criteria_of, meant, targets
from fhir_server.interactions.links import resolve
from fhir_server.interactions.serving import Serving
from fhir_server.interactions.update import conditional_write
from fhir_server.interactions.writing import inside, new_id, prepare, resource_of, same_id, with_id
from fhir_server.outcome import FhirError, Issue, invalid
from fhir_server.search.query import Query
from fhir_server.store.repository import Create, Delete, Put, Repository, Write
from profiles import json

_ORDER = {"delete": 0, "create": 1, "update": 2, "patch": 2}
MAX_ISSUES = 50  # of one outcome: who made more mistakes will see the rest next time


async def transaction(request: FhirRequest, repository: Repository, serving: Serving) -> FhirResponse:
    """Do everything the Bundle asks, or nothing; the answer has the entries in the order of the question."""
    raw = entries_of(request, serving)
    check_envelope(request.body, raw, serving)
    entries = [asked(number, entry, request, serving) for number, entry in enumerate(raw)]
    _refuse_what_cannot_be_undone(entries)
    writing = sorted((entry for entry in entries if entry.request.interaction in _ORDER), key=lambda e: _ORDER[e.request.interaction])
    work = _Work(request, writing, criteria_of(writing, serving), repository, serving)
    versions = await settled(work.attempt) if writing else {}
    wish = preference(request, "return")
    answers = {number: bundle.written(done, wish) for number, done in versions.items()}
    for entry in entries:
        if entry.number not in answers:
            answers[entry.number] = await _read(entry, repository, serving)
    body = bundle.joined("transaction-response", [answers[entry.number] for entry in entries])
    return FhirResponse(200, body, versions=[version for number in sorted(versions) for version in versions[number]])


def _refuse_what_cannot_be_undone(entries: Sequence[Entry]) -> None:
    for entry in entries:
        if entry.request.interaction == "operation" and not entry.request.by_get:
            text = "An operation by POST is not part of a transaction, since it could not be undone; send it alone or in a batch"
            raise invalid(text, f"{entry.place}.request.method", code="not-supported")


class _Work:
    """The writing entries of one transaction, in the order in which FHIR wants them done."""

    def __init__(
        self, request: FhirRequest, entries: Sequence[Entry], queries: Mapping[int, Query], repository: Repository, serving: Serving
    ) -> None:
        self._request, self._entries, self._queries = request, entries, queries
        self._repository, self._serving = repository, serving
        self._new = {entry.number: new_id() for entry in entries}
        self._again = bool(queries) or any(entry.request.interaction == "patch" for entry in entries)

    async def attempt(self) -> dict[int, tuple[Version, ...]]:
        """Write everything; raises Changed where what was found before is not so any more."""
        each = await meant(self._entries, self._queries, self._new, self._repository)
        failures: dict[int, FhirError] = {}
        resources = await self._resources(each, failures)
        writes = await self._writes(each, resources, failures)
        if failures:
            raise _all([failures[entry.number] for entry in self._entries if entry.number in failures])
        return await self._commit(each, writes)

    # -- resources --------------------------------------------------------------------------------------------------------

    async def _resources(self, each: Sequence[Meant], failures: dict[int, FhirError]) -> dict[int, Resource]:
        """What the entries store, each with its id and all of its links."""
        known = targets(each)
        resources: dict[int, Resource] = {}
        conditional: dict[str, Meant] = {}

        def one(item: Meant) -> None:
            resource = self._resource(item)
            if resource is not None:
                conditional.update(dict.fromkeys(resolve(resource, known, self._serving.definitions.shapes), item))
                resources[item.entry.number] = resource

        await _each(each, one, failures)
        if conditional and not failures:
            known |= await self._referred(each, resources, conditional)
            for resource in resources.values():
                resolve(resource, known, self._serving.definitions.shapes)
        return resources

    def _resource(self, item: Meant) -> Resource | None:
        request = item.entry.request
        assert request.type is not None
        match request.interaction:
            case "delete":
                return None
            case "create" if not item.writes:
                return None
            case "patch":
                return patch.patched(item.found[0], patch.change_of(request.body), request, self._serving)
        resource = resource_of(request.body, request.type)
        if self._again:  # links are resolved in place, and what they lead to may be another next time
            resource = json.decode(json.encode(resource))
        assert item.id is not None
        if request.interaction == "create":
            return with_id(resource, item.id)
        return same_id(resource, item.id) if item.query is None else resource

    async def _referred(self, each: Sequence[Meant], resources: Mapping[int, Resource], asked: Mapping[str, Meant]) -> dict[str, str]:
        """What the conditional references mean."""
        written = [reference for item in each for reference in item.writes]
        own = {
            item.writes[0]: with_id(resources[item.entry.number], item.id) for item in each if item.id and item.entry.number in resources
        }
        references = References(self._request, own, written, self._serving)
        found: dict[str, str] = {}
        for reference, item in asked.items():
            try:
                found |= await references.resolved((reference,), self._repository)
            except FhirError as failure:
                raise placed(failure, reference, resources[item.entry.number], item.entry.place) from failure
        return found

    # -- writes -----------------------------------------------------------------------------------------------------------

    async def _writes(
        self, each: Sequence[Meant], resources: Mapping[int, Resource], failures: dict[int, FhirError]
    ) -> list[tuple[Meant, Write]]:
        writes: list[tuple[Meant, Write]] = []

        def one(item: Meant) -> None:
            if item.entry.number not in failures:
                writes.extend((item, write) for write in self._write(item, resources.get(item.entry.number)))

        await _each(each, one, failures)
        return writes

    def _write(self, item: Meant, resource: Resource | None) -> Sequence[Write]:
        request = item.entry.request
        assert request.type is not None
        if_match = required_version(request.headers.get("if-match"), request.type)
        if request.interaction == "delete":
            if item.id is not None:
                return [Delete(request.type, item.id, if_match=if_match)]
            return [Delete(found.type, found.id, if_match=if_match, expected=found.version) for found in item.found]
        if resource is None:
            return ()
        if request.interaction == "create":
            return [Create(prepare(resource, self._serving), unless=item.query)]
        if request.interaction == "patch":
            return [patch.patching(item.found[0], resource, self._serving)]
        if item.query is not None:
            found = item.found[0] if item.found else None
            return [conditional_write(found, item.query, request, self._serving, resource=resource, id=item.id)]
        only_create = wants_absence(request)
        hopeful = self._request.fresh and not only_create and if_match is None
        prepared = prepare(resource, self._serving)
        return [Put(prepared, if_match=if_match, unless_same=True, only_create=only_create, hopeful=hopeful)]

    async def _commit(self, each: Sequence[Meant], writes: Sequence[tuple[Meant, Write]]) -> dict[int, tuple[Version, ...]]:
        try:
            versions = await self._repository.commit([write for _, write in writes]) if writes else []
        except FhirError as failure:
            if failure.position is not None or len(writes) == 1:
                raise inside(failure, writes[failure.position or 0][0].entry.place) from failure
            raise
        done: dict[int, tuple[Version, ...]] = {item.entry.number: () for item in each}
        for (item, _), version in zip(writes, versions, strict=True):
            done[item.entry.number] += (version,)
        for item in each:
            if item.entry.request.interaction == "create" and not item.writes:
                there = item.found or done[item.same_as if item.same_as is not None else item.entry.number]
                done[item.entry.number] = (replace(there[0], change="unchanged"),)
        return done


async def _each(each: Sequence[Meant], work: Callable[[Meant], None], failures: dict[int, FhirError]) -> None:
    """Do the work for each entry; what fails is kept by the entry's number, until there are enough failures to tell."""
    for done, item in enumerate(each):
        if done % 50 == 49:
            await asyncio.sleep(0)  # a long Bundle lets other requests through
        try:
            work(item)
        except FhirError as failure:
            failures[item.entry.number] = inside(failure, item.entry.place)
        if len(failures) >= MAX_ISSUES:
            break


def _all(failures: Sequence[FhirError]) -> FhirError:
    issues: list[Issue] = [issue for failure in failures for issue in failure.issues]
    return FhirError(*issues[:MAX_ISSUES], status=failures[0].status)


async def _read(entry: Entry, repository: Repository, serving: Serving) -> bytes:
    request = entry.request
    try:
        return bundle.answered(await serving.handlers[request.interaction](request, repository, serving), "representation")
    except FhirError as failure:
        return bundle.failed(inside(failure, entry.place))
