"""Trees of FHIRPath as closures over a resource's type: the part of FHIRPath that search parameters use, as fast as can be.

Every step is a sink: a function that takes one value, looks up what its step names and hands each value found to the
next step's sink; the last one collects. Types are known when the sinks are made, so at run time nothing is looked up
but the data. A sink may assume that the resource is valid.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

from profiles.definitions import Definitions
from profiles.fhirpath import grammar, sinks, syntax
from profiles.fhirpath.error import FhirPathError
from profiles.fhirpath.sinks import Node, Nodes, Predicate, Sink
from profiles.fhirpath.syntax import Call, Focus, Indexer, Literal, OfType, Operation, Scope, Tree, Variable
from profiles.structure import Property, Shapes

Evaluate: TypeAlias = Callable[[dict[str, Any]], list[Node]]
_Then: TypeAlias = Callable[[str], Sink | None]  # the sink for values of a type; None: nothing takes them

_EMPTY: list[Node] = []


@cache
def compile(expression: str, definitions: Definitions) -> Evaluate:
    """Make a function from a resource to what the expression gives for it.

    Raises FhirPathError at once for bad syntax and for elements that a named resource type does not have. A resource
    of a type that the expression does not speak of gives nothing.
    """
    try:
        tree = grammar.parse(expression)
    except FhirPathError as error:
        raise FhirPathError(f"{expression}: {error}") from error

    def bind(type: str) -> Sink | None:
        return _Binder(expression, definitions.shapes, type).bind(tree, type, _collect)

    bound = {name: bind(name) for name in sorted(syntax.heads(tree) & frozenset(definitions.resource_types))}

    def evaluate(resource: dict[str, Any]) -> list[Node]:
        type = resource["resourceType"]
        if type in bound:
            sink = bound[type]
        else:
            sink = bound[type] = bind(type)
        if sink is None:
            return _EMPTY.copy()
        found: list[Node] = []
        sink(resource, found, resource)
        return found

    return evaluate


def _collect(type: str) -> Sink:
    def collect(value: Any, found: list[Node], _root: Any) -> None:
        found.append((type, value))

    return collect


class _Binder:
    """Binds the trees of one expression to one resource type, and their parts to the types below it."""

    def __init__(self, expression: str, shapes: Shapes, resource_type: str) -> None:
        self._resource_type = resource_type
        self._expression = expression
        self._shapes = shapes

    def bind(self, tree: Tree, type: str, then: _Then) -> Sink | None:
        """Make the sink that takes a value of the type and hands what the tree gives to `then`."""
        match tree:
            case Focus() | Scope("this"):
                return then(type)
            case Variable("resource"):
                return sinks.root(then(self._resource_type))
            case syntax.Head(name):
                return self._head(name, type, then)
            case syntax.Child(base, name):
                return self.bind(base, type, lambda key: self._child(key, name, then))
            case OfType(base, "as" | "ofType", wanted):
                known = self._known(wanted)
                return self.bind(base, type, lambda key: then(key) if self._shapes.is_a(key, known) else None)
            case Call(base, "where", (condition,)):
                return self.bind(base, type, lambda key: self._where(condition, key, then))
            case Call(base, "extension", (Literal(str() as url),)):
                return self.bind(base, type, lambda key: self._extension(key, url, then))
            case Operation("|", left, right):
                return sinks.each([self.bind(part, type, then) for part in _united(left, right)])
            case Indexer(base, Literal(int() as index)):
                return self._index(base, index, type, then)
            case Call(base, "first", ()):
                return self._index(base, 0, type, then)
        return self._boolean(tree, type, then)

    def _known(self, type: str) -> str:
        name = type.removeprefix("FHIR.").removeprefix("System.")
        if name not in self._shapes.types:
            raise FhirPathError(f"{self._expression}: {type} is no type of FHIR R4")
        return name

    def _head(self, name: str, type: str, then: _Then) -> Sink | None:
        if self._shapes.is_a(type, name):
            return then(type)
        if name[0].isupper():  # another type's part of a union
            return None
        return self._child(type, name, then)

    def _child(self, key: str, name: str, then: _Then) -> Sink | None:
        shape = self._shapes[key]
        if (property := shape.properties.get(name)) is not None:
            return self._property(property, then)
        if (variants := shape.choices.get(name)) is not None:
            return sinks.each([self._property(variant, then) for variant in variants.values()])
        raise FhirPathError(f"{self._expression}: {key} has no element {name}")

    def _property(self, property: Property, then: _Then) -> Sink | None:
        sink = self._of_any_type(then) if property.key == "Resource" else then(property.key)
        if sink is None:
            return None
        return sinks.many(property.name, sink) if property.many else sinks.one(property.name, sink)

    def _of_any_type(self, then: _Then) -> Sink:
        bound: dict[str, Sink | None] = {}

        def dispatch(value: Any, found: list[Node], root: Any) -> None:
            type = value["resourceType"]
            if type not in bound:
                bound[type] = then(type)
            if (sink := bound[type]) is not None:
                sink(value, found, root)

        return dispatch

    def _where(self, condition: Tree, key: str, then: _Then) -> Sink | None:
        sink, holds = then(key), self._predicate(condition, key)
        if sink is None:
            return None

        def where(value: Any, found: list[Node], root: Any) -> None:
            if holds(value, root):
                sink(value, found, root)

        return where

    def _extension(self, key: str, url: str, then: _Then) -> Sink | None:
        sink = then("Extension")
        if sink is None or "extension" not in self._shapes[key].properties:
            return None

        def extension(value: Any, found: list[Node], root: Any) -> None:
            if isinstance(value, dict):
                for each in value.get("extension", ()):
                    if each.get("url") == url:
                        sink(each, found, root)

        return extension

    def _index(self, base: Tree, index: int, type: str, then: _Then) -> Sink | None:
        all_of_them = self.bind(base, type, _collect)
        if all_of_them is None:
            return None
        bound: dict[str, Sink | None] = {}

        def pick(value: Any, found: list[Node], root: Any) -> None:
            nodes: list[Node] = []
            all_of_them(value, nodes, root)
            if index < len(nodes):
                key, picked = nodes[index]
                if key not in bound:
                    bound[key] = then(key)
                if (sink := bound[key]) is not None:
                    sink(picked, found, root)

        return pick

    def _boolean(self, tree: Tree, type: str, then: _Then) -> Sink | None:
        sink, judge = then("boolean"), self._predicate(tree, type)
        if sink is None or not self._speaks_of(tree, type):
            return None

        def boolean(value: Any, found: list[Node], root: Any) -> None:
            result = judge(value, root)
            if result is not None:
                sink(result, found, root)

        return boolean

    def _speaks_of(self, tree: Tree, type: str) -> bool:
        heads = syntax.heads(tree)
        return not heads or any(self._shapes.is_a(type, head) or not head[0].isupper() for head in heads)

    def _predicate(self, tree: Tree, key: str) -> Predicate:
        match tree:
            case Operation("and" | "or" as word, left, right):
                return sinks.both(self._predicate(left, key), self._predicate(right, key), every=word == "and")
            case Call(base, "not", ()):
                inner = self._predicate(base, key)
                return lambda value, root: None if (result := inner(value, root)) is None else not result
            case Call(base, "exists" | "empty" as word, ()):
                gives = self._nodes(base, key)
                return lambda value, root: bool(gives(value, root)) is (word == "exists")
            case Call(base, "hasExtension", (Literal(str()),) as url):
                gives = self._nodes(Call(base, "extension", url), key)
                return lambda value, root: bool(gives(value, root))
            case Operation("=" | "!=" as sign, left, right):
                return sinks.equal(self._nodes(left, key), self._nodes(right, key), expected=sign == "=")
            case OfType(Call(base, "resolve", ()), "is", wanted):
                known = self._known(wanted)
                gives = self._nodes(base, key)
                return lambda value, root: any(sinks.refers(reference, known, root) for _, reference in gives(value, root))
            case OfType(base, "is", wanted):
                known = self._known(wanted)
                gives = self._nodes(base, key)
                return lambda value, root: any(self._shapes.is_a(type, known) for type, _ in gives(value, root))
            case Call() | Operation() | Indexer() | syntax.Sign() | syntax.Nothing() | Variable() | Scope() if not _gives_nodes(tree):
                raise FhirPathError(f"{self._expression}: a part of it is not supported in search parameters")
        gives = self._nodes(tree, key)
        return lambda value, root: nodes[0][1] is True if (nodes := gives(value, root)) else None

    def _nodes(self, tree: Tree, key: str) -> Nodes:
        if isinstance(tree, Literal):
            constant: list[Node] = [("", tree.value)]
            return lambda _value, _root: constant
        sink = self.bind(tree, key, _collect)
        if sink is None:
            return lambda _value, _root: _EMPTY

        def nodes(value: Any, root: Any) -> list[Node]:
            found: list[Node] = []
            sink(value, found, root)
            return found

        return nodes


def _united(left: Tree, right: Tree) -> list[Tree]:
    parts = [right]
    while isinstance(left, Operation) and left.operator == "|":
        parts.append(left.right)
        left = left.left
    return [left, *reversed(parts)]


def _gives_nodes(tree: Tree) -> bool:
    """Tell whether `bind` knows the tree without asking for a boolean."""
    match tree:
        case Call(_, "where" | "extension", (_,)) | Call(_, "first", ()) | Operation("|") | Indexer(_, Literal(int())):
            return True
        case Variable("resource") | Scope("this"):
            return True
    return False
