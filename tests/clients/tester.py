"""The sandbox's integration tester: registered with its known secret, and its token, got as anybody gets one."""

import asyncio

import httpx

from fhir_server.app import open_registry
from fhir_server.app.doors import administration_of
from fhir_server.sandbox import people

SCOPE = "system/*.cruds"
DRAFT = next(draft for draft in people.clients("") if draft.id == people.TESTER)


def register(uri, settings):
    """Register the tester in a database, beside the server that runs on it."""
    asyncio.run(_register(uri, settings))


async def _register(uri, settings):
    async with open_registry(settings, uri) as registry:
        await add(settings, registry)


async def add(settings, registry):
    """Register the tester with whatever the registry has open."""
    await administration_of(settings, registry).clients.add(DRAFT, people.secret_of(people.TESTER))


def request(client=people.TESTER, scope=SCOPE):
    """The token request of a client of the sandbox, as httpx takes it."""
    return {"data": {"grant_type": "client_credentials", "scope": scope}, "auth": (client, people.secret_of(client))}


def token(base, client=people.TESTER, scope=SCOPE):
    """Get a token from where the server at this base says."""
    found = httpx.get(f"{base}/.well-known/smart-configuration").raise_for_status().json()
    return httpx.post(found["token_endpoint"], **request(client, scope)).raise_for_status().json()["access_token"]


def authorization(base):
    """The header that comes with a request of the tester."""
    return {"Authorization": f"Bearer {token(base)}"}
