"""Rules of single types that their StructureDefinitions say in FHIRPath.

https://hl7.org/fhir/R4/conformance-rules.html#constraints

Each is compiled when the first object of its type comes: to look-ups where it only asks what is present, else to FHIRPath. It is asked
only where an element is there without which it holds anyway, and only of objects in whose content nothing else is wrong.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeAlias

from profiles.definitions import Definitions
from profiles.fhirpath import FhirPathError, predicate
from profiles.fhirpath.grammar import parse
from profiles.structure import Invariant, Property, Shape
from profiles.validator.conditions import At, NotPlain, condition, shortcut
from profiles.validator.gates import compares, gates
from profiles.validator.issue import Place, Report

Holds: TypeAlias = Callable[[dict[str, Any], Report], bool | None]

CORRECTED = {
    "que-7": "operator = 'exists' implies (answer is boolean)",  # R4 asks for Boolean, which no element of FHIR is
    "que-12": "enableWhen.count() > 1 implies enableBehavior.exists()",  # R4 counts 2 where its words say more than one
    "ras-2": "(probability is decimal) implies ((probability as decimal) <= 100)",
}
"""Expressions of R4 that say something else than the words beside them."""

_TRACE = re.compile(r"\.trace\('[^']*'\)")

NATIVE = frozenset(("bdl-3", "bdl-4", "bdl-7", "per-1"))
"""Invariants that have a faster rule of their own."""


class Condition(NamedTuple):
    """A compiled invariant. `gates`: where the object has no property of one of these groups, the invariant holds."""

    invariant: Invariant
    gates: tuple[tuple[str, ...], ...]
    holds: Holds
    passes_open: bool

    def check(self, value: dict[str, Any], at: Place, report: Report) -> None:
        """Add an issue where the object breaks the invariant."""
        for names in self.gates:
            for name in names:
                if name in value:
                    break
            else:
                return
        result = self.holds(value, report)
        if result or (result is None and self.passes_open):
            return
        report.add("invariant", f"{self.invariant.key}: {self.invariant.human}", at, severity=self.invariant.severity)


def of_shape(shape: Shape, definitions: Definitions) -> tuple[Condition, ...]:
    """Compile the invariants of a type and of those of its properties that are primitive."""
    own = [_compiled(each, shape, definitions) for each in shape.invariants if each.key not in NATIVE]
    return (*own, *(_of_primitive(each, p, definitions) for p in shape.properties.values() if p.primitive for each in p.invariants))


def of_property(property: Property, shape: Shape, definitions: Definitions) -> tuple[Condition, ...]:
    """Compile the invariants that an element has besides those of its type; `shape` is the type's."""
    known = {each.key for each in shape.invariants}
    return tuple(_compiled(each, shape, definitions) for each in property.invariants if each.key not in known | NATIVE)


def checked(conditions: Iterable[Condition]) -> Callable[[dict[str, Any], Place, Report], None]:
    """Make one rule of the conditions."""
    all_of_them = tuple(conditions)

    def rule(value: dict[str, Any], at: Place, report: Report) -> None:
        for each in all_of_them:
            each.check(value, at, report)

    return rule


def _compiled(invariant: Invariant, shape: Shape, definitions: Definitions) -> Condition:
    expression = _TRACE.sub("", CORRECTED.get(invariant.key, invariant.expression)).replace(f"{shape.key}.", "")
    tree, at = parse(expression), At(definitions.shapes, shape)
    try:
        holds = _plain(condition(tree, at))
    except NotPlain:
        holds = _asked(expression, shape.key, definitions)
        if (true := shortcut(tree, at)) is not None:
            holds = _shortened(true, holds)
    return Condition(invariant, gates(tree, shape), holds, passes_open=compares(tree))


def _plain(holds: Callable[[Any], bool | None]) -> Holds:
    return lambda value, _report: holds(value)


def _shortened(true: Callable[[Any], bool | None], ask: Holds) -> Holds:
    return lambda value, report: True if true(value) else ask(value, report)


def _asked(expression: str, type: str, definitions: Definitions) -> Callable[[Any, Report], bool | None]:
    holds = predicate(expression, definitions)

    def ask(value: Any, report: Report) -> bool | None:
        try:
            return holds(type, value, report.innermost, report.resource)
        except (FhirPathError, RecursionError):  # nothing can be said: the rule does not fit what is there
            return True

    return ask


def _of_primitive(invariant: Invariant, property: Property, definitions: Definitions) -> Condition:
    name = property.name
    ask = _asked(invariant.expression, property.type, definitions)

    def holds(value: dict[str, Any], report: Report) -> bool | None:
        found = value.get(name)
        return all(ask(each, report) is not False for each in (found if isinstance(found, list) else (found,)))

    return Condition(invariant, ((name,),), holds, passes_open=True)
