"""Invariants that only ask what is present, as closures over the JSON object.

`low.exists() or high.exists()` needs no FHIRPath engine but two look-ups, and so do three quarters of R4's invariants. What is not
understood here goes to the engine, unless a `shortcut` says before that it holds.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from operator import eq, ge, gt, le, lt, ne
from typing import Any, NamedTuple, TypeAlias

from profiles.fhirpath.syntax import Call, Child, Focus, Head, Literal, Operation, Tree
from profiles.structure import Shape, Shapes
from profiles.validator.gates import names_of

Condition: TypeAlias = Callable[[Mapping[str, Any]], bool | None]
"""Judges an object; None is FHIRPath's empty."""

_Count: TypeAlias = Callable[[Mapping[str, Any]], int | Decimal | None]
_Objects: TypeAlias = Callable[[Mapping[str, Any]], Sequence[Mapping[str, Any]]]

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {"=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
_TEXT: Mapping[str, Callable[[str, str], bool]] = {"contains": str.__contains__, "startsWith": str.startswith, "endsWith": str.endswith}
_TEXTS = frozenset(("string", "code", "uri", "url", "canonical", "id", "markdown"))
_NUMBERS = frozenset(("decimal", "integer", "positiveInt", "unsignedInt"))


class At(NamedTuple):
    """The objects that a condition is about."""

    shapes: Shapes
    shape: Shape


class NotPlain(Exception):  # noqa: N818 - not an error: the engine takes it
    """The expression asks for more than what is present."""


def condition(tree: Tree, at: At) -> Condition:
    """Compile a condition; NotPlain where it asks for more than presence, texts and counts."""
    match tree:
        case Call(Head(name), "exists" | "empty" as word, ()):
            return _present(_names(at, name), there=word == "exists")
        case Call(Call(path, "where", (inner,)), "exists" | "empty" as word, ()):
            return _some(path, inner, at, there=word == "exists")
        case Call(Child(base, name), "exists" | "empty" as word, ()):
            objects, below = _objects(base, at)
            names = _names(below, name)
            return lambda value: any(not names.isdisjoint(each) for each in objects(value)) is (word == "exists")
        case Call(Head(name), "contains" | "startsWith" | "endsWith" as word, (Literal(str() as text),)):
            return _of_text(at, name, lambda value: _TEXT[word](value, text))
        case Call(base, "not", ()):
            return _opposite(condition(base, at))
        case Operation("and" | "or" | "xor" | "implies" as operator, left, right):
            return _logic(operator, condition(left, at), condition(right, at))
        case Operation("=" | "!=" as operator, Head(name), Literal(str() as text)):
            return _of_text(at, name, lambda value: _COMPARE[operator](value, text))
        case Operation("=", Head(name), Literal(bool() as wanted)):
            return _of_boolean(at, name, wanted=wanted)
        case Operation("in", Head(name), texts):
            among = frozenset(_texts(texts))
            return _of_text(at, name, among.__contains__)
        case Operation("=" | "!=" | "<" | "<=" | ">" | ">=" as operator, left, Literal(int() as number)) if type(number) is int:
            return _counted(_count(left, at), _COMPARE[operator], number)
        case Operation("=" | "!=" as operator, left, right):
            return _logic("xor" if operator == "!=" else "same", condition(left, at), condition(right, at))
    raise NotPlain


def _names(at: At, name: str) -> frozenset[str]:
    names = names_of(at.shape, name)
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


def _some(path: Tree, inner: Tree, at: At, *, there: bool) -> Condition:
    """Whether the condition holds for one of the objects of a path."""
    objects, below = _objects(path, at)
    holds = _alike(inner, below) or condition(inner, below)

    def some(value: Mapping[str, Any]) -> bool:
        for each in objects(value):
            if holds(each):
                return there
        return not there

    return some


def _alike(tree: Tree, at: At) -> Condition | None:
    """Compile `system = 's' and code = 'c'`, the most frequent condition, to one function; the last text is asked first."""
    match tree:
        case Operation("and", Operation("=", Head(first), Literal(str() as one)), Operation("=", Head(second), Literal(str() as other))):
            if all(_is_text(at, name) for name in (first, second)):
                return lambda value: value.get(second) == other and value.get(first) == one
    return None


def _is_text(at: At, name: str) -> bool:
    property = at.shape.properties.get(name)
    return property is not None and not property.many and property.type in _TEXTS


def _objects(path: Tree, at: At) -> tuple[_Objects, At]:
    """Compile a path to objects, and give the shape they have."""
    match path:
        case Focus():
            return lambda value: (value,), at
        case Head(name):
            return _of_property(lambda value: (value,), at, name)
        case Child(base, name):
            objects, below = _objects(base, at)
            return _of_property(objects, below, name)
    raise NotPlain


def _of_property(objects: _Objects, at: At, name: str) -> tuple[_Objects, At]:
    property = at.shape.properties.get(name)
    if property is None or property.primitive or property.choice is not None or property.key == "Resource":
        raise NotPlain
    below = At(at.shapes, at.shapes[property.key])
    if property.many:
        return lambda value: [each for one in objects(value) for each in one.get(name, ())], below
    return lambda value: [one[name] for one in objects(value) if name in one], below


def shortcut(tree: Tree, at: At) -> Condition | None:
    """Give a condition that is true only where the whole is, though it may be open where the whole is true; None where there is none."""
    try:
        return condition(tree, at)
    except NotPlain:
        pass
    if not isinstance(tree, Operation) or tree.operator not in {"and", "or", "implies"}:
        return None
    left, right = tree.left, tree.right
    if tree.operator == "implies":
        left = Call(left, "not")
    one, other = shortcut(left, at), shortcut(right, at)
    if one is None or other is None:
        return None if tree.operator == "and" else one or other
    return _logic("and" if tree.operator == "and" else "or", one, other)


def _of_text(at: At, name: str, judge: Callable[[str], bool]) -> Condition:
    if not _is_text(at, name):
        raise NotPlain

    def holds(value: Mapping[str, Any]) -> bool | None:
        text = value.get(name)
        return judge(text) if isinstance(text, str) else None

    return holds


def _of_boolean(at: At, name: str, *, wanted: bool) -> Condition:
    property = at.shape.properties.get(name)
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
    return lambda value: None if (found := count(value)) is None else compare(found, number)


def _count(tree: Tree, at: At) -> _Count:
    match tree:
        case Operation("+", left, right):
            one, other = _count(left, at), _count(right, at)
            return lambda value: None if (a := one(value)) is None or (b := other(value)) is None else a + b
        case Head(name) if (property := at.shape.properties.get(name)) is not None and property.type in _NUMBERS and not property.many:
            return lambda value: value.get(name)
        case Call(Head(name), "count", ()) if (property := at.shape.properties.get(name)) is not None and property.choice is None:
            if property.many:
                return lambda value: max(len(value.get(name) or ()), len(value.get("_" + name) or ()))
            return lambda value: int(name in value or "_" + name in value)
    raise NotPlain
