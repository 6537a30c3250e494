"""Reading without consent, in an emergency or a disaster: what is recorded of it, and what is open now.

NETWORK.md D9, D10, F005, F025, L15, L20; CONSENT.md break-glass (C21-C23). A core hospital's person opens an emergency for herself, for minutes; two
persons of the secretariat open a disaster for an area, for days. Both end by the clock: nothing has to run for that, and an
ended one stays recorded. Only requests that declare the purpose are served by them: nothing is open for TREAT.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from fhir_server.auth.requester import Requester
from fhir_server.auth.roles import FacilityRole, Role
from fhir_server.search.expression import And, Has, OfType
from fhir_server.search.query import Query
from fhir_server.store.custody import TAG_SYSTEM
from fhir_server.store.records import Kind, Records, Shelf
from fhir_server.store.repository import Repository
from profiles import json
from profiles.primitives import date_span

ETREAT: Final = "ETREAT"
BTG: Final = "BTG"
PURPOSES: Final = frozenset({ETREAT, BTG})
"""Codes of v3-ActReason: emergency treatment, and break the glass."""

OPENERS: Final = frozenset({Role.PHYSICIAN})
"""Who may open an emergency for himself (F025)."""
READERS: Final = frozenset({Role.PHYSICIAN, Role.PHARMACIST, Role.NURSE})
"""Whom a disaster lets read: those who treat, not the desks."""

GROUP_SYSTEM: Final = "urn:tsunagi:group"
GROUP: Final = "emergency"
_NETWORK: Final = "network"


class Standing(StrEnum):
    """How far a disaster is; that an open one is over, the clock says."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    CLOSED = "closed"


class Emergency(msgspec.Struct, frozen=True, kw_only=True):
    """One person's access without consent.

    `id` is that of its review, "Task/<id>". `subject` is the account, `practitioner` "Practitioner/1", `organization` the core hospital
    on whose behalf. `patient` is "Patient/1", None where the whole network is open. `closed` is when it was ended before its time.
    `open_to` is who it is open to, "" once it is known to be over: what the open ones are found by.
    """

    id: str
    subject: str
    practitioner: str
    organization: str
    purpose: str
    reason_code: str
    reason: str
    opened: datetime
    ends: datetime
    patient: str | None = None
    closed: datetime | None = None
    open_to: str = ""

    def is_open(self, moment: datetime) -> bool:
        """Tell whether it lets read at this moment."""
        return self.closed is None and self.opened <= moment < self.ends


class Disaster(msgspec.Struct, frozen=True, kw_only=True):
    """An area's data open to all core hospitals.

    `area` are municipalities, empty for everywhere; `custodians` the facilities there, None for all. `proposer` and `approver` are
    "Practitioner/1", `proposed_by` and `approved_by` their accounts: never one person.
    """

    id: str
    area: tuple[str, ...]
    custodians: tuple[str, ...] | None
    reason: str
    proposed: datetime
    proposed_by: str
    proposer: str
    opens: datetime
    ends: datetime
    standing: str = Standing.PROPOSED
    approved: datetime | None = None
    approved_by: str = ""
    approver: str = ""
    closed: datetime | None = None

    def is_open(self, moment: datetime) -> bool:
        """Tell whether it lets read at this moment."""
        return self.standing == Standing.APPROVED and self.opens <= moment < self.ends


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """That one person saw one facility's data through an emergency or a disaster, and when first: `occasion` is its id."""

    id: str
    occasion: str
    subject: str
    practitioner: str
    organization: str
    custodian: str
    first: datetime


EMERGENCIES: Final = Kind("emergency", Emergency, found_by=("open_to", "practitioner"))
DISASTERS: Final = Kind("disaster", Disaster, found_by=("standing",))
USES: Final = Kind("emergency_use", Use, found_by=("occasion",))
KINDS: Final = (EMERGENCIES, DISASTERS, USES)


@dataclass(frozen=True, slots=True)
class Opening:
    """What lets this request read without consent.

    `references` are the reviews, "Task/...", the newest first; `kind` is "emergency" or "disaster". `custodians` are those whose data
    are open, None for all; `patients` the only ones whose data are open ("Patient/1", golden or a facility's: the person is meant),
    None for all. `reason` is the newest one's, `expires` when the first of them ends.
    """

    references: tuple[str, ...]
    kind: str
    custodians: tuple[str, ...] | None
    patients: tuple[str, ...] | None
    expires: datetime
    reason: str

    @property
    def reference(self) -> str:
        """The newest review: what audit events name."""
        return self.references[0]


class Emergencies:
    """Tells what is open, from the database each time: what somebody ends is over at his next request, in every process."""

    def __init__(self, shelf: Shelf, everything: Repository) -> None:
        self._emergencies: Records[Emergency] = shelf.records(EMERGENCIES)
        self._disasters: Records[Disaster] = shelf.records(DISASTERS)
        self._everything = everything
        self._clock = shelf.clock

    async def open_for(self, requester: Requester, purpose: str, moment: datetime) -> Opening | None:
        """Give what is open to the requester for this purpose, None for nothing; an emergency of his own before a disaster that opens less.

        Nothing is open for another purpose than was declared, nor to systems, nor outside of core hospitals (D10). A moment that is past is
        taken for now: what has ended is not opened again by whoever asks late.
        """
        if purpose not in PURPOSES or not may_read(requester):
            return None
        moment = max(moment, self._clock())
        own, disaster = await asyncio.gather(self._own(requester, purpose, moment), self._disaster(purpose, moment))
        if own is not None and not await in_group(self._everything, requester.organization or "", requester.fhir_user or "", moment):
            own = None
        if disaster is not None and disaster.custodians is None and own is not None and own.patients is not None:
            return disaster
        return own or disaster

    async def _own(self, requester: Requester, purpose: str, moment: datetime) -> Opening | None:
        if requester.role not in OPENERS:
            return None
        known = await self._emergencies.find(open_to=open_to(requester))
        found = [each for each in known if each.purpose == purpose and each.is_open(moment)]
        if not found:
            return None
        wide = [each for each in found if each.patient is None]
        newest = sorted(wide or found, key=lambda each: each.opened, reverse=True)
        patients = None if wide else tuple(dict.fromkeys(each.patient for each in newest if each.patient is not None))
        return _opening("emergency", newest, None, patients)

    async def _disaster(self, purpose: str, moment: datetime) -> Opening | None:
        if purpose != ETREAT:
            return None
        found = [each for each in await self._disasters.find(standing=Standing.APPROVED) if each.is_open(moment)]
        if not found:
            return None
        wide = [each for each in found if each.custodians is None]
        newest = sorted(wide or found, key=lambda each: each.opens, reverse=True)
        custodians = None if wide else tuple(dict.fromkeys(custodian for each in newest for custodian in each.custodians or ()))
        return _opening("disaster", newest, custodians, None)


def _opening(
    kind: str, newest: Sequence[Emergency | Disaster], custodians: tuple[str, ...] | None, patients: tuple[str, ...] | None
) -> Opening:
    references = tuple(f"Task/{each.id}" for each in newest)
    return Opening(references, kind, custodians, patients, min(each.ends for each in newest), newest[0].reason)


def may_read(requester: Requester) -> bool:
    """Tell whether it is a person who treats, at a core hospital (F005, D10); it follows from the token alone."""
    of_core = requester.organization is not None and FacilityRole.CORE in requester.facility_roles
    return of_core and requester.role in READERS and (requester.fhir_user or "").startswith("Practitioner/")


def open_to(requester: Requester) -> str:
    """Give what this requester's emergencies are found by: he as the one he is, on behalf of the facility he is at."""
    return f"{requester.subject} {requester.fhir_user} {requester.organization}"


async def in_group(everything: Repository, organization: str, practitioner: str, moment: datetime) -> bool:
    """Tell whether the facility lets this person open emergencies: its active Groups name him, or it has none (C21, C22)."""
    asked = And((OfType(("Group",)), Has("managing-entity", organization), Has("code", f"{GROUP_SYSTEM}|{GROUP}")))
    page = await everything.find(Query("Group", asked, count=100))
    groups = [json.decode(version.body) for version in page.versions if version.body is not None]
    counting = [each for each in groups if each.get("active") is not False and _is_of(each, organization)]
    return not counting or any(_names(each, practitioner, moment) for each in counting)


def _is_of(group: Mapping[str, Any], organization: str) -> bool:
    """Whether the facility itself, or the network, keeps the Group: nobody else says who its emergency doctors are."""
    tags = group.get("meta", {}).get("tag", ())
    custodians = {tag.get("code") for tag in tags if tag.get("system") == TAG_SYSTEM}
    return custodians <= {organization.partition("/")[2], _NETWORK}


def _names(group: Mapping[str, Any], practitioner: str, moment: datetime) -> bool:
    members: Sequence[Mapping[str, Any]] = group.get("member", ())
    return any(
        each.get("inactive") is not True and each.get("entity", {}).get("reference") == practitioner and _covers(each.get("period"), moment)
        for each in members
    )


def _covers(period: Mapping[str, Any] | None, moment: datetime) -> bool:
    at = moment.timestamp() * 1000
    start, end = (period or {}).get("start"), (period or {}).get("end")
    return (start is None or date_span(start)[0] <= at) and (end is None or at <= date_span(end)[1])
