"""What was seen through an emergency or a disaster, and that its custodians are told.

NETWORK.md F025, L15. Called with the audit event of each answer that was given by virtue of an emergency, before it leaves; only the first of a
person and a custodian does anything. Of an emergency a custodian is told once, of a disaster once for each facility that reads.
"""

from datetime import datetime
from typing import Final

from fhir_server.audit.event import Event
from fhir_server.auth.members import NETWORK
from fhir_server.consent.emergencies import DISASTERS, EMERGENCIES, USES, Emergency, Standing, Use
from fhir_server.exchange import Resource
from fhir_server.network.desk import Desk
from fhir_server.network.emergency.access import notice_facts
from fhir_server.network.emergency.reviews import record_of
from fhir_server.network.emergency.telling import file, name, written
from fhir_server.network.notices import Kind, communication

_REMEMBERED: Final = 10_000


class Uses:
    """Keeps who saw whose data; one for a process, so that what it has kept is not asked of the database again."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._known: set[str] = set()

    async def seen(self, event: Event) -> None:
        """Keep what the event tells of: that its subject saw data of these custodians by virtue of `event.emergency`; nothing without one.

        Raises FhirError (503) where that cannot be kept: the answer must not leave then.
        """
        if not event.emergency:
            return
        new = {each.custodian for each in event.seen} - {"", NETWORK, event.organization}
        new = {each for each in new if self._key(event.emergency, event, each) not in self._known}
        for occasion in await self._occasions(event) if new else ():
            for custodian in sorted(new):
                await self._kept(occasion, event, custodian)
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known |= {self._key(event.emergency, event, each) for each in new}

    async def _occasions(self, event: Event) -> list[str]:
        """What is relied on may be several that are open at once: each one's review tells of it."""
        shelf, now, id = self._desk.shelf, self._desk.now(), event.emergency.partition("/")[2]
        holder = f"{event.subject} {event.person} {event.organization}"
        own = [
            each.id for each in await shelf.records(EMERGENCIES).find(open_to=holder) if each.purpose == event.purpose and each.is_open(now)
        ]
        disasters = [each.id for each in await shelf.records(DISASTERS).find(standing=Standing.APPROVED) if each.is_open(now)]
        return list(dict.fromkeys((id, *(disasters if id in disasters else own if id in own else ()))))

    @staticmethod
    def _key(occasion: str, event: Event, custodian: str) -> str:
        return f"{occasion}|{event.subject}|{event.organization}|{custodian}"

    async def _kept(self, occasion: str, event: Event, custodian: str) -> None:
        """The notice comes first: who dies in between tells it again, and the same notice is filed once."""
        uses, id, now = self._desk.shelf.records(USES), self._key(occasion, event, custodian), self._desk.now()
        if await uses.get(id) is not None:
            return
        notice = await self._notice(occasion, event, custodian, now)
        if notice is not None:
            await file(self._desk, notice)
        who = {"subject": event.subject, "practitioner": event.person, "organization": event.organization}
        await uses.add(Use(id=id, occasion=occasion, custodian=custodian, first=now, **who))

    async def _notice(self, occasion: str, event: Event, custodian: str, now: datetime) -> Resource | None:
        desk, reference = self._desk, f"Task/{occasion}"
        record = await record_of(desk, occasion)
        if record is None:
            return None
        if isinstance(record, Emergency):
            facts = await notice_facts(desk, record)
            return communication(desk, custodian, Kind.EMERGENCY, facts, event=reference, about=(reference,))
        facts = {
            "facility": await name(desk, event.organization),
            "user": await name(desk, event.person),
            "opened": written(desk, now),
            "expires": written(desk, record.ends),
            "reason": "大規模災害 / Large disaster",
            "record": reference,
        }
        return communication(desk, custodian, Kind.EMERGENCY, facts, event=f"{reference}|{event.organization}", about=(reference,))
