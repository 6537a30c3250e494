"""StructureDefinition snapshots as the shapes that JSON objects must have.

https://hl7.org/fhir/R4/structuredefinition.html

A shape says which properties a JSON object may have. Its key is a type's name (`Patient`, `HumanName`) or, for the
elements that a type defines inside itself, their path (`Patient.contact`). Choice types are written out
(`value[x]` becomes `valueQuantity`, `valueString`, ...), `contentReference` is followed, so a reader of JSON needs one
look-up per property and never a path.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import msgspec

_SYSTEM_TYPE = "http://hl7.org/fhirpath/System."
_FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
_DEFINITION = "http://hl7.org/fhir/StructureDefinition/"
_BEST_PRACTICE = "http://hl7.org/fhir/StructureDefinition/elementdefinition-bestpractice"
_ALWAYS = frozenset(("dom-2", "dom-3", "dom-4", "dom-5", "dom-6", "ele-1", "ext-1", "ref-1", "txt-1", "txt-2"))


class _Extension(msgspec.Struct):
    url: str
    valueUrl: str | None = None  # noqa: N815 - FHIR's name


class _Type(msgspec.Struct):
    code: str
    extension: tuple[_Extension, ...] = ()
    targetProfile: tuple[str, ...] = ()  # noqa: N815 - FHIR's name


class _Binding(msgspec.Struct):
    strength: str
    valueSet: str | None = None  # noqa: N815 - FHIR's name


class _Base(msgspec.Struct):
    path: str


class _Constraint(msgspec.Struct):
    key: str
    severity: str
    human: str
    expression: str | None = None
    extension: tuple[_Extension, ...] = ()


class _Element(msgspec.Struct):
    """What a shape needs of an ElementDefinition; all else is never kept in memory."""

    path: str
    min: int = 0
    max: str = "*"
    type: tuple[_Type, ...] = ()
    contentReference: str | None = None  # noqa: N815 - FHIR's name
    isSummary: bool = False  # noqa: N815 - FHIR's name
    binding: _Binding | None = None
    base: _Base | None = None
    constraint: tuple[_Constraint, ...] = ()

    def __post_init__(self) -> None:
        """Keep few constraints: nearly all of them are the same three, written out at every element."""
        self.constraint = tuple(
            each for each in self.constraint if each.key not in _ALWAYS and not any(e.url == _BEST_PRACTICE for e in each.extension)
        )


class _Snapshot(msgspec.Struct):
    element: tuple[_Element, ...]


class Snapshot(msgspec.Struct):
    """The part of a StructureDefinition that shapes are made of."""

    type: str
    kind: str
    abstract: bool
    snapshot: _Snapshot
    baseDefinition: str | None = None  # noqa: N815 - FHIR's name

    @property
    def base(self) -> str | None:
        """The name of the type this one specialises; None for Element and Resource."""
        return self.baseDefinition.removeprefix(_DEFINITION) if self.baseDefinition else None


read_snapshot = msgspec.json.Decoder(Snapshot).decode


@dataclass(frozen=True, slots=True)
class Invariant:
    """A rule of an element in FHIRPath. https://hl7.org/fhir/R4/conformance-rules.html#constraints.

    `severity` is error or warning; `human` says the rule in words. Rules of every element or resource (ele-1, ext-1, dom-*, txt-*, ref-1)
    and best practices are left out: the former the validator knows, the latter nobody has to follow.
    """

    key: str
    severity: str
    human: str
    expression: str


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a JSON object.

    `type` is the FHIR type, "BackboneElement" or "Element" where the content is defined in place; `key` is the key of the
    shape of its values (the type itself for primitives and "Resource"). `choice` is the element's name without its
    type where it has several (`value` of `valueQuantity`). `targets` are the resource types a Reference may name, empty
    where any. `binding` is the canonical of a required value set. `summary` tells that `_summary=true` shows it.
    `invariants` are rules of this element that its type does not have.
    """

    name: str
    type: str
    key: str
    many: bool
    primitive: bool
    choice: str | None = None
    targets: frozenset[str] = frozenset()
    binding: str | None = None
    summary: bool = False
    invariants: tuple[Invariant, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """The JSON objects of one type, or of one element that a type defines inside itself.

    `choices` gives for each choice element its properties by type; `required` holds, for every element that must
    occur, the names of the properties that satisfy it. `invariants` are the rules of each of these objects.
    """

    key: str
    properties: Mapping[str, Property]
    choices: Mapping[str, Mapping[str, Property]]
    required: Mapping[str, tuple[str, ...]]
    invariants: tuple[Invariant, ...] = ()


class Shapes:
    """All shapes of a set of snapshots, made when first asked for."""

    def __init__(self, snapshots: Mapping[str, Snapshot]) -> None:
        self._snapshots = snapshots
        self._children: dict[str, dict[str, list[_Element]]] = {}
        self._shapes: dict[str, Shape] = {}
        self.types = frozenset(snapshots)
        self.resource_types = tuple(sorted(name for name, each in snapshots.items() if each.kind == "resource" and not each.abstract))
        self.primitives = frozenset(name for name, snapshot in snapshots.items() if snapshot.kind == "primitive-type")

    def __getitem__(self, key: str) -> Shape:
        """Give the shape of a type or of an element's path; KeyError where there is none."""
        found = self._shapes.get(key)
        if found is None:
            found = self._shapes[key] = self._build(key)
        return found

    def is_a(self, type: str, ancestor: str) -> bool:
        """Tell whether a type is the other one or specialises it."""
        name: str | None = type
        while name is not None and name != ancestor:
            snapshot = self._snapshots.get(name)
            name = snapshot.base if snapshot else None
        return name is not None

    def _build(self, key: str) -> Shape:
        type = key.partition(".")[0]
        if type not in self._children:
            self._children[type] = _by_parent(self._snapshots[type])
        properties: dict[str, Property] = {}
        choices: dict[str, Mapping[str, Property]] = {}
        required: dict[str, tuple[str, ...]] = {}
        for element in self._children[type][key]:
            variants = self._properties(element)
            properties.update((property.name, property) for property in variants)
            name = _name(element)
            if variants and variants[0].choice:
                choices[name] = MappingProxyType({property.type: property for property in variants})
            if element.min:
                required[name] = tuple(property.name for property in variants)
        own = next(element for element in self._snapshots[type].snapshot.element if element.path == key)
        return Shape(key, MappingProxyType(properties), MappingProxyType(choices), MappingProxyType(required), _invariants(own))

    def _properties(self, element: _Element) -> list[Property]:
        name = _name(element)
        many = element.max not in {"0", "1"}
        binding = element.binding
        required = binding.valueSet.partition("|")[0] if binding and binding.valueSet and binding.strength == "required" else None
        if element.contentReference is not None:
            key = element.contentReference.partition("#")[2]
            return [Property(name, "BackboneElement", key, many, primitive=False, summary=element.isSummary)]
        if element.max == "0":
            return []
        found = []
        for type in element.type:
            code = _code(type, element)
            nested = code in {"BackboneElement", "Element"} and not element.path.endswith("[x]")
            choice = name if element.path.endswith("[x]") else None
            found.append(
                Property(
                    name=name + code[0].upper() + code[1:] if choice else name,
                    type=code,
                    key=element.path if nested else code,
                    many=many,
                    primitive=code in self.primitives,
                    choice=choice,
                    targets=_targets(type),
                    binding=required,
                    invariants=() if nested else _invariants(element),
                    summary=element.isSummary,
                )
            )
        return found


def _by_parent(snapshot: Snapshot) -> dict[str, list[_Element]]:
    children: dict[str, list[_Element]] = {}
    for element in snapshot.snapshot.element:
        children.setdefault(element.path, [])
        if "." in element.path:
            children[element.path.rpartition(".")[0]].append(element)
    return children


def _name(element: _Element) -> str:
    return element.path.rpartition(".")[2].removesuffix("[x]")


def _code(type: _Type, element: _Element) -> str:
    """The FHIR type's name. R4 calls the id of a resource a string in its snapshots; its page says id."""
    if not type.code.startswith(_SYSTEM_TYPE):
        return type.code
    if element.base is not None and element.base.path == "Resource.id":
        return "id"
    return next((extension.valueUrl for extension in type.extension if extension.url == _FHIR_TYPE and extension.valueUrl), "string")


def _targets(type: _Type) -> frozenset[str]:
    targets = frozenset(profile.removeprefix(_DEFINITION) for profile in type.targetProfile)
    return frozenset() if "Resource" in targets else targets


def _invariants(element: _Element) -> tuple[Invariant, ...]:
    return tuple(Invariant(each.key, each.severity, each.human, each.expression) for each in element.constraint if each.expression)
