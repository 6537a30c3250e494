"""Rules of JSON objects: which properties there may be and must be, one or many, and what is in them.

https://hl7.org/fhir/R4/json.html

Each shape is compiled once to an ObjectCheck: a dictionary from a property's name to the function that judges its
value. A valid resource costs one look-up and one call per property, and no text is made.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from profiles.primitives import Check
from profiles.structure import Property, Shape
from profiles.validator.invariants import Condition
from profiles.validator.issue import Place, Report, listed, shown
from profiles.validator.primitives import Found, explained
from profiles.validator.rules import Rule

Judge: TypeAlias = Callable[[Any, dict[str, Any], Place, Report], None]
"""Judges a property's value, given the object it is in and that object's place."""


class ObjectCheck:
    """The compiled check of all objects of one shape."""

    __slots__ = ("choices", "conditions", "is_resource", "judges", "name", "required", "rule", "simple")

    def __init__(self, shape: Shape, *, is_resource: bool) -> None:
        self.name = shape.key
        self.is_resource = is_resource
        self.simple: dict[str, Check] = {}
        self.judges: dict[str, Judge] = {}
        self.rule: Rule | None = None
        self.conditions: tuple[Condition, ...] = ()
        self.required = {name: frozenset((*names, *("_" + each for each in names))) for name, names in shape.required.items()}
        self.choices = {name: _variants(shape.choices[name]) for name in shape.choices}

    def __call__(self, value: Any, at: Place, report: Report) -> None:
        """Add all that is wrong with an object to the report."""
        if type(value) is not dict or not value:
            report.add("structure", f"{at[1]} has to be a JSON object that is not empty", at)
            return
        simple, judges, errors = self.simple, self.judges, report.errors
        for name, child in value.items():
            check = simple.get(name)
            if check is not None and check(child):
                continue
            judge = judges.get(name)
            if judge is None:
                report.add("structure", f"{self.name} has no element {shown(name)}", at)
            else:
                judge(child, value, at, report)
        for name, names in self.required.items():
            if names.isdisjoint(value):
                report.add("required", f"{self.name} needs {name}", at, name)
        for name, variants in self.choices.items():
            present = {each.removeprefix("_") for each in variants & value.keys()}
            if len(present) > 1:
                report.add("structure", f"{name} can have only one of: {listed(sorted(present))}", at, name)
        if self.rule is not None:
            self.rule(value, at, report)
        if self.conditions and report.errors == errors:
            for condition in self.conditions:
                condition.check(value, at, report)


def _variants(properties: Mapping[str, Property]) -> frozenset[str]:
    names = [property.name for property in properties.values()]
    return frozenset((*names, *("_" + name for name in names)))


def _tell(found: Found, at: Place, name: str, report: Report, index: int = -1) -> None:
    code, diagnostics, severity = found
    report.add(code, diagnostics, at, name, index, severity=severity)


def primitive(property: Property, check: Check) -> Judge:
    """Judge a single primitive."""
    label = property.choice or property.name

    def judge(value: Any, _parent: dict[str, Any], at: Place, report: Report) -> None:
        if not check(value):
            _tell(explained(property, value), at, label, report)

    return judge


def identity(property: Property, check: Check, *, unique: bool) -> Judge:
    """Judge the id of an element: it is not all there is, and stands once in its resource. https://hl7.org/fhir/R4/element.html#id."""

    def judge(value: Any, parent: dict[str, Any], at: Place, report: Report) -> None:
        if not check(value):
            _tell(explained(property, value), at, "id", report)
            return
        if len(parent) == 1:
            report.add("structure", f"{at[1]} has an id but no content", at)
        if value in report.ids and unique:
            report.add("invalid", f"The id of {at[1]} is already the id of another element", at, "id")
        report.ids.add(value)

    return judge


def primitives(property: Property, check: Check) -> Judge:
    """Judge an array of primitives; null stands where there is only an extension, in the array of the same name with `_`."""
    name = property.name

    def judge(value: Any, parent: dict[str, Any], at: Place, report: Report) -> None:
        if type(value) is not list or not value:
            report.add("structure", f"{name} has to be an array that is not empty", at, name)
            return
        for index, item in enumerate(value):
            if item is None:
                if _sibling(parent.get("_" + name), index) is None:
                    report.add("structure", f"{name} has null where there is no extension", at, name, index)
            elif not check(item):
                _tell(explained(property, item), at, name, report, index)

    return judge


def _sibling(siblings: Any, index: int) -> Any:
    return siblings[index] if isinstance(siblings, list) and index < len(siblings) else None


def underscored(property: Property, element: ObjectCheck) -> Judge:
    """Judge the `_` property of a single primitive: its id and extensions."""
    label = property.choice or property.name

    def judge(value: Any, _parent: dict[str, Any], at: Place, report: Report) -> None:
        element(value, (at, label, -1), report)

    return judge


def all_underscored(property: Property, element: ObjectCheck) -> Judge:
    """Judge the `_` property of an array of primitives: null where a primitive has neither id nor extension."""
    name = property.name

    def judge(value: Any, parent: dict[str, Any], at: Place, report: Report) -> None:
        if type(value) is not list or not value:
            report.add("structure", f"_{name} has to be an array that is not empty", at, name)
            return
        siblings = parent.get(name)
        if isinstance(siblings, list) and len(siblings) != len(value):
            report.add("structure", f"{name} and _{name} have to be of the same length", at, name)
        if all(item is None for item in value):
            report.add("structure", f"_{name} has nothing but null", at, name)
        for index, item in enumerate(value):
            if item is not None:
                element(item, (at, name, index), report)
            elif not isinstance(siblings, list):
                report.add("structure", f"_{name} has null where there is no value", at, name, index)

    return judge


def one(property: Property, check: Rule, *rules: Rule) -> Judge:
    """Judge a single object."""
    label = property.choice or property.name

    def judge(value: Any, _parent: dict[str, Any], at: Place, report: Report) -> None:
        place = (at, label, -1)
        check(value, place, report)
        if type(value) is dict:
            for rule in rules:
                rule(value, place, report)

    return judge


def many(property: Property, check: Rule, *rules: Rule) -> Judge:
    """Judge an array of objects."""
    name = property.name

    def judge(value: Any, _parent: dict[str, Any], at: Place, report: Report) -> None:
        if type(value) is not list or not value:
            report.add("structure", f"{name} has to be an array that is not empty", at, name)
            return
        for index, item in enumerate(value):
            place = (at, name, index)
            check(item, place, report)
            if type(item) is dict:
                for rule in rules:
                    rule(item, place, report)

    return judge


def anything(_value: Any, _parent: dict[str, Any], _at: Place, _report: Report) -> None:
    """Judge nothing: `resourceType`, which was judged before its object."""
