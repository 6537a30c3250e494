"""A small network as the authorization server sees it: a hospital, a physician, a patient, an app, systems with keys."""

import hashlib
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from fhir_server.app import open_service
from fhir_server.auth import cuts, keys
from fhir_server.auth.accounts.account import ACCOUNTS, Account
from fhir_server.auth.accounts.passwords import Cost, Passwords
from fhir_server.auth.accounts.session import SESSIONS, Session
from fhir_server.auth.clients import CLIENTS, Client
from fhir_server.auth.cuts import Cuts
from fhir_server.auth.directory import INSTITUTION, Directory
from fhir_server.auth.keys import Keys
from fhir_server.auth.oauth.addresses import Addresses
from fhir_server.auth.oauth.assertions import TYPE
from fhir_server.auth.oauth.client_authentication import Presented
from fhir_server.auth.oauth.grants import Lifetimes
from fhir_server.auth.oauth.parameters import Parameters as Sent
from fhir_server.auth.oauth.refusals import OAuth2Error
from fhir_server.auth.oauth.server import KINDS, AuthorizationServer
from fhir_server.auth.roles import FACILITY_ROLE_SYSTEM, ROLE_SYSTEM, Role
from fhir_server.auth.scopes import ScopeGrammar
from fhir_server.auth.sealing import Sealer
from fhir_server.auth.tokens import Tokens
from fhir_server.exchange import FhirRequest
from fhir_server.search.parameters import Parameters
from fhir_server.service import LOCAL
from fhir_server.settings import Settings
from fhir_server.store.mongo import Mongo
from fhir_server.store.permit import Permit
from fhir_server.store.records import Shelf
from fhir_server.store.repository import Repository
from profiles.definitions import r4

ROOT = "http://testserver"
BASE = "http://testserver/fhir"
TOKEN = "http://testserver/auth/token"
CODE = "3710000001"
HOSPITAL = "Organization/hospital-b"
PHYSICIAN = "Practitioner/dr"
EVIL = "https://evil.example"
ORIGIN = "https://app.example.org"
CALLBACK = "https://app.example.org/callback"
ZONE = ZoneInfo("Asia/Tokyo")
VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
APP_SCOPE = "launch launch/patient openid fhirUser offline_access online_access user/*.rs patient/*.rs"
ASKED = "launch/patient openid fhirUser patient/*.rs"

NETWORK = (
    {
        "resourceType": "Organization",
        "id": "hospital-b",
        "active": True,
        "name": "第二病院",
        "identifier": [{"system": INSTITUTION, "value": CODE}],
        "type": [{"coding": [{"system": FACILITY_ROLE_SYSTEM, "code": "providing"}]}],
    },
    {"resourceType": "Practitioner", "id": "dr", "active": True, "name": [{"text": "高松 花子"}]},
    {
        "resourceType": "PractitionerRole",
        "id": "dr-b",
        "active": True,
        "practitioner": {"reference": PHYSICIAN},
        "organization": {"reference": HOSPITAL},
        "code": [{"coding": [{"system": ROLE_SYSTEM, "code": "physician"}]}],
    },
    {"resourceType": "Patient", "id": "p1", "active": True},
)

LIFETIMES = Lifetimes(idle=timedelta(days=2), longest=timedelta(days=5))


@cache
def grammar() -> ScopeGrammar:
    return ScopeGrammar(Parameters(r4()), ZONE)


@cache
def ec_key() -> ECKey:
    return ECKey.generate_key("P-384", {"kid": "ec-1"}, private=True)


@cache
def rsa_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "rsa-1"}, private=True)


def public(*keys: Any) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


class Clock:
    """The server's clock: it stands still until somebody shifts it."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 4, 1, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def shift(self, **ahead: float) -> None:
        self.moment += timedelta(**ahead)


class World:
    """The authorization server with its records, and what tests do with it over and over."""

    def __init__(self, shelf: Shelf, clock: Clock, directory: Directory, service: Any) -> None:
        self.shelf, self.clock, self.directory, self.service = shelf, clock, directory, service
        self.cuts = Cuts(shelf, clock)
        self.keys = Keys(shelf, Sealer(b"a secret of the test"), clock)
        self.addresses = Addresses.of(BASE)
        self.tokens = Tokens(self.keys, self.cuts, self.addresses.issuer, BASE, clock)
        self.passwords = Passwords(Cost(memory=64, rounds=1, lanes=1))
        self.clients = shelf.records(CLIENTS)
        self.accounts = shelf.records(ACCOUNTS)
        self.sessions = shelf.records(SESSIONS)
        self.server = self.made()

    def made(self, **other: Any) -> AuthorizationServer:
        parts: dict[str, Any] = {
            "shelf": self.shelf,
            "tokens": self.tokens,
            "keys": self.keys,
            "cuts": self.cuts,
            "scopes": grammar(),
            "directory": self.directory,
            "addresses": self.addresses,
            "verify_secret": self.passwords.verify,
            "lifetimes": LIFETIMES,
        }
        return AuthorizationServer(**{**parts, **other})

    async def add_client(self, id: str = "app", **fields: Any) -> Client:
        known: dict[str, Any] = {
            "name": "An app",
            "method": "none",
            "scope": APP_SCOPE,
            "created": self.clock(),
            "redirect_uris": (CALLBACK,),
        }
        client = Client(id=id, **{**known, **fields})
        await self.clients.put(client)
        return client

    async def add_system(self, id: str = "ehr-b", **fields: Any) -> Client:
        known = {
            "method": "private_key_jwt",
            "scope": "system/*.cruds",
            "redirect_uris": (),
            "grant_types": ("client_credentials",),
            "role": Role.SYSTEM,
            "organization": HOSPITAL,
            "facility": CODE,
            "jwks": public(ec_key(), rsa_key()),
        }
        return await self.add_client(id, **{**known, **fields})

    async def add_session(self, account: str = "dr", fhir_user: str = PHYSICIAN, **fields: Any) -> Session:
        moment = self.clock()
        known: dict[str, Any] = {
            "id": secrets.token_hex(8),
            "opened": moment,
            "touched": moment,
            "expires": moment + timedelta(minutes=5),
            "until": moment + timedelta(hours=8),
            "csrf": "c",
            "factors": ("pwd",),
            "whole": True,
            "organization": HOSPITAL,
            "facility": CODE,
            "role": "physician",
        }
        session = Session(account=account, fhir_user=fhir_user, **{**known, **fields})
        await self.sessions.put(session)
        return session

    async def close_session(self, session: Session) -> None:
        await self.sessions.remove(session.id)

    async def change_client(self, id: str, **fields: Any) -> None:
        await self.clients.change(id, lambda found: msgspec.structs.replace(found, **fields))

    async def change_account(self, id: str, **fields: Any) -> None:
        await self.accounts.change(id, lambda found: msgspec.structs.replace(found, **fields))

    async def write(self, *resources: dict[str, Any]) -> None:
        entries = [{"resource": each, "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}} for each in resources]
        await self.service.perform(
            FhirRequest("transaction", body={"resourceType": "Bundle", "type": "transaction", "entry": entries}), LOCAL
        )

    async def begin(self, **changed: str | None) -> Any:
        return await self.server.requests.begin(Sent(asked(**changed)))

    async def code(self, patient: str | None = "Patient/p1", session: Session | None = None, **changed: str | None) -> str:
        """Have a person authorize the app; give the code."""
        session = session or await self.add_session()
        request = await self.begin(**changed)
        address = await self.server.requests.finish(request.id, session, patient, request.scope)
        return answered(address)["code"]

    async def token(self, authorization: str | None = None, certificate: str | None = None, **fields: str) -> dict[str, Any]:
        return await self.server.token(Presented(fields, authorization, certificate))

    async def exchange(self, code: str, **changed: str) -> dict[str, Any]:
        known = {"grant_type": "authorization_code", "client_id": "app", "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return await self.token(**{**known, "code": code, **changed})

    async def refresh(self, token: str, **changed: str) -> dict[str, Any]:
        return await self.token(**{"grant_type": "refresh_token", "client_id": "app", "refresh_token": token, **changed})

    async def for_itself(self, assertion: str, scope: str = "system/*.rs", **changed: str) -> dict[str, Any]:
        return await self.token(**asserting(assertion), grant_type="client_credentials", scope=scope, **changed)

    def assertion(self, key: Any = None, algorithm: str = "ES384", header: dict[str, Any] | None = None, **changed: Any) -> str:
        """Sign a client assertion; a claim that is None is left out."""
        key = key or ec_key()
        claims = {
            "iss": "ehr-b",
            "sub": "ehr-b",
            "aud": TOKEN,
            "exp": int(self.clock().timestamp()) + 300,
            "jti": secrets.token_hex(8),
        }
        said = {name: value for name, value in {**claims, **changed}.items() if value is not None}
        return jwt.encode({"alg": algorithm, "kid": key.kid, **(header or {})}, said, key, algorithms=[algorithm])


def asked(**changed: str | None) -> dict[str, str]:
    """Give the parameters of a good authorization request; one that is None is left out."""
    good = {
        "response_type": "code",
        "client_id": "app",
        "redirect_uri": CALLBACK,
        "scope": ASKED,
        "state": "s1",
        "aud": BASE,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def asserting(assertion: str) -> dict[str, str]:
    return {"client_assertion_type": TYPE, "client_assertion": assertion}


def basic(client_id: str, secret: str) -> str:
    return f"Basic {b64encode(f'{client_id}:{secret}'.encode()).decode()}"


def answered(address: str) -> dict[str, str]:
    """Read the parameters of an address that the app is called back at."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


async def refusal(work: Any) -> OAuth2Error:
    """Give the error that something is refused with."""
    try:
        result = await work
    except OAuth2Error as error:
        return error
    raise AssertionError(f"not refused: {result}")


@asynccontextmanager
async def open_world(mongodb_uri: str, database_name: str) -> AsyncIterator[World]:
    clock = Clock()
    mongo = await Mongo.connect(mongodb_uri, database_name)
    async with open_service(Settings(database=database_name), mongodb_uri) as service:
        shelf = Shelf(mongo.database, clock=clock)
        world = World(shelf, clock, Directory(Repository(mongo, Permit.everything()), clock, ZONE), service)
        await shelf.ensure((*KINDS, *cuts.KINDS, keys.SIGNING_KEYS, CLIENTS, ACCOUNTS, SESSIONS))
        await world.cuts.start()
        await world.keys.start()
        await world.write(*NETWORK)
        await world.accounts.put(Account(id="dr", fhir_user=PHYSICIAN, created=clock(), must_change=False))
        await world.accounts.put(Account(id="jiro", fhir_user="Patient/p1", created=clock(), must_change=False))
        await world.add_client()
        yield world
        world.passwords.close()
    await mongo.close()
