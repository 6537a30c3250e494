"""A decision on who is who: what it changes, told by a Provenance, and done in one commit.

The Provenance names as targets the versions that the decision left (a target without a version was looked at and left alone) and as `revision`
the versions before, so that the state before can come back. Provenance.recorded of a link is the 名寄せ日時 of that facility (F065).

https://hl7.org/fhir/R4/provenance.html
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

from fhir_server.exchange import Resource
from fhir_server.interactions.writing import new_id, prepare
from fhir_server.network.desk import Desk
from fhir_server.network.matching.persons import NETWORK, Person, key, linkage_of, version
from fhir_server.outcome import FhirError, Issue
from fhir_server.store.repository import Changed, Put, Write
from fhir_server.store.writing import Delete

SYSTEM: Final = "urn:tsunagi:identity-decision"
DECISION: Final = "decision"
"""The tag of every decision's Provenance: R4 knows no search by activity, and imports leave Provenances of the same Patients."""
SCORE: Final = "urn:tsunagi:match-score"
GRADE: Final = "urn:tsunagi:match-grade"
_AGENT_TYPES: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_ATTEMPTS: Final = 20
_PAUSE: Final = 0.01


class Activity(StrEnum):
    """What was decided."""

    LINK = "link"
    UNLINK = "unlink"
    MERGE = "merge"
    REJECT = "reject"
    UNDO = "undo"


TITLES: Final[Mapping[Activity, str]] = {
    Activity.LINK: "名寄せ / linked as one person",
    Activity.UNLINK: "名寄せ解除 / no longer linked",
    Activity.MERGE: "地域患者の統合 / two golden Patients are one person",
    Activity.REJECT: "別人と判断 / not the same person",
    Activity.UNDO: "判断の取消 / a decision undone",
}


@dataclass(frozen=True, slots=True)
class Grounds:
    """Who decides ("Practitioner/1", or the network itself), why, on what evidence ("Consent/1"), at which score and grade."""

    reason: str
    who: str = NETWORK
    evidence: tuple[str, ...] = ()
    score: float | None = None
    grade: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One resource before and after; None where there is none."""

    before: Resource | None
    after: Resource | None

    @property
    def reference(self) -> str:
        """The resource's reference."""
        resource = self.after if self.after is not None else self.before
        assert resource is not None
        return key(resource)

    @property
    def left(self) -> str:
        """The reference of the version that the change leaves."""
        return f"{self.reference}/_history/{version(self.before) + 1}"


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done: `changes` that can be undone, `people` who are touched by it, as they are afterwards, and what goes along.

    `regarding` are references of what was looked at and stays as it is; `undoes` is the Provenance of the decision that is undone.
    `besides` are changes that no undoing has to know of. `remarks` are told to whoever decides.
    """

    activity: Activity
    changes: tuple[Change, ...]
    people: tuple[Person, ...] = ()
    regarding: tuple[str, ...] = ()
    undoes: str | None = None
    besides: tuple[Change, ...] = ()
    remarks: tuple[Issue, ...] = field(default=())


async def settle(plan: Callable[[], Awaitable[Decision | None]], grounds: Grounds, desk: Desk) -> tuple[Decision | None, str | None]:
    """Plan and do a decision, again from the beginning where somebody else was faster; gives it with its Provenance.

    A plan that gives None found nothing to do. Raises FhirError as the plan does, or 503 where others change the same all the time.
    """
    for attempt in range(_ATTEMPTS):
        try:
            decision = await plan()
            return decision, await _commit(decision, grounds, desk) if decision is not None else None
        except Changed:
            await asyncio.sleep(_PAUSE * attempt)
    raise FhirError(Issue("transient", "Others change the same patients all the time; try again", ("Patient",)))


async def _commit(decision: Decision, grounds: Grounds, desk: Desk) -> str:
    record = _provenance(decision, grounds, desk)
    writes = [_write(change, desk) for change in decision.changes]
    writes += [_write(_record(person), desk) for person in decision.people if person.golden is not None]
    writes += [_write(change, desk) for change in decision.besides]
    await desk.everything.commit([*writes, _write(Change(None, record), desk)])
    return key(record)


def _record(person: Person) -> Change:
    assert person.golden is not None
    references = [key(each) for each in person.members]
    return Change(person.linkage, linkage_of(key(person.golden), references, person.linkage))


def _write(change: Change, desk: Desk) -> Write:
    if change.after is None:
        type, _, id = change.reference.partition("/")
        return Delete(type, id, expected=version(change.before))
    return Put(prepare(change.after, desk.serving), expected=version(change.before))


def _provenance(decision: Decision, grounds: Grounds, desk: Desk) -> Resource:
    now = desk.now().astimezone(desk.terms.zone).isoformat(timespec="milliseconds")
    activity = {"system": SYSTEM, "code": decision.activity.value, "display": TITLES[decision.activity]}
    sources = [("revision", f"{change.reference}/_history/{version(change.before)}") for change in decision.changes if change.before]
    sources += [("source", each) for each in grounds.evidence]
    sources += [("removal", decision.undoes)] if decision.undoes is not None else []
    record: Resource = {
        "resourceType": "Provenance",
        "id": new_id(),
        "meta": {"tag": [{"system": SYSTEM, "code": DECISION}]},
        "target": [{"reference": each} for each in _targets(decision)],
        "recorded": now,
        "reason": [{"text": grounds.reason}],
        "activity": {"coding": [activity]},
        "agent": [_agent(grounds.who)],
    }
    if sources:
        record["entity"] = [{"role": role, "what": {"reference": each}} for role, each in sources]
    extensions = _measures(grounds)
    return {**record, "extension": extensions} if extensions else record


def _targets(decision: Decision) -> Sequence[str]:
    changed = {change.reference for change in decision.changes}
    alone = [each for each in dict.fromkeys(decision.regarding) if each not in changed]
    return [*(change.left for change in decision.changes), *alone]


def _agent(who: str) -> Resource:
    author = {"coding": [{"system": _AGENT_TYPES, "code": "author"}]}
    return {"type": author, "who": {"reference": who}, "onBehalfOf": {"reference": NETWORK}}


def _measures(grounds: Grounds) -> list[Resource]:
    found: list[Resource] = []
    if grounds.score is not None:
        found.append({"url": SCORE, "valueDecimal": decimal(grounds.score)})
    if grounds.grade is not None:
        found.append({"url": GRADE, "valueCode": grounds.grade})
    return found


def decimal(score: float) -> Decimal:
    """Give a score between 0 and 1 as FHIR's decimal, three digits of it."""
    return Decimal(f"{score:.3f}")
