"""Search parameters of type composite.

https://hl7.org/fhir/R4/search.html#combining

The components of one repetition are one Group: `component-code-value-quantity=8480-6$gt140` must not find the code of
one component and the value of another. Inside a group a component goes by its position.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Any, TypeAlias

from fhir_server.search.expression import And, Expression, Group, Grouped, Or, Span
from fhir_server.search.parameters import Extract, Parameter
from fhir_server.search.types import date, number, quantity, reference, special, string, token, uri
from fhir_server.search.types.asked import Asked, Refused, unsupported_modifier
from fhir_server.search.types.escapes import split
from fhir_server.search.types.found import Found
from profiles.fhirpath import Node

SIMPLE = {
    "date": date,
    "number": number,
    "quantity": quantity,
    "reference": reference,
    "special": special,
    "string": string,
    "token": token,
    "uri": uri,
}


_Part: TypeAlias = tuple[tuple[str, ...], tuple[Span, ...]]


class Components:
    """The components of one resource's composites, each found once: `code` alone is part of six of Observation's."""

    def __init__(self, resource: dict[str, Any], zone: tzinfo, base: str = "") -> None:
        self._resource = resource
        self._zone = zone
        self._base = base
        self._found: dict[tuple[str, str, Extract], _Part | None] = {}

    def groups(self, parameter: Parameter) -> list[Group]:
        """Give one Group for each repetition in which every component has a value."""
        gathered = (self._group(parameter, one, extracts) for one, extracts in parameter.repetitions(self._resource))
        return [group for group in gathered if group is not None]

    def _group(self, parameter: Parameter, one: dict[str, Any], extracts: tuple[Extract, ...]) -> Group | None:
        entries: dict[str, None] = {}
        spans: list[Span] = []
        for component, extract in zip(reversed(parameter.components), reversed(extracts), strict=True):  # the value is missing most often
            part = self._part(component, extract) if one is self._resource else _found(component, extract(one), self._zone, self._base)
            if part is None:
                return None
            entries.update(dict.fromkeys(part[0]))
            spans += part[1]
        return Group(parameter.code, tuple(entries), tuple(spans))

    def _part(self, component: Parameter, extract: Extract) -> _Part | None:
        key = (component.code, component.type, extract)
        if key not in self._found:
            self._found[key] = _found(component, extract(self._resource), self._zone, self._base)
        return self._found[key]


def _found(component: Parameter, nodes: Sequence[Node], zone: tzinfo, base: str) -> _Part | None:
    if not nodes:
        return None
    found = Found(base, texts=False)
    SIMPLE[component.type].entries(component.code, nodes, found, zone)
    if not found.entries:
        return None
    # Bounds of spans and beginnings of words only serve an index.
    return tuple(found.words or (() if found.spans else found.entries)), tuple(found.spans)


def expression(parameter: Parameter, value: str, modifier: str, asked: Asked) -> Expression:
    """Give the expression of one searched tuple, its parts separated by $."""
    if modifier:
        raise unsupported_modifier(modifier, "composite")
    pieces = split(value, "$")
    if len(pieces) != len(parameter.components) or not all(pieces):
        raise Refused(f"This composite search parameter takes {len(parameter.components)} values separated by $")
    grouped = Grouped(
        parameter.code,
        tuple(
            SIMPLE[component.type].expression(component, piece, "", asked)
            for component, piece in zip(parameter.components, pieces, strict=True)
        ),
    )
    if parameter.also is None:
        return grouped
    position, codes = parameter.also  # the index has no groups
    alone = tuple(token.expression(replace(parameter.components[position], code=code), pieces[position], "", asked) for code in codes)
    return And((alone[0] if len(alone) == 1 else Or(alone), grouped))
