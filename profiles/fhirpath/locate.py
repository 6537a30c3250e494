"""Where in the JSON of a resource the values of a path lie, for FHIRPath Patch.

https://hl7.org/fhir/R4/fhirpatch.html

A path here is names, indexers, where(), first(), last(), tail(), skip(), take(), single(), ofType(), as(), extension(): what filters and
walks down. Conditions and numbers in it may be any FHIRPath.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from profiles.definitions import Definitions
from profiles.fhirpath import grammar, syntax
from profiles.fhirpath.context import Context
from profiles.fhirpath.engine import run_of
from profiles.fhirpath.error import FhirPathError
from profiles.fhirpath.evaluate import as_item, navigation_of
from profiles.fhirpath.functions.iteration import where
from profiles.fhirpath.items import Item, whole
from profiles.fhirpath.navigation import add
from profiles.fhirpath.syntax import Call, Child, Focus, Head, Indexer, OfType, Scope, Tree, Variable
from profiles.structure import Property

Path: TypeAlias = tuple[str | int, ...]
"""Keys and indexes from the resource to a value: ("name", 0, "given", 1)."""


class Place(NamedTuple):
    """A value with its type (as of Node) and its path. The value is None for a primitive that has only extensions."""

    path: Path
    type: str
    value: Any
    element: dict[str, Any] | None

    @property
    def item(self) -> Item:
        """The place as the engine takes it."""
        return self.type, self.value, self.element


_SLICES: dict[str, Callable[[list[Place], int], list[Place]]] = {
    "first": lambda places, _: places[:1],
    "last": lambda places, _: places[-1:],
    "tail": lambda places, _: places[1:],
    "skip": lambda places, count: places[max(count, 0) :],
    "take": lambda places, count: places[: max(count, 0)],
}


def locate(expression: str, resource: dict[str, Any], definitions: Definitions) -> list[Path]:
    """Give the paths of the values that an expression gives for a resource, in their order.

    Raises FhirPathError as `evaluate` does, and for an expression that computes values instead of finding them.
    """
    return [place.path for place in places(expression, resource, definitions)]


def places(expression: str, resource: dict[str, Any], definitions: Definitions) -> list[Place]:
    """Give the values with their types and paths; as `locate` else."""
    type, value, _ = item = as_item(resource)
    context = Context(navigation_of(definitions), item, resource=item, root=item)
    locator = _Locator(context, definitions, Place((), type, value, None))
    try:
        return locator.find(grammar.parse(expression))
    except RecursionError as error:
        raise FhirPathError("the evaluation is nested too deep") from error


class _Locator:
    def __init__(self, context: Context, definitions: Definitions, root: Place) -> None:
        self._context = context
        self._shapes = definitions.shapes
        self._root = root

    def find(self, tree: Tree) -> list[Place]:
        match tree:
            case Focus() | Scope("this") | Variable("resource" | "context" | "rootResource"):
                return [self._root]
            case Head(name) if name[:1].isupper():
                return [self._root] if self._context.navigation.is_a(self._root.item, name) else []
            case Head(name):
                return self._children(self._root, name)
            case Child(base, name):
                return [child for place in self.find(base) for child in self._children(place, name)]
            case Indexer(base, index):
                at = self._number(index)
                return self.find(base)[at : at + 1] if at >= 0 else []
            case OfType(base, "as" | "ofType", type):
                wanted = self._context.navigation.known(type)
                return [place for place in self.find(base) if self._context.navigation.is_a(place.item, wanted, exact=True)]
            case Call(base, name, arguments):
                return self._called(self.find(base), name, arguments)
        raise FhirPathError("the path computes a value instead of finding one")

    def _called(self, found: list[Place], name: str, arguments: tuple[Tree, ...]) -> list[Place]:
        match name, arguments:
            case "where", (condition,):
                return self._where(found, condition)
            case "extension", (url,):
                equals = syntax.Operation("=", Head("url"), url)
                return self._where([each for place in found for each in self._children(place, "extension")], equals)
            case "single", ():
                if len(found) > 1:
                    raise FhirPathError("single() is given several values")
                return found
            case "first" | "last" | "tail", ():
                return _SLICES[name](found, 0)
            case "skip" | "take", (count,):
                return _SLICES[name](found, self._number(count))
        raise FhirPathError("the path computes a value instead of finding one")

    def _where(self, found: list[Place], condition: Tree) -> list[Place]:
        run = run_of(condition)
        return [place for place in found if where(self._context, (place.item,), run)]

    def _number(self, tree: Tree) -> int:
        number = whole(run_of(tree)(self._context, self._context.this), "an index")
        return -1 if number is None else number

    def _children(self, place: Place, name: str) -> list[Place]:
        held = place.value if isinstance(place.value, dict) else place.element
        self._context.spend(1)
        if held is None:
            return []
        shape = self._shapes[place.type]
        if name in shape.properties and shape.properties[name].choice is None:
            return _found(place, held, shape.properties[name])
        if name not in shape.choices:
            raise FhirPathError("the path names an element that does not exist there")
        present = (each for each in shape.choices[name].values() if each.name in held or "_" + each.name in held)
        return [found for property in present for found in _found(place, held, property)]


def _found(place: Place, held: dict[str, Any], property: Property) -> list[Place]:
    path = place.path if isinstance(place.value, dict) else _underscored(place.path)
    items: list[Item] = []
    add(property, held, items)
    if not property.many:
        return [Place((*path, property.name), *item) for item in items]
    return [Place((*path, property.name, index), *item) for index, item in enumerate(items)]


def _underscored(path: Path) -> Path:
    """Give the path of the `_` object of a primitive."""
    if isinstance(path[-1], int):
        return (*path[:-2], f"_{path[-2]}", path[-1])
    return (*path[:-1], f"_{path[-1]}")
