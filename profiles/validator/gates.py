"""Which elements an invariant waits for: without them it holds, whatever else is there.

`data.empty() or contentType.exists()` need not be asked where there is no `data`. That is read from the expression, by evaluating it with
nothing known but that one element is absent.
"""

from collections.abc import Iterator
from typing import Any

from profiles.fhirpath.syntax import Call, Child, Head, Literal, OfType, Operation, Tree, parts
from profiles.structure import Shape

_ORDER = frozenset(("<", "<=", ">", ">="))


def names_of(shape: Shape, name: str) -> frozenset[str]:
    """Give the JSON names under which an element can be present; empty where the shape has none of this name."""
    property = shape.properties.get(name)
    found = [property] if property is not None and property.choice is None else list(shape.choices.get(name, {}).values())
    return frozenset(each for one in found for each in (one.name, "_" + one.name))


def compares(tree: Tree) -> bool:
    """Tell whether an order is asked for, which vague dates and foreign units leave open."""
    return (isinstance(tree, Operation) and tree.operator in _ORDER) or any(compares(part) for part in parts(tree))


def gates(tree: Tree, shape: Shape) -> tuple[tuple[str, ...], ...]:
    """Give, for each element without which the expression is true or empty anyway, the JSON names it can have; the rarest first."""
    names = {name for name in _heads(tree) if names_of(shape, name)}
    found = [tuple(sorted(names_of(shape, name), reverse=True)) for name in names if _without(tree, name) in _PASSES]
    return tuple(sorted(found, key=lambda names: (len(names), names)))


def _heads(tree: Tree) -> Iterator[str]:
    if isinstance(tree, Head):
        yield tree.name
    for part in parts(tree):
        yield from _heads(part)


_OPEN = object()
"""Nothing is known."""
_EMPTY = None
_PASSES = (True, _EMPTY)
_KEEPS_EMPTY = frozenset(
    "where select first last tail trace ofType extension not matches startsWith endsWith contains substring toInteger toString resolve intersect".split()  # noqa: SIM905
)


def _without(tree: Tree, name: str) -> Any:
    """Evaluate with only that known, that the element is not there: True, False, None for empty, or _OPEN."""
    match tree:
        case Head(found):
            return _EMPTY if found == name else _OPEN
        case Literal(bool() as value):
            return value
        case Child(base) | OfType(base):
            return _EMPTY if _without(base, name) is _EMPTY else _OPEN
        case Call(base, function):
            return _called(_without(base, name), function)
        case Operation("and" | "or" | "implies" as operator, left, right):
            return _joined(operator, _without(left, name), _without(right, name))
        case Operation("|", left, right):
            return _EMPTY if _without(left, name) is _EMPTY and _without(right, name) is _EMPTY else _OPEN
        case Operation("=" | "!=" | "<" | "<=" | ">" | ">=", left, right):
            return _EMPTY if _EMPTY in (_without(left, name), _without(right, name)) else _OPEN
    return _OPEN


def _called(base: Any, function: str) -> Any:
    if base is _EMPTY:
        if function in {"empty", "all", "isDistinct", "allTrue", "subsetOf"}:
            return True
        if function in {"exists", "hasValue"}:
            return False
        return _EMPTY if function in _KEEPS_EMPTY else _OPEN
    return (not base) if function == "not" and isinstance(base, bool) else _OPEN


def _joined(operator: str, left: Any, right: Any) -> Any:
    if operator == "implies":
        left, operator = (not left if isinstance(left, bool) else left), "or"
    decisive = operator == "or"
    if left is decisive or right is decisive:
        return decisive
    if _OPEN in (left, right):
        return _OPEN
    return _EMPTY if _EMPTY in (left, right) else not decisive
