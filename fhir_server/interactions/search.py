"""FHIR search interactions: of one type, of several, of a compartment.

https://hl7.org/fhir/R4/http.html#search
https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from fhir_server.exchange import FhirRequest, FhirResponse, Version
from fhir_server.interactions import bundle
from fhir_server.interactions.headers import strict
from fhir_server.interactions.including import included
from fhir_server.interactions.serving import Serving
from fhir_server.interactions.subsetting import shown
from fhir_server.outcome import Issue, name_shown, operation_outcome
from fhir_server.search import contained, paging
from fhir_server.search.query import Query, parse
from fhir_server.store.repository import Page, Repository
from profiles import json


async def search(request: FhirRequest, repository: Repository, serving: Serving) -> FhirResponse:
    """Answer with one page of matches as a searchset Bundle, what they bring along, and what was not understood."""
    query = _query(request, serving)
    page = await repository.find(query)
    base = request.base.encode()
    entries = [entry for version in page.versions for entry in _matches(base, version, query, serving)]
    remarks = [_ignored(name) for name, _ in query.ignored]
    if query.includes or query.revincludes:
        others, incomplete = await included(page.versions, query, repository, serving)
        entries += [bundle.found(base, shown(version, query.view, query.types, serving), b"include") for version in others]
        if incomplete is not None:
            remarks.append(incomplete)
    if remarks:
        entries.append(bundle.remarks(operation_outcome(remarks)))
    return FhirResponse(200, bundle.joined("searchset", entries, total=page.total, links=_links(request, query, page, serving)))


def _matches(base: bytes, version: Version, query: Query, serving: Serving) -> Iterator[bytes]:
    """The entries of one version found: itself, or what it contains where that is what is asked for."""
    if query.contained is None or version.type == query.contained:
        yield bundle.found(base, shown(version, query.view, query.types, serving), b"match")
    if query.contained is not None:
        container = json.decode(version.body or b"{}")
        for inner in contained.matching(container, query.expression, serving.parameters, serving.zone):
            yield bundle.found(base, replace(version, id=f"{version.id}#{inner['id']}", body=json.encode(inner)), b"match")


def _query(request: FhirRequest, serving: Serving) -> Query:
    query = parse(
        request.type,
        request.parameters,
        serving.parameters,
        strict=strict(request, serving.strict),
        zone=serving.zone,
        limits=serving.limits,
        now=datetime.now(UTC),
        base=request.base,
        within=request.compartment,
        served=() if request.type is not None else _searchable(serving),
    )
    if query.token is None:
        return query
    return replace(query, after=serving.tokens.decode(query.token, _below_base(request), query.understood))


def _searchable(serving: Serving) -> tuple[str, ...]:
    return tuple(sorted(type for type, interactions in serving.served.items() if "search-type" in interactions))


def _below_base(request: FhirRequest) -> str:
    """The address of the search below the base; empty for the base itself."""
    if request.compartment is not None:
        return f"{request.compartment}/{request.type or '*'}"
    return request.type or ""


def _links(request: FhirRequest, query: Query, page: Page, serving: Serving) -> list[tuple[str, str]]:
    """Say what was understood, where it begins, and where it goes on."""
    below = _below_base(request)
    address = f"{request.base}/{below}" if below else request.base
    understood = query.understood
    if query.token is None:
        links = [("self", _link(address, understood))]
    else:
        links = [("self", _link(address, (*understood, (paging.PARAMETER, query.token)))), ("first", _link(address, understood))]
    if page.after is not None:
        token = serving.tokens.encode(page.after, below, understood)
        links.append(("next", _link(address, (*understood, (paging.PARAMETER, token)))))
    return links


def _link(address: str, pairs: tuple[tuple[str, str], ...]) -> str:
    return f"{address}?{bundle.query_string(pairs)}" if pairs else address


def _ignored(name: str) -> Issue:
    told = name_shown(name, 200)
    return Issue("not-supported", f"The parameter {told} was ignored", (f"http.{told}",), severity="warning")
