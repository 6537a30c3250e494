"""A whole search as a filter that one index answers in order.

What the search names decides the index (indexes.py): an id the key; a patient `by_patient`; anything else `by_entry`.
Inside the index an equality comes before the order of results, so that the first page is read and no more. Where only
ranges are asked (a birth date, a system), both ways are offered to MongoDB's planner: the range, sorted afterwards, or
everything of the type in order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_server.search.expression import (
    EQUALS,
    And,
    Begins,
    Expression,
    ForPatient,
    Has,
    HasPrefix,
    Near,
    OfType,
    Or,
    Present,
    Spans,
    StartsWith,
    WithId,
    Within,
)
from fhir_server.store.documents import SEVERAL
from fhir_server.store.filter import NEVER, Filter, all_of, condition, equal_entry, index_range, leading_entry
from fhir_server.store.indexes import BY_ENTRY, BY_ID, BY_PATIENT, LEADING

MOST_LED = 50  # patients that by_patient is entered with; more are cheaper to judge one by one


@dataclass(frozen=True, slots=True)
class Selection:
    """A filter, and the index to use; None leaves the choice to MongoDB."""

    filter: Filter
    hint: str | None = None

    @property
    def options(self) -> dict[str, Any]:
        """The index as a command's option."""
        return {"hint": self.hint} if self.hint else {}


def selection(expression: Expression, types: Sequence[str], place: Filter | None = None) -> Selection:
    """Arrange the search for resources of these types. `place` limits `o`, the place in the order of results, for a later page."""
    parts = list(conjuncts(expression))
    for part in parts:
        if isinstance(part, OfType):
            types = [type for type in types if type in part.types]
    if not types or Or() in parts:
        return Selection(NEVER)
    parts = [_of_types(part, types) for part in parts if not isinstance(part, OfType)]
    if all(isinstance(part, Within) for part in parts):  # nothing else is asked: the limit itself is what to look for
        parts = [each for part in parts if isinstance(part, Within) for each in conjuncts(part.part)]
    base: Filter = {"t": types[0] if len(types) == 1 else {"$in": list(types)}, **({"o": place} if place else {})}
    if any(isinstance(part, WithId) for part in parts):
        return Selection(_every(base, parts, types), BY_ID)
    led = min((part for part in parts if 0 < len(_patients(part)) <= MOST_LED), key=lambda part: len(_patients(part)), default=None)
    if led is not None:
        return _by_patient(led, [part for part in parts if part is not led], base, types)
    return _by_entry(parts, base, types)


def conjuncts(expression: Expression) -> Iterator[Expression]:
    """Give the parts that all have to hold, however deep the And are nested."""
    if isinstance(expression, And):
        for part in expression.parts:
            yield from conjuncts(part)
    else:
        yield expression


def _of_types(part: Expression, types: Sequence[str]) -> Expression:
    """Of a limit that says something else for other types, what it says for these: said for every way, all of it would be too long."""
    if not isinstance(part, Within) or not isinstance(part.part, Or) or not all(map(_names_types, part.part.parts)):
        return part
    kept: list[Expression] = []
    for each in part.part.parts:
        assert isinstance(each, And)
        named, *rest = each.parts
        common = tuple(type for type in types if isinstance(named, OfType) and type in named.types)
        if common:
            kept.append(And((*([] if len(common) == len(types) else [OfType(common)]), *rest)))
    return Within(Or(tuple(kept)))


def _names_types(part: Expression) -> bool:
    return isinstance(part, And) and len(part.parts) > 1 and isinstance(part.parts[0], OfType)


def _every(base: Filter, parts: Sequence[Expression], types: Sequence[str]) -> Filter:
    return all_of([base, *(condition(part, types) for part in parts)])


def _patients(part: Expression) -> tuple[str, ...]:
    """The patients of which the part names one; none where it says anything else too."""
    match part:
        case ForPatient(patient):
            return (patient,)
        case Or(parts) if all(isinstance(each, ForPatient) for each in parts):
            return tuple(each.patient for each in parts if isinstance(each, ForPatient))
    return ()


def _by_patient(led: Expression, rest: Sequence[Expression], base: Filter, types: Sequence[str]) -> Selection:
    """Two ways into the same index, merged in order: the patient's own resources, and those about several patients."""
    patients = _patients(led)
    entry = next((part for part in rest if isinstance(part, Has) and part.parameter in LEADING), None)
    leading = "" if entry is None else equal_entry(entry)
    own = {"p": _one_of(patients), "c": leading, **base}
    several = {"p": SEVERAL, "c": _one_of([SEVERAL + EQUALS + patient for patient in patients]), **base}
    ways = [_every(own, [part for part in rest if part is not entry], types), _every(several, rest, types)]
    return Selection({"$or": ways}, BY_PATIENT)


def _by_entry(parts: Sequence[Expression], base: Filter, types: Sequence[str]) -> Selection:
    leads = [lead for part in parts if (lead := _lead(part)) is not None]
    days = {part.parameter for part in parts if isinstance(part, Begins)}
    around = (_range(part, alone=not leads) for part in parts if not (isinstance(part, Spans) and part.parameter in days))
    ranges = [range for range in around if range is not None]
    ways = [{"e": lead} for lead in (leads or [""])] + [{"e": around} for around in ranges]
    rest = [condition(part, types) for part in parts if _not_said(part)]
    hint = BY_ENTRY if any(_patients(part) for part in parts) else None
    return Selection(all_of([base, *ways, *rest]), hint)


def _lead(part: Expression) -> Any:
    """An equality on entries that the part implies: one entry, or one of several."""
    if isinstance(part, Or) and part.parts:
        each = [leading_entry(one) for one in part.parts]
        return {"$in": each} if None not in each else None
    return leading_entry(part)


def _range(part: Expression, *, alone: bool) -> Filter | None:
    """A range that is worth offering: one open to one side holds half of everything, and only serves where nothing else does."""
    if isinstance(part, Spans) and (part.prefix != "eq" or ":" in part.parameter) and not alone:
        return None
    if isinstance(part, StartsWith | Near) and not alone:
        return None
    return index_range(part)


def _not_said(part: Expression) -> bool:
    """Tell whether the part needs its own condition beside the lead or range that stands for it."""
    if isinstance(part, HasPrefix | Present):
        return False
    alternatives = part.parts if isinstance(part, Or) else (part,)
    return any(equal_entry(each) is None for each in alternatives)


def _one_of(values: Sequence[str]) -> Any:
    return values[0] if len(values) == 1 else {"$in": list(values)}
