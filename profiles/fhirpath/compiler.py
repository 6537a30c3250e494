"""Trees of FHIRPath as closures.

Every step is a sink: a function that takes one value, looks up what its step names and hands each value found to the
next step's sink; the last one collects. Types are known when the sinks are made, so at run time nothing is looked up
but the data. A sink may assume that the resource is valid.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

from profiles.definitions import Definitions
from profiles.fhirpath import grammar, sinks
from profiles.fhirpath.grammar import FhirPathError, Tree, parse
from profiles.fhirpath.sinks import Node, Nodes, Predicate, Sink
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
    tree = parse(expression)

    def bind(type: str) -> Sink | None:
        return _Binder(expression, definitions.shapes, type).bind(tree, type, _collect)

    bound = {name: bind(name) for name in sorted(grammar.heads(tree) & frozenset(definitions.resource_types))}

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
            case grammar.This():
                return then(type)
            case grammar.Root():
                return sinks.root(then(self._resource_type))
            case grammar.Head(name):
                return self._head(name, type, then)
            case grammar.Child(base, name):
                return self.bind(base, type, lambda key: self._child(key, name, then))
            case grammar.OfType(base, wanted):
                self._known(wanted)
                return self.bind(base, type, lambda key: then(key) if self._shapes.is_a(key, wanted) else None)
            case grammar.Where(base, condition):
                return self.bind(base, type, lambda key: self._where(condition, key, then))
            case grammar.Extension(base, url):
                return self.bind(base, type, lambda key: self._extension(key, url, then))
            case grammar.Union(parts):
                return sinks.each([self.bind(part, type, then) for part in parts])
            case grammar.Index(base, index):
                return self._index(base, index, type, then)
            case grammar.Resolve():
                raise FhirPathError(f"{self._expression}: resolve() is supported only before `is`")
        return self._boolean(tree, type, then)

    def _known(self, type: str) -> None:
        if type not in self._shapes.types:
            raise FhirPathError(f"{self._expression}: {type} is no type of FHIR R4")

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
        heads = grammar.heads(tree)
        return not heads or any(self._shapes.is_a(type, head) or not head[0].isupper() for head in heads)

    def _predicate(self, tree: Tree, key: str) -> Predicate:
        match tree:
            case grammar.Both(left, right, every):
                return sinks.both(self._predicate(left, key), self._predicate(right, key), every=every)
            case grammar.Not(base):
                inner = self._predicate(base, key)
                return lambda value, root: None if (result := inner(value, root)) is None else not result
            case grammar.Exists(base, expected):
                gives = self._nodes(base, key)
                return lambda value, root: bool(gives(value, root)) is expected
            case grammar.Equal(left, right, expected):
                return sinks.equal(self._nodes(left, key), self._nodes(right, key), expected=expected)
            case grammar.Is(grammar.Resolve(base), wanted):
                self._known(wanted)
                gives = self._nodes(base, key)
                return lambda value, root: any(sinks.refers(reference, wanted, root) for _, reference in gives(value, root))
            case grammar.Is(base, wanted):
                self._known(wanted)
                gives = self._nodes(base, key)
                return lambda value, root: any(self._shapes.is_a(type, wanted) for type, _ in gives(value, root))
        gives = self._nodes(tree, key)
        return lambda value, root: nodes[0][1] is True if (nodes := gives(value, root)) else None

    def _nodes(self, tree: Tree, key: str) -> Nodes:
        if isinstance(tree, grammar.Literal):
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
