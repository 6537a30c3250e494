"""The whole server on a database of its own for the tests of one module, and hands to ask it as anybody."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from pymongo import MongoClient

from fhir_server.app import Application, create_app
from fhir_server.auth.requester import Requester
from fhir_server.settings import Settings
from tests.access.secured import BASE, token


@dataclass
class Served:
    """One application; `ask` sends a request with a token that it has signed itself."""

    app: Application
    client: httpx.AsyncClient
    tokens: dict[Requester, str] = field(default_factory=dict)

    async def ask(self, who: Requester, method: str, address: str, **sent: Any) -> httpx.Response:
        """Ask as a requester, for the purpose that is his."""
        known = replace(who, purpose="TREAT")
        if known not in self.tokens:
            self.tokens[known] = await token(self.app, known, minutes=60)
        purpose = {"Purpose-Of-Use": who.purpose} if who.purpose != "TREAT" else {}
        headers = {"Authorization": f"Bearer {self.tokens[known]}", **purpose, **sent.pop("headers", {})}
        return await self.client.request(method, address, headers=headers, **sent)


@asynccontextmanager
async def served(uri: str, database: str, **settings: Any) -> AsyncIterator[Served]:
    """The application of one worker process over a database, as it is."""
    app = create_app(Settings(database=database, base_url=BASE, sandbox=True, **settings), uri)
    async with (
        app.outer.router.lifespan_context(app.outer),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as client,
    ):
        yield Served(app, client)


def emptied(client: MongoClient, name: str) -> str:
    """The name of a database without a document; its indexes stay."""
    for collection in client[name].list_collection_names(filter={"type": "collection", "name": {"$not": {"$regex": "^system\\."}}}):
        client[name][collection].delete_many({})
    return name
