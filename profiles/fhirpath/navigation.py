"""From an item to what lies in it, and which type an item is of, by the StructureDefinitions."""

from collections.abc import Mapping
from typing import Any

from profiles.fhirpath.error import FhirPathError
from profiles.fhirpath.items import TYPE_INFO, Item, made
from profiles.structure import Property, Shape, Shapes

_SYSTEM = "System."
_SYSTEM_TYPES = frozenset(("Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity", "Any"))


class Navigation:
    """Walks the JSON of resources by the shapes of their types."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._properties: dict[str, Mapping[str, Property]] = {}

    def child(self, item: Item, name: str, found: list[Item]) -> None:
        """Add what the element of this name holds; nothing where the type has none."""
        type, value, element = item
        if type.startswith(_SYSTEM):
            if type == TYPE_INFO and name in value:
                found.extend(made(value[name]))
            return
        held = value if isinstance(value, dict) else element
        if held is None:
            return
        shape = self._shape(type)
        if (property := shape.properties.get(name)) is not None:
            if property.choice is None:
                add(property, held, found)
        elif (variants := shape.choices.get(name)) is not None:
            names = self._names(type, name, variants)
            for key in held:
                if (variant := names.get(key)) is not None:
                    add(variant, held, found)
                    return

    def _shape(self, type: str) -> Shape:
        try:
            return self._shapes[type]
        except KeyError:
            raise FhirPathError("the resource is of an unknown type") from None

    def _names(self, type: str, name: str, variants: Mapping[str, Property]) -> Mapping[str, Property]:
        """The JSON names of a choice's variants, with and without `_`."""
        key = f"{type}.{name}[x]"
        found = self._properties.get(key)
        if found is None:
            found = self._properties[key] = {each: variant for variant in variants.values() for each in (variant.name, "_" + variant.name)}
        return found

    def children(self, item: Item) -> list[Item]:
        """Give everything right below an item, in the order of its JSON."""
        type, value, element = item
        held = value if isinstance(value, dict) else element
        found: list[Item] = []
        if held is None or type.startswith(_SYSTEM):
            return found
        properties = self._shape(type).properties
        for key in held:
            name = key.removeprefix("_")
            if (property := properties.get(name)) is not None and (key == name or name not in held):
                add(property, held, found)
        return found

    def is_a(self, item: Item, wanted: str, *, exact: bool = False) -> bool:
        """Tell whether an item is of a type; `exact`: a primitive is only of its own type, as `as` and `ofType` take it."""
        type = item[0]
        namespace, _, name = wanted.rpartition(".")
        if type.startswith(_SYSTEM):
            return namespace != "FHIR" and (type == _SYSTEM + name or name == "Any")
        if namespace == "System":
            return False
        if "." in type:
            return name in {"BackboneElement", "Element"}
        if exact and type in self._shapes.primitives:
            return type == name
        return self._shapes.is_a(type, name)

    def known(self, wanted: str) -> str:
        """Give a type's name back; FhirPathError where there is no such type."""
        namespace, _, name = wanted.rpartition(".")
        if namespace not in {"", "FHIR", "System"} or (
            namespace != "System" and name not in self._shapes.types and not (namespace == "" and name in _SYSTEM_TYPES)
        ):
            raise FhirPathError("a type of this name is not known")
        return wanted

    def is_primitive(self, type: str) -> bool:
        """Tell whether a FHIR type is primitive."""
        return type in self._shapes.primitives


def add(property: Property, held: dict[str, Any], found: list[Item]) -> None:
    """Add the values of one property of a JSON object."""
    value = held.get(property.name)
    if property.primitive:
        element = held.get("_" + property.name)
        if property.many:
            _add_primitives(property.key, value, element, found)
        elif value is not None or element is not None:
            found.append((property.key, value, element))
    elif value is not None:
        objects = [each for each in (value if isinstance(value, list) else (value,)) if isinstance(each, dict)]
        if property.key == "Resource":
            found += [(str(each.get("resourceType")), each, None) for each in objects]
        else:
            found += [(property.key, each, None) for each in objects]


def _add_primitives(key: str, values: Any, elements: Any, found: list[Item]) -> None:
    if not isinstance(values, list):
        values = []
    if not isinstance(elements, list):
        found += [(key, value, None) for value in values if value is not None]
        return
    for index in range(max(len(values), len(elements))):
        value = values[index] if index < len(values) else None
        element = elements[index] if index < len(elements) else None
        if value is not None or element is not None:
            found.append((key, value, element))
