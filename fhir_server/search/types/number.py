"""Search parameters of type number.

https://hl7.org/fhir/R4/search.html#number

A searched number is as wide as its digits say: 5.4 is everything from 5.35 up to, not including, 5.45. Prefixes that
compare (gt, lt, ge, le, sa, eb) take it as exact.
"""

import math
import re
from collections.abc import Iterable
from datetime import tzinfo
from decimal import Decimal
from typing import Any

from fhir_server.search.expression import Expression, Spans
from fhir_server.search.parameters import Parameter
from fhir_server.search.types.asked import Asked, Refused, unsupported_modifier
from fhir_server.search.types.escapes import unescape
from fhir_server.search.types.found import Found
from fhir_server.search.types.sortable import add_numbers
from profiles.fhirpath import Node

PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")
_WIDE = ("eq", "ne")
_HALF, _TENTH = Decimal("0.5"), Decimal("0.1")


def entries(code: str, nodes: Iterable[Node], found: Found, zone: tzinfo) -> None:  # noqa: ARG001 - one signature
    """Add each number as a point, each Range as it reaches."""
    for type, value in nodes:
        if type == "Range" and isinstance(value, dict):
            low, high = range_bounds(value)
            add_numbers(code, low, high, (), found)
        elif (point := as_float(value)) is not None:
            add_numbers(code, point, point, (), found)


def as_float(value: Any) -> float | None:
    """Give a JSON number as the nearest float; what is too large is infinite; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def range_bounds(range: dict[str, Any]) -> tuple[float, float]:
    """Give both ends of a Range; a missing one is infinite."""
    low, high = (as_float((range.get(end) or {}).get("value")) for end in ("low", "high"))
    return -math.inf if low is None else low, math.inf if high is None else high


def prefix_and_rest(value: str) -> tuple[str, str]:
    """Separate the prefix; without one it is eq."""
    return (value[:2], value[2:]) if value[:2] in PREFIXES else ("eq", value)


def bounds(prefix: str, text: str) -> tuple[Decimal, Decimal]:
    """Give the ends of what a searched number means under this prefix; under eq and ne the upper end is outside."""
    if not _NUMBER.fullmatch(text):
        raise Refused("A number is written as 100, -5.40 or 1.5e3")
    number = Decimal(text)
    if prefix in _WIDE:
        exponent = number.as_tuple().exponent
        assert isinstance(exponent, int)
        half = _HALF.scaleb(exponent)
        return number - half, number + half
    if prefix == "ap":
        tenth = abs(number) * _TENTH
        return number - tenth, number + tenth
    return number, number


def closed(prefix: str, low: Decimal, high: Decimal) -> tuple[float, float]:
    """Give the closed interval of floats between both ends."""
    return float(low), math.nextafter(float(high), -math.inf) if prefix in _WIDE else float(high)


def expression(parameter: Parameter, value: str, modifier: str, asked: Asked) -> Expression:  # noqa: ARG001
    """Give the expression of one searched number with its prefix."""
    if modifier:
        raise unsupported_modifier(modifier, "number")
    prefix, text = prefix_and_rest(unescape(value))
    low, high = closed(prefix, *bounds(prefix, text))
    return Spans(parameter.code, prefix, low, high)
