"""The pages on a real MongoDB: a network with two facilities, their people, and an app that people let in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from fhir_server.app import open_registry
from fhir_server.auth.accounts.passwords import Cost, Passwords
from fhir_server.settings import Settings
from tests.authorization.pages.network import Network


@pytest.fixture(scope="session")
def passwords():
    made = Passwords(Cost(memory=64, rounds=1))
    yield made
    made.close()


@pytest.fixture
def open_network(mongodb_uri: str, database_name: str, passwords: Passwords):
    """Open a network whose pages are at an address, under a policy for passwords."""

    @asynccontextmanager
    async def opened(issuer: str = "https://fhir.example.jp", policy: str = "network", idle: float = 300) -> AsyncIterator[Network]:
        settings = Settings(database=database_name, base_url=f"{issuer}/fhir")
        async with open_registry(settings, mongodb_uri) as registry:
            network = Network(registry, issuer, policy, passwords, timedelta(seconds=idle))
            await network.found()
            yield network

    return opened


@pytest.fixture
async def network(clock, open_network) -> AsyncIterator[Network]:
    """The network, at nine in the morning."""
    async with open_network() as network:
        yield network
