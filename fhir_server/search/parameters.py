"""The search parameters of each resource type, compiled from FHIR's SearchParameter definitions.

https://hl7.org/fhir/R4/searchparameter.html

A type is compiled when it is first asked for: a hospital uses thirty of the 146.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self, TypeAlias

from fhir_server.exchange import Resource
from fhir_server.search.paths import beginnings, one_by_one, own_path, under, union
from fhir_server.search.standing import standing
from profiles.definitions import Definitions
from profiles.fhirpath import Node
from profiles.fhirpath import compile as compile_path
from profiles.structure import Shapes

Extract: TypeAlias = Callable[[Resource], Sequence[Node]]

# The first of these that a type has is its main date: when it happened or was asked for, never when somebody was born
# or a thing expires. authoredon stands before date for MedicationRequest, whose date is the times of its dosage.
DATES = (
    "authoredon", "date", "effective", "effective-time", "whenhandedover", "recorded-date", "authored-on", "authored",
    "created", "started", "collected", "sent", "occurrence", "period", "start", "start-date", "issued", "recorded",
    "identified", "datewritten", "datetime", "timestamp",
)  # fmt: skip

_NOTHING: Mapping[str, "Parameter"] = {}
_PLAIN = re.compile(r"[A-Z][A-Za-z]+(\.[a-z][A-Za-z]+)+")
_SYSTEMS = ("http://hl7.org/fhir/", "http://hl7.org/fhir/CodeSystem/", "http://terminology.hl7.org/CodeSystem/")
_OF_PATIENT = ".where(resolve() is Patient)"
_LOOKED_THROUGH = ("_text", "_content")  # they have no path: see store.texts
_NOT_STORED = ("_id", "_lastUpdated", *_LOOKED_THROUGH)
_EXAMPLES = "http://hl7.org/fhir/SearchParameter/example"  # among the definitions, and not meant to be served


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """One search parameter of one type. `stands_for` are the codes that are stored and asked in its place, if any.

    `path` is the part of the definition's expression that speaks of this type. `leads`: among Patients it names
    exactly those that the type's lead parameter names. `components` are a composite's, their code is their position;
    `also` is the position of one whose values are stored under these codes too, where the index has them; `repetitions` gives
    for each of a composite's values what it lies in and the path of each component in that. `systems` are the names under which
    the implied code system of a `code` element may be asked for. `days`: its element is a `date`, which never tells a time.
    """

    code: str
    type: str
    url: str
    path: str
    targets: tuple[str, ...]
    extract: Extract
    components: tuple["Parameter", ...] = ()
    leads: bool = False
    systems: tuple[str, ...] = ()
    days: bool = False
    stands_for: tuple[str, ...] = ()
    also: tuple[int, tuple[str, ...]] | None = None
    repetitions: Callable[[Resource], Iterator[tuple[Resource, tuple[Extract, ...]]]] = lambda resource: iter(())  # noqa: ARG005

    @property
    def sortable(self) -> bool:
        """Tell whether resources can be put in an order by it."""
        return self.type not in ("composite", "special") and self.code not in _LOOKED_THROUGH and len(self.stands_for) < 2


class Step(NamedTuple):
    """One path to walk in a resource for the parameters that share it; `names` as `beginnings` gives them."""

    names: frozenset[str] | None
    extract: Extract
    parameters: tuple[Parameter, ...]


class Parameters:
    """Every search parameter of every type; `extra` are SearchParameters of the network, which win over HL7's.

    `base` is this server's own address: references that begin with it are stored as local ones.
    """

    def __init__(self, definitions: Definitions, extra: Iterable[Mapping[str, Any]] = (), base: str = "") -> None:
        self.base = base
        self._definitions = definitions
        self._by_url: dict[str, Mapping[str, Any]] = {}
        self._by_base: dict[str, dict[str, Mapping[str, Any]]] = {}
        for definition in (*definitions.search_parameters, *extra):
            if _is_served(definition):
                self._by_url[definition["url"]] = definition
                for type in definition.get("base", ()):
                    self._by_base.setdefault(type, {})[definition["code"]] = definition
        self._types = frozenset(definitions.resource_types)
        self._of: dict[str, Mapping[str, Parameter]] = {}
        self._plans: dict[str, tuple[Step, ...]] = {}

    def at(self, base: str) -> Self:
        """Give the same parameters for a server at this address."""
        moved = copy(self)
        moved.base = base
        return moved

    @property
    def types(self) -> frozenset[str]:
        """The resource types that can be searched."""
        return self._types

    @property
    def shapes(self) -> Shapes:
        """The shapes of the types, see `profiles.structure`."""
        return self._definitions.shapes

    def of(self, type: str) -> Mapping[str, Parameter]:
        """Give the type's parameters by code; none for an unknown type."""
        known = self._of.get(type)
        if known is None:
            if type not in self._types:
                return _NOTHING
            known = self._of[type] = self._compiled(type)
        return known

    def lead(self, type: str) -> str | None:
        """Give the code of the parameter that says whose the resource is: `patient`, or what the compartment says."""
        return self._lead(type, self.of(type))

    def is_lead(self, type: str, code: str) -> bool:
        """Tell whether the parameter names the same patients as the lead parameter does (`subject` of Observation)."""
        parameter = self.of(type).get(code)
        return parameter is not None and parameter.leads

    def date(self, type: str) -> str | None:
        """Give the code of the type's main date: the first of DATES that it has."""
        known = self.of(type)
        return next((code for code in DATES if code in known and known[code].type == "date"), None)

    def compartment(self, code: str) -> Mapping[str, tuple[str, ...]]:
        """Give, for each type in the compartment, the codes that put a resource into it; nothing for an unknown one."""
        return self._definitions.compartments.get(code, {})

    def plan(self, type: str) -> "tuple[Step, ...]":
        """Group the type's stored parameters by their path, so that each path is walked once per resource."""
        known = self._plans.get(type)
        if known is None:
            paths: dict[str, list[Parameter]] = {}
            for parameter in self.of(type).values():
                if parameter.code not in _NOT_STORED and not parameter.stands_for:
                    key = parameter.path if parameter.type != "composite" else parameter.url
                    paths.setdefault(key, []).append(parameter)
            known = self._plans[type] = tuple(
                Step(beginnings(group[0].path, type, self._definitions.shapes), group[0].extract, tuple(group)) for group in paths.values()
            )
        return known

    def _compiled(self, type: str) -> Mapping[str, Parameter]:
        definitions = {**self._by_base.get("Resource", {}), **self._by_base.get("DomainResource", {}), **self._by_base.get(type, {})}
        parameters = {code: self._parameter(type, definition) for code, definition in definitions.items()}
        lead = self._lead(type, parameters)
        if lead is not None:
            path = parameters[lead].path.removesuffix(_OF_PATIENT)
            for code, parameter in parameters.items():
                if code == lead or (parameter.type == "reference" and parameter.path in (path, path + _OF_PATIENT)):
                    parameters[code] = replace(parameter, leads=True)
        for code, others in standing(self._comparable(parameters, definitions)).items():
            parameters[code] = replace(parameters[code], stands_for=others)
        for code, parameter in parameters.items():
            if parameter.type == "composite":
                parameters[code] = replace(parameter, also=self._also(parameters, definitions[code]))
        return parameters

    def _also(self, parameters: Mapping[str, Parameter], definition: Mapping[str, Any]) -> tuple[int, tuple[str, ...]] | None:
        for position, part in enumerate(definition["component"]):
            alone = parameters.get(self._by_url[part["definition"]]["code"])
            if alone is not None and alone.type == "token":
                return position, alone.stands_for or (alone.code,)
        return None

    def _comparable(
        self, parameters: Mapping[str, Parameter], definitions: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, frozenset[object]]:
        """Give what each parameter finds in a form that can be compared; references are left out: chains ask for their own."""
        comparable: dict[str, frozenset[object]] = {}
        for code, parameter in parameters.items():
            parts = definitions[code].get("component", ()) if parameter.type == "composite" else ()
            of_parts = tuple((part["expression"], self._by_url[part["definition"]]["type"]) for part in parts)
            if parameter.type != "reference" and code not in _LOOKED_THROUGH:
                comparable[code] = frozenset((part.strip(), parameter.type, of_parts) for part in union(parameter.path))
        return comparable

    def _parameter(self, type: str, definition: Mapping[str, Any]) -> Parameter:
        path = own_path(definition.get("expression", type), type)
        parameter = Parameter(
            code=definition["code"],
            type=definition["type"],
            url=definition["url"],
            path=path,
            targets=self._targets(definition, path),
            extract=compile_path(path, self._definitions),
            systems=self._systems(path) if definition["type"] == "token" else (),
            days=definition["type"] == "date" and self._key(path)[0] == "date",
        )
        return self._composite(type, parameter, definition) if parameter.type == "composite" else parameter

    def _targets(self, definition: Mapping[str, Any], path: str) -> tuple[str, ...]:
        """The types that a reference may lead to: all where the definition names none."""
        if definition["type"] != "reference":
            return ()
        if definition["code"] == "patient" or path.endswith(_OF_PATIENT):
            return ("Patient",)  # one definition serves many types, and allows Groups for the sake of a few
        named = tuple(definition.get("target", ("Resource",)))
        return tuple(sorted(self._types)) if "Resource" in named else named

    def _systems(self, path: str) -> tuple[str, ...]:
        """The code system of a plain path to a `code`: R4's bear the name of the value set that the element is bound to."""
        key, binding = self._key(path)
        _, of_hl7, name = binding.partition("http://hl7.org/fhir/ValueSet/")
        return tuple(system + name for system in _SYSTEMS) if of_hl7 and key == "code" else ()

    def _key(self, path: str) -> tuple[str, str]:
        """The type of the element that a plain path leads to, and the value set it is bound to; empty for other paths."""
        if not _PLAIN.fullmatch(path):
            return "", ""
        key, *names = path.split(".")
        binding = ""
        for name in names:
            property = self._definitions.shapes[key].properties.get(name)
            if property is None:
                return "", ""
            key, binding = property.key, property.binding or ""
        return key, binding

    def _composite(self, type: str, parameter: Parameter, definition: Mapping[str, Any]) -> Parameter:
        roots = [root.strip() for root in parameter.path.split("|")]
        parts = [(self._by_url[part["definition"]], part["expression"]) for part in definition["component"]]
        components = tuple(
            replace(self._parameter(type, {**part, "expression": type, "type": part["type"]}), code=str(position))
            for position, (part, _) in enumerate(parts)
        )
        repeated = [
            (
                root.partition(".")[2],
                tuple(names for path in paths if (names := beginnings(path, type, self._definitions.shapes)) is not None),
                tuple(compile_path(path, self._definitions) for path in paths),
            )
            for root, paths in ((root, [under(root, type, path) for _, path in parts]) for root in roots)
        ]

        def repetitions(resource: Resource) -> Iterator[tuple[Resource, tuple[Extract, ...]]]:
            present = resource.keys()
            for element, needed, extracts in repeated:
                if not any(present.isdisjoint(names) for names in needed):
                    for one in one_by_one(resource, element):
                        yield one, extracts

        return replace(parameter, components=components, repetitions=repetitions)

    def _lead(self, type: str, parameters: Mapping[str, Parameter]) -> str | None:
        if type == "Patient":  # its patient is itself
            return None
        candidates = ("patient", *sorted(self.compartment("Patient").get(type, ()), key=lambda code: code != "subject"))
        return next((code for code in candidates if code in parameters and "Patient" in parameters[code].targets), None)


def _is_served(definition: Mapping[str, Any]) -> bool:
    if definition["code"] in _LOOKED_THROUGH:
        return True
    known = definition["type"] != "special" or definition["code"] == "near"
    return known and bool(definition.get("expression")) and not definition["url"].startswith(_EXAMPLES)
