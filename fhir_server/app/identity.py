"""Everything that knows who asks, put together for one process: see `fhir_server.auth`."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from fhir_server.app.definitions import parameters
from fhir_server.auth import cuts, keys
from fhir_server.auth.accounts import people
from fhir_server.auth.accounts.people import Host, People, open_people
from fhir_server.auth.accounts.policy import POLICIES
from fhir_server.auth.authenticator import Authenticator
from fhir_server.auth.certificates import records as certificates
from fhir_server.auth.certificates.enrolment import Policy as CertificatePolicy
from fhir_server.auth.certificates.pki import Pki, Proxies
from fhir_server.auth.clients import CLIENTS
from fhir_server.auth.cuts import Cuts
from fhir_server.auth.directory import Directory
from fhir_server.auth.fetching import fetch
from fhir_server.auth.keys import Keys
from fhir_server.auth.membership import Membership
from fhir_server.auth.oauth import server
from fhir_server.auth.oauth.addresses import Addresses
from fhir_server.auth.oauth.grants import Lifetimes
from fhir_server.auth.oauth.server import AuthorizationServer
from fhir_server.auth.outside import Outside, OutsideIssuer
from fhir_server.auth.scopes import ScopeGrammar
from fhir_server.auth.sealing import Sealer
from fhir_server.auth.tokens import Tokens
from fhir_server.settings import Settings
from fhir_server.store.mongo import Mongo
from fhir_server.store.permit import Permit
from fhir_server.store.records import Shelf
from fhir_server.store.repository import Repository
from fhir_server.store.secrets import kept_secret

POLL_SECONDS = 0.5
KINDS = (
    CLIENTS, *certificates.KINDS, *cuts.KINDS, keys.SIGNING_KEYS, *people.KINDS, *server.KINDS,
)  # fmt: skip

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, as one process knows it; `start` once, then `watched` while requests are answered."""

    shelf: Shelf
    sealer: Sealer
    cuts: Cuts
    keys: Keys
    tokens: Tokens
    grammar: ScopeGrammar
    directory: Directory
    membership: Membership
    authenticator: Authenticator
    authorization: AuthorizationServer
    people: People
    pki: Pki
    secret: bytes

    async def start(self) -> None:
        """Read what is stored, and make what is not there yet."""
        await self.shelf.ensure(KINDS)
        await self.cuts.start()
        await self.keys.start()
        await self.pki.start()

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Learn of what other processes cut, twice a second, and of their keys, as long as this lasts."""
        over = asyncio.Event()
        task = asyncio.create_task(self._watch(over))
        try:
            yield
        finally:
            over.set()  # not cancelled: the driver may be in the middle of a question
            await task

    async def _watch(self, over: asyncio.Event) -> None:
        while not over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), POLL_SECONDS)
                return
            try:
                await self.cuts.refresh()
                await self.pki.refresh()
                await self.keys.keep_up()
            except Exception as failure:  # noqa: BLE001 - it goes on; what cannot be known for long is not trusted (Cuts.stale)
                log.warning("revocations and keys could not be asked for: %s", type(failure).__name__)


async def compose(settings: Settings, mongo: Mongo) -> Identity:
    """Put it together over an open database; nothing is asked of it yet but the secret that seals."""
    shelf = Shelf(mongo.database, settings.query_time)
    clock = shelf.clock
    secret = settings.secret_key.encode() if settings.secret_key else await kept_secret(mongo.database, "sealing")
    sealer, cut = Sealer(secret), Cuts(shelf, clock)
    signing = Keys(shelf, sealer, clock)
    tokens = Tokens(signing, cut, settings.issuer, settings.base, clock)
    everything = Repository(mongo, Permit.everything())
    directory = Directory(everything, clock, settings.zone)
    grammar = ScopeGrammar(parameters().at(settings.base), settings.zone)
    persons = _people(settings, shelf, sealer, secret)
    authorization = AuthorizationServer(
        shelf=shelf,
        tokens=tokens,
        keys=signing,
        cuts=cut,
        scopes=grammar,
        directory=directory,
        addresses=Addresses(settings.issuer, settings.base),
        verify_secret=persons.passwords.verify,
        throttle=persons.throttle,
        lifetimes=_lifetimes(settings),
    )
    outside = _outside(settings, directory, clock)
    return Identity(
        shelf=shelf,
        sealer=sealer,
        cuts=cut,
        keys=signing,
        tokens=tokens,
        grammar=grammar,
        directory=directory,
        membership=Membership(everything, shelf, cut),
        authenticator=Authenticator(tokens, cut, clock, outside.verify if outside is not None else None),
        authorization=authorization,
        people=persons,
        pki=_pki(settings, shelf, sealer, cut),
        secret=secret,
    )


def _people(settings: Settings, shelf: Shelf, sealer: Sealer, secret: bytes) -> People:
    address = urlsplit(settings.issuer)
    policy = POLICIES[settings.password_policy]
    return open_people(
        shelf,
        replace(policy, second_factor=True) if settings.second_factor == "required" else policy,
        sealer,
        secret,
        host=Host(address.hostname or "localhost", (f"{address.scheme}://{address.netloc}",), settings.network_name),
        idle=timedelta(minutes=settings.session_idle),
        longest=timedelta(hours=settings.session_time),
        clock=shelf.clock,
    )


def _lifetimes(settings: Settings) -> Lifetimes:
    access = timedelta(minutes=settings.access_time)
    idle, longest = timedelta(hours=settings.refresh_time), timedelta(hours=settings.grant_time)
    session = timedelta(minutes=settings.session_idle)
    return Lifetimes(access=access, session=session, system=access, idle=idle, longest=longest)


def _pki(settings: Settings, shelf: Shelf, sealer: Sealer, cut: Cuts) -> Pki:
    anchors = settings.tls_client_ca.read_bytes() if settings.tls_client_ca is not None else None
    return Pki(
        shelf,
        sealer,
        CertificatePolicy(settings.network_name, settings.zone),
        address=settings.issuer,
        cut=lambda thumbprint: cut.cut("certificate", thumbprint),
        proxies=Proxies(settings.proxy_addresses or "", settings.proxy_certificate_header),
        anchors=anchors,
    )


def _outside(settings: Settings, directory: Directory, clock: Callable[[], datetime]) -> Outside | None:
    if settings.outside_issuer is None:
        return None
    names = dict(each.partition("=")[::2] for each in settings.outside_names)
    issuer = OutsideIssuer(
        settings.outside_issuer,
        settings.outside_audience or settings.base,
        settings.base,
        settings.outside_jwks,
        {ours.strip(): theirs.strip() for ours, theirs in names.items()},
    )
    return Outside(issuer, fetch, directory, clock)
