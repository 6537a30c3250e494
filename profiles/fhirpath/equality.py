"""When values are equal, equivalent, or one before the other.

https://hl7.org/fhirpath/N1/#equality, #comparison
"""

from decimal import Decimal
from typing import Any

from profiles.fhirpath import quantity, temporal
from profiles.fhirpath.error import FhirPathError
from profiles.fhirpath.items import Item, Items, atom
from profiles.fhirpath.quantity import Quantity
from profiles.fhirpath.temporal import Temporal

_MANY = 500
"""Elements of an array that are still compared with each other whatever their order."""


def equal(left: Items, right: Items) -> bool | None:
    """`=`: the same values in the same order; None where one side is empty or precision leaves it open."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    results = [same(mine, yours) for mine, yours in zip(left, right, strict=True)]
    return False if False in results else None if None in results else True


def same(left: Item, right: Item) -> bool | None:
    """Tell whether two items are equal; None where it is open."""
    one, other = atom(left), atom(right)
    if one is None or other is None:
        return left[2] == right[2] if one is other else None
    if isinstance(one, Temporal) and isinstance(other, Temporal):
        if (one.kind == "time") != (other.kind == "time"):
            return False
        order = temporal.compare(one, other)
        return None if order is None else order == 0
    if isinstance(one, Quantity) or isinstance(other, Quantity):
        return _same_quantity(one, other)
    return _same_json(one, other)


def _same_quantity(one: Any, other: Any) -> bool | None:
    these, those = _quantity(one), _quantity(other)
    if these is None or those is None:
        return False
    order = quantity.compare(these, those)
    return None if order is None else order == 0


def _quantity(value: Any) -> Quantity | None:
    if isinstance(value, Quantity):
        return value
    return Quantity(Decimal(value)) if type(value) is int or isinstance(value, Decimal) else None


def _same_json(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(_same_json(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(_same_json, one, other))
    return (type(one) is bool) == (type(other) is bool) and bool(one == other)


def equivalent(left: Items, right: Items) -> bool:
    """`~`: the same values in any order, by looser rules."""
    if len(left) != len(right):
        return False
    rest = list(right)
    for item in left:
        found = next((index for index, other in enumerate(rest) if alike(item, other)), None)
        if found is None:
            return False
        del rest[found]
    return True


def alike(left: Item, right: Item) -> bool:
    """Tell whether two items are equivalent."""
    one, other = atom(left), atom(right)
    if isinstance(one, Temporal) and isinstance(other, Temporal):
        return (one.kind == "time") == (other.kind == "time") and temporal.compare(one, other) == 0
    these, those = _quantity(one), _quantity(other)
    if isinstance(one, Quantity) or isinstance(other, Quantity):
        return these is not None and those is not None and quantity.compare(these, those, definite=False) == 0
    return _alike_json(one, other)


def _alike_json(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
    if isinstance(one, Decimal | int) and isinstance(other, Decimal | int) and bool not in {type(one), type(other)}:
        return _alike_numbers(Decimal(one), Decimal(other))
    if isinstance(one, dict) and isinstance(other, dict):
        mine, yours = one.keys() - {"id"}, other.keys() - {"id"}
        return mine == yours and all(_alike_json(one[name], other[name]) for name in mine)
    if isinstance(one, list) and isinstance(other, list):
        if len(one) > _MANY:
            return _same_json(one, other)
        return equivalent([("", each, None) for each in one], [("", each, None) for each in other])
    return _same_json(one, other)


def _alike_numbers(one: Decimal, other: Decimal) -> bool:
    """Equal when rounded to the digits of the vaguer one; digits that are zeros do not count."""
    places = min(_places(one), _places(other))
    return round(one, places) == round(other, places)


def _places(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def order(left: Any, right: Any) -> int | None:
    """Give -1, 0 or 1 for two values as `atom` gives them, None where it is open; FhirPathError for what has no order."""
    if left is None or right is None:
        return None
    if isinstance(left, Temporal) and isinstance(right, Temporal):
        return temporal.compare(left, right)
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    if isinstance(left, Temporal | str) and isinstance(right, Temporal | str):
        return _order_read(left, right)
    one, other = _quantity(left), _quantity(right)
    if one is None or other is None:
        raise FhirPathError("values of these types have no order")
    if isinstance(left, Quantity) or isinstance(right, Quantity):
        return quantity.compare(one, other, definite=False)
    return int(left > right) - int(left < right)


def _order_read(left: Temporal | str, right: Temporal | str) -> int | None:
    """A string beside a date is read as one."""
    kind = left.kind if isinstance(left, Temporal) else right.kind if isinstance(right, Temporal) else "date"
    one, other = (each if isinstance(each, Temporal) else temporal.read(each, kind) for each in (left, right))
    if one is None or other is None:
        raise FhirPathError("values of these types have no order")
    return temporal.compare(one, other)
