"""FHIR history interaction of one resource.

https://hl7.org/fhir/R4/http.html#history
"""

from collections.abc import Sequence

from fhir_server.exchange import FhirRequest, FhirResponse, Version
from fhir_server.interactions import bundle
from fhir_server.interactions.history_parameters import Asked, asked, link, number
from fhir_server.interactions.serving import Serving
from fhir_server.store.repository import Repository

BEFORE = "_before"  # the version that the next page starts below; ours, found only in next links


async def history_instance(request: FhirRequest, repository: Repository, serving: Serving) -> FhirResponse:
    """Answer with the versions of one resource, newest first, a page at a time."""
    assert request.type is not None
    assert request.id is not None
    found = asked(request, serving, BEFORE)
    before = number(found.understood, BEFORE, 0) or None
    page = await repository.history(request.type, request.id, found.count, before, found.high)
    versions = _within(page.versions, found)
    base = request.base.encode()
    entries = [bundle.past(base, version) for version in versions]
    address = f"{request.base}/{request.type}/{request.id}/_history"
    links = [("self", link(address, found.understood))]
    if page.after is not None and len(versions) == len(page.versions) and not _reaches(versions[-1], found):
        links.append(("next", link(address, {**found.understood, BEFORE: str(versions[-1].version)})))
    total = page.total if found.since is None and found.low is None else None
    return FhirResponse(200, bundle.joined("history", entries, total=total, links=links))


def _within(versions: Sequence[Version], found: Asked) -> list[Version]:
    """Those made since, down to the one that was current when the time asked for began."""
    kept: list[Version] = []
    for version in versions:
        if found.since is not None and version.updated < found.since:
            break
        kept.append(version)
        if _reaches(version, found):
            break
    return kept


def _reaches(version: Version, found: Asked) -> bool:
    return found.low is not None and version.updated <= found.low
