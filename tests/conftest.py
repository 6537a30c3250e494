"""What every test may ask for: a real MongoDB, a database of its own, a clock that stands still.

One mongod serves the whole run, also when pytest-xdist spreads it over workers: the controller makes a directory, the
first worker that needs MongoDB owns it there and the others are its guests. The owner waits for its guests before it
stops; if it is killed, mongod ends with it.
"""

import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from pymongo import MongoClient

from fhir_server.store.embedded import External, Options, open_database
from fhir_server.store.mongod import wait_for_predecessor

os.environ["TZ"] = "Asia/Tokyo"  # the network's zone, and never UTC: that would hide mistakes with zones

_DIRECTORY = "TSUNAGI_TEST_DIRECTORY"
_PREFIX = "tsunagi-test-"
_made: list[Path] = []

NOW = datetime(2026, 4, 1, 9, 0, tzinfo=ZoneInfo("Asia/Tokyo"))


@pytest.fixture(scope="session", autouse=True)
def interrupts() -> None:
    """Hear Ctrl-C and a closed terminal: background jobs of scripts, and what nohup starts, are deaf to them, and so would tests' processes be."""
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


def pytest_configure(config: pytest.Config) -> None:
    """Name the run's directory, for the workers too (they inherit the environment)."""
    if _DIRECTORY not in os.environ:
        _sweep()
        _made.append(Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")))
        os.environ[_DIRECTORY] = str(_made[0])


def _sweep() -> None:
    """Remove what killed runs left: their mongod ended with them."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}[0-9]*-*"):
        if not Path("/proc", left.name.removeprefix(_PREFIX).partition("-")[0]).exists():
            shutil.rmtree(left, ignore_errors=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind, even when the workers were killed."""
    for directory in _made:
        wait_for_predecessor(directory / "mongodb", seconds=30)
        shutil.rmtree(directory, ignore_errors=True)
        del os.environ[_DIRECTORY]
    _made.clear()


@pytest.fixture(scope="session")
def mongodb_uri() -> Iterator[str]:
    """The connection string of the run's MongoDB (TSUNAGI_TEST_MONGODB_URI names another one to test against)."""
    directory = Path(os.environ[_DIRECTORY])
    options = Options(cache_megabytes=512, oplog_megabytes=64)
    with (directory / "users").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        database = open_database(os.environ.get("TSUNAGI_TEST_MONGODB_URI"), directory / "mongodb", "a test run", options, share=True)
        with database:
            yield database.uri
            if not isinstance(database, External):
                fcntl.flock(users, fcntl.LOCK_UN)
                fcntl.flock(users, fcntl.LOCK_EX)  # guests have finished


@pytest.fixture(scope="session")
def worker_database(mongodb_uri: str) -> Iterator[tuple[MongoClient, str]]:
    """This worker's database; it keeps its collections and indexes from test to test, since dropping them is slow."""
    name = f"tsunagi_test_{os.environ.get('PYTEST_XDIST_WORKER', 'gw0')}"
    with MongoClient(mongodb_uri) as client:
        client.admin.command("setParameter", 1, ttlMonitorEnabled=False)  # MongoDB's clock does not stand still with ours
        client.drop_database(name)
        yield client, name
        client.drop_database(name)


@pytest.fixture
def database_name(worker_database: tuple[MongoClient, str]) -> str:
    """The name of an empty database: the indexes of earlier tests remain, their documents do not."""
    client, name = worker_database
    database = client[name]
    for collection in database.list_collection_names(filter={"type": "collection", "name": {"$not": {"$regex": "^system\\."}}}):
        database[collection].delete_many({})
    return name


@pytest.fixture
def fresh_database_name(worker_database: tuple[MongoClient, str]) -> Iterator[str]:
    """The name of a database that has nothing at all, not even a collection (about 0.1 s slower)."""
    client, name = worker_database
    yield f"{name}_fresh"
    client.drop_database(f"{name}_fresh")


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """The wall clock stands still at `NOW`, 2026-04-01 09:00 in Tokyo; `clock.shift(seconds)` moves it."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller
