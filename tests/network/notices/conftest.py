"""Fixtures: the network at work, and a mail server of this machine."""

from collections.abc import AsyncIterator

import pytest

from tests.network.consent_form.world import World, opened
from tests.network.notices.mail_server import MailServer


@pytest.fixture
async def world(mongodb_uri: str, database_name: str) -> AsyncIterator[World]:
    """The network on an empty database."""
    async with opened(mongodb_uri, database_name) as found:
        yield found


@pytest.fixture
async def mail_server() -> AsyncIterator[MailServer]:
    """A mail server that keeps what it is given."""
    async with MailServer() as server:
        yield server
