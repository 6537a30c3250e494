"""Fixtures: the network at work."""

from collections.abc import AsyncIterator

import pytest

from tests.network.consent_form.world import World, opened


@pytest.fixture
async def world(mongodb_uri: str, database_name: str) -> AsyncIterator[World]:
    """The network on an empty database, with its facilities and one patient whom three of them know."""
    async with opened(mongodb_uri, database_name) as found:
        yield found
