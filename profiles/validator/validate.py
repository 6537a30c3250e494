"""Structural validation of a resource against the StructureDefinition of its type.

https://hl7.org/fhir/R4/validation.html

Judged: unknown elements, cardinality, JSON types, formats of primitives, choice types, extensions, contained resources
and the resources of a Bundle, literal references, required bindings, invariants. Not judged: profiles.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from profiles.definitions import Definitions
from profiles.structure import Property
from profiles.validator import contained, invariants, objects, rules
from profiles.validator.bundle import bundle
from profiles.validator.issue import Enough, Issue, Place, Report
from profiles.validator.objects import Judge, ObjectCheck
from profiles.validator.primitives import check_of
from terminology.service import Terminology

MAX_ISSUES = 100
"""A validation stops here: a reader mends the first ones first."""

_RULES: Mapping[str, rules.Rule] = {"Extension": rules.extension, "Period": rules.period, "Bundle": bundle}


class Validator:
    """Validates resources of all types. A type is compiled when the first resource of it comes."""

    def __init__(self, definitions: Definitions, terminology: Terminology) -> None:
        self._definitions = definitions
        self._shapes = definitions.shapes
        self._types = frozenset(definitions.resource_types)
        self._terminology = terminology
        self._checks: dict[str, ObjectCheck] = {}

    def validate(self, resource: Any) -> list[Issue]:
        """Give everything that is wrong with a decoded resource; nothing where it is valid. At most MAX_ISSUES."""
        if type(resource) is not dict:
            return [Issue("error", "structure", "A resource has to be a JSON object", ())]
        report = Report(resource, MAX_ISSUES)
        type_ = resource.get("resourceType")
        name = type_ if isinstance(type_, str) and type_ in self._types else "Resource"
        with suppress(Enough):
            self._resource(resource, (None, name, -1), report)
        return report.issues

    def _resource(self, value: Any, at: Place, report: Report) -> None:
        if type(value) is not dict:
            report.add("structure", f"{at[1]} has to be a resource", at)
            return
        type_ = value.get("resourceType")
        if type_ is None:
            report.add("required", "A resource needs its resourceType", at, "resourceType")
        elif not isinstance(type_, str) or type_ not in self._types:
            report.add("value", "resourceType has to be a resource type of FHIR R4", at, "resourceType")
        else:
            self._check(type_)(value, at, report)

    def _entry(self, value: Any, at: Place, report: Report) -> None:
        """Judge a resource with an identity of its own inside another: what is local there is local to it."""
        outer, report.resource = report.resource, value if type(value) is dict else {}
        self._inner(value, at, report)
        report.resource = outer

    def _inner(self, value: Any, at: Place, report: Report) -> None:
        outer, ids = report.innermost, report.ids
        report.innermost, report.ids = value if type(value) is dict else {}, set()
        self._resource(value, at, report)
        report.innermost, report.ids = outer, ids

    def _contained(self, value: Any, at: Place, report: Report) -> None:
        self._inner(value, at, report)
        if type(value) is dict:
            contained.contained(value, at, report)

    def _check(self, key: str) -> ObjectCheck:
        found = self._checks.get(key)
        return found if found is not None else self._compiled(key)

    def _compiled(self, key: str) -> ObjectCheck:
        shape = self._shapes[key]
        check = self._checks[key] = ObjectCheck(shape, is_resource=key in self._types)
        if check.is_resource:
            check.judges["resourceType"] = objects.anything
        check.rule = _RULES.get(key) or (contained.container if check.is_resource and "contained" in shape.properties else None)
        check.conditions = invariants.of_shape(shape, self._definitions)
        for property in shape.properties.values():
            if property.primitive:
                self._add_primitive(property, check)
            else:
                check.judges[property.name] = self._judge(property)
        return check

    def _add_primitive(self, property: Property, check: ObjectCheck) -> None:
        test, element = check_of(property, self._terminology), self._check("Element")
        if property.many:
            check.judges[property.name] = objects.primitives(property, test)
            check.judges["_" + property.name] = objects.all_underscored(property, element)
            return
        check.judges["_" + property.name] = objects.underscored(property, element)
        if property.name == "id" and not check.is_resource:  # the snapshot and the differential share the ids of their elements
            check.judges["id"] = objects.identity(property, test, unique=check.name != "ElementDefinition")
            return
        check.simple[property.name] = test
        check.judges[property.name] = objects.primitive(property, test)

    def _judge(self, property: Property) -> Judge:
        make = objects.many if property.many else objects.one
        if property.key == "Resource":
            return make(property, self._contained if property.name == "contained" else self._entry)
        own: list[rules.Rule] = []
        check = self._check(property.key)
        conditions = invariants.of_property(property, self._shapes[property.key], self._definitions) if property.invariants else ()
        if conditions:
            own.append(invariants.checked(conditions))
        if property.type == "Reference":
            own.append(rules.reference_of(property, self._types))
        if property.type == "CodeableConcept" and property.binding is not None:
            own.append(rules.codes_of(property, self._terminology))
        return make(property, check, *own)
