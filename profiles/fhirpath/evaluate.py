"""Evaluate an expression on a resource, once or as a condition that is asked many times.

`evaluate` is for expressions that somebody sends; `predicate` for those of the definitions.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

from profiles.definitions import Definitions
from profiles.fhirpath.context import Context
from profiles.fhirpath.engine import compiled
from profiles.fhirpath.error import FhirPathError
from profiles.fhirpath.items import Item, judged, nodes
from profiles.fhirpath.navigation import Navigation
from profiles.fhirpath.sinks import Node

Holds: TypeAlias = Callable[[str, Any, dict[str, Any], dict[str, Any]], bool | None]
"""Judges a value, given its type, the value, `%resource` and `%rootResource`; None is FHIRPath's empty."""

_WITHOUT_LIMIT = 10**12
"""Steps for the conditions of definitions: they are known, and a CodeSystem of 100,000 concepts is judged too."""


@cache
def navigation_of(definitions: Definitions) -> Navigation:
    """Give the one Navigation of the definitions."""
    return Navigation(definitions.shapes)


def evaluate(expression: str, resource: dict[str, Any], definitions: Definitions, **variables: Any) -> list[Node]:
    """Give what an expression gives for a resource (or for a Node's value with `resourceType`), each value with its FHIR type.

    `variables` are further environment variables: bool, str, int, Decimal, a resource, or a list of these. A primitive with nothing but
    extensions is left out. Raises FhirPathError for bad syntax, unknown functions and types, and values that an operator cannot take;
    FhirPathLimitError, one of those, for an evaluation that costs too much.
    """
    run = compiled(expression)
    item = as_item(resource)
    context = Context(navigation_of(definitions), item, resource=item, root=item, variables=variables)
    try:
        return nodes(run(context, context.this))
    except RecursionError as error:
        raise FhirPathError("the evaluation is nested too deep") from error


def as_item(resource: dict[str, Any]) -> Item:
    """Take a resource as an item; FhirPathError where it has no resourceType."""
    type = resource.get("resourceType") if isinstance(resource, dict) else None
    if not isinstance(type, str):
        raise FhirPathError("FHIRPath is evaluated on a resource")
    return type, resource, None


def predicate(expression: str, definitions: Definitions) -> Holds:
    """Compile a condition, such as an invariant's. Raises FhirPathError here for bad syntax, and when it is asked as `evaluate` does."""
    run = compiled(expression)
    navigation = navigation_of(definitions)

    def holds(type: str, value: Any, resource: dict[str, Any], root: dict[str, Any]) -> bool | None:
        whole: Item = (resource.get("resourceType", ""), resource, None)
        outermost: Item = whole if root is resource else (root.get("resourceType", ""), root, None)
        context = Context(navigation, (type, value, None), resource=whole, root=outermost, steps=_WITHOUT_LIMIT)
        return judged(run(context, context.this))

    return holds
