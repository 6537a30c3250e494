"""FHIR history interaction of one resource.

https://hl7.org/fhir/R4/http.html#history
"""

from datetime import UTC, datetime

from fhir_server.exchange import FhirRequest, FhirResponse
from fhir_server.interactions import bundle
from fhir_server.interactions.headers import strict
from fhir_server.interactions.serving import Serving
from fhir_server.outcome import invalid
from fhir_server.store.repository import Repository
from profiles.primitives import date_span

BEFORE = "_before"  # the version that the next page starts below; ours, found only in next links


async def history(request: FhirRequest, repository: Repository, serving: Serving) -> FhirResponse:
    """Answer with the versions of one resource, newest first, a page at a time; `_since` and `_count` are understood."""
    assert request.type is not None
    assert request.id is not None
    asked = _understood(request, serving)
    count = _number(asked, "_count", serving.limits.count)
    since = _since(asked, serving)
    before = _number(asked, BEFORE, 0) or None
    page = await repository.history(request.type, request.id, min(max(count, 1), serving.limits.most), before)
    versions = [version for version in page.versions if since is None or version.updated >= since]
    base = request.base.encode()
    entries = [bundle.past(base, version) for version in versions]
    address = f"{request.base}/{request.type}/{request.id}/_history"
    links = [("self", _link(address, asked))]
    if page.after is not None and len(versions) == len(page.versions):
        links.append(("next", _link(address, {**asked, BEFORE: str(versions[-1].version)})))
    return FhirResponse(200, bundle.joined("history", entries, total=page.total if since is None else None, links=links))


def _understood(request: FhirRequest, serving: Serving) -> dict[str, str]:
    known = {name: value for name, value in request.parameters if name in {"_count", "_since", BEFORE}}
    unknown = [name for name, _ in request.parameters if name not in known]
    if unknown and strict(request, serving.strict):
        raise invalid(
            "The history takes the parameters _count and _since only", *(f"http.{name}" for name in unknown), code="not-supported"
        )
    return known


def _number(asked: dict[str, str], name: str, default: int) -> int:
    text = asked.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise invalid(f"{name} is a whole number", f"http.{name}", code="value")
    return int(text)


def _since(asked: dict[str, str], serving: Serving) -> datetime | None:
    text = asked.get("_since")
    if text is None:
        return None
    try:
        low, _ = date_span(text, serving.zone)
    except ValueError:
        raise invalid("_since is an instant, e.g. 2026-04-01T09:00:00+09:00", "http._since", code="value") from None
    return datetime.fromtimestamp(low / 1000, UTC)


def _link(address: str, pairs: dict[str, str]) -> str:
    return f"{address}?{bundle.query_string(pairs.items())}" if pairs else address
