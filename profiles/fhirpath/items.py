"""What flows through an evaluation: values with their types, and what they are when they are compared.

An item is (type, value, element): the type is `Patient`, `Patient.contact`, `code` or, for what an expression made, `System.String`; the
value is JSON's, of System types also Decimal, Temporal and Quantity; `element` is the `_` object of a primitive. The value is None where a
primitive has nothing but extensions. Lists of items are never changed once they are made.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

from profiles.fhirpath import temporal
from profiles.fhirpath.error import FhirPathError
from profiles.fhirpath.quantity import Quantity
from profiles.fhirpath.sinks import Node
from profiles.fhirpath.temporal import Temporal

Item: TypeAlias = tuple[str, Any, dict[str, Any] | None]
Items: TypeAlias = Sequence[Item]

NONE: Items = ()
YES: Items = (("System.Boolean", True, None),)
NO: Items = (("System.Boolean", False, None),)
TYPE_INFO = "System.TypeInfo"
"""The type of what `type()` gives: {"namespace": ..., "name": ...}."""
QUANTITIES = frozenset(("Quantity", "SimpleQuantity", "Age", "Count", "Distance", "Duration", "MoneyQuantity"))
MAX_TEXT = 1024 * 1024
"""Characters of a string that an expression makes."""

_TEMPORAL = {"date": "date", "dateTime": "dateTime", "instant": "dateTime", "time": "time"}
_INTEGERS = range(-(2**31), 2**31)
_NODE_TYPES = {
    "System.Boolean": "boolean", "System.String": "string", "System.Integer": "integer", "System.Decimal": "decimal",
    "System.Date": "date", "System.DateTime": "dateTime", "System.Time": "time", "System.Quantity": "Quantity",
}  # fmt: skip


def truth(value: bool | None) -> Items:
    """Give a boolean, or nothing for None."""
    return NONE if value is None else YES if value else NO


def string(value: str) -> Items:
    """Give a string."""
    if len(value) > MAX_TEXT:
        raise FhirPathError(f"a text becomes longer than {MAX_TEXT} characters")
    return (("System.String", value, None),)


def number(value: int | Decimal | None) -> Items:
    """Give an integer or a decimal; nothing for what is out of range or no number."""
    if value is None or (isinstance(value, Decimal) and not value.is_finite()) or (type(value) is int and value not in _INTEGERS):
        return NONE
    return (("System.Integer" if type(value) is int else "System.Decimal", value, None),)


def made(value: Any) -> Items:
    """Give a value of a System type; nothing for None."""
    match value:
        case None:
            return NONE
        case bool():
            return truth(value)
        case str():
            return string(value)
        case int() | Decimal():
            return number(value)
        case Temporal():
            return (({"date": "System.Date", "dateTime": "System.DateTime"}.get(value.kind, "System.Time"), value, None),)
        case Quantity():
            return (("System.Quantity", value, None),)
    raise FhirPathError("a variable has to be a boolean, a string, a number or a resource")


def atom(item: Item) -> Any:
    """Give the value as it is compared: bool, int, Decimal, str, Temporal, Quantity; a dict for other types, None where there is none."""
    type, value, _ = item
    if isinstance(value, str):
        kind = _TEMPORAL.get(type)
        return value if kind is None else temporal.read(value, kind)
    if type in QUANTITIES and isinstance(value, dict):
        return Quantity.of_fhir(value) or value
    return value


def single(items: Items, what: str = "an operand") -> Any:
    """Give the one value of the items as it is compared, None for none; FhirPathError for several."""
    if not items:
        return None
    if len(items) > 1:
        raise FhirPathError(f"{what} has to be one value, not {len(items)}")
    return atom(items[0])


def text(items: Items, what: str = "the input of a function of strings") -> str | None:
    """Give the one string, None for none; FhirPathError for what is no string."""
    value = single(items, what)
    if value is not None and not isinstance(value, str):
        if isinstance(value, Temporal):
            return str(value)
        raise FhirPathError(f"{what} has to be a string")
    return value


def whole(items: Items, what: str = "an argument") -> int | None:
    """Give the one integer, None for none; FhirPathError for what is none."""
    value = single(items, what)
    if value is not None and type(value) is not int:
        raise FhirPathError(f"{what} has to be an integer")
    return value


def judged(items: Items) -> bool | None:
    """Read items as a boolean: one that is no boolean is true, none is empty. https://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections."""
    if not items:
        return None
    if len(items) > 1:
        raise FhirPathError("a condition has to be one value")
    value = items[0][1]
    return value if type(value) is bool else True if value is not None else None


def nodes(items: Items) -> list[Node]:
    """Give items as nodes: System types under the names of FHIR's primitives, in FHIR's JSON."""
    return [(_NODE_TYPES.get(type, type), json(value)) for type, value, _ in items if value is not None]


def json(value: Any) -> Any:
    """Give a value as FHIR's JSON has it."""
    if isinstance(value, Temporal):
        return str(value)
    if isinstance(value, Quantity):
        return {"value": value.value, "unit": value.word or value.unit} | (
            {} if value.calendar else {"system": "http://unitsofmeasure.org", "code": value.unit}
        )
    return value


def distinct(items: Iterable[Item], same: Callable[[Item, Item], bool | None], spend: Callable[[int], None]) -> list[Item]:
    """Leave out what equals an earlier item: by a set, but dates and quantities, which may equal in other words, one by one."""
    kept: list[Item] = []
    seen: set[Any] = set()
    others: list[Item] = []
    for item in items:
        value = atom(item)
        if isinstance(value, Temporal | Quantity):
            spend(len(others))
            if any(same(item, other) for other in others):
                continue
            others.append(item)
        else:
            key = _hashable(value if value is not None else item[2])
            if key in seen:
                continue
            seen.add(key)
        kept.append(item)
    return kept


def _hashable(value: Any) -> Any:
    if isinstance(value, dict):
        return frozenset((name, _hashable(each)) for name, each in value.items())
    if isinstance(value, list):
        return tuple(map(_hashable, value))
    return ("boolean", value) if isinstance(value, bool) else value
