"""Repositories on a real MongoDB, and resources with the entries that the tests say."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fhir_server.search.expression import Entries
from fhir_server.store.mongo import Mongo
from fhir_server.store.permit import Permit
from fhir_server.store.repository import Prepared, Repository


class Clock:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 4, 1, 0, 0, 0, 123456, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def shift(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@pytest.fixture
def ticking() -> Clock:
    return Clock()


@pytest.fixture
async def mongo(mongodb_uri: str, database_name: str) -> AsyncIterator[Mongo]:
    opened = await Mongo.connect(mongodb_uri, database_name)
    yield opened
    await opened.close()


@pytest.fixture
def repository(mongo: Mongo, ticking: Clock) -> Repository:
    return Repository(mongo, Permit.everything(), ticking)


@pytest.fixture
def prepared() -> Callable[..., Prepared]:
    def make(id: str, type: str = "Patient", found: Entries | None = None, **elements: Any) -> Prepared:
        return Prepared(type, id, {"resourceType": type, "id": id, **elements}, found or Entries())

    return make
