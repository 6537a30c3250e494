"""What was seen through an emergency or a disaster, and that its custodians are told.

NETWORK.md F025, L15. Called for each answer that was given by virtue of an Opening, before it leaves; only the first of a person and a custodian
does anything.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from fhir_server.audit.event import Event
from fhir_server.auth.members import NETWORK
from fhir_server.consent.emergencies import USES, Emergency, Opening, Use
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

    async def seen(self, opening: Opening, event: Event, custodians: Iterable[str]) -> None:
        """Keep that the requester (the event's subject, person and organization) saw data of these custodians, "Organization/1".

        Raises FhirError (503) where that cannot be kept: the answer must not leave then.
        """
        for custodian in dict.fromkeys(custodians):
            if custodian in ("", NETWORK, event.organization):
                continue
            for reference in opening.references:
                await self._kept(reference.partition("/")[2], event, custodian)

    async def _kept(self, occasion: str, event: Event, custodian: str) -> None:
        id = f"{occasion}|{event.subject}|{event.organization}|{custodian}"
        if id in self._known:
            return
        now = self._desk.now()
        use = Use(
            id=id,
            occasion=occasion,
            subject=event.subject,
            practitioner=event.person,
            organization=event.organization,
            custodian=custodian,
            first=now,
        )
        await self._tell(occasion, event, custodian, now)
        await self._desk.shelf.records(USES).add(use)
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known.add(id)

    async def _tell(self, occasion: str, event: Event, custodian: str, now: datetime) -> None:
        """Of an emergency once; of a disaster once for each facility that reads."""
        if await self._desk.shelf.records(USES).get(f"{occasion}|{event.subject}|{event.organization}|{custodian}") is not None:
            return
        notice = await self._notice(occasion, event, custodian, now)
        if notice is not None:
            await file(self._desk, notice)

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
