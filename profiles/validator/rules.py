"""Rules of single types that a shape does not say.

Each takes an object that has passed its shape and adds what it finds to the report.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from profiles.fhirpath.temporal import compare, read
from profiles.reference import Conditional, Contained, Literal, parse
from profiles.structure import Property
from profiles.validator.issue import Place, Report
from terminology.service import Terminology

Rule: TypeAlias = Callable[[dict[str, Any], Place, Report], None]


def extension(value: dict[str, Any], at: Place, report: Report) -> None:
    """ext-1: an extension has a value or extensions, not both. https://hl7.org/fhir/R4/extensibility.html."""
    has_value = any(name.startswith(("value", "_value")) for name in value)
    if has_value == ("extension" in value):
        report.add("structure", "An extension has either a value or extensions of its own", at)


def period(value: dict[str, Any], at: Place, report: Report) -> None:
    """per-1: a period starts before it ends; what vague dates leave open passes. https://hl7.org/fhir/R4/datatypes.html#Period."""
    start, end = value.get("start"), value.get("end")
    if not isinstance(start, str) or not isinstance(end, str) or (start <= end and _of_one_clock(start, end)):
        return
    first, last = read(start, "dateTime"), read(end, "dateTime")
    if first is not None and last is not None and compare(first, last) == 1:
        report.add("invariant", "per-1: If present, start SHALL have a lower value than end", at)


def _of_one_clock(start: str, end: str) -> bool:
    """Tell whether two dateTimes are written alike, so that their texts have their order."""
    return len(start) == len(end) and (len(start) <= 10 or start[-1] == "Z" == end[-1] or start[-6:] == end[-6:])


def codes_of(property: Property, terminology: Terminology) -> Rule:
    """Required binding of a CodeableConcept: at least one coding is of the value set.

    https://hl7.org/fhir/R4/terminologies.html#required
    """
    value_set = property.binding or ""

    def codes(value: dict[str, Any], at: Place, report: Report) -> None:
        members = terminology.members(value_set)
        if members is None:
            return
        codings = value.get("coding")
        for coding in codings if isinstance(codings, list) else ():
            code, system = (coding.get("code"), coding.get("system")) if isinstance(coding, dict) else (None, None)
            if isinstance(code, str) and members.contains(code, system if isinstance(system, str) else None) is not False:
                return
        report.add("code-invalid", f"{property.name} needs a coding of the value set {value_set}", at)

    return codes


def reference_of(property: Property, types: frozenset[str]) -> Rule:
    """Check how a literal reference is written, which type it names, and that `#id` is inside.

    https://hl7.org/fhir/R4/references.html#literal
    """
    targets = property.targets or types

    def reference(value: dict[str, Any], at: Place, report: Report) -> None:
        text = value.get("reference")
        if not isinstance(text, str):
            return
        parsed = parse(text)
        if isinstance(parsed, Literal | Conditional):
            if parsed.type in targets:
                return
            if parsed.type in types:  # a warning: three official examples do it
                report.add("invalid", f"{property.name} should refer to {_written(property)}", at, "reference", severity="warning")
            elif not (isinstance(parsed, Literal) and parsed.base):
                report.add("invalid", f"{property.name} has to refer to a resource type of FHIR R4", at, "reference")
        elif isinstance(parsed, Contained):
            if parsed.id and parsed.id not in _contained(report.resource):
                report.add("invalid", f"{property.name} refers to a contained resource that is not there", at, "reference")
        elif parsed is None and ":" not in text:
            report.add("invalid", f"{property.name} has to be written Type/id, #id, or as an absolute address", at, "reference")

    return reference


def _written(property: Property) -> str:
    return " or ".join(sorted(property.targets))


def _contained(resource: dict[str, Any]) -> set[Any]:
    inside = resource.get("contained")
    ids = (each.get("id") for each in inside if isinstance(each, dict)) if isinstance(inside, list) else ()
    return {id for id in ids if isinstance(id, str)}
