"""Fixtures: the network at work, and a mail server of this machine."""

from collections.abc import AsyncIterator

import pytest

from fhir_server.app import Registry, open_registry
from fhir_server.network.notices import MAILS
from fhir_server.settings import Settings
from fhir_server.store.records import Shelf
from tests.network.consent_form.world import World, opened
from tests.network.notices.mail_server import MailServer


@pytest.fixture(scope="module")
async def registry(mongodb_uri: str, worker_database: tuple[object, str]) -> AsyncIterator[Registry]:
    """The database with its indexes, opened once for the module's tests."""
    settings = Settings(database=worker_database[1], base_url="http://tsunagi.example/fhir")
    async with open_registry(settings, mongodb_uri, start=False) as found:
        await Shelf(found.mongo.database).ensure([MAILS])
        yield found


@pytest.fixture
async def world(registry: Registry, database_name: str) -> World:
    """The network on an empty database, with its facilities and one patient whom three of them know."""
    return await opened(registry)


@pytest.fixture
async def mail_server() -> AsyncIterator[MailServer]:
    """A mail server that keeps what it is given."""
    async with MailServer() as server:
        yield server
