"""Searches that no single index answers: each alternative goes its own way into an index, and all are merged in order.

`Patient/x/Observation` is what the patient-led index knows, or what names the patient as performer: two indexes. A search
across types may ask another thing of each type. MongoDB merges ways that are in the same order without sorting them.
"""

from collections.abc import Iterable, Iterator, Sequence

from fhir_server.search.expression import And, Expression, ForPatient, OfType, Or, WithId
from fhir_server.store.filter import NEVER, Filter, leading_entry
from fhir_server.store.selection import MOST_LED, Selection, conjuncts, selection

MOST = 60
"""Ways of one search; beyond, the alternatives are judged on each document instead."""


def ways(expression: Expression, types: Sequence[str], place: Filter | None = None, most: int = MOST) -> Selection:
    """Arrange the search as `selection` does, through several indexes where its alternatives need it."""
    parts = tuple(conjuncts(expression))
    if any(isinstance(part, WithId | ForPatient) for part in parts):
        return selection(expression, types, place)
    for position, part in enumerate(parts):
        kinds = _kinds(part.parts) if isinstance(part, Or) else []
        if 1 < len(kinds) <= most and all(map(_is_led, kinds)):
            rest = (*parts[:position], *parts[position + 1 :])
            return _either([ways(And((kind, *rest)), types, place, most // len(kinds)) for kind in kinds])
    return selection(expression, types, place)


def _kinds(parts: Iterable[Expression]) -> list[Expression]:
    """Put together what one way serves: all entries, all patients (as many as the index is entered with); the rest is each its own."""
    entries: list[Expression] = []
    patients: list[Expression] = []
    others: list[Expression] = []
    for part in _alternatives(parts):
        if isinstance(part, ForPatient):
            patients.append(part)
        elif leading_entry(part) is not None:
            entries.append(part)
        else:
            others.append(part)
    led = [patients[at : at + MOST_LED] for at in range(0, len(patients), MOST_LED)]
    return [*(_or(group) for group in (*led, entries) if group), *others]


def _alternatives(parts: Iterable[Expression]) -> Iterator[Expression]:
    for part in parts:
        if isinstance(part, Or):
            yield from _alternatives(part.parts)
        else:
            yield part


def _or(parts: Sequence[Expression]) -> Expression:
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


def _is_led(kind: Expression) -> bool:
    """Tell whether an index has a way to it: by a patient, an entry, an id, or because it is about some types only."""
    match kind:
        case ForPatient() | WithId() | OfType():
            return True
        case And(parts):
            return any(map(_is_led, parts))
        case Or(parts):
            return bool(parts) and all(map(_is_led, parts))
    return leading_entry(kind) is not None


def _either(chosen: Sequence[Selection]) -> Selection:
    filters: list[Filter] = []
    for each in chosen:
        if each.filter != NEVER:
            filters += each.filter["$or"] if list(each.filter) == ["$or"] else [each.filter]
    hints = {each.hint for each in chosen if each.filter != NEVER}
    if not filters:
        return Selection(NEVER)
    return Selection({"$or": filters} if len(filters) > 1 else filters[0], hints.pop() if len(hints) == 1 else None)
