"""Numbers as text of fixed width that sorts as the numbers do, and the bounds of a span as index entries."""

import struct

from fhir_server.search.expression import HIGH, LOW, Span
from fhir_server.search.types.found import Found

# Bounds of an open Period: before and after every FHIR date (years 0001 to 9999), exact as a float.
BEGINNING, END = -(2**46), 2**48
_OFFSET = 2**46
_DOUBLE, _BITS = struct.Struct(">d"), struct.Struct(">Q")
_SIGN = 1 << 63


def sortable_date(ms: float) -> str:
    """Write milliseconds since 1970 as 13 hexadecimal digits that sort by time."""
    return f"{int(ms) + _OFFSET:013x}"


def sortable_number(number: float) -> str:
    """Write a float as 16 hexadecimal digits that sort by size; infinities included."""
    (bits,) = _BITS.unpack(_DOUBLE.pack(number + 0.0))  # -0.0 + 0.0 is 0.0: both zeros are one
    return f"{bits ^ (_SIGN - 1 | _SIGN) if bits & _SIGN else bits | _SIGN:016x}"


def add_dates(code: str, low: int, high: int, found: Found) -> None:
    """Add a span of time and its two bounds."""
    found.entries += (f"{code}{LOW}{low + _OFFSET:013x}", f"{code}{HIGH}{high + _OFFSET:013x}")
    found.spans.append(Span(code, low, high))


def add_numbers(code: str, low: float, high: float, units: tuple[str, ...], found: Found) -> None:
    """Add a span of numbers and its two bounds."""
    bound = sortable_number(low)
    found.entries += (code + LOW + bound, code + HIGH + (bound if high == low else sortable_number(high)))
    found.spans.append(Span(code, low, high, units))
