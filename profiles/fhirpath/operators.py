"""The operators between two collections.

https://hl7.org/fhirpath/N1/#operations
"""

from collections.abc import Callable, Mapping
from decimal import Decimal, DecimalException, localcontext
from types import MappingProxyType
from typing import Any, TypeAlias

from profiles.fhirpath import equality, quantity
from profiles.fhirpath.context import Context
from profiles.fhirpath.error import FhirPathError
from profiles.fhirpath.functions.collections import has, unite
from profiles.fhirpath.items import NONE, Items, made, number, single, string, text, truth
from profiles.fhirpath.quantity import Quantity
from profiles.fhirpath.temporal import DAY, HOUR, MINUTE, MONTH, YEAR, Temporal

Operator: TypeAlias = Callable[[Context, Items, Items], Items]

_UNITS = {"year": YEAR, "month": MONTH, "day": DAY, "hour": HOUR, "minute": MINUTE}
_DIGITS = 28


def _ordered(holds: Callable[[int], bool]) -> Operator:
    def call(_context: Context, left: Items, right: Items) -> Items:
        order = equality.order(single(left), single(right))
        return NONE if order is None else truth(holds(order))

    return call


def _not(value: bool | None) -> Items:
    return NONE if value is None else truth(not value)


def _equivalent(context: Context, left: Items, right: Items) -> bool:
    context.spend(len(left) * len(right))
    return equality.equivalent(left, right)


def _in(context: Context, left: Items, right: Items) -> Items:
    if len(left) > 1:
        raise FhirPathError("the left side of `in` has to be one value")
    return truth(has(context, right, left[0])) if left else NONE


def _contains(context: Context, left: Items, right: Items) -> Items:
    return _in(context, right, left)


def _plus(context: Context, left: Items, right: Items) -> Items:
    one, other = single(left), single(right)
    if one is None or other is None:
        return NONE
    if isinstance(one, str) and isinstance(other, str):
        return _concatenated(context, one, other)
    return _sum(one, other, 1)


def _minus(_context: Context, left: Items, right: Items) -> Items:
    one, other = single(left), single(right)
    return NONE if one is None or other is None else _sum(one, other, -1)


def _sum(one: Any, other: Any, sign: int) -> Items:
    if isinstance(one, Temporal) and isinstance(other, Quantity):
        return made(_moved(one, other, sign))
    if _are_numbers(one, other):
        return number(_exactly(lambda: one + other if sign > 0 else one - other))
    if isinstance(one, Quantity) and isinstance(other, Quantity):
        in_unit = other if other.unit == one.unit else quantity.converted(other, one)
        return NONE if in_unit is None else made(Quantity(one.value + sign * in_unit.value, one.unit, one.calendar, one.word))
    raise FhirPathError("values of these types cannot be added or subtracted")


def _moved(moment: Temporal, by: Quantity, sign: int) -> Temporal:
    """Add a duration to a date; only seconds have fractions. https://hl7.org/fhirpath/N1/#datetime-arithmetic."""
    unit = by.duration
    if unit is None or abs(by.value) > 10**9:
        raise FhirPathError("only calendar durations can be added to a date or a time")
    if unit in {"second", "millisecond"}:
        return moment.plus_milliseconds(sign * int(by.value * (1000 if unit == "second" else 1)))
    count = sign * int(by.value)
    return moment.plus(count * 7, DAY) if unit == "week" else moment.plus(count, _UNITS[unit])


def _are_numbers(*values: Any) -> bool:
    return all(isinstance(value, int | Decimal) and not isinstance(value, bool) for value in values)


def _exactly(compute: Callable[[], Any]) -> Any:
    """Compute with 28 digits; None where the result is out of range or does not exist."""
    with localcontext() as decimals:
        decimals.prec = _DIGITS
        try:
            return compute()
        except (DecimalException, ZeroDivisionError, OverflowError):
            return None


def _arithmetic(compute: Callable[[Any, Any], Any], sign: int = 0) -> Operator:
    def call(_context: Context, left: Items, right: Items) -> Items:
        one, other = single(left), single(right)
        if one is None or other is None:
            return NONE
        if _are_numbers(one, other):
            return number(_exactly(lambda: compute(one, other)))
        these, those = (Quantity(Decimal(each)) if _are_numbers(each) else each for each in (one, other))
        if sign and isinstance(these, Quantity) and isinstance(those, Quantity):
            return made(_exactly(lambda: quantity.product(these, those, sign)))
        raise FhirPathError("an operator of numbers is given something else")

    return call


def _whole_quotient(one: Any, other: Any) -> int:
    quotient = Decimal(one) // Decimal(other)
    return int(quotient)


def _rest(one: Any, other: Any) -> Any:
    rest = Decimal(one) % Decimal(other)
    return int(rest) if type(one) is int and type(other) is int else rest


def _joined(context: Context, left: Items, right: Items) -> Items:
    return _concatenated(context, text(left, "a side of `&`") or "", text(right, "a side of `&`") or "")


def _concatenated(context: Context, left: str, right: str) -> Items:
    context.spend((len(left) + len(right)) // 64)
    return string(left + right)


OPERATORS: Mapping[str, Operator] = MappingProxyType(
    {
        "=": lambda _context, left, right: truth(equality.equal(left, right)),
        "!=": lambda _context, left, right: _not(equality.equal(left, right)),
        "~": lambda context, left, right: truth(_equivalent(context, left, right)),
        "!~": lambda context, left, right: truth(not _equivalent(context, left, right)),
        "<": _ordered(lambda order: order < 0),
        "<=": _ordered(lambda order: order <= 0),
        ">": _ordered(lambda order: order > 0),
        ">=": _ordered(lambda order: order >= 0),
        "|": unite,
        "in": _in,
        "contains": _contains,
        "+": _plus,
        "-": _minus,
        "&": _joined,
        "*": _arithmetic(lambda one, other: one * other, 1),
        "/": _arithmetic(lambda one, other: Decimal(one) / Decimal(other), -1),
        "div": _arithmetic(_whole_quotient),
        "mod": _arithmetic(_rest),
    }
)
"""All operators except those of logic, which need not look at both sides."""
