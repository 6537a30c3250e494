"""Whose data, who may see it, and who did: the register of consents, the audit log and the network's desk of one process."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
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
from fhir_server.audit.search import AuditSearch
from fhir_server.auth.members import NETWORK
from fhir_server.consent import emergencies
from fhir_server.consent.concerned import Finder
from fhir_server.consent.emergencies import Emergencies
from fhir_server.consent.making import Maker
from fhir_server.consent.register import Register
from fhir_server.consent.settling import Settler
from fhir_server.interactions.serving import Serving
from fhir_server.network.consent_form.questionnaire import questionnaire
from fhir_server.network.consent_form.standing import end_pauses
from fhir_server.network.desk import Desk
from fhir_server.network.emergency.reviews import escalate
from fhir_server.network.emergency.uses import Uses
from fhir_server.network.erasure import records as erasure
from fhir_server.network.erasure.guarding import ErasureGuard
from fhir_server.network.erasure.work import resume
from fhir_server.network.matching.numbers import COUNTERS
from fhir_server.network.notices.carriers import carrier
from fhir_server.network.notices.courier import Courier
from fhir_server.network.notices.outbox import MAILS
from fhir_server.network.terms import Terms
from fhir_server.service import Service
from fhir_server.settings import Settings
from fhir_server.store.audit_log import AuditStore
from fhir_server.store.mongo import Mongo
from fhir_server.store.permit import Permit
from fhir_server.store.repository import Around, Repository
from fhir_server.store.writing import Write

KINDS: Final = (AUDIT_KEYS, COUNTERS, MAILS, *emergencies.KINDS, *erasure.KINDS)
_ROUND = 5.0
_ROUNDS = 12  # so many rounds lie between two looks at reviews and erasures

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Network:
    """What stands behind the service, as one process knows it; `kept` while requests are answered."""

    register: Register
    settler: Settler
    log: Log
    desk: Desk
    courier: Courier | None = None

    @asynccontextmanager
    async def settled(self) -> AsyncIterator[None]:
        """Bring up to date what changes leave behind, as long as this lasts."""
        over = asyncio.Event()
        work = [self._settle(over), *([self.courier.run(over)] if self.courier is not None else [])]
        tasks = [asyncio.create_task(each) for each in work]
        try:
            yield
        finally:
            over.set()  # not cancelled: the driver may be in the middle of a question, a mail on its way
            await asyncio.gather(*tasks)

    async def _settle(self, over: asyncio.Event) -> None:
        rounds = 0
        await self._try(self._offer_the_form)
        while not over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), _ROUND)
                return
            rounds += 1
            await self._try(self.settler.settle)
            await self._try(lambda: end_pauses(self.desk))
            if rounds % _ROUNDS == 0:
                await self._try(lambda: escalate(self.desk))
                await self._try(lambda: resume(self.desk))

    async def _offer_the_form(self) -> int:
        """Let `GET /Questionnaire/consent-form` answer with the form of this version, once there is a network at all."""
        form = questionnaire()
        stored = await self.desk.read(f"Questionnaire/{form['id']}")
        current = stored is not None and stored.get("version") == form.get("version")
        if current or await self.desk.read(NETWORK) is None:
            return 0
        return len(await self.desk.store(form))

    async def _try(self, work: Callable[[], Awaitable[int]]) -> None:
        try:
            await work()
        except Exception as failure:  # noqa: BLE001 - it is late then: queries ask the consents themselves meanwhile
            log.warning("consents, reviews or erasures could not be brought up to date: %s", type(failure).__name__)


async def open_network(settings: Settings, mongo: Mongo, identity: Identity, serving: Serving) -> tuple[Service, Network]:
    """Put it together over an open database."""
    shelf, clock = identity.shelf, identity.shelf.clock
    await shelf.ensure(KINDS)
    reading = Repository(mongo, Permit.everything())
    maker = Maker(reading, settings.zone, serving.parameters.base, clock)
    register = Register(mongo.sharing, Finder(reading), maker, clock)
    await register.start()
    around = _around(register, ErasureGuard(shelf))
    everything = Repository(mongo, Permit.everything(NETWORK), clock, identity.membership.noticed, around)
    emergency = Emergencies(shelf, reading)
    journal = settings.data / "audit" if settings.audit_journal else None
    audit = Log(AuditStore(mongo.database, settings.query_time), await open_pens(shelf, identity.sealer, clock), clock, journal)
    trail = AuditSearch(audit, serving.parameters, settings.zone)
    desk = Desk(everything, serving, shelf, audit.record, terms(settings), audit)
    sharing = Sharing(register, maker, Finding(reading, serving.parameters, emergency, clock))
    service = Service(
        serving,
        lambda permit, trace=None: Repository(mongo, permit, clock, identity.membership.noticed, around, trace, trail),
        Access(frozenset(serving.served), serving.parameters, identity.grammar, sharing, sandbox=settings.sandbox),
        desk,
        record=audit.record if settings.audit == "on" else None,
        relied=Relying(register, mongo.sharing, maker),
        seen=Uses(desk).seen,
    )
    settler = Settler(everything, register, clock, timedelta(seconds=settings.settle_time))
    courier = Courier(desk, carrier(settings.smtp_url), settings.mail_from) if settings.smtp_url is not None else None
    return service, Network(register, settler, audit, desk, courier)


def _around(register: Register, guard: ErasureGuard) -> Around:
    @asynccontextmanager
    async def around(permit: Permit, writes: Sequence[Write]) -> AsyncIterator[None]:
        await guard.check(writes)
        async with register.around(permit, writes):
            yield

    return around


def terms(settings: Settings) -> Terms:
    """Give what the network has agreed on."""
    return Terms(
        name=settings.network_name,
        zone=settings.zone,
        automatic_linking=settings.automatic_linking,
        regional_id_prefix=settings.regional_id_prefix,
        portal=settings.portal_url or "",
        portal_inside=settings.portal_inside_url or "",
        emergency_minutes=settings.emergency_minutes,
        review_days=settings.review_days,
        disaster_days=settings.disaster_days,
    )
