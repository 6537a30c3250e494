"""The fixtures that all tests share."""

import time
from datetime import UTC, datetime

from pymongo import AsyncMongoClient, MongoClient


async def test_the_driver_of_the_server_works_in_the_tests_event_loop(mongodb_uri, database_name):
    async with AsyncMongoClient(mongodb_uri) as client:
        await client[database_name]["thing"].insert_one({"_id": 1})
        assert await client[database_name]["thing"].count_documents({}) == 1


def test_a_database_is_empty_at_the_start_of_a_test(mongodb_uri, database_name):
    with MongoClient(mongodb_uri) as client:
        assert client[database_name]["thing"].count_documents({}) == 0


async def test_transactions_work_because_it_is_a_replica_set(mongodb_uri, fresh_database_name):
    async with AsyncMongoClient(mongodb_uri) as client:
        collection = await client[fresh_database_name].create_collection("thing")
        async with client.start_session() as session, await session.start_transaction():
            await collection.insert_one({"_id": 1}, session=session)
        assert await collection.count_documents({}) == 1


def test_the_clock_stands_still_in_tokyo(clock):
    assert datetime.now(UTC) == datetime(2026, 4, 1, 0, 0, tzinfo=UTC)
    assert time.localtime().tm_hour == 9
    clock.shift(60)
    assert datetime.now(UTC) == datetime(2026, 4, 1, 0, 1, tzinfo=UTC)


async def test_the_database_answers_while_the_clock_stands_still(clock, mongodb_uri, database_name):
    async with AsyncMongoClient(mongodb_uri, serverSelectionTimeoutMS=3000) as client:
        await client[database_name]["thing"].insert_one({"_id": 1})
        assert await client[database_name]["thing"].find_one({"_id": 1})
