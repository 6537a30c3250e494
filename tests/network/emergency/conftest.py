"""The network as a fixture."""

from collections.abc import AsyncIterator

import pytest

from tests.network.emergency.world import World, opened


@pytest.fixture
async def world(mongodb_uri: str, database_name: str) -> AsyncIterator[World]:
    """A network on an empty database; its clock stands at 2026-04-01 09:00 in Tokyo until it is shifted."""
    async with opened(mongodb_uri, database_name) as world:
        yield world
