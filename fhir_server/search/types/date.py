"""Search parameters of type date.

https://hl7.org/fhir/R4/search.html#date

A FHIR date is as long as it is vague: `2024-05` is all of May. Both the stored value and the searched one are
therefore spans, and every prefix is a question about two spans. A date without a zone is one on the clocks of the
network's zone: 2024-01-01 in Japan begins at 2023-12-31T15:00Z.
"""

from collections.abc import Iterable, Iterator
from datetime import tzinfo
from typing import Any

from fhir_server.search.expression import And, Begins, Expression, Spans
from fhir_server.search.parameters import Parameter
from fhir_server.search.types.asked import Asked, Refused, unsupported_modifier
from fhir_server.search.types.escapes import unescape
from fhir_server.search.types.found import Found
from fhir_server.search.types.number import prefix_and_rest
from fhir_server.search.types.sortable import BEGINNING, END, add_dates, sortable_date
from profiles.fhirpath import Node
from profiles.primitives import date_span


def entries(code: str, nodes: Iterable[Node], found: Found, zone: tzinfo) -> None:
    """Add the span of each date, dateTime, instant, Period and Timing."""
    for type, value in nodes:
        span = spanned(type, value, zone)
        if span is not None:
            add_dates(code, *span, found)


def spanned(type: str, value: Any, zone: tzinfo) -> tuple[int, int] | None:
    """Give the span that a value of FHIR's temporal types means; None for anything else.

    Of a Timing only the outer limits count.
    """
    try:
        if isinstance(value, str):
            return date_span(value, zone)
        if isinstance(value, dict):
            return _period(value, zone) if type == "Period" else _timing(value, zone)
    except ValueError:
        return None
    return None


def _period(period: dict[str, Any], zone: tzinfo) -> tuple[int, int] | None:
    start, end = period.get("start"), period.get("end")
    low = date_span(start, zone)[0] if start else BEGINNING
    high = date_span(end, zone)[1] if end else END
    return (low, high) if (start or end) and low <= high else None


def _timing(timing: dict[str, Any], zone: tzinfo) -> tuple[int, int] | None:
    spans = list(_times(timing, zone))
    return (min(low for low, _ in spans), max(high for _, high in spans)) if spans else None


def _times(timing: dict[str, Any], zone: tzinfo) -> Iterator[tuple[int, int]]:
    for event in timing.get("event", ()):
        if isinstance(event, str):
            yield date_span(event, zone)
    bounds = _period((timing.get("repeat") or {}).get("boundsPeriod") or {}, zone)
    if bounds is not None:
        yield bounds


def expression(parameter: Parameter, value: str, modifier: str, asked: Asked) -> Expression:
    """Give the expression of one searched date with its prefix.

    `ap` widens the date by a tenth of its distance from now, on both sides.
    """
    if modifier:
        raise unsupported_modifier(modifier, "date")
    prefix, text = prefix_and_rest(unescape(value))
    try:
        low, high = date_span(text.replace(" ", "+"), asked.zone)  # a + that nobody percent-encoded arrives as a space
    except (ValueError, OverflowError):
        raise Refused("A date is written as 2024, 2024-05, 2024-05-01 or 2024-05-01T09:30:00+09:00") from None
    if prefix == "ap":
        tenth = max(asked.now - high, low - asked.now, 0) // 10
        low, high = low - tenth, high + tenth
    spans = Spans(parameter.code, prefix, low, high)
    if parameter.days and prefix == "eq" and len(text) == len("2024-05-01"):  # nothing shorter than a day is stored
        return And((Begins(parameter.code, sortable_date(low)), spans))
    return spans
