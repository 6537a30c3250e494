"""The FHIRPath expressions of search parameters, as far as they are read as text.

https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.expression

Most are unions over many resource types: a type has its own part of each.
"""

import re
from collections.abc import Iterator

from fhir_server.exchange import Resource
from profiles.structure import Shapes

_BEGINNING = re.compile(r"\(*([A-Z][A-Za-z]+)\.([a-z][A-Za-z]+)(?:\.as\(([A-Za-z]+)\)| as ([A-Za-z]+)|\.ofType\(([A-Za-z]+)\))?")
_JUDGES_ABSENCE = re.compile(r"exists\(|empty\(|not\(|count\(|!=")


def own_path(expression: str, type: str) -> str:
    """Give those parts of a union that speak of the type, or of every resource."""
    own = re.compile(rf"\(*({type}|Resource|DomainResource)\b|\(*[a-z]")
    return " | ".join(part for part in map(str.strip, union(expression)) if own.match(part)) or expression


def beginnings(path: str, type: str, shapes: Shapes) -> frozenset[str] | None:
    """Give the JSON properties of which a resource must have one for the path to find anything in it.

    None where that cannot be told: a path that judges what is absent (`exists()`, `!=`), or that starts elsewhere.
    """
    names: set[str] = set()
    for part in map(str.strip, union(path)):
        begin = _BEGINNING.match(part)
        if begin is None or begin[1] not in (type, "Resource", "DomainResource") or _JUDGES_ABSENCE.search(part):
            return None
        wanted = begin[3] or begin[4] or begin[5]
        variants = shapes[type].choices.get(begin[2], {}).values()
        names.update(property.name for property in variants if wanted is None or shapes.is_a(property.key, wanted))
        names.add(begin[2])
    return frozenset(names)


def union(expression: str) -> Iterator[str]:
    """Split at each | outside of parentheses."""
    depth, start = 0, 0
    for position, character in enumerate(expression):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "|" and depth == 0:
            yield expression[start:position]
            start = position + 1
    yield expression[start:]


def under(root: str, type: str, path: str) -> str:
    """Give a component's path from the resource: it is written relative to the composite's root, or to %resource."""
    path = path.replace(".as(DateTime)", ".as(dateTime)")  # so in the definition of code-value-date
    return " | ".join(
        part.replace("%resource", type) if part.startswith("%resource") else f"{root}.{part}" for part in map(str.strip, union(path))
    )


def one_by_one(resource: Resource, element: str) -> Iterator[Resource]:
    """Give the resource as if the element did not repeat, once for each repetition; "" is the resource itself."""
    if not element:
        yield resource
        return
    values = resource.get(element) or ()
    for value in values if isinstance(values, list) else (values,):
        yield {**resource, element: [value] if isinstance(values, list) else value}
