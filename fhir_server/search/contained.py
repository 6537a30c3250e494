"""Contained resources as matches: _contained and _containedType.

https://hl7.org/fhir/R4/search.html#contained

What is contained is stored with its container, with entries of its own. It has no permit of its own either: it is seen by
whoever may see the container. What refers to others, or is read through, cannot be asked of it.
"""

from collections.abc import Iterator, Sequence
from datetime import tzinfo

from fhir_server.exchange import Resource
from fhir_server.search.entries import CONTAINED, contained_entries
from fhir_server.search.expression import And, Coded, Containing, Expression, Has, Not, OfType, Or, Placed, Related, RelatedBy, Tells
from fhir_server.search.holding import Subject, holds
from fhir_server.search.parameters import Parameters
from fhir_server.search.types.asked import Refused


def among(type: str, parts: Sequence[Expression], types: tuple[str, ...], *, both: bool) -> Expression:
    """Ask for resources of these types that contain one of the type for which the parts hold; `both`: or that are one.

    Raises Refused where that cannot be asked of contained resources.
    """
    if any(map(_needs_a_repository, parts)):
        raise Refused("Chains, _has, _list, hierarchies and texts cannot be asked of contained resources", "not-supported")
    containers = And((OfType(types), Has(CONTAINED, type), Containing(type, And(tuple(parts)))))
    return And((OfType(types), Or((And((OfType((type,)), *parts)), containers)))) if both else containers


def matching(container: Resource, asked: Expression, parameters: Parameters, zone: tzinfo) -> Iterator[Resource]:
    """Give the contained resources that answer: `asked` is what `among` has made."""
    resources = {(each["resourceType"], each["id"]): each for each in container.get("contained", ()) if "id" in each}
    containing = next(_containing(asked))
    for subject in contained_entries(container, parameters, zone):
        if subject.type == containing.type and holds(containing.expression, Subject(subject.type, subject.id, subject.entries)):
            yield resources[subject.type, subject.id]


def _containing(expression: Expression) -> Iterator[Containing]:
    match expression:
        case Containing():
            yield expression
        case And(parts) | Or(parts):
            for part in parts:
                yield from _containing(part)


def _needs_a_repository(expression: Expression) -> bool:
    match expression:
        case And(parts) | Or(parts):
            return any(map(_needs_a_repository, parts))
        case Not(part):
            return _needs_a_repository(part)
    return isinstance(expression, Related | RelatedBy | Coded | Placed | Tells)
