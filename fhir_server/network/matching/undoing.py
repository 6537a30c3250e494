"""Undoing a decision on who is who: the state before comes back, step by step as far as anybody wants (L32).

Only what the decision changed comes back: of a Patient the links, of a golden one whether it is active, of a Consent whose it is, so that what
others have written meanwhile stays. What a later decision has changed again is not touched: that one is undone first.
"""

from fhir_server.exchange import Resource
from fhir_server.network.desk import Desk
from fhir_server.network.matching import past
from fhir_server.network.matching.decision import Activity, Change, Decision
from fhir_server.network.matching.pairs import CANCELLED, settled
from fhir_server.network.matching.persons import Person, consents, golden_of, is_golden, key, linkage, members, person, successor_of
from fhir_server.outcome import FhirError, conflict, not_found
from profiles import json

_OURS = {"Patient": ("link", "active"), "Task": ("status",), "Consent": ("patient",)}
UNDONE = "判断が取り消されました / the decision was undone"


async def undoing(desk: Desk, patient: str, named: str | None = None) -> Decision:
    """Plan the undoing of the last decision on the person, or of the `named` one: its Provenance, or a Task that it decided.

    Raises FhirError: 404, 409 where there is none, or a later decision has changed the same.
    """
    record = await _record(desk, patient, named)
    before = past.befores(record)
    left = {reference: number for reference, number in past.targets(record) if number is not None}
    changes = [await _back(desk, each, before.get(each), number) for each, number in left.items()]
    return await _whole(desk, record, changes)


async def _record(desk: Desk, patient: str, named: str | None) -> Resource:
    found = await person(desk, patient)
    for record in await past.decisions(desk, found.reference, *map(key, found.members)):
        if named is None or named == key(record) or any(named == reference for reference, _ in past.targets(record)):
            return record
    raise conflict("There is no decision on this person that could be undone / 取り消せる判断がありません", "Patient")


async def _back(desk: Desk, reference: str, before: int | None, left: int) -> Change:
    current = await desk.read(reference)
    if current is None:
        raise conflict("What the decision changed is gone", reference.partition("/")[0])
    type = current["resourceType"]
    after = await _version(desk, reference, left)
    if any(current.get(element) != after.get(element) for element in _OURS[type]):
        raise conflict("A later decision has changed the same: undo that one first / 後の判断を先に取り消してください", type)
    if before is None:
        return settled(current, CANCELLED, UNDONE, desk) if type == "Task" else Change(current, None)
    return Change(current, _restored(current, after, await _version(desk, reference, before)))


def _restored(current: Resource, after: Resource, before: Resource) -> Resource:
    """What was there before; what others have changed since then stays."""
    if current["resourceType"] == "Task" or _apart_from_meta(current) == _apart_from_meta(after):
        return {**before, "meta": current["meta"]}
    ours = _OURS[current["resourceType"]]
    kept = {name: value for name, value in current.items() if name not in ours}
    return {**kept, **{name: before[name] for name in ours if name in before}}


def _apart_from_meta(resource: Resource) -> Resource:
    return {name: value for name, value in resource.items() if name != "meta"}


async def _version(desk: Desk, reference: str, number: int) -> Resource:
    type, _, id = reference.partition("/")
    try:
        found = await desk.everything.get_version(type, id, str(number))
    except FhirError:
        raise conflict("The state before has been erased", type) from None
    if found.body is None:
        raise not_found(type, id)
    resource: Resource = json.decode(found.body)
    return resource


async def _whole(desk: Desk, record: Resource, changes: list[Change]) -> Decision:
    """Put every golden Patient that is touched together with the members that it is going to have."""
    afterwards = {change.reference: change.after for change in changes}
    people, besides, done = [], [], {change.reference: change for change in changes}
    touched = [each for each in past.patients(record) if is_golden(each)]
    touched += [each for after in afterwards.values() if after is not None and (each := _golden(after)) is not None]
    for golden in dict.fromkeys(touched):
        found = Person(await _members_after(desk, golden, afterwards), await desk.read(golden), await linkage(desk, golden))
        change = done.get(golden)
        if change is not None and change.after is None:
            if found.members or await _is_named(desk, golden):
                del done[golden]  # it stays, as it is
            else:
                besides += [Change(found.linkage, None)] if found.linkage is not None else []
                continue
        _check_alive(found, change)
        people.append(found)
    return Decision(
        Activity.UNDO,
        tuple(done.values()),
        tuple(people),
        regarding=tuple(past.patients(record)),
        undoes=key(record),
        besides=tuple(besides),
    )


def _golden(resource: Resource) -> str | None:
    return golden_of(resource) if resource["resourceType"] == "Patient" else None


async def _members_after(desk: Desk, golden: str, afterwards: dict[str, Resource | None]) -> tuple[Resource, ...]:
    staying = [each for each in await members(desk, golden) if key(each) not in afterwards]
    coming = [each for each in afterwards.values() if each is not None and _golden(each) == golden]
    return tuple(sorted((*staying, *coming), key=key))


async def _is_named(desk: Desk, golden: str) -> bool:
    """Whether a consent names the golden Patient: then it stays, without members."""
    return bool(await consents(desk, golden))


def _check_alive(found: Person, change: Change | None) -> None:
    golden = change.after if change is not None and change.after is not None else found.golden
    if golden is None or (found.members and successor_of(golden) is not None):
        raise conflict(
            "The golden Patient of before is gone or merged by now: undo that first / 後の判断を先に取り消してください", "Patient.link"
        )
