"""Functions that convert a value to another type, or tell whether that is possible.

https://hl7.org/fhirpath/N1/#conversion
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from profiles.fhirpath import quantity, temporal
from profiles.fhirpath.context import Context
from profiles.fhirpath.functions.function import Function
from profiles.fhirpath.items import NONE, Items, made, single, truth
from profiles.fhirpath.quantity import Quantity
from profiles.fhirpath.temporal import DAY, Temporal

_TRUE = frozenset(("true", "t", "yes", "y", "1", "1.0"))
_FALSE = frozenset(("false", "f", "no", "n", "0", "0.0"))
_INTEGER = re.compile(r"[+-]?\d{1,10}", re.ASCII).fullmatch
_DECIMAL = re.compile(r"[+-]?\d{1,40}(?:\.\d{1,40})?", re.ASCII).fullmatch
_DATE = re.compile(r"\d{4}(?:-\d\d){0,2}", re.ASCII).fullmatch


def _boolean(value: Any) -> bool | None:
    match value:
        case bool():
            return value
        case str():
            return True if value.lower() in _TRUE else False if value.lower() in _FALSE else None
        case int() | Decimal():
            return bool(value) if value in (0, 1) else None
    return None


def _integer(value: Any) -> int | None:
    match value:
        case bool() | int():
            return int(value)
        case str() if _INTEGER(value):
            return int(value) if -(2**31) <= int(value) < 2**31 else None
    return None


def _decimal(value: Any) -> Decimal | None:
    match value:
        case bool() | int() | Decimal():
            return Decimal(value)
        case str() if _DECIMAL(value):
            return Decimal(value)
    return None


def _date(value: Any) -> Temporal | None:
    match value:
        case Temporal(kind="dateTime"):
            return Temporal("date", value.fields[:DAY])
        case Temporal(kind="date"):
            return value
        case str():
            return temporal.read(value[:10], "date") if _DATE(value.partition("T")[0]) else None
    return None


def _date_time(value: Any) -> Temporal | None:
    match value:
        case Temporal(kind="date"):
            return Temporal("dateTime", value.fields)
        case Temporal(kind="dateTime"):
            return value
        case str():
            return temporal.read(value, "dateTime")
    return None


def _time(value: Any) -> Temporal | None:
    match value:
        case Temporal(kind="time"):
            return value
        case str() if not value.startswith("T"):
            return temporal.read(value, "time")
    return None


def written(value: Any) -> str | None:
    """Give the text of a value; None where it has none."""
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value:f}"
        case str() | int() | Temporal() | Quantity():
            return str(value)
    return None


def _quantity(value: Any) -> Quantity | None:
    match value:
        case Quantity():
            return value
        case bool():
            return Quantity(Decimal(f"{int(value)}.0"))
        case int() | Decimal():
            return Quantity(Decimal(value))
        case str():
            return Quantity.parse(value)
    return None


def _in_unit(value: Quantity | None, unit: str | None) -> Quantity | None:
    """Convert to a unit; None where that is not possible."""
    if value is None or unit is None or value.unit == unit:
        return value
    wanted = Quantity.of(1, unit)
    return quantity.converted(value, wanted)


def _converts(convert: Callable[[Any], Any], name: str) -> dict[str, Function]:
    def call(_context: Context, items: Items) -> Items:
        return made(convert(single(items)))

    def possible(_context: Context, items: Items) -> Items:
        return truth(convert(single(items)) is not None) if items else NONE

    return {f"to{name}": Function(call), f"convertsTo{name}": Function(possible)}


def _to_quantity(_context: Context, items: Items, unit: Items | None = None) -> Items:
    return made(_in_unit(_quantity(single(items)), single(unit) if unit else None))


def _converts_to_quantity(context: Context, items: Items, unit: Items | None = None) -> Items:
    return truth(bool(_to_quantity(context, items, unit))) if items else NONE


FUNCTIONS = {
    **_converts(_boolean, "Boolean"),
    **_converts(_integer, "Integer"),
    **_converts(_decimal, "Decimal"),
    **_converts(_date, "Date"),
    **_converts(_date_time, "DateTime"),
    **_converts(_time, "Time"),
    **_converts(written, "String"),
    "toQuantity": Function(_to_quantity, 0, 1),
    "convertsToQuantity": Function(_converts_to_quantity, 0, 1),
}
