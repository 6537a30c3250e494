"""Plans of link, unlink and merge: what changes when two Patients turn out to be one person, or not to be.

NETWORK.md D4, F014, L32 (human check, reversible), S56; https://profiles.ihe.net/ITI/PMIR/ (replaced-by). What a merged person has agreed to, or
refused, holds for the one that stays: her Consents move there, for a refusal must not be lost. A plan is made of what is stored now
and done only if that has not changed meanwhile: see `decision.settle`.
"""

from collections.abc import Sequence
from itertools import product

from fhir_server.exchange import Resource
from fhir_server.network.desk import Desk
from fhir_server.network.matching import pairs
from fhir_server.network.matching.checking import check
from fhir_server.network.matching.decision import Activity, Change, Decision
from fhir_server.network.matching.numbers import new_number
from fhir_server.network.matching.pairs import ACCEPTED, OPEN, REJECTED, settled, tasks_between
from fhir_server.network.matching.persons import (
    Person,
    consents,
    golden_of,
    is_golden,
    key,
    link,
    new_golden,
    person,
    pointing,
    with_links,
)
from fhir_server.outcome import Issue, conflict, invalid
from fhir_server.store.repository import Changed

LINKED = "同一人物として名寄せされました / linked as one person"


async def linking(desk: Desk, one: str, other: str, *, force: bool = False, merge: bool = False) -> Decision | None:
    """Plan that two Patients, golden or not, are one person; None where they are already.

    `force` for what is doubtful by rule, see `checking`; `merge` where both have golden Patients: the older one stays.
    Raises FhirError: 404, 409, 422.
    """
    first, second = await person(desk, one), await person(desk, other)
    if first.golden is not None and second.golden is not None:
        return await _both_golden(desk, first, second, force=force, merge=merge)
    if first.reference == second.reference:
        raise invalid("A Patient is linked with another one, not with itself", "Parameters.parameter.where(name='target')", code="value")
    known = first if first.golden is not None else second
    new = second if known is first else first
    remarks, settling = await _compared(desk, known, new, force=force)
    golden = known.golden or new_golden(known.members[0], await new_number(desk))
    joining = [*(known.members if known.golden is None else ()), *new.members]
    changes = [Change(each, pointing(each, key(golden))) for each in joining]
    whole = Person((*known.members, *new.members), golden, known.linkage)
    created = [Change(None, golden)] if known.golden is None else []
    return Decision(Activity.LINK, (*created, *changes, *settling), (whole,), (key(golden),), remarks=tuple(remarks))


async def enrolling(desk: Desk, reference: str) -> Decision | None:
    """Plan a golden Patient for one Patient alone; None where she has one."""
    found = await person(desk, reference)
    if found.golden is not None:
        return None
    golden = new_golden(found.members[0], await new_number(desk))
    changes = (Change(None, golden), Change(found.members[0], pointing(found.members[0], key(golden))))
    return Decision(Activity.LINK, changes, (Person(found.members, golden),))


async def _both_golden(desk: Desk, first: Person, second: Person, *, force: bool, merge: bool) -> Decision | None:
    if first.reference == second.reference:
        return None
    if not merge:
        raise conflict("Both have golden Patients of their own: $merge makes them one / 双方に地域患者IDがあります", "Patient.link")
    older, newer = sorted((first, second), key=_number)
    return await _merged(desk, newer, older, force=force)


def _number(person: Person) -> tuple[str, str]:
    assert person.golden is not None
    return str((person.golden.get("identifier") or [{}])[0].get("value", "")), person.reference


async def merging(desk: Desk, gone: str, into: str, *, force: bool = False) -> Decision | None:
    """Plan that one golden Patient is replaced by another; None where it is already. Raises FhirError: 404, 409, 422."""
    if not (is_golden(gone) and is_golden(into)):
        raise invalid("$merge is for two golden Patients: link others with $link", "Parameters.parameter.where(name='into')", code="value")
    first, second = await person(desk, gone), await person(desk, into)
    if gone == into:
        raise invalid("A Patient is merged into another one", "Parameters.parameter.where(name='into')", code="value")
    return await _merged(desk, first, second, force=force)


async def _merged(desk: Desk, gone: Person, into: Person, *, force: bool) -> Decision:
    assert gone.golden is not None
    assert into.golden is not None
    remarks, settling = await _compared(desk, into, gone, force=force)
    old, new = gone.golden, into.golden
    replaced = with_links({**old, "active": False}, [*old.get("link", ()), link(key(new), "replaced-by")])
    replacing = with_links(new, [*new.get("link", ()), link(key(old), "replaces")])
    moved = [Change(each, pointing(each, key(new))) for each in gone.members]
    agreed = [Change(each, {**each, "patient": {**each["patient"], "reference": key(new)}}) for each in await consents(desk, key(old))]
    changes = (Change(old, replaced), Change(new, replacing), *moved, *agreed, *settling)
    people = (gone.with_members(()), into.with_members((*into.members, *gone.members)))
    return Decision(Activity.MERGE, changes, people, remarks=tuple(remarks))


async def _compared(desk: Desk, one: Person, other: Person, *, force: bool) -> tuple[Sequence[Issue], Sequence[Change]]:
    """Check every pair that becomes one person; what was waiting for a decision on one of them is decided."""
    if {key(each) for each in one.members} & {key(each) for each in other.members}:
        raise Changed  # one was read before the two were linked by somebody else, and one after
    for each in (one, other):
        if each.replaced:
            raise conflict("This golden Patient has been merged into another one: name that one / 統合済みの地域患者です", "Patient.link")
    found = await tasks_between(desk, one, other)
    rejected = any(task["status"] == REJECTED for task in found)
    remarks = await check(desk, one, other, rejected=rejected, force=force)
    return remarks, [settled(task, ACCEPTED, LINKED, desk) for task in found if task["status"] in (OPEN, REJECTED)]


async def unlinking(desk: Desk, reference: str, reason: str) -> Decision:
    """Plan that a facility's Patient is not the person that he was linked with; the two are never proposed again.

    Raises FhirError: 404, 409 where he is not linked.
    """
    found = await person(desk, reference)
    if is_golden(reference):
        raise invalid("$unlink takes a facility's Patient, not the golden one", "http.path", code="value")
    if found.golden is None:
        raise conflict("This Patient is not linked with anybody / 名寄せされていません", "Patient.link")
    patient = next(each for each in found.members if key(each) == reference)
    others = [each for each in found.members if each is not patient]
    parted = await _parted(desk, patient, others, reason)
    golden = golden_of(patient)
    assert golden is not None
    return Decision(
        Activity.UNLINK, (Change(patient, pointing(patient, None)), *parted), (found.with_members(others),), regarding=(golden,)
    )


async def _parted(desk: Desk, patient: Resource, others: Sequence[Resource], reason: str) -> list[Change]:
    known = {task["id"]: task for task in await pairs.tasks(desk, product([key(patient)], map(key, others)))}
    changes = []
    for other in others:
        task = known.get(pairs.task_id(key(patient), key(other)))
        changes.append(settled(task, REJECTED, reason, desk) if task else pairs.apart(key(patient), key(other), reason, desk))
    return changes


async def rejecting(desk: Desk, task: Resource, reason: str) -> Decision | None:
    """Plan that the two Patients of a Task are not one person; None where that was said already. Raises FhirError (409)."""
    if task["status"] == REJECTED:
        return None
    both = pairs.patients_of(task)
    there = [each for each in both if await desk.read(each) is not None]
    people = [(await person(desk, each)).reference for each in there]
    if len(there) == len(both) and len(set(people)) == 1:
        raise conflict("They are linked as one person: $unlink parts them / 名寄せ済みです", "Task.status")
    return Decision(Activity.REJECT, (settled(task, REJECTED, reason, desk),), regarding=(*both, *people))
