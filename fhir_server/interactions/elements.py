"""The elements of a resource's JSON, found by FHIRPath and changed in place.

https://hl7.org/fhir/R4/json.html

The shapes of the definitions say what JSON leaves open: whether an element repeats, and how a choice (`value[x]`) is
called. Whether the result is valid is the validator's to say.
"""

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from fhir_server.exchange import Resource
from fhir_server.outcome import FhirError, conflict, invalid
from profiles.definitions import Definitions
from profiles.fhirpath.error import FhirPathError
from profiles.fhirpath.locate import Path, Place, places
from profiles.structure import Property, Shape

_COLLECTION = re.compile(r"(?s)(.+)\.`?([A-Za-z][A-Za-z0-9]*)`?\s*")

Values: TypeAlias = list[Any]


@dataclass(frozen=True, slots=True)
class Value:
    """A value to be written: of a `type` ("CodeableConcept"), or the `parts` of an element that has no type of its own.

    `element` are the id and extensions of a primitive.
    """

    type: str | None
    value: Any = None
    element: Any = None
    parts: tuple[tuple[str, "Value"], ...] = ()


def value_of(part: Mapping[str, Any], place: str) -> Value:
    """Read a part of Parameters; raises FhirError (400) where it has no value, or several."""
    if "part" in part:
        inner = part["part"]
        if not isinstance(inner, list) or not all(isinstance(each, dict) and isinstance(each.get("name"), str) for each in inner):
            raise invalid("The parts of a value have names", place, code="structure")
        return Value(None, parts=tuple((each["name"], value_of(each, place)) for each in inner))
    if "resource" in part:
        return Value("Resource", part["resource"])
    types = {key.removeprefix("_")[len("value") :] for key in part if key.startswith(("value", "_value"))}
    if len(types) != 1:
        raise invalid("A value is one value[x], or has parts", place, code="structure")
    (type,) = types
    return Value(type, part.get(f"value{type}"), part.get(f"_value{type}"))


class Elements:
    """The elements of one resource; `place` is what failures point to."""

    def __init__(self, resource: Resource, definitions: Definitions, place: str) -> None:
        self._resource, self._definitions, self._place = resource, definitions, place

    def add(self, path: str, name: str, value: Value) -> None:
        """Add an element of this name to the one that the path finds: at the end, where it repeats."""
        parent = self._one(path)
        shape = self._shape(parent)
        property = self._property(shape, name, value)
        held = self._object(parent)
        others = shape.choices[property.choice].values() if property.choice is not None else (property,)
        if property.many:
            self._insert(held, property, len(held.get(property.name, ())), value)
        elif any(each.name in held or f"_{each.name}" in held for each in others):
            raise conflict("The element exists already, and does not repeat; replace it", self._place)
        else:
            self._set(held, property, value)

    def insert(self, path: str, index: int, value: Value) -> None:
        """Put a value into the list that the path finds, before the one at the index."""
        held, property = self._collection(path, value)
        if not 0 <= index <= len(held.get(property.name, ())):
            raise conflict("The index lies outside of the list", self._place)
        self._insert(held, property, index, value)

    def delete(self, path: str) -> None:
        """Delete the element that the path finds; where there is none, there is nothing to do."""
        found = self._find(path)
        if len(found) > 1:
            raise self._several()
        for each in found:
            self._remove(each.path)

    def replace(self, path: str, value: Value) -> None:
        """Put a value in the place of the one that the path finds."""
        found = self._one(path)
        if not found.path:
            raise invalid("The whole resource is not replaced by a patch", self._place, code="value")
        *above, key = found.path
        if isinstance(key, int):
            *above, name = above
            held = self._at(above)
            property = self._known(above, str(name))
            _put(held, str(name), key, *self._built(property, value))
            return
        held, property = self._at(above), self._known(above, key)
        if property.choice is not None:
            property = self._property(self._shape_at(above), property.choice, value)
        made = {property.name: None, f"_{property.name}": None}
        self._set(made, property, value)
        _exchange(held, key, {name: each for name, each in made.items() if each is not None})

    def move(self, path: str, source: int, destination: int) -> None:
        """Move a value inside of the list that the path finds."""
        held, property = self._collection(path)
        size = len(held.get(property.name, ()))
        if not (0 <= source < size and 0 <= destination < size):
            raise conflict("The source or the destination lies outside of the list", self._place)
        for values in _lists(held, property.name):
            values.insert(destination, values.pop(source))

    # -- finding ----------------------------------------------------------------------------------------------------------

    def _find(self, path: str) -> list[Place]:
        try:
            return places(path, self._resource, self._definitions)
        except FhirPathError as problem:
            raise invalid(f"The path cannot be followed: {problem}", self._place, code="value") from None

    def _one(self, path: str) -> Place:
        found = self._find(path)
        if len(found) > 1:
            raise self._several()
        if not found:
            raise conflict("The path finds nothing in the resource", self._place)
        return found[0]

    def _several(self) -> FhirError:
        return conflict("The path finds several elements, and it has to find one", self._place)

    def _collection(self, path: str, value: Value | None = None) -> tuple[dict[str, Any], Property]:
        """The object that holds the list which the path means, and its property."""
        split = _COLLECTION.fullmatch(path)
        if split is None:
            raise invalid("The path has to end in the name of a list", self._place, code="value")
        parent = self._one(split[1])
        property = self._property(self._shape(parent), split[2], value)
        if not property.many:
            raise invalid("The path leads to an element that does not repeat", self._place, code="value")
        return self._object(parent), property

    def _at(self, path: Sequence[str | int]) -> Any:
        value: Any = self._resource
        for key in path:
            value = value[key]
        return value

    def _shape(self, place: Place) -> Shape:
        named = place.value.get("resourceType") if isinstance(place.value, dict) else None
        return self._definitions.shapes[named if isinstance(named, str) else place.type]

    def _shape_at(self, path: Sequence[str | int]) -> Shape:
        """The shape of the object at a path that was found."""
        shape = self._definitions.shapes[self._resource["resourceType"]]
        value: Any = self._resource
        for key in path:
            value = value[key]
            if isinstance(key, str):
                name = key.removeprefix("_")
                property = shape.properties[name]
                shape = self._definitions.shapes["Element" if key != name else property.key]
            if isinstance(value, dict) and isinstance(value.get("resourceType"), str):
                shape = self._definitions.shapes[value["resourceType"]]
        return shape

    def _known(self, path: Sequence[str | int], name: str) -> Property:
        return self._shape_at(path).properties[name]

    def _property(self, shape: Shape, name: str, value: Value | None) -> Property:
        """The property that an element of this name has, with a value of this type."""
        known = shape.properties.get(name)
        if known is not None:
            return known
        choices = shape.choices.get(name, {})
        wanted = None if value is None or value.type is None else name + value.type
        for property in choices.values():
            if property.name == wanted:
                return property
        raise invalid("There is no element of this name and type there", self._place, code="value")

    # -- writing ----------------------------------------------------------------------------------------------------------

    def _object(self, place: Place) -> dict[str, Any]:
        """The JSON object that holds the children of an element: of a primitive, the one that begins with `_`."""
        held: Any = self._at(place.path) if place.value is not None else None
        if not isinstance(held, dict):
            *above, key = place.path
            if isinstance(key, int):
                *above, name = above
                elements = _aligned(self._at(above), str(name))
                held = elements[key] = elements[key] or {}
            else:
                held = self._at(above).setdefault(f"_{key}", {})
        found: dict[str, Any] = held
        return found

    def _set(self, held: dict[str, Any], property: Property, value: Value) -> None:
        made, element = self._built(property, value)
        if made is not None:
            held[property.name] = made
        if element is not None:
            held[f"_{property.name}"] = element

    def _insert(self, held: dict[str, Any], property: Property, index: int, value: Value) -> None:
        made, element = self._built(property, value)
        if element is not None or f"_{property.name}" in held:
            _aligned(held, property.name).insert(index, element)
        held.setdefault(property.name, []).insert(index, made)

    def _built(self, property: Property, value: Value) -> tuple[Any, Any]:
        """The JSON of a value, and what goes beside it under `_`."""
        if value.type is not None:
            if value.element is not None and not property.primitive:
                raise invalid("Only a primitive has id and extensions beside it", self._place, code="structure")
            return copy.deepcopy(value.value), copy.deepcopy(value.element)
        if property.primitive:
            raise invalid("A primitive has no parts", self._place, code="structure")
        shape = self._definitions.shapes[property.key]
        made: dict[str, Any] = {}
        for name, part in value.parts:
            child = self._property(shape, name, part)
            if child.many:
                self._insert(made, child, len(made.get(child.name, ())), part)
            elif child.name in made:
                raise invalid("A part is given twice, but its element does not repeat", self._place, code="structure")
            else:
                self._set(made, child, part)
        return made, None

    def _remove(self, path: Path) -> None:
        if not path:
            raise invalid("The whole resource is not deleted by a patch", self._place, code="value")
        *above, key = path
        if isinstance(key, str):
            held = self._at(above)
            for each in (key, f"_{key}"):
                held.pop(each, None)
            return
        *above, name = above
        held = self._at(above)
        for values in _lists(held, str(name)):
            del values[key]
        for each in (str(name), f"_{name}"):
            if each in held and not any(item is not None for item in held[each]):
                del held[each]


def _lists(held: Mapping[str, Any], name: str) -> list[Values]:
    """The list of an element, and the one beside it."""
    return [held[each] for each in (name, f"_{name}") if isinstance(held.get(each), list)]


def _aligned(held: dict[str, Any], name: str) -> Values:
    """The list beside a list of primitives, as long as it."""
    elements: Values = held.setdefault(f"_{name}", [])
    values: Values = held.setdefault(name, [])
    for shorter, longer in ((elements, values), (values, elements)):
        shorter += [None] * (len(longer) - len(shorter))
    return elements


def _put(held: dict[str, Any], name: str, index: int, value: Any, element: Any) -> None:
    if element is not None or f"_{name}" in held:
        _aligned(held, name)[index] = element
    held[name][index] = value


def _exchange(held: dict[str, Any], name: str, others: Mapping[str, Any]) -> None:
    """Put properties in the place of one, and of the one beside it; the other keys stay where they are."""
    items = list(held.items())
    held.clear()
    for key, value in items:
        if key not in (name, f"_{name}"):
            held[key] = value
        elif others.keys().isdisjoint(held):
            held.update(others)
