"""One language for every limit on what is seen.

A search, a SMART scope, a compartment and a consent provision all become an Expression. The store turns Expressions
into MongoDB filters, `holds` (holding.py) judges them in memory, and nothing else has to know either. A property test proves that
both agree. `Related` and `RelatedBy` (chained parameters and _has), `Coded` and `Placed` (hierarchies, value sets), and
`Tells` (full text) need a repository: it resolves them first, so neither `holds` nor the filter ever sees one.
"""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

# What stands between the parameter's code and its value in an entry; neighbours in ASCII, so that all entries of
# one parameter are one range: from "code:" up to "code?".
TEXT, LOW, EQUALS, HIGH, AFTER = ":", "<", "=", ">", "?"
AXES = ("x", "y", "z")


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


class Inner(NamedTuple):
    """A contained resource: its type, its id inside the container, and what it can be found by."""

    type: str
    id: str
    entries: "Entries"


@dataclass(frozen=True, slots=True)
class Entries:
    """All that a resource can be found by; made by `entries.py`, stored beside the resource.

    entries   indexed: "code=http://loinc.org|2345-7", "code=2345-7", "subject=Patient/1",
              "subject:identifier=system|value" (logical references), "name:佐藤" (beginnings of folded words),
              "date<041a2b3c4d5e6" and "date>..." (bounds of spans, sortable)
    words     not indexed: "name:サトウタロウ" (folded whole words), "name=佐藤" (as written), "name<サトオ タロオ" (what a name
              is sorted by), "code:text:hba1c" (texts of codes)
    spans     not indexed: exact bounds
              "value-quantity:g.m-3" (quantities in base units), "near:x" (places)
    groups    not indexed: composites
    patient   "Patient/id" where the type's lead parameter names exactly one patient; "*" where several; else None
    patients  all of them where several
    contained contained resources; "_contained=Medication" is among the entries then
    date      milliseconds since 1970 of the type's main date (newest first is the default order), else 0
    """

    entries: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    groups: tuple[Group, ...] = ()
    patient: str | None = None
    patients: tuple[str, ...] = ()
    date: int = 0
    contained: tuple[Inner, ...] = ()


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
class Begins:
    """A stored span begins at exactly this bound, written as in entries: one entry of the index, where Spans is a range."""

    parameter: str
    bound: str


@dataclass(frozen=True, slots=True)
class EndsWith:
    """A folded word of a string parameter ends with this folded text."""

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
class Containing:
    """The resource contains one of the type for which `expression` holds."""

    type: str
    expression: "Expression"


@dataclass(frozen=True, slots=True)
class Coded:
    """The parameter has one of the codes that terminology decides: `way` in (a value set), below or above (a code).

    `value` is the value set's canonical or `ValueSet/id`, or `system|code`; `implied` are systems that are stored as the
    bare code. What is in the package of definitions never becomes one.
    """

    parameter: str
    way: str
    value: str
    implied: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """The parameter refers to one of these resources ("Location/1"), or to what is `way` (below, above) it by its partOf.

    `parents` are for each type the parameter that refers to the whole it is part of.
    """

    parameter: str
    way: str
    references: tuple[str, ...]
    parents: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Tells:
    """The narrative ("_text"), or all text in the resource ("_content"), contains each of these folded words."""

    parameter: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Near:
    """A place within a distance: x, y and z are metres from the Earth's centre, `reach` metres straight through it."""

    parameter: str
    x: float
    y: float
    z: float
    reach: float


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
class Within:
    """What a permit asks beside a search: judged on what the rest finds; nothing is looked for by it while the rest names anything."""

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
    OfType | WithId | Begins | Has | HasPrefix | StartsWith | Exactly | Contains | EndsWith | Spans | Grouped | Present | ForPatient
    | And | Or | Not | Within | Related | RelatedBy | Coded | Placed | Tells | Near | Containing
)  # fmt: skip

EVERYTHING = And()
NOTHING = Or()
