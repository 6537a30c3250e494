"""The world that these tests play in."""

import pytest

from tests.auth.oauth.world import open_world


@pytest.fixture
async def world(mongodb_uri, database_name):
    """The authorization server with a hospital, a physician, a patient and an app."""
    async with open_world(mongodb_uri, database_name) as world:
        yield world
