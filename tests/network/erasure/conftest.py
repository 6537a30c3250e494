"""The network of the emergencies' tests, with a patient of two facilities."""

from collections.abc import AsyncIterator

import pytest

from fhir_server.auth.accounts.account import ACCOUNTS
from fhir_server.network.erasure.records import KINDS
from tests.network.emergency.world import World, opened
from tests.network.erasure.patients import store_patients


@pytest.fixture
async def world(mongodb_uri: str, database_name: str) -> AsyncIterator[World]:
    """A network in which one person is Patient/pa at A and Patient/pb at B, and somebody else is Patient/other at A."""
    async with opened(mongodb_uri, database_name) as world:
        await world.desk.shelf.ensure((*KINDS, ACCOUNTS))
        await store_patients(world)
        yield world
