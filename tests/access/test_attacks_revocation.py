"""Whoever is shut out gets nothing within a minute, from any process, by any credential (F101, F102, F104, D11, L08).

Two servers over one database, each of which has the tokens in its memory; a command in a process of its own shuts out.
"""

import asyncio
import time
from base64 import b64encode
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from fhir_server.app import create_app, open_registry
from fhir_server.app.doors import administration_of
from fhir_server.auth.accounts.account import ACCOUNTS
from fhir_server.auth.certificates.holder import Holder
from fhir_server.auth.certificates.making import new_root
from fhir_server.auth.certificates.thumbprint import thumbprint
from fhir_server.auth.members import FacilityType
from fhir_server.auth.oauth.parameters import Parameters
from fhir_server.auth.registrations import Draft
from fhir_server.auth.roles import FacilityRole, Role
from fhir_server.authorization.administration.people import Newcomer, Work
from fhir_server.settings import Settings
from fhir_server.ssmix2.facility import organization_id
from fhir_server.store.records import now
from tests.access.records import of_patient
from tests.access.secured import BASE, store
from tests.auth.certificates.network import request_for
from tests.auth.oauth.world import CHALLENGE, VERIFIER, basic

ISSUER = BASE.removesuffix("/fhir")
CODE = "3710000017"
CALLBACK = "https://app.example.org/callback"
MINUTE = 60.0


@dataclass
class Held:
    """One credential of each kind, and how each is tried; what a `Held` holds was good at both servers."""

    servers: tuple[httpx.AsyncClient, ...]
    administration: Any
    registry: Any
    headers: dict[str, str] = field(default_factory=dict)
    person: dict[str, Any] = field(default_factory=dict)
    cookie: str = ""
    system: str = ""
    bound: str = ""
    number: str = ""

    async def read(self, server, token, **headers):
        return (await server.get("/Patient/p1", headers={"Authorization": f"Bearer {token}", **headers})).status_code

    async def statuses(self, server):
        """What each access token, and the session, is worth at a server."""
        account = await server.get(f"{ISSUER}/auth/account", headers={"Cookie": f"tsunagi-session={self.cookie}"})
        return {
            "person": await self.read(server, self.person["access_token"]),
            "session": account.status_code,
            "system": await self.read(server, self.system),
            "bound": await self.read(server, self.bound, **self.headers),
        }

    async def asked(self, server, **form):
        headers = form.pop("headers", {})
        return (await server.post(f"{ISSUER}/auth/token", data=form, headers=headers)).status_code

    async def renewed(self, server):
        """Whether each of them gets a new token."""
        itself = {"grant_type": "client_credentials", "scope": "system/*.rs"}
        return {
            "person": await self.asked(server, grant_type="refresh_token", refresh_token=self.person["refresh_token"], client_id="app"),
            "system": await self.asked(server, **itself, headers={"Authorization": basic("ehr", "a secret of the ehr")}),
            "bound": await self.asked(server, **itself, client_id="mutual", headers=self.headers),
        }


async def _facility(administration):
    await administration.facilities.add(CODE, name="病院Ｂ", kana=None, type=FacilityType.HOSPITAL, roles=[FacilityRole.PROVIDING])
    newcomer = Newcomer("hanako", "高松 花子", "タカマツ ハナコ", works=(Work(Role.PHYSICIAN, CODE),))
    account, _ = await administration.people.add(newcomer)
    await administration.clients.add(Draft(id="app", name="アプリ", method="none", redirect_uris=(CALLBACK,)))
    system = Draft(id="ehr", name="電子カルテ", method="client_secret_basic", role=Role.SYSTEM, facility=CODE)
    await administration.clients.add(system, "a secret of the ehr")
    return account


async def _certificate(held, registry):
    pki = registry.identity.pki
    await pki.authorities.install("K-MIX R", new_root("K-MIX R", now()))
    await pki.refresh()
    token = await pki.enrolment.invite(Holder(CODE, "client", "mutual"))
    issued = await pki.enrolment.enrol(token, request_for())
    der = x509.load_pem_x509_certificates(issued.chain)[0].public_bytes(Encoding.DER)
    held.headers, held.number = {"Client-Cert": f":{b64encode(der).decode()}:"}, issued.record.id
    draft = Draft(
        id="mutual", name="装置", method="tls_client_auth", role=Role.SYSTEM, facility=CODE, certificates=(thumbprint(der),), bound=True
    )
    await held.administration.clients.add(draft)


async def _person(held, registry, account):
    identity = registry.identity
    account = await identity.shelf.records(ACCOUNTS).change(
        account.id, lambda found: msgspec.structs.replace(found, must_change=False, changed=now())
    )
    session, held.cookie = await identity.people.sessions.open(account)
    session = await identity.people.sessions.choose(session, (await identity.directory.assignments(account.fhir_user))[0])
    asked = {
        "response_type": "code", "client_id": "app", "redirect_uri": CALLBACK, "state": "s", "aud": BASE, "code_challenge": CHALLENGE,
        "code_challenge_method": "S256", "scope": "user/*.rs offline_access",
    }  # fmt: skip
    request = await identity.authorization.requests.begin(Parameters(asked))
    address = await identity.authorization.requests.finish(request.id, session, None, request.scope)
    form = {"grant_type": "authorization_code", "client_id": "app", "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    code = httpx.URL(address).params["code"]
    held.person = (await held.servers[0].post(f"{ISSUER}/auth/token", data={**form, "code": code})).json()


@asynccontextmanager
async def opened(mongodb_uri, database_name):
    settings = Settings(
        database=database_name, base_url=BASE, proxy_addresses="127.0.0.1", proxy_certificate_header="Client-Cert", session_idle=60
    )
    async with AsyncExitStack() as stack:
        apps = [create_app(settings, mongodb_uri) for _ in range(2)]
        servers = []
        for app in apps:
            await stack.enter_async_context(app.outer.router.lifespan_context(app.outer))
            servers.append(await stack.enter_async_context(httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE)))
        registry = await stack.enter_async_context(open_registry(settings, mongodb_uri))
        held = Held(tuple(servers), administration_of(settings, registry), registry)
        account = await _facility(held.administration)
        await store(apps[0], *of_patient("p1")[:1], custodian=f"Organization/{organization_id(CODE)}")
        await _certificate(held, registry)
        for app in apps:
            app.registry.identity.pki._looked = float("-inf")
            await app.registry.identity.pki.refresh()
        await _person(held, apps[0].registry, account)
        itself = {"grant_type": "client_credentials", "scope": "system/*.rs"}
        secret = {"Authorization": basic("ehr", "a secret of the ehr")}
        held.system = (await servers[0].post(f"{ISSUER}/auth/token", data=itself, headers=secret)).json()["access_token"]
        by_certificate = {**itself, "client_id": "mutual"}
        held.bound = (await servers[1].post(f"{ISSUER}/auth/token", data=by_certificate, headers=held.headers)).json()["access_token"]
        yield held


@pytest.fixture
async def held(mongodb_uri, database_name):
    """A person, a system with a secret and one with a certificate: each has read something at both servers."""
    async with opened(mongodb_uri, database_name) as held:
        for server in held.servers:
            assert await held.statuses(server) == dict.fromkeys(("person", "session", "system", "bound"), 200)
        yield held


ALL = {"person", "session", "system", "bound"}
ENDINGS = {
    "user disable": (lambda held: held.administration.people.disable("hanako"), {"person", "session"}),
    "user unassign": (lambda held: held.administration.people.unassign("hanako", Work(Role.PHYSICIAN, CODE)), {"person", "session"}),
    "session end --user": (lambda held: held.administration.endings.user("hanako"), {"person", "session"}),
    "client disable": (lambda held: held.administration.clients.disable("ehr"), {"system"}),
    "client disable (of an app)": (lambda held: held.administration.clients.disable("app"), {"person"}),
    "client remove": (lambda held: held.administration.clients.remove("ehr"), {"system"}),
    "cert revoke": (lambda held: held.administration.register.revoke(held.number, "stolen"), {"bound"}),
    "facility leave": (lambda held: held.administration.facilities.leave(CODE), ALL),
    "session end --all": (lambda held: held.administration.endings.network(), ALL),
}
STARTS_ANEW = {"session end --all": {"system", "bound"}}
"""Who was logged out, not shut out, gets a new token: a system by what it proves."""


@pytest.mark.parametrize("ending", ENDINGS)
async def test_d12_l08_f101_f104_who_is_shut_out_gets_nothing_a_minute_later_from_any_server(held, ending):
    shut_out, out = ENDINGS[ending]
    started = time.monotonic()
    await shut_out(held)
    for server in held.servers:
        while {name for name, status in (await held.statuses(server)).items() if status == 200} & out:
            assert time.monotonic() - started < MINUTE, (ending, await held.statuses(server))
            await asyncio.sleep(0.05)
    for server in held.servers:
        after = await held.statuses(server)
        assert {name for name, status in after.items() if status != 200} == out, (ending, after)
        renewed = await held.renewed(server)
        lasting = out - STARTS_ANEW.get(ending, set())
        for name in set(renewed) & lasting:
            assert renewed[name] in (400, 401, 403), (ending, renewed)
        if "person" not in out:
            held.person |= {"refresh_token": "spent"}  # each works once
        else:
            assert renewed["person"] == 400
