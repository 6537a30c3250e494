"""FHIR search interaction of one type.

https://hl7.org/fhir/R4/http.html#search
https://hl7.org/fhir/R4/search.html
"""

from datetime import UTC, datetime

from fhir_server.exchange import FhirRequest, FhirResponse
from fhir_server.interactions import bundle
from fhir_server.interactions.headers import strict
from fhir_server.interactions.including import included
from fhir_server.interactions.serving import Serving
from fhir_server.outcome import Issue, operation_outcome
from fhir_server.search import paging
from fhir_server.search.query import Query, parse
from fhir_server.store.repository import Page, Repository


async def search(request: FhirRequest, repository: Repository, serving: Serving) -> FhirResponse:
    """Answer with one page of matches as a searchset Bundle, what they bring along, and what was not understood."""
    assert request.type is not None
    query = parse(
        request.type,
        request.parameters,
        serving.parameters,
        strict=strict(request, serving.strict),
        zone=serving.zone,
        limits=serving.limits,
        now=datetime.now(UTC),
        base=request.base,
    )
    page = await repository.find(query)
    base = request.base.encode()
    entries = [bundle.found(base, version, b"match") for version in page.versions]
    remarks = [_ignored(name) for name, _ in query.ignored]
    if query.includes or query.revincludes:
        others, complete = await included(page.versions, query, repository, serving)
        entries += [bundle.found(base, version, b"include") for version in others]
        if not complete:
            remarks.append(_incomplete())
    if remarks:
        entries.append(bundle.remarks(operation_outcome(remarks)))
    return FhirResponse(200, bundle.joined("searchset", entries, total=page.total, links=_links(request, query, page)))


def _links(request: FhirRequest, query: Query, page: Page) -> list[tuple[str, str]]:
    """Say what was understood, and where it goes on."""
    address = f"{request.base}/{query.type}"
    here = next((pair for pair in request.parameters if pair[0] == paging.PARAMETER), None)
    understood = query.understood
    links = [("self", _link(address, understood if here is None else (*understood, here)))]
    if page.after is not None:
        token = paging.encode(page.after, query.type, understood)
        links.append(("next", _link(address, (*understood, (paging.PARAMETER, token)))))
    return links


def _link(address: str, pairs: tuple[tuple[str, str], ...]) -> str:
    return f"{address}?{bundle.query_string(pairs)}" if pairs else address


def _ignored(name: str) -> Issue:
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name)[:200]
    return Issue("not-supported", f"The parameter {shown} was ignored", (f"http.{shown}",), severity="warning")


def _incomplete() -> Issue:
    return Issue(
        "too-costly", "More resources belong to _include and _revinclude than fit on one page; some are left out", severity="warning"
    )
