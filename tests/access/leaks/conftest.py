"""Fixtures: a server for the tests of one module."""

from collections.abc import AsyncIterator

import pytest
import time_machine
from pymongo import MongoClient

from tests.access.leaks.matrix import Matrix
from tests.access.leaks.vectors import Judge
from tests.access.leaks.world import emptied, served
from tests.conftest import NOW


@pytest.fixture(scope="module")
async def judge(mongodb_uri: str, worker_database: tuple[MongoClient, str]) -> AsyncIterator[Judge]:
    """The server with the facilities of the vectors."""
    client, name = worker_database
    with time_machine.travel(NOW, tick=False):
        async with served(mongodb_uri, emptied(client, name)) as server:
            yield await Judge(server).founded()


@pytest.fixture(scope="module")
async def matrix(mongodb_uri: str, worker_database: tuple[MongoClient, str]) -> AsyncIterator[Matrix]:
    """Two servers, one of which lacks what is hidden."""
    client, name = worker_database
    with time_machine.travel(NOW, tick=False):
        async with served(mongodb_uri, emptied(client, name)) as having, served(mongodb_uri, emptied(client, f"{name}_lacking")) as lacking:
            yield await Matrix(having, lacking).founded()
    client.drop_database(f"{name}_lacking")
