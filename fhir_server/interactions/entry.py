"""The entries of a batch or transaction Bundle, each taken as the interaction it asks for.

https://hl7.org/fhir/R4/http.html#transaction
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from fhir_server.exchange import FhirRequest, Resource
from fhir_server.interactions.address import pairs, segments
from fhir_server.interactions.serving import Serving
from fhir_server.interactions.table import route
from fhir_server.outcome import FhirError, Issue, invalid

_HEADERS = {"ifMatch": "if-match", "ifNoneMatch": "if-none-match", "ifModifiedSince": "if-modified-since", "ifNoneExist": "if-none-exist"}
_SINCE = "if-modified-since"
_WITH_BODY = frozenset({"create", "update", "patch"})
_MAYBE_BODY = frozenset({"operation"})
_SAFE = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: where it stands, what it is called inside the Bundle, what it asks for, and by which HTTP verb."""

    number: int
    full_url: str | None
    request: FhirRequest
    method: str

    @property
    def place(self) -> str:
        """The FHIRPath of the entry."""
        return f"Bundle.entry[{self.number}]"


def entries_of(request: FhirRequest, serving: Serving) -> list[Any]:
    """Give the raw entries of the Bundle; raises FhirError where it is no batch or transaction, or too long."""
    bundle = request.body
    if not isinstance(bundle, dict):
        raise invalid("The body has to be one Bundle, a JSON object", "Bundle", code="structure")
    if bundle.get("resourceType") != "Bundle":
        raise invalid("Only a Bundle can be posted to the base", "Bundle.resourceType")
    if bundle.get("type") not in ("batch", "transaction"):
        raise invalid("The type of the Bundle has to be batch or transaction", "Bundle.type", code="value")
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise invalid("entry is a list", "Bundle.entry", code="structure")
    if len(entries) > serving.entries:
        raise invalid(f"A Bundle takes at most {serving.entries} entries here", "Bundle.entry", code="too-costly", status=413)
    return entries


def check_envelope(bundle: Resource, entries: Sequence[Any], serving: Serving, first: int = 0) -> None:
    """Validate the Bundle around these of its resources, of which the first has this number; raises FhirError."""
    bare = [{name: value for name, value in e.items() if name != "resource"} if isinstance(e, dict) else e for e in entries]
    envelope = {name: value for name, value in bundle.items() if name != "entry"}
    if bare:
        envelope["entry"] = bare
    found = [issue for issue in serving.validator.validate(envelope) if issue.severity in {"error", "fatal"}]
    if found:
        raise FhirError(*(Issue(i.code, i.diagnostics, tuple(_renumbered(e, first) for e in i.expression)) for i in found))


def _renumbered(expression: str, first: int) -> str:
    return expression.replace("Bundle.entry[0]", f"Bundle.entry[{first}]", 1) if first else expression


def asked(number: int, entry: Any, outer: FhirRequest, serving: Serving) -> Entry:
    """Take one entry as an interaction; raises FhirError that points to it."""
    place = f"Bundle.entry[{number}]"
    request = entry.get("request") if isinstance(entry, dict) else None
    if not isinstance(request, dict) or not isinstance(request.get("method"), str) or not isinstance(request.get("url"), str):
        raise invalid("An entry needs a request with method and url", f"{place}.request", code="required")
    try:
        asked_for = _request(request, entry.get("resource"), outer, serving)
    except FhirError as failure:
        raise FhirError(*(Issue(i.code, i.diagnostics, (f"{place}.request.url",)) for i in failure.issues), status=failure.status) from None
    method: str = request["method"]
    may = asked_for.interaction in _MAYBE_BODY and method == "POST"
    if not may and (asked_for.interaction in _WITH_BODY) != ("resource" in entry):
        needed = "needs a" if asked_for.interaction in _WITH_BODY else "takes no"
        raise invalid(f"{method} {needed} resource", f"{place}.resource", code="structure")
    return Entry(number, entry.get("fullUrl"), asked_for, method)


def _request(request: dict[str, Any], resource: Any, outer: FhirRequest, serving: Serving) -> FhirRequest:
    path, _, query = request["url"].partition("?")
    if path.startswith("/") or ":" in path or not (path or query):  # a query alone searches the whole system
        raise invalid("The url of an entry is relative to the base, e.g. Patient/1")
    method = request["method"]
    found = route("GET" if method in _SAFE else method, segments(path), serving.served)
    if query and found.code == "create":
        raise invalid("The criteria of a conditional create stand in ifNoneExist")
    headers = {header: request[name] for name, header in _HEADERS.items() if isinstance(request.get(name), str)}
    if _SINCE in headers:
        headers[_SINCE] = _http_date(headers[_SINCE])
    if "prefer" in outer.headers:
        headers["prefer"] = outer.headers["prefer"]
    return FhirRequest(
        found.code,
        found.type,
        found.id,
        found.version,
        pairs(query),
        resource,
        headers,
        outer.base,
        operation=found.operation,
        compartment=found.compartment,
        by_get=method in _SAFE,
    )


def _http_date(instant: str) -> str:
    """The Bundle has an instant where HTTP has a date of its own form."""
    try:
        return format_datetime(datetime.fromisoformat(instant).astimezone(UTC), usegmt=True)
    except (ValueError, OverflowError):
        raise invalid("ifModifiedSince is an instant, e.g. 2026-04-01T09:00:00+09:00", code="value") from None
