"""Functions of numbers.

https://hl7.org/fhirpath/N1/#math
"""

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, DecimalException
from typing import Any

from profiles.fhirpath.context import Context
from profiles.fhirpath.error import FhirPathError
from profiles.fhirpath.functions.function import Function
from profiles.fhirpath.items import NONE, Items, made, number, single, whole
from profiles.fhirpath.quantity import Quantity


def numeric(items: Items) -> Any:
    """Give the one int or Decimal, None for none; FhirPathError for what is no number."""
    value = single(items)
    if value is not None and type(value) is not int and not isinstance(value, Decimal):
        raise FhirPathError("a function of numbers is given something else")
    return value


def _computed(compute: Callable[..., Any]) -> Callable[..., Items]:
    def call(_context: Context, items: Items, *arguments: Items) -> Items:
        values = [numeric(each) for each in (items, *arguments)]
        if None in values:
            return NONE
        try:
            return number(compute(*values))
        except (DecimalException, OverflowError, ValueError, ZeroDivisionError):
            return NONE

    return call


def _abs(_context: Context, items: Items) -> Items:
    value = single(items)
    if isinstance(value, Quantity):
        return made(Quantity(abs(value.value), value.unit, value.calendar, value.word))
    return NONE if value is None else number(abs(numeric(items)))


def _power(base: Any, exponent: Any) -> int | Decimal:
    result = Decimal(base) ** Decimal(exponent)
    return int(result) if type(base) is int and type(exponent) is int and exponent >= 0 and result.adjusted() < 12 else result


def _log(value: Any, base: Any) -> Decimal:
    return (Decimal(value).ln() / Decimal(base).ln()).quantize(Decimal("1E-15")).normalize() + 0


def _round(_context: Context, items: Items, precision: Items | None = None) -> Items:
    value, places = numeric(items), whole(precision) if precision is not None else 0
    if value is None or places is None:
        return NONE
    if places < 0:
        raise FhirPathError("round() takes a precision from 0")
    try:
        return number(Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) if places else _integral(value, ROUND_HALF_UP))
    except DecimalException:
        return number(value)


def _integral(value: Any, rounding: str) -> int:
    if isinstance(value, Decimal) and value.adjusted() > 20:
        raise OverflowError
    return int(Decimal(value).to_integral_value(rounding))


FUNCTIONS = {
    "abs": Function(_abs),
    "ceiling": Function(_computed(lambda value: _integral(value, ROUND_CEILING))),
    "floor": Function(_computed(lambda value: _integral(value, ROUND_FLOOR))),
    "truncate": Function(_computed(lambda value: _integral(value, "ROUND_DOWN"))),
    "round": Function(_round, 0, 1),
    "exp": Function(_computed(lambda value: Decimal(value).exp())),
    "ln": Function(_computed(lambda value: Decimal(value).ln())),
    "log": Function(_computed(_log), 1, 1),
    "power": Function(_computed(_power), 1, 1),
    "sqrt": Function(_computed(lambda value: Decimal(value).sqrt())),
}
