"""FHIR transaction interaction.

https://hl7.org/fhir/R4/http.html#transaction
https://hl7.org/fhir/R4/http.html#trules

Deletes come first, then creates, updates and at last reads. Reads are answered from the state after the writes; one
that finds nothing reports so in its own entry. An update with `ifNoneMatch` `*` leaves alone what exists and hinders
nothing: so a sender can bring along what others may have brought before.
"""

import asyncio
import re
from collections.abc import Sequence

from fhir_server.exchange import FhirRequest, FhirResponse, Version
from fhir_server.interactions import bundle
from fhir_server.interactions.entry import Entry, asked, check_envelope, entries_of
from fhir_server.interactions.headers import preference, refuse_if_none_exist, required_version, wants_absence
from fhir_server.interactions.links import resolve
from fhir_server.interactions.serving import Serving
from fhir_server.interactions.writing import inside, new_id, prepare, resource_of, same_id, with_id
from fhir_server.outcome import FhirError, Issue, invalid
from fhir_server.store.repository import Create, Delete, Put, Repository, Write

_ORDER = {"delete": 0, "create": 1, "update": 2}
_RESTFUL = re.compile(r"https?://\S+/([A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})")
MAX_ISSUES = 50  # of one outcome: who made more mistakes will see the rest next time


async def transaction(request: FhirRequest, repository: Repository, serving: Serving) -> FhirResponse:
    """Do everything the Bundle asks, or nothing; the answer has the entries in the order of the question."""
    raw = entries_of(request, serving)
    check_envelope(request.body, raw, serving)
    entries = [asked(number, entry, request, serving) for number, entry in enumerate(raw)]
    writing = sorted((entry for entry in entries if entry.request.interaction in _ORDER), key=lambda e: _ORDER[e.request.interaction])
    writes = await _writes(writing, serving, fresh=request.fresh)
    versions = await _commit(writing, writes, repository)
    with_resource = preference(request, "return") == "representation"
    answers = {number: bundle.written(version, with_resource=with_resource) for number, version in versions.items()}
    for entry in entries:
        if entry.number not in answers:
            answers[entry.number] = await _read(entry, repository, serving)
    body = bundle.joined("transaction-response", [answers[entry.number] for entry in entries])
    return FhirResponse(200, body, versions=[versions[number] for number in sorted(versions)])


async def _writes(entries: Sequence[Entry], serving: Serving, *, fresh: bool) -> list[Write]:
    """Make the writes, all of them checked; raises FhirError with the issues of every entry that cannot be written."""
    ids = {entry.number: entry.request.id or new_id() for entry in entries}
    targets = _targets(entries, ids)
    writes: list[Write] = []
    issues: list[Issue] = []
    status = None
    for done, entry in enumerate(entries):
        if done % 50 == 49:
            await asyncio.sleep(0)  # a long Bundle lets other requests through
        try:
            writes.append(_write(entry, ids[entry.number], targets, serving, fresh=fresh))
        except FhirError as failure:
            moved = inside(failure, entry.place)
            status = status or moved.status
            issues += moved.issues
        if len(issues) >= MAX_ISSUES:
            break
    if issues:
        raise FhirError(*issues[:MAX_ISSUES], status=status)
    return writes


def _write(entry: Entry, id: str, targets: dict[str, str], serving: Serving, *, fresh: bool) -> Write:
    request = entry.request
    assert request.type is not None
    if_match = required_version(request.headers.get("if-match"), request.type)
    if request.interaction == "delete":
        return Delete(request.type, id, if_match=if_match)
    resource = resource_of(request.body, request.type)
    if request.interaction == "create":
        refuse_if_none_exist(request)
        resource = with_id(resource, id)
    else:
        same_id(resource, id)
    resolve(resource, targets, serving.definitions.shapes)
    prepared = prepare(resource, serving)
    if request.interaction == "create":
        return Create(prepared)
    only_create = wants_absence(request)
    hopeful = fresh and not only_create and if_match is None
    return Put(prepared, if_match=if_match, unless_same=True, only_create=only_create, hopeful=hopeful)


def _targets(entries: Sequence[Entry], ids: dict[int, str]) -> dict[str, str]:
    """Lead from what an entry is called in the Bundle to the reference it becomes; raises where two are the same."""
    targets: dict[str, str] = {}
    identities: set[str] = set()
    for entry in entries:
        reference = f"{entry.request.type}/{ids[entry.number]}"
        if reference in identities:
            raise invalid("Another entry writes the same resource", f"{entry.place}.request.url", code="invalid")
        identities.add(reference)
        if entry.full_url is None or entry.request.interaction == "delete":
            continue
        if entry.full_url in targets:
            raise invalid("Another entry has the same fullUrl", f"{entry.place}.fullUrl", code="invalid")
        targets[entry.full_url] = reference
    for name, reference in list(targets.items()):
        restful = _RESTFUL.fullmatch(name)
        if restful is not None and restful[1] not in identities:
            targets.setdefault(restful[1], reference)  # a relative reference beside a fullUrl like http://base/Type/id
    return targets


async def _commit(entries: Sequence[Entry], writes: Sequence[Write], repository: Repository) -> dict[int, Version]:
    if not writes:
        return {}
    try:
        versions = await repository.commit(writes)
    except FhirError as failure:
        if failure.position is not None or len(entries) == 1:
            raise inside(failure, entries[failure.position or 0].place) from failure
        raise
    return {entry.number: version for entry, version in zip(entries, versions, strict=True)}


async def _read(entry: Entry, repository: Repository, serving: Serving) -> bytes:
    request = entry.request
    try:
        return bundle.answered(await serving.handlers[request.interaction](request, repository, serving), with_resource=True)
    except FhirError as failure:
        return bundle.failed(inside(failure, entry.place))
