"""What the validator found: issues, and the paths that point to them.

A place is only written out as FHIRPath when something is wrong there: on the way down it is a chain of tuples.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Place: TypeAlias = tuple["Place | None", str, int]
"""The parent's place, an element's name in FHIRPath, and its index where it repeats, else -1."""

_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}")


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong with a resource.

    `code` is one of https://hl7.org/fhir/R4/valueset-issue-type.html: structure, required, value, code-invalid,
    invalid, invariant. `diagnostics` names the element and what is expected there, never what was found. `expression` is FHIRPath.
    """

    severity: str
    code: str
    diagnostics: str
    expression: tuple[str, ...]


class Enough(Exception):  # noqa: N818 - nothing failed: there are as many issues as are told
    """Stops a validation that has found enough."""


class Report:
    """Collects the issues of one validation.

    `resource` is the one that local references are resolved in, `innermost` the same or one that it contains, `ids` are those of the
    elements in `innermost`; `errors` counts the issues that are no warnings.
    """

    def __init__(self, resource: dict[str, Any], most: int) -> None:
        self.issues: list[Issue] = []
        self.resource = resource
        self.innermost = resource
        self.ids: set[Any] = set()
        self.errors = 0
        self._most = most

    def add(self, code: str, diagnostics: str, at: Place | None, name: str = "", index: int = -1, *, severity: str = "error") -> None:
        """Note an issue at a place, or at the element of this name below it; raises Enough when the list is full."""
        place = (at, name, index) if name else at
        self.errors += severity != "warning"
        self.issues.append(Issue(severity, code, diagnostics, (path(place),)))
        if len(self.issues) >= self._most:
            raise Enough


def path(place: Place | None) -> str:
    """Write a place as FHIRPath: `Patient.name[0].family`."""
    steps: list[str] = []
    while place is not None:
        place, name, index = place
        steps.append(name if index < 0 else f"{name}[{index}]")
    return ".".join(reversed(steps))


def shown(name: str) -> str:
    """Give a property's name as it may be repeated: only what looks like one, for a name may hold anything."""
    return name if _NAME.fullmatch(name) else "(a property)"


def listed(names: Sequence[str]) -> str:
    """Join names for a sentence."""
    return ", ".join(names)
