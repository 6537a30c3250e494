"""Search parameters of type composite.

https://hl7.org/fhir/R4/search.html#combining

The components of one repetition are one Group: `component-code-value-quantity=8480-6$gt140` must not find the code of
one component and the value of another. Inside a group a component goes by its position.
"""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

from fhir_server.search.expression import Expression, Group, Grouped, Span
from fhir_server.search.parameters import Parameter
from fhir_server.search.types import date, number, quantity, reference, string, token, uri
from fhir_server.search.types.asked import Asked, Refused, unsupported_modifier
from fhir_server.search.types.escapes import split
from fhir_server.search.types.found import Found
from profiles.fhirpath import Node

SIMPLE = {
    "date": date,
    "number": number,
    "quantity": quantity,
    "reference": reference,
    "string": string,
    "token": token,
    "uri": uri,
}


def groups(parameter: Parameter, resource: dict[str, Any], zone: tzinfo) -> list[Group]:
    """Give one Group for each repetition in which every component has a value."""
    gathered = (_group(parameter, nodes, zone) for nodes in parameter.repetitions(resource) if all(nodes))
    return [group for group in gathered if group is not None]


def _group(parameter: Parameter, nodes: tuple[Sequence[Node], ...], zone: tzinfo) -> Group | None:
    entries: dict[str, None] = {}
    spans: list[Span] = []
    for component, values in zip(parameter.components, nodes, strict=True):
        found = Found()
        SIMPLE[component.type].entries(component.code, values, found, zone)
        if not found.entries:
            return None
        if found.words or not found.spans:  # bounds of spans and beginnings of words only serve an index
            entries.update(dict.fromkeys(found.words or found.entries))
        spans += found.spans
    return Group(parameter.code, tuple(entries), tuple(spans))


def expression(parameter: Parameter, value: str, modifier: str, asked: Asked) -> Expression:
    """Give the expression of one searched tuple, its parts separated by $."""
    if modifier:
        raise unsupported_modifier(modifier, "composite")
    pieces = split(value, "$")
    if len(pieces) != len(parameter.components) or not all(pieces):
        raise Refused(f"This composite search parameter takes {len(parameter.components)} values separated by $")
    return Grouped(
        parameter.code,
        tuple(
            SIMPLE[component.type].expression(component, piece, "", asked)
            for component, piece in zip(parameter.components, pieces, strict=True)
        ),
    )
