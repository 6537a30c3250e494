"""References between the entries of a transaction: what the sender called by a placeholder gets its real address.

https://hl7.org/fhir/R4/http.html#trules

Replaced are Reference.reference, elements of type uri, url, oid and uuid, and the links of the narrative. An identifier
that happens to hold the same text is a string and stays.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fhir_server.exchange import Resource
from fhir_server.outcome import invalid
from profiles.reference import Conditional, parse
from profiles.structure import Property, Shape, Shapes

PLACEHOLDER = ("urn:uuid:", "urn:oid:")
_LINKED = frozenset({"uri", "url", "oid", "uuid"})
_NARRATIVE_LINK = re.compile(r"""(?<=\s)((?:href|src)\s*=\s*(["']))(.*?)\2""")


def resolve(resource: Resource, targets: Mapping[str, str], shapes: Shapes) -> set[str]:
    """Replace in place every link to an entry of the Bundle by `Type/id`; give the conditional references that remain.

    `targets` leads from what an entry is called, and from conditional references, to the reference it becomes. Raises
    FhirError for a placeholder that leads nowhere, with the path from the resource.
    """
    conditional: set[str] = set()
    if _resolve_references(resource, targets, conditional):
        _resolve_uris(resource, shapes[resource["resourceType"]], targets, shapes)
    return conditional


def _resolve_references(resource: Resource, targets: Mapping[str, str], conditional: set[str]) -> bool:
    """Replace the references, in one quick walk; tell whether any other text is the name of an entry too."""
    others = False
    todo: list[Any] = [resource]
    pop, push = todo.pop, todo.append
    while todo:
        element = pop()
        if type(element) is list:
            for item in element:
                if type(item) is dict:
                    push(item)
                elif type(item) is str and item in targets:
                    others = True
            continue
        for name, value in element.items():
            kind = type(value)
            if kind is dict or kind is list:
                push(value)
            elif kind is not str:
                continue
            elif name == "reference":
                if value in targets:
                    element[name] = targets[value]
                elif value.startswith(PLACEHOLDER):
                    raise invalid("The reference leads to no entry of the Bundle", path_to(resource, value))
                elif "?" in value and isinstance(parse(value), Conditional):
                    conditional.add(value)
            elif name == "div":
                element[name] = _narrative(value, targets)
            elif value in targets:
                others = True
    return others


def _resolve_uris(element: dict[str, Any], shape: Shape, targets: Mapping[str, str], shapes: Shapes) -> None:
    """Replace the elements of the types that link, led by the definitions; what they do not know is left alone."""
    for name, value in element.items():
        property = shape.properties.get(name)
        if property is None:
            continue
        if not property.primitive:
            for child in value if isinstance(value, list) else (value,):
                key = _key(child, property, shapes) if isinstance(child, dict) else None
                if key is not None:
                    _resolve_uris(child, shapes[key], targets, shapes)
        elif property.type in _LINKED:
            element[name] = [_target(item, targets) for item in value] if isinstance(value, list) else _target(value, targets)


def _key(child: dict[str, Any], property: Property, shapes: Shapes) -> str | None:
    if property.key != "Resource":
        return property.key
    return next((type for type in shapes.resource_types if type == child.get("resourceType")), None)


def _target(value: Any, targets: Mapping[str, str]) -> Any:
    return targets.get(value, value) if isinstance(value, str) else value


def _narrative(div: str, targets: Mapping[str, str]) -> str:
    if not targets or ("href" not in div and "src" not in div):
        return div
    return _NARRATIVE_LINK.sub(lambda link: f"{link[1]}{targets.get(link[3], link[3])}{link[2]}", div)


def path_to(resource: Resource, reference: str) -> str:
    """Give the path of the first reference in the resource that is written so."""
    walked = _walk(resource["resourceType"], resource)
    return next((f"{path}.reference" for path, each in walked if each.get("reference") == reference), resource["resourceType"])


def _walk(path: str, element: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(element, dict):
        yield path, element
        for name, value in element.items():
            yield from _walk(f"{path}.{name}", value)
    elif isinstance(element, list):
        for number, value in enumerate(element):
            yield from _walk(f"{path}[{number}]", value)
