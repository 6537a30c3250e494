"""Whose data, who may see it, and who did: the register of consents, the audit log and the network's desk of one process."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from fhir_server.access.basis import Sharing
from fhir_server.access.finding import Finding
from fhir_server.access.grant import Access
from fhir_server.access.relying import Relying
from fhir_server.app.identity import Identity
from fhir_server.audit.keys import AUDIT_KEYS, open_pens
from fhir_server.audit.log import Log
from fhir_server.auth.members import NETWORK
from fhir_server.consent import emergencies
from fhir_server.consent.concerned import Finder
from fhir_server.consent.emergencies import Emergencies
from fhir_server.consent.making import Maker
from fhir_server.consent.register import Register
from fhir_server.consent.settling import Settler
from fhir_server.interactions.serving import Serving
from fhir_server.network.desk import Desk
from fhir_server.network.terms import Terms
from fhir_server.service import Service
from fhir_server.settings import Settings
from fhir_server.store.audit_log import AuditStore
from fhir_server.store.mongo import Mongo
from fhir_server.store.permit import Permit
from fhir_server.store.repository import Repository

KINDS: Final = (AUDIT_KEYS, *emergencies.KINDS)
_ROUND = 5.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Network:
    """What stands behind the service, as one process knows it; `kept` while requests are answered."""

    register: Register
    settler: Settler
    log: Log
    desk: Desk

    @asynccontextmanager
    async def settled(self) -> AsyncIterator[None]:
        """Bring up to date what changes leave behind, as long as this lasts."""
        over = asyncio.Event()
        task = asyncio.create_task(self._settle(over))
        try:
            yield
        finally:
            over.set()  # not cancelled: the driver may be in the middle of a question
            await task

    async def _settle(self, over: asyncio.Event) -> None:
        while not over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), _ROUND)
                return
            try:
                await self.settler.settle()
            except Exception as failure:  # noqa: BLE001 - it is late then, and queries ask the consents themselves meanwhile
                log.warning("consents could not be settled: %s", type(failure).__name__)


async def open_network(settings: Settings, mongo: Mongo, identity: Identity, serving: Serving) -> tuple[Service, Network]:
    """Put it together over an open database."""
    shelf, clock = identity.shelf, identity.shelf.clock
    await shelf.ensure(KINDS)
    maker = Maker(mongo, settings.zone, clock)
    register = Register(mongo, Finder(mongo), maker, clock)
    await register.start()
    everything = Repository(mongo, Permit.everything(NETWORK), clock, identity.membership.noticed, register.around)
    emergency = Emergencies(shelf, everything)
    audit = Log(AuditStore(mongo.database, settings.query_time), await open_pens(shelf, identity.sealer, clock), clock)
    desk = Desk(everything, serving, shelf, audit.record, terms(settings))
    sharing = Sharing(register, maker, Finding(mongo, serving.parameters, emergency))
    service = Service(
        serving,
        lambda permit, trace: Repository(mongo, permit, clock, identity.membership.noticed, register.around, trace),
        Access(frozenset(serving.served), serving.parameters, identity.grammar, sharing, sandbox=settings.sandbox),
        desk,
        record=audit.record if settings.audit == "on" else None,
        relied=Relying(mongo, maker),
    )
    settler = Settler(mongo, register, clock, timedelta(seconds=settings.settle_time))
    return service, Network(register, settler, audit, desk)


def terms(settings: Settings) -> Terms:
    """Give what the network has agreed on."""
    return Terms(name=settings.network_name, zone=settings.zone)
