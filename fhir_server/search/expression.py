"""One language for every limit on what is seen.

A search, a SMART scope, a compartment and a consent provision all become an Expression. The store turns Expressions
into MongoDB filters, `holds` judges them in memory, and nothing else has to know either. A property test proves that
both agree. `Related` and `RelatedBy` (chained parameters and _has) need a repository: it resolves them to ids first,
so neither `holds` nor the filter ever sees one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

# What stands between the parameter's code and its value in an entry; neighbours in ASCII, so that all entries of
# one parameter are one range: from "code:" up to "code?".
TEXT, LOW, EQUALS, HIGH, AFTER = ":", "<", "=", ">", "?"


class Span(NamedTuple):
    """A stored date, number or quantity: the closed interval from `low` to `high` that its precision means.

    Dates are milliseconds since 1970 UTC (high is the last millisecond), numbers and quantities floats (infinite where
    a Range is open). `units` are the forms a quantity's unit can be asked in: "system|code", and "code" of code and
    of unit.
    """

    parameter: str
    low: float
    high: float
    units: tuple[str, ...] = ()


class Group(NamedTuple):
    """The components of one composite value, kept together: entries and spans under the component's position."""

    parameter: str
    entries: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Entries:
    """All that a resource can be found by; made by `entries.py`, stored beside the resource.

    entries   indexed: "code=http://loinc.org|2345-7", "code=2345-7", "subject=Patient/1",
              "subject:identifier=system|value" (logical references), "name:佐藤" (beginnings of folded words),
              "date<041a2b3c4d5e6" and "date>..." (bounds of spans, sortable)
    words     not indexed: "name:サトウタロウ" (folded whole words), "name=佐藤" (as written)
    spans     not indexed: exact bounds
    groups    not indexed: composites
    patient   "Patient/id" where the type's lead parameter names exactly one patient; "*" where several; else None
    patients  all of them where several
    date      milliseconds since 1970 of the type's main date (newest first is the default order), else 0
    """

    entries: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    groups: tuple[Group, ...] = ()
    patient: str | None = None
    patients: tuple[str, ...] = ()
    date: int = 0


@dataclass(frozen=True, slots=True)
class OfType:
    """The resource is of one of these types."""

    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WithId:
    """The resource has one of these logical ids."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Has:
    """The resource has this entry under this search parameter (token, reference, uri)."""

    parameter: str
    value: str


@dataclass(frozen=True, slots=True)
class HasPrefix:
    """One of the parameter's equality entries starts with this (token `system|`, uri :below)."""

    parameter: str
    prefix: str


@dataclass(frozen=True, slots=True)
class StartsWith:
    """A folded word of a string parameter starts with this folded text."""

    parameter: str
    text: str


@dataclass(frozen=True, slots=True)
class Exactly:
    """A value of a string parameter is exactly this."""

    parameter: str
    text: str


@dataclass(frozen=True, slots=True)
class Contains:
    """A folded word of a string parameter contains this folded text."""

    parameter: str
    text: str


@dataclass(frozen=True, slots=True)
class Spans:
    """A stored span answers the prefix against the searched closed interval; `unit` limits quantities.

    https://hl7.org/fhir/R4/search.html#prefix: eq, ne, gt, lt, ge, le, sa, eb, ap (already widened;
    overlaps the stored span).
    """

    parameter: str
    prefix: str
    low: float
    high: float
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Grouped:
    """One composite value satisfies all parts; each part's parameter is the component's position ("0", "1")."""

    parameter: str
    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Present:
    """The resource has any value of the parameter (`:missing=false`)."""

    parameter: str


@dataclass(frozen=True, slots=True)
class ForPatient:
    """The lead parameter of the resource's type names this patient ("Patient/id"): served by the patient-led index."""

    patient: str


@dataclass(frozen=True, slots=True)
class And:
    """Every part holds; empty: always."""

    parts: tuple["Expression", ...] = ()


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part holds; empty: never."""

    parts: tuple["Expression", ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: "Expression"


@dataclass(frozen=True, slots=True)
class Related:
    """Chained parameter: `parameter` refers to a resource of one of `types` for which `expression` holds.

    `leads`: the parameter is its type's lead parameter, so a Patient found becomes ForPatient instead of Has.
    """

    parameter: str
    types: tuple[str, ...]
    expression: "Expression"
    leads: bool = False


@dataclass(frozen=True, slots=True)
class RelatedBy:
    """_has: a resource of `type` for which `expression` holds refers here by its `parameter`."""

    type: str
    parameter: str
    expression: "Expression"


Expression: TypeAlias = (
    OfType | WithId | Has | HasPrefix | StartsWith | Exactly | Contains | Spans | Grouped | Present | ForPatient
    | And | Or | Not | Related | RelatedBy
)  # fmt: skip

EVERYTHING = And()
NOTHING = Or()


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
    """Judge an expression against one resource. Raises TypeError on Related and RelatedBy, which need a repository."""
    stored = subject.entries
    match expression:
        case And(parts):
            return all(holds(part, subject) for part in parts)
        case Or(parts):
            return any(holds(part, subject) for part in parts)
        case Not(part):
            return not holds(part, subject)
        case OfType(types):
            return subject.type in types
        case WithId(ids):
            return subject.id in ids
        case ForPatient(patient):
            return stored.patient == patient or patient in stored.patients
        case Grouped(parameter, parts):
            return any(_group_holds(group, parts) for group in stored.groups if group.parameter == parameter)
        case _:
            return _value_holds(expression, stored.entries, stored.words, stored.spans)


def _group_holds(group: Group, parts: tuple[Expression, ...]) -> bool:
    return all(_value_holds(part, group.entries, group.entries, group.spans) for part in parts)


def _value_holds(expression: Expression, entries: tuple[str, ...], words: tuple[str, ...], spans: tuple[Span, ...]) -> bool:
    match expression:
        case Or(parts):  # inside a group
            return any(_value_holds(part, entries, words, spans) for part in parts)
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
        case Present(parameter):
            return _some(entries, lambda entry: parameter + TEXT <= entry < parameter + AFTER)
        case Spans(parameter, prefix, low, high, unit):
            return any(
                span.parameter == parameter and (unit is None or unit in span.units) and answers(prefix, span.low, span.high, low, high)
                for span in spans
            )
    raise TypeError(f"{type(expression).__name__} cannot be judged in memory")


def _some(values: tuple[str, ...], test: Callable[[str], bool]) -> bool:
    return any(map(test, values))
