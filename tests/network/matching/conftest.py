"""The network as a fixture."""

from collections.abc import AsyncIterator

import pytest

from tests.network.matching.world import World, opened


@pytest.fixture
async def world(mongodb_uri: str, database_name: str) -> AsyncIterator[World]:
    """A network on an empty database."""
    async with opened(mongodb_uri, database_name) as world:
        yield world
