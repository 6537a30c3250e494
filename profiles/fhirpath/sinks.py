"""The steps of compiled FHIRPath that need no types: look-ups, logic, references."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from profiles.reference import Contained, Literal, parse

Node: TypeAlias = tuple[str, Any]
"""A value with its FHIR type: ("Quantity", {...}), ("boolean", False), ("Patient.contact", {...}), ("Patient", {...})."""

Sink: TypeAlias = Callable[[Any, list[Node], Any], None]
"""Takes a value, the list to collect in, and the whole resource."""

Predicate: TypeAlias = Callable[[Any, Any], bool | None]
"""Judges a value, given the whole resource too; None is FHIRPath's empty."""

Nodes: TypeAlias = Callable[[Any, Any], list[Node]]


def one(name: str, sink: Sink) -> Sink:
    """Hand on the value of a property."""

    def look_up(value: Any, found: list[Node], root: Any) -> None:
        if (child := value.get(name)) is not None:
            sink(child, found, root)

    return look_up


def root(sink: Sink | None) -> Sink | None:
    """Hand on the whole resource, whatever the value is."""
    if sink is None:
        return None

    def hand_on(_value: Any, found: list[Node], root: Any) -> None:
        sink(root, found, root)

    return hand_on


def many(name: str, sink: Sink) -> Sink:
    """Hand on each value of a property that is an array."""

    def look_up(value: Any, found: list[Node], root: Any) -> None:
        if (children := value.get(name)) is not None:
            for child in children:
                if child is not None:  # a primitive that has only an extension
                    sink(child, found, root)

    return look_up


def each(sinks: Sequence[Sink | None]) -> Sink | None:
    """Hand the value to every one of the sinks; None where there is none."""
    present = tuple(sink for sink in sinks if sink is not None)
    if len(present) < 2:
        return present[0] if present else None

    def hand_on(value: Any, found: list[Node], root: Any) -> None:
        for sink in present:
            sink(value, found, root)

    return hand_on


def both(left: Predicate, right: Predicate, *, every: bool) -> Predicate:
    """`and` and `or` with FHIRPath's empty as the third value."""

    def judge(value: Any, root: Any) -> bool | None:
        results = (left(value, root), right(value, root))
        if (not every) in results:
            return not every
        return None if None in results else every

    return judge


def equal(left: Nodes, right: Nodes, *, expected: bool) -> Predicate:
    """`=`, or `!=` where `expected` is False: empty where one side is; a boolean never equals a number."""

    def judge(value: Any, root: Any) -> bool | None:
        these, those = left(value, root), right(value, root)
        if not these or not those:
            return None
        same = [(type(each) is bool, each) for _, each in these] == [(type(each) is bool, each) for _, each in those]
        return same is expected

    return judge


def refers(reference: Any, wanted: str, root: Any) -> bool:
    """Tell from a Reference alone whether it names a resource of the type; a `urn:` tells nothing."""
    text = reference.get("reference") if isinstance(reference, dict) else reference
    if isinstance(text, str):
        parsed = parse(text)
        if isinstance(parsed, Literal):
            return parsed.type == wanted
        if isinstance(parsed, Contained):
            inside = (each for each in root.get("contained", ()) if each.get("id") == parsed.id)
            return any(each.get("resourceType") == wanted for each in inside)
    return isinstance(reference, dict) and reference.get("type") == wanted
