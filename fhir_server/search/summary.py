"""Parts of resources: _summary and _elements.

https://hl7.org/fhir/R4/search.html#summary
https://hl7.org/fhir/R4/search.html#elements

What is left out is marked: a resource that is not whole bears the tag SUBSETTED, so that nobody puts it back in place of
the whole one. Mandatory elements stay, and modifier extensions, without which the rest could be misunderstood.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeAlias, get_args

from fhir_server.exchange import Resource
from fhir_server.outcome import name_shown
from fhir_server.search.types.asked import Refused
from profiles.structure import Shape, Shapes

Summary: TypeAlias = Literal["true", "text", "data", "count", "false"]
Tree: TypeAlias = dict[str, "Tree"]

SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
_ALWAYS = frozenset({"resourceType", "id", "meta", "implicitRules", "modifierExtension"})
_INSIDE = frozenset({"modifierExtension"})
_TYPE = "resourceType"  # no element, and always shown; some clients ask for it
_DEEPEST = 8
_MOST_ELEMENTS = 200


@dataclass(frozen=True, slots=True)
class Element:
    """One path of _elements, without the type: (`name`, `family`). `type` is None where it means the types searched."""

    type: str | None
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class View:
    """What of each resource is shown: all of it unless a summary or elements are asked for."""

    summary: Summary = "false"
    elements: tuple[Element, ...] = ()

    @property
    def whole(self) -> bool:
        """Tell whether resources are shown as they are stored."""
        return self.summary in ("false", "count") and not self.elements


WHOLE = View()


def summary_of(value: str) -> Summary:
    """Read the value of _summary. Raises Refused."""
    for word in get_args(Summary):
        if word == value:
            return word  # type: ignore[no-any-return]
    raise Refused("The value of _summary is true, text, data, count or false", "not-supported")


def elements_of(value: str, types: Collection[str], shapes: Shapes) -> tuple[Element, ...]:
    """Read the value of _elements: `name,contact.name,Organization.name`. Raises Refused where a type has no such element.

    A name without a type is one of the searched types; one of them has to have it.
    """
    names = (part.strip() for part in value.split(","))
    found = tuple(_element(name, types, shapes) for name in names if name != _TYPE)
    if len(found) > _MOST_ELEMENTS:
        raise Refused(f"More than {_MOST_ELEMENTS} elements", "too-costly")
    return found


def _element(text: str, types: Collection[str], shapes: Shapes) -> Element:
    first, *rest = text.split(".")
    type = first if first[:1].isupper() and first in shapes.resource_types else None
    path = tuple(rest) if type else (first, *rest)
    if not path or not all(path) or len(path) > _DEEPEST:
        raise Refused("An element of _elements is written as name, name.family or Patient.name")
    if not any(_exists(path, each, shapes) for each in ((type,) if type else types)):
        raise Refused(f"There is no element '{name_shown(text)}' in {type or 'what is searched'}", "not-supported")
    return Element(type, path)


def _exists(path: tuple[str, ...], key: str, shapes: Shapes) -> bool:
    name, *rest = path
    shape = shapes[key]
    properties = [shape.properties[name]] if name in shape.properties else list(shape.choices.get(name, {}).values())
    return any(not rest or (not each.primitive and _exists(tuple(rest), each.key, shapes)) for each in properties)


def subset(resource: Resource, view: View, searched: Collection[str], shapes: Shapes) -> Resource:
    """Give the part of the resource that the view shows, with the tag SUBSETTED; the resource itself where that is all of it.

    `searched` are the types that elements without a type belong to; an included resource of another type stays whole
    unless an element names its type.
    """
    type = resource["resourceType"]
    if view.elements:
        tree = _tree(element.path for element in view.elements if (element.type or type) == type and (element.type or type in searched))
        return _marked(_chosen(resource, type, tree, shapes, _ALWAYS)) if tree else resource
    match view.summary:
        case "true":
            return _marked(_summarised(resource, type, shapes))
        case "text":
            return _marked(_chosen(resource, type, {"text": {}}, shapes, _ALWAYS))
        case "data":
            return _marked({name: value for name, value in resource.items() if name != "text"})
    return resource


def _tree(paths: Iterable[tuple[str, ...]]) -> Tree:
    """Merge paths; an element that is asked for as a whole swallows those inside it."""
    tree: Tree = {}
    for path in sorted(paths, key=len):
        at = tree
        for depth, name in enumerate(path):
            if name in at and not at[name]:
                break
            at = at.setdefault(name, {})
            if depth == len(path) - 1:
                at.clear()
    return tree


def _chosen(value: Mapping[str, Any], key: str, tree: Tree, shapes: Shapes, always: frozenset[str]) -> dict[str, Any]:
    shape = shapes[key]
    needed = _mandatory(shape)
    kept: dict[str, Any] = {}
    for name, content in value.items():
        plain = name.removeprefix("_")
        property = shape.properties.get(plain)
        inside = tree.get(plain)
        if inside is None and property is not None and property.choice:
            inside = tree.get(property.choice)
        if inside and property is not None and not property.primitive:
            part = _each(content, partial(_chosen, key=property.key, tree=inside, shapes=shapes, always=_INSIDE))
            if part:
                kept[name] = part
        elif inside is not None or plain in always or plain in needed:
            kept[name] = content
    return kept


def _summarised(value: Mapping[str, Any], key: str, shapes: Shapes) -> dict[str, Any]:
    shape = shapes[key]
    needed = _mandatory(shape)
    kept: dict[str, Any] = {}
    for name, content in value.items():
        plain = name.removeprefix("_")
        property = shape.properties.get(plain)
        if name == "resourceType" or plain in _INSIDE:
            kept[name] = content
        elif property is not None and (property.summary or plain in needed):
            whole = property.primitive or property.key == "Resource"
            part = content if whole else _each(content, partial(_summarised, key=property.key, shapes=shapes))
            if whole or part:
                kept[name] = part
    return kept


def _each(content: Any, take: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """Take the part of an object, or of each of a list; what nothing is left of is left out, for FHIR has no empty objects."""
    if isinstance(content, list):
        return [part for one in content if (part := take(one))]
    return take(content)


def _mandatory(shape: Shape) -> frozenset[str]:
    return frozenset(name for names in shape.required.values() for name in names)


def _marked(resource: Resource) -> Resource:
    meta = resource.get("meta", {})
    tags = meta.get("tag", [])
    if not any(tag.get("code") == "SUBSETTED" and tag.get("system") == SUBSETTED["system"] for tag in tags):
        meta = {**meta, "tag": [*tags, SUBSETTED]}
    return {**resource, "meta": meta}
