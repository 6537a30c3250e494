"""Rules of contained resources: dom-2 to dom-5.

https://hl7.org/fhir/R4/references.html#contained
"""

from collections.abc import Iterator
from typing import Any

from profiles.validator.issue import Place, Report


def contained(value: dict[str, Any], at: Place, report: Report) -> None:
    """dom-2, dom-4, dom-5: a contained resource contains no other, and has neither version nor security labels."""
    if "contained" in value:
        report.add("structure", "A contained resource cannot contain resources", at, "contained")
    meta = value.get("meta")
    if isinstance(meta, dict):
        if "versionId" in meta or "lastUpdated" in meta:
            report.add("invariant", "dom-4: a contained resource has no meta.versionId and no meta.lastUpdated", at, "meta")
        if "security" in meta:
            report.add("invariant", "dom-5: a contained resource has no security labels", at, "meta")


def container(value: dict[str, Any], at: Place, report: Report) -> None:
    """dom-3: what is contained is referred to, by the resource or by another one in it, or refers to the resource itself."""
    inside = value.get("contained")
    if not isinstance(inside, list):
        return
    mentioned = set(_local(value))
    for index, each in enumerate(inside):
        if isinstance(each, dict) and f"#{each.get('id')}" not in mentioned and "#" not in set(_local(each)):
            report.add(
                "invariant", "dom-3: a contained resource has to be referred to from elsewhere in the resource", at, "contained", index
            )


def _local(value: Any) -> Iterator[str]:
    """The texts in a value that can be local references, whatever their element."""
    if isinstance(value, str):
        if value.startswith("#"):
            yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _local(each)
    elif isinstance(value, list):
        for each in value:
            yield from _local(each)
