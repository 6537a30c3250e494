"""What a history may be asked, at every level.

https://hl7.org/fhir/R4/http.html#history
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from fhir_server.exchange import FhirRequest
from fhir_server.interactions import bundle
from fhir_server.interactions.headers import strict
from fhir_server.interactions.serving import Serving
from fhir_server.outcome import invalid
from profiles.primitives import date_span

KNOWN = ("_count", "_since", "_at")


@dataclass(frozen=True, slots=True)
class Asked:
    """The parameters as understood.

    `understood` are the pairs for the links. `since`: made then or later. `low` and `high` are the bounds of `_at`: a version
    has to have been current at some moment between them.
    """

    understood: dict[str, str]
    count: int
    since: datetime | None = None
    low: datetime | None = None
    high: datetime | None = None


def asked(request: FhirRequest, serving: Serving, *others: str) -> Asked:
    """Understand the parameters; `others` are known besides. Raises FhirError (400) that names the parameter."""
    known = (*KNOWN, *others)
    unknown = [name for name, _ in request.parameters if name not in known]
    if unknown and strict(request, serving.strict):
        raise invalid(
            f"The history takes the parameters {', '.join(KNOWN)} only", *(f"http.{name[:64]}" for name in unknown), code="not-supported"
        )
    understood: dict[str, str] = {}
    for name, value in request.parameters:
        if name in understood:
            raise invalid(f"{name} is given more than once", f"http.{name}", code="value")
        if name in known:
            understood[name] = value
    count = min(max(number(understood, "_count", serving.limits.count), 1), serving.limits.most)
    low, high = _span(understood, "_at", serving)
    return Asked(understood, count, _span(understood, "_since", serving)[0], low, high)


def number(understood: dict[str, str], name: str, default: int) -> int:
    """Give a parameter that is a whole number; raises FhirError (400) where it is none."""
    text = understood.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise invalid(f"{name} is a whole number", f"http.{name}", code="value")
    return int(text)


def _span(understood: dict[str, str], name: str, serving: Serving) -> tuple[datetime | None, datetime | None]:
    text = understood.get(name)
    if text is None:
        return None, None
    try:
        low, high = date_span(text, serving.zone)
        return datetime.fromtimestamp(low / 1000, UTC), datetime.fromtimestamp(high / 1000, UTC)
    except (ValueError, OverflowError):
        raise invalid(f"{name} is a time, e.g. 2026-04-01T09:00:00+09:00", f"http.{name}", code="value") from None


def link(address: str, pairs: dict[str, str]) -> str:
    """Give the address with these parameters."""
    return f"{address}?{bundle.query_string(pairs.items())}" if pairs else address
