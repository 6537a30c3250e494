"""Limits of how often something is tried, shared by all processes."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from fhir_server.auth.throttle import WINDOWS, Throttle, TooMany
from fhir_server.store.mongo import Mongo
from fhir_server.store.records import Shelf


class Clock:
    def __init__(self):
        self.moment = datetime(2026, 4, 1, 0, 0, 10, tzinfo=UTC)

    def __call__(self):
        return self.moment


@pytest.fixture
async def mongo(mongodb_uri, database_name):
    opened = await Mongo.connect(mongodb_uri, database_name)
    yield opened
    await opened.close()


@pytest.fixture
def ticking():
    return Clock()


@pytest.fixture
def throttle(mongo, ticking):
    return Throttle(Shelf(mongo.database, clock=ticking).records(WINDOWS), ticking, b"secret")


async def test_what_is_done_too_often_is_refused_until_the_window_ends(throttle, ticking):
    for _ in range(3):
        await throttle.allow("token", "client-1", 3, 60)
    with pytest.raises(TooMany) as refused:
        await throttle.allow("token", "client-1", 3, 60)
    assert refused.value.retry_after == 50
    assert refused.value.status == 429
    assert refused.value.headers == (("Retry-After", "50"),)
    assert "50" in refused.value.ja
    assert "client-1" not in str(refused.value)
    ticking.moment += timedelta(seconds=50)
    await throttle.allow("token", "client-1", 3, 60)


async def test_each_counts_for_itself(throttle):
    await throttle.allow("token", "client-1", 1, 60)
    await throttle.allow("token", "client-2", 1, 60)
    await throttle.allow("login", "client-1", 1, 60)
    with pytest.raises(TooMany):
        await throttle.allow("login", "client-1", 1, 60)


async def test_no_more_than_the_limit_get_through_however_many_ask_at_once_of_however_many_processes(mongo, ticking, throttle):
    other = Throttle(Shelf(mongo.database, clock=ticking).records(WINDOWS), ticking, b"secret")
    asked = (each.allow("token", "client-1", 7, 60) for _ in range(30) for each in (throttle, other))
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(each is None for each in results) == 7
    assert sum(isinstance(each, TooMany) for each in results) == 53


async def test_a_limit_of_nothing_lets_nothing_through(throttle):
    with pytest.raises(TooMany):
        await throttle.allow("token", "client-1", 0, 60)


async def test_s34_no_address_is_stored_in_clear_nor_as_a_hash_that_can_be_tried(mongo, ticking, throttle):
    await throttle.allow("login", "192.0.2.7", 3, 60)
    stored = await mongo.database[WINDOWS.name].find_one({})
    assert "192.0.2.7" not in str(stored)
    others = Throttle(Shelf(mongo.database, clock=ticking).records(WINDOWS), ticking, b"another secret")
    await others.allow("login", "192.0.2.7", 3, 60)
    assert await mongo.database[WINDOWS.name].count_documents({}) == 2


@pytest.mark.parametrize("key", ["", "\ud800", "x" * 10_000, "\0"])
async def test_any_text_can_be_counted(throttle, key):
    await throttle.allow("login", key, 1, 60)
    with pytest.raises(TooMany):
        await throttle.allow("login", key, 1, 60)
