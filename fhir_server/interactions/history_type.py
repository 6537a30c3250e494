"""FHIR history interaction of one resource type, and of the whole system.

https://hl7.org/fhir/R4/http.html#history
"""

from fhir_server.exchange import FhirRequest, FhirResponse
from fhir_server.interactions import bundle
from fhir_server.interactions.history_parameters import Asked, asked, link
from fhir_server.interactions.serving import Serving
from fhir_server.interactions.table import ID
from fhir_server.outcome import invalid
from fhir_server.search import paging
from fhir_server.store.repository import Repository, Span
from profiles import json
from profiles.reference import Literal, parse

MOST_LISTED = 1000
_LIST = "_list"


async def history_type(request: FhirRequest, repository: Repository, serving: Serving) -> FhirResponse:
    """Answer with what happened to the resources of a type, or to all: newest first, a page at a time.

    The total is told where the first page holds everything; it would have to be counted otherwise.
    """
    found = asked(request, serving, _LIST, paging.PARAMETER)
    path = f"{request.type}/_history" if request.type else "_history"
    pairs = {name: value for name, value in found.understood.items() if name != paging.PARAMETER}
    types = (request.type,) if request.type else tuple(sorted(serving.served))
    among = await _listed(found, repository, types)
    after = _after(found, path, pairs, serving)
    page = await repository.past(types, Span(found.count, found.since, found.low, found.high, among, after))
    base = request.base.encode()
    entries = [bundle.past(base, version) for version in page.versions]
    address = f"{request.base}/{path}"
    links = [("self", link(address, found.understood))]
    if page.after is not None:
        token = serving.tokens.encode(page.after, path, pairs.items())
        links.append(("next", link(address, {**pairs, paging.PARAMETER: token})))
    return FhirResponse(200, bundle.joined("history", entries, total=page.total, links=links))


def _after(found: Asked, path: str, pairs: dict[str, str], serving: Serving) -> tuple[int, str, int] | None:
    token = found.understood.get(paging.PARAMETER)
    if token is None:
        return None
    match serving.tokens.decode(token, path, pairs.items()):
        case (int(moment), str(reference), int(version)):
            return moment, reference, version
    raise invalid("This page does not belong to this history; start again from its first page", f"http.{paging.PARAMETER}", code="value")


async def _listed(found: Asked, repository: Repository, types: tuple[str, ...]) -> tuple[str, ...] | None:
    """The resources that the List of `_list` refers to."""
    id = found.understood.get(_LIST)
    if id is None:
        return None
    if not ID.fullmatch(id):
        raise invalid("_list is the id of a List stored here", f"http.{_LIST}", code="value")
    body = (await repository.get("List", id)).body
    assert body is not None
    items = (entry.get("item", {}).get("reference") for entry in json.decode(body).get("entry", ()))
    references = (parse(item) for item in items if isinstance(item, str))
    among = {each.relative for each in references if isinstance(each, Literal) and not each.base and each.type in types}
    if len(among) > MOST_LISTED:
        raise invalid(f"A history is told of at most {MOST_LISTED} resources of a list", f"http.{_LIST}", code="too-costly")
    return tuple(sorted(among))
