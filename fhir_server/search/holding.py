"""Expressions judged in memory, against one resource.

https://hl7.org/fhir/R4/search.html#prefix
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from fhir_server.search.expression import (
    AFTER,
    AXES,
    EQUALS,
    LOW,
    TEXT,
    And,
    Begins,
    Containing,
    Contains,
    EndsWith,
    Entries,
    Exactly,
    Expression,
    ForPatient,
    Group,
    Grouped,
    Has,
    HasPrefix,
    Near,
    Not,
    OfType,
    Or,
    Present,
    Span,
    Spans,
    StartsWith,
    WithId,
    Within,
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What `holds` judges: one resource's identity and entries."""

    type: str
    id: str
    entries: Entries = field(default_factory=Entries)


def answers(prefix: str, low: float, high: float, asked_low: float, asked_high: float) -> bool:
    """Tell whether the stored span [low, high] answers the prefix for the searched [asked_low, asked_high]."""
    inside = asked_low <= low and high <= asked_high
    match prefix:
        case "eq":
            return inside
        case "ap":
            return low <= asked_high and high >= asked_low
        case "ne":
            return not inside
        case "gt":
            return high > asked_high
        case "lt":
            return low < asked_low
        case "ge":
            return inside or high > asked_high
        case "le":
            return inside or low < asked_low
        case "sa":
            return low > asked_high
        case "eb":
            return high < asked_low
    raise ValueError(prefix)


def holds(expression: Expression, subject: Subject) -> bool:
    """Judge an expression against one resource. Raises TypeError on what needs a repository: Related, Coded, Tells, ..."""
    stored = subject.entries
    match expression:
        case And(parts):
            return all(holds(part, subject) for part in parts)
        case Or(parts):
            return any(holds(part, subject) for part in parts)
        case Not(part):
            return not holds(part, subject)
        case Within(part):
            return holds(part, subject)
        case OfType(types):
            return subject.type in types
        case WithId(ids):
            return subject.id in ids
        case ForPatient(patient):
            return stored.patient == patient or patient in stored.patients
        case Grouped(parameter, parts):
            return any(_group_holds(group, parts) for group in stored.groups if group.parameter == parameter)
        case Containing(type, inner):
            return any(each.type == type and holds(inner, Subject(each.type, each.id, each.entries)) for each in stored.contained)
        case Near():
            return _is_near(expression, stored.spans)
        case _:
            return _value_holds(expression, stored.entries, stored.words, stored.spans)


def _group_holds(group: Group, parts: tuple[Expression, ...]) -> bool:
    return all(_value_holds(part, group.entries, group.entries, group.spans) for part in parts)


def _value_holds(expression: Expression, entries: tuple[str, ...], words: tuple[str, ...], spans: tuple[Span, ...]) -> bool:
    match expression:
        case Or(parts):  # inside a group
            return any(_value_holds(part, entries, words, spans) for part in parts)
        case Begins(parameter, bound):
            return parameter + LOW + bound in entries
        case Has(parameter, value):
            return parameter + EQUALS + value in entries
        case HasPrefix(parameter, prefix):
            return _some(entries, lambda entry: entry.startswith(parameter + EQUALS + prefix))
        case StartsWith(parameter, text):
            return _some(words, lambda word: word.startswith(parameter + TEXT + text))
        case Exactly(parameter, text):
            return parameter + EQUALS + text in words
        case Contains(parameter, text):
            return _some(words, lambda word: word.startswith(parameter + TEXT) and text in word[len(parameter) + 1 :])
        case EndsWith(parameter, text):
            return _some(words, lambda word: word.startswith(parameter + TEXT) and word[len(parameter) + 1 :].endswith(text))
        case Present(parameter):
            return _some(entries, lambda entry: parameter + TEXT <= entry < parameter + AFTER)
        case Spans(parameter, prefix, low, high, unit):
            return any(
                span.parameter == parameter and (unit is None or unit in span.units) and answers(prefix, span.low, span.high, low, high)
                for span in spans
            )
    raise TypeError(f"{type(expression).__name__} cannot be judged in memory")


def _is_near(asked: Near, spans: tuple[Span, ...]) -> bool:
    """Places of one resource are one point: three spans."""
    at = {span.parameter: span.low for span in spans if span.parameter.startswith(asked.parameter + TEXT)}
    if len(at) != len(AXES):
        return False
    x, y, z = (at[asked.parameter + TEXT + axis] for axis in AXES)
    north, east, up = x - asked.x, y - asked.y, z - asked.z
    inside = all(abs(each) <= asked.reach for each in (north, east, up))
    return inside and north * north + east * east + up * up <= asked.reach * asked.reach


def _some(values: tuple[str, ...], test: Callable[[str], bool]) -> bool:
    return any(map(test, values))
