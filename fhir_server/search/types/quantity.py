"""Search parameters of type quantity.

https://hl7.org/fhir/R4/search.html#quantity

`value|system|code` asks for the coded unit, `value||code` for a unit's code or its text, `value` for any unit. Units
are compared as they are written: mg and g are not converted.
"""

import math
import re
from collections.abc import Iterable
from datetime import tzinfo
from typing import Any

from fhir_server.search.expression import Expression, Spans
from fhir_server.search.parameters import Parameter
from fhir_server.search.types.asked import Asked, Refused, unsupported_modifier
from fhir_server.search.types.escapes import split, unescape
from fhir_server.search.types.found import Found
from fhir_server.search.types.number import as_float, interval, prefix_and_rest, range_bounds
from fhir_server.search.types.sortable import add_numbers
from profiles.fhirpath import Node

_CURRENCIES = "urn:iso:std:iso:4217"
_SAMPLE = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?")


def entries(code: str, nodes: Iterable[Node], found: Found, zone: tzinfo) -> None:  # noqa: ARG001 - one signature
    """Add the span of each Quantity, Money, Range and SampledData with the units it can be asked in."""
    for type, value in nodes:
        if not isinstance(value, dict):
            continue
        if type == "Range":
            low, high = range_bounds(value)
            units = _units(value.get("low") or value.get("high") or {})
        elif type == "SampledData":
            low, high = _sampled(value)
            units = _units(value.get("origin") or {})
        elif type == "Money":
            low, high = _compared(value)
            currency = str(value.get("currency", ""))
            units = (f"{_CURRENCIES}|{currency}", currency) if currency else ()
        else:
            low, high = _compared(value)
            units = _units(value)
        if low <= high:
            add_numbers(code, low, high, units, found)


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


def _units(quantity: dict[str, Any]) -> tuple[str, ...]:
    system, code, unit = quantity.get("system"), quantity.get("code"), quantity.get("unit")
    forms = (f"{system}|{code}" if system and code else None, code, unit)
    return tuple(dict.fromkeys(form for form in forms if isinstance(form, str)))


def expression(parameter: Parameter, value: str, modifier: str, asked: Asked) -> Expression:  # noqa: ARG001
    """Give the expression of one searched quantity with its prefix."""
    if modifier:
        raise unsupported_modifier(modifier, "quantity")
    number, *unit = (unescape(piece) for piece in split(value, "|"))
    prefix, text = prefix_and_rest(number)
    low, high = interval(prefix, text)
    match unit:
        case []:
            return Spans(parameter.code, prefix, low, high)
        case ["", code] if code:
            return Spans(parameter.code, prefix, low, high, code)
        case [system, code] if system and code:
            return Spans(parameter.code, prefix, low, high, f"{system}|{code}")
    raise Refused("A quantity is number, number|system|code or number||code")
