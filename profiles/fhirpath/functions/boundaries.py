"""The least and the greatest value that a number or a date may stand for, the digits it has, and the clock.

https://build.fhir.org/ig/HL7/FHIRPath/#boundary-functions, https://hl7.org/fhirpath/N1/#current-date-and-time-functions
"""

from calendar import monthrange
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from profiles.fhirpath.context import Context
from profiles.fhirpath.functions.function import Function
from profiles.fhirpath.items import NONE, Items, made, number, single, whole
from profiles.fhirpath.quantity import Quantity
from profiles.fhirpath.temporal import DAY, HOUR, MONTH, SECOND, YEAR, Temporal

_DIGITS = {YEAR: 4, MONTH: 6, DAY: 8, HOUR: 10, HOUR + 1: 12, SECOND: 14}
_MILLISECOND = 17
_DECIMAL_PLACES = 8
_LOW = (1, 1, 1, 0, 0, 0)
_HIGH = (9999, 12, 31, 23, 59, 59)
_EASTERNMOST, _WESTERNMOST = 14 * 60, -12 * 60


def _boundary(items: Items, precision: Items | None, *, high: bool) -> Items:
    value, digits = single(items), whole(precision) if precision else None
    if value is None or (precision is not None and digits is None):
        return NONE
    match value:
        case Temporal():
            return made(_of_temporal(value, digits, high=high))
        case Quantity():
            bound = _of_decimal(value.value, digits, high=high)
            return NONE if bound is None else made(Quantity(bound, value.unit, value.calendar, value.word))
        case int() | Decimal() if not isinstance(value, bool):
            return number(_of_decimal(Decimal(value), digits, high=high))
    return NONE


def _of_decimal(value: Decimal, places: int | None, *, high: bool) -> Decimal | None:
    """Half a unit of the last digit up or down, written with so many places."""
    places = _DECIMAL_PLACES if places is None else places
    exponent = value.as_tuple().exponent
    if not 0 <= places <= 28 or not isinstance(exponent, int) or value.adjusted() + places > 26:
        return None
    half = Decimal(5).scaleb(min(exponent, 0) - 1)
    return (value + half if high else value - half).quantize(Decimal(1).scaleb(-places), ROUND_CEILING if high else ROUND_FLOOR)


def _of_temporal(value: Temporal, digits: int | None, *, high: bool) -> Temporal | None:
    """Fill up with the first or last month, day, hour, ... as far as the precision asks; the zone too where it is unknown."""
    ahead = 8 if value.kind == "time" else 0
    wanted = (8 if value.kind == "date" else _MILLISECOND) if digits is None else digits + ahead
    count = SECOND if wanted == _MILLISECOND else next((count for count, size in _DIGITS.items() if size == wanted), None)
    if count is None or (value.kind == "date" and count > DAY):
        return None
    fields = list(value.fields[:count])
    while len(fields) < count:
        fields.append(_edge(fields, high=high))
    fraction = (value.fraction or "999" if high else value.fraction or "000").ljust(3, "0")[:3] if wanted == _MILLISECOND else ""
    kind, offset = value.kind, value.offset
    if kind == "dateTime" and count > DAY and offset is None:
        offset = _WESTERNMOST if high else _EASTERNMOST
    return Temporal(kind, tuple(fields), fraction, offset, value.zulu)


def _edge(fields: list[int], *, high: bool) -> int:
    place = len(fields)
    if not high:
        return _LOW[place]
    if place == DAY - 1:
        return monthrange(fields[0], fields[1])[1]
    return _HIGH[place]


def _low_boundary(_context: Context, items: Items, precision: Items | None = None) -> Items:
    return _boundary(items, precision, high=False)


def _high_boundary(_context: Context, items: Items, precision: Items | None = None) -> Items:
    return _boundary(items, precision, high=True)


def _precision(_context: Context, items: Items) -> Items:
    value: Any = single(items)
    match value:
        case Temporal():
            digits = _MILLISECOND if value.fraction else _DIGITS[value.precision]
            return number(digits - (8 if value.kind == "time" else 0))
        case Decimal():
            exponent = value.as_tuple().exponent
            return number(max(-exponent, 0) if isinstance(exponent, int) else None)
        case int() if not isinstance(value, bool):
            return number(0)
    return NONE


def _today(context: Context, _items: Items) -> Items:
    return made(Temporal("date", context.moment().fields[:DAY]))


def _time_of_day(context: Context, _items: Items) -> Items:
    moment = context.moment()
    return made(Temporal("time", (1, 1, 1, *moment.fields[3:]), moment.fraction))


FUNCTIONS = {
    "lowBoundary": Function(_low_boundary, 0, 1),
    "highBoundary": Function(_high_boundary, 0, 1),
    "precision": Function(_precision),
    "now": Function(lambda context, _items: made(context.moment())),
    "today": Function(_today),
    "timeOfDay": Function(_time_of_day),
}
