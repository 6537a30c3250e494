"""Invariants that only ask what is present, as closures over the JSON object.

`low.exists() or high.exists()` needs no FHIRPath engine but two look-ups, and so do three quarters of R4's invariants. What is not
understood here goes to the engine; `gates` tells of any expression without which elements it holds whatever the rest says.
"""

from collections.abc import Callable, Iterator, Mapping
from operator import eq, ge, gt, le, lt, ne
from typing import Any, TypeAlias

from profiles.fhirpath.syntax import Call, Child, Focus, Head, Literal, OfType, Operation, Tree, parts
from profiles.structure import Shape

Condition: TypeAlias = Callable[[Mapping[str, Any]], bool | None]
"""Judges an object; None is FHIRPath's empty."""

_Count: TypeAlias = Callable[[Mapping[str, Any]], int]

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {"=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
_TEXT: Mapping[str, Callable[[str, str], bool]] = {"contains": str.__contains__, "startsWith": str.startswith, "endsWith": str.endswith}
_TEXTS = frozenset(("string", "code", "uri", "url", "canonical", "id", "markdown"))
_ORDER = frozenset(("<", "<=", ">", ">="))


class NotPlain(Exception):  # noqa: N818 - not an error: the engine takes it
    """The expression asks for more than what is present."""


def names_of(shape: Shape, name: str) -> frozenset[str]:
    """Give the JSON names under which an element can be present; empty where the shape has none of this name."""
    property = shape.properties.get(name)
    found = [property] if property is not None and property.choice is None else list(shape.choices.get(name, {}).values())
    return frozenset(each for one in found for each in (one.name, "_" + one.name))


def condition(tree: Tree, shape: Shape) -> Condition:
    """Compile a condition; NotPlain where it asks for more than presence, texts and counts."""
    match tree:
        case Call(Head(name), "exists" | "empty" as word, ()):
            return _present(_names(shape, name), there=word == "exists")
        case Call(Call(Focus(), "where", (inner,)), "exists" | "empty" as word, ()):
            holds = condition(inner, shape)
            return lambda value: (holds(value) is True) is (word == "exists")
        case Call(Head(name), "contains" | "startsWith" | "endsWith" as word, (Literal(str() as text),)):
            return _of_text(shape, name, lambda value: _TEXT[word](value, text))
        case Call(base, "not", ()):
            return _opposite(condition(base, shape))
        case Operation("and" | "or" | "xor" | "implies" as operator, left, right):
            return _logic(operator, condition(left, shape), condition(right, shape))
        case Operation("=" | "!=" as operator, Head(name), Literal(str() as text)):
            return _of_text(shape, name, lambda value: _COMPARE[operator](value, text))
        case Operation("=", Head(name), Literal(bool() as wanted)):
            return _of_boolean(shape, name, wanted=wanted)
        case Operation("in", Head(name), texts):
            among = frozenset(_texts(texts))
            return _of_text(shape, name, among.__contains__)
        case Operation("=" | "!=" | "<" | "<=" | ">" | ">=" as operator, left, Literal(int() as number)) if type(number) is int:
            return _counted(_count(left, shape), _COMPARE[operator], number)
        case Operation("=" | "!=" as operator, left, right):
            return _logic("xor" if operator == "!=" else "same", condition(left, shape), condition(right, shape))
    raise NotPlain


def _names(shape: Shape, name: str) -> frozenset[str]:
    names = names_of(shape, name)
    if not names:
        raise NotPlain
    return names


def _present(names: frozenset[str], *, there: bool) -> Condition:
    return lambda value: names.isdisjoint(value) is not there


def _opposite(holds: Condition) -> Condition:
    return lambda value: None if (result := holds(value)) is None else not result


def _logic(operator: str, left: Condition, right: Condition) -> Condition:
    def both(value: Mapping[str, Any]) -> bool | None:
        one = left(value)
        if one is False:
            return False
        other = right(value)
        return False if other is False else None if one is None or other is None else True

    def either(value: Mapping[str, Any]) -> bool | None:
        one = left(value)
        if one:
            return True
        other = right(value)
        return True if other else None if one is None or other is None else False

    def implied(value: Mapping[str, Any]) -> bool | None:
        one = left(value)
        if one is False:
            return True
        other = right(value)
        return True if other else None if one is None or other is None else False

    def differ(value: Mapping[str, Any]) -> bool | None:
        one, other = left(value), right(value)
        return None if one is None or other is None else one is not other

    return {"and": both, "or": either, "implies": implied, "xor": differ, "same": _opposite(differ)}[operator]


def _of_text(shape: Shape, name: str, judge: Callable[[str], bool]) -> Condition:
    property = shape.properties.get(name)
    if property is None or property.many or property.type not in _TEXTS:
        raise NotPlain

    def holds(value: Mapping[str, Any]) -> bool | None:
        text = value.get(name)
        return judge(text) if isinstance(text, str) else None

    return holds


def _of_boolean(shape: Shape, name: str, *, wanted: bool) -> Condition:
    property = shape.properties.get(name)
    if property is None or property.many or property.type != "boolean":
        raise NotPlain
    return lambda value: None if (found := value.get(name)) is None else found is wanted


def _texts(tree: Tree) -> Iterator[str]:
    match tree:
        case Literal(str() as text):
            yield text
        case Operation("|", left, right):
            yield from _texts(left)
            yield from _texts(right)
        case _:
            raise NotPlain


def _counted(count: _Count, compare: Callable[[Any, Any], bool], number: int) -> Condition:
    return lambda value: compare(count(value), number)


def _count(tree: Tree, shape: Shape) -> _Count:
    match tree:
        case Operation("+", left, right):
            one, other = _count(left, shape), _count(right, shape)
            return lambda value: one(value) + other(value)
        case Call(Head(name), "count", ()) if (property := shape.properties.get(name)) is not None and property.choice is None:
            if property.many:
                return lambda value: max(len(value.get(name) or ()), len(value.get("_" + name) or ()))
            return lambda value: int(name in value or "_" + name in value)
    raise NotPlain


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
