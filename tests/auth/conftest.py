"""Fixtures: a database's records, the server over HTTP with authentication."""

from datetime import UTC

import pytest
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient

from fhir_server.store.records import Shelf
from tests.access.secured import ask, secured, stranger

__all__ = ["ask", "secured", "shelf", "stranger"]


@pytest.fixture
async def shelf(mongodb_uri, database_name):
    """The records of an empty database."""
    async with AsyncMongoClient(mongodb_uri) as client:
        yield Shelf(client.get_database(database_name, codec_options=CodecOptions(tz_aware=True, tzinfo=UTC)))
