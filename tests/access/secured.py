"""The whole server with authentication on, and requesters of every role: fixtures for every test of who may do what."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from fhir_server.app import Application, create_app
from fhir_server.auth.requester import Local, Requester
from fhir_server.auth.roles import Role
from fhir_server.exchange import FhirRequest
from fhir_server.settings import Settings

BASE = "http://tsunagi.example/fhir"
FACILITY = "Organization/facility-a"
PEOPLE = {Role.PHYSICIAN, Role.PHARMACIST, Role.NURSE, Role.CLERK, Role.SECRETARIAT, Role.AUDITOR, Role.PATIENT}


def requester(role: Role | None, scope: str | None = None, **facts: Any) -> Requester:
    """Somebody of this role at a facility that does everything; a patient is p1."""
    person = role in PEOPLE
    known: dict[str, Any] = {
        "client": "app",
        "organization": FACILITY,
        "facility": "3710000025",
        "facility_roles": frozenset({"providing", "sharing", "viewing"}),
        "fhir_user": ("Patient/p1" if role is Role.PATIENT else "Practitioner/d1") if person else None,
    }
    return Requester("somebody", role=role, scope=scope or ("user/*.cruds" if person else "system/*.cruds"), **{**known, **facts})


@pytest.fixture
async def secured(mongodb_uri: str, database_name: str) -> AsyncIterator[Application]:
    """The application of one worker, started, on an empty database; nobody comes in without a token."""
    app = create_app(Settings(database=database_name, base_url=BASE, sandbox=True), mongodb_uri)
    async with app.outer.router.lifespan_context(app.outer):
        yield app


@pytest.fixture
async def stranger(secured: Application) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a token."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(secured), base_url=BASE) as client:
        yield client


Ask = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def ask(secured: Application, stranger: httpx.AsyncClient) -> Ask:
    """Ask as a requester: `await ask(requester, "GET", "/Patient/p1")`, with a token that the server itself has signed."""
    tokens: dict[tuple[Requester, int], str] = {}

    async def asking(who: Requester, method: str, address: str, **sent: Any) -> httpx.Response:
        key = replace(who, purpose="TREAT"), int(time.time()) // 300
        if key not in tokens:
            tokens[key] = await token(secured, key[0])
        headers = {"Authorization": f"Bearer {tokens[key]}", **sent.pop("headers", {})}
        if who.purpose != "TREAT":
            headers["Purpose-Of-Use"] = who.purpose
        return await stranger.request(method, address, headers=headers, **sent)

    return asking


async def token(app: Application, who: Requester, minutes: float = 10) -> str:
    """A token of the server for this requester."""
    assert app.registry is not None
    return await app.registry.identity.tokens.issue(who, timedelta(minutes=minutes))


async def store(app: Application, *resources: dict[str, Any], custodian: str | None = FACILITY) -> None:
    """Store resources as the operator does, in the custody of a facility."""
    assert app.registry is not None
    entries = [{"resource": each, "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}} for each in resources]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    await app.registry.service.perform(FhirRequest("transaction", body=bundle), Local("local", organization=custodian))
