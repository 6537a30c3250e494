"""Search parameters of type quantity.

https://hl7.org/fhir/R4/search.html#quantity

`value|system|code` asks for the coded unit, `value||code` for a unit's code or its text, `value` for any unit. UCUM units
are converted: a value whose unit UCUM knows is stored a second time in base units, as a span of `code:dimension`
(`value-quantity:g.m-3`), so that 1 g/dL is found by 10 g/L. Other units match as they are written.
docs/decisions/0012-what-a-search-value-means.md
"""

import math
import re
from collections.abc import Iterable
from datetime import tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any

from fhir_server.search.expression import Expression, Span, Spans
from fhir_server.search.parameters import Parameter
from fhir_server.search.types.asked import Asked, Refused, unsupported_modifier
from fhir_server.search.types.escapes import split, unescape
from fhir_server.search.types.found import Found
from fhir_server.search.types.number import as_float, bounds, closed, prefix_and_rest, range_bounds
from fhir_server.search.types.sortable import add_numbers
from profiles.fhirpath import Node
from terminology.systems import ucum

_CURRENCIES = "urn:iso:std:iso:4217"
_SAMPLE = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?")


def entries(code: str, nodes: Iterable[Node], found: Found, zone: tzinfo) -> None:  # noqa: ARG001 - one signature
    """Add the span of each Quantity, Money, Range and SampledData with the units it can be asked in."""
    for type, value in nodes:
        if not isinstance(value, dict):
            continue
        if type == "Range":
            low, high = range_bounds(value)
            of = value.get("low") or value.get("high") or {}
        elif type == "SampledData":
            low, high = _sampled(value)
            of = value.get("origin") or {}
        elif type == "Money":
            low, high = _compared(value)
            of = {"system": _CURRENCIES, "code": value["currency"]} if "currency" in value else {}
        else:
            low, high = _compared(value)
            of = value
        if low <= high:
            units, base = _forms(_text(of.get("system")), _text(of.get("code")), _text(of.get("unit")))
            add_numbers(code, low, high, units, found)
            if base is not None:
                # A point's decimal itself is converted: only so does 1.1 g/dL come out as 11 g/L does.
                point = _converted(value.get("value", low), base) if low == high else None
                ends = (_converted(low, base), _converted(high, base)) if point is None else (point, point)
                found.spans.append(Span(f"{code}:{base.dimension}", *ends))


def _compared(quantity: dict[str, Any]) -> tuple[float, float]:
    """A point, or where the value is known to be only below or above: an open span. Nothing is (inf, -inf)."""
    value = as_float(quantity.get("value"))
    if value is None:
        return math.inf, -math.inf
    comparator = quantity.get("comparator", "")
    return -math.inf if comparator[:1] == "<" else value, math.inf if comparator[:1] == ">" else value


def _sampled(data: dict[str, Any]) -> tuple[float, float]:
    """From the smallest to the largest sample: origin + factor x sample (E, U and L are no numbers)."""
    origin, factor = as_float((data.get("origin") or {}).get("value")), as_float(data.get("factor", 1))
    samples = [float(text) for text in str(data.get("data", "")).split() if _SAMPLE.fullmatch(text)]
    if origin is None or factor is None or not samples:
        return math.inf, -math.inf
    ends = origin + factor * min(samples), origin + factor * max(samples)
    return min(ends), max(ends)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


@lru_cache(maxsize=4096)
def _forms(system: str | None, code: str | None, unit: str | None) -> tuple[tuple[str, ...], ucum.Unit | None]:
    """The forms in which a unit can be asked, with its system only where it is not found in base units; and what UCUM says."""
    base = ucum_unit(system, code)
    coded = f"{system}|{code}" if system and code and base is None else None
    return tuple(dict.fromkeys(form for form in (coded, code, unit) if form is not None)), base


def ucum_unit(system: str | None, code: str | None) -> ucum.Unit | None:
    """Give the unit where it is one of UCUM with a known factor."""
    return ucum.unit(code) if system == ucum.SYSTEM and code is not None else None


def _converted(number: float | Decimal, unit: ucum.Unit) -> float:
    if isinstance(number, float):
        return number if math.isinf(number) else float(unit.in_base_units(Decimal(number)))
    return float(unit.in_base_units(Decimal(number)))


def expression(parameter: Parameter, value: str, modifier: str, asked: Asked) -> Expression:  # noqa: ARG001
    """Give the expression of one searched quantity with its prefix."""
    if modifier:
        raise unsupported_modifier(modifier, "quantity")
    number, *unit = (unescape(piece) for piece in split(value, "|"))
    prefix, text = prefix_and_rest(number)
    least, most = bounds(prefix, text)
    low, high = closed(prefix, least, most)
    match unit:
        case []:
            return Spans(parameter.code, prefix, low, high)
        case ["", code] if code:
            return Spans(parameter.code, prefix, low, high, code)
        case [system, code] if system and code:
            base = ucum_unit(system, code)
            if base is None:
                return Spans(parameter.code, prefix, low, high, f"{system}|{code}")
            converted = closed(prefix, base.in_base_units(least), base.in_base_units(most))
            return Spans(f"{parameter.code}:{base.dimension}", prefix, *converted)
    raise Refused("A quantity is number, number|system|code or number||code")
