"""People's accounts on a real MongoDB, with a clock that moves when told to, and passwords that are cheap to hash."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from fhir_server.auth.accounts.attempts import Lockout
from fhir_server.auth.accounts.guessable import Personal
from fhir_server.auth.accounts.passwords import Cost, Passwords
from fhir_server.auth.accounts.people import KINDS, Host, People, open_people
from fhir_server.auth.accounts.policy import POLICIES
from fhir_server.auth.sealing import Sealer
from fhir_server.store.mongo import Mongo
from fhir_server.store.records import Shelf

CHEAP = Cost(memory=64, rounds=1)
PROMPT = Lockout(delay=0)

GOOD, BETTER, BEST = "x7kq2mpa", "vb4nzt9w", "r6jdh3yu"
TARO = Personal(("山田 太郎", "ヤマダ タロウ"), "1975-01-02")


class Clock:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 4, 1, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def shift(self, seconds: float = 0, **more: float) -> None:
        self.moment += timedelta(seconds=seconds, **more)


@pytest.fixture
def ticking() -> Clock:
    return Clock()


@pytest.fixture
async def mongo(mongodb_uri: str, database_name: str) -> AsyncIterator[Mongo]:
    opened = await Mongo.connect(mongodb_uri, database_name)
    yield opened
    await opened.close()


@pytest.fixture
async def shelf(mongo: Mongo, ticking: Clock) -> Shelf:
    opened = Shelf(mongo.database, clock=ticking)
    await opened.ensure(KINDS)
    return opened


@pytest.fixture(scope="session")
def passwords():
    made = Passwords(CHEAP)
    yield made
    made.close()


@pytest.fixture
def opened(shelf: Shelf, ticking: Clock, passwords: Passwords):
    """Open everything under a policy."""

    def open_under(policy: str = "network") -> People:
        host = Host("fhir.example.jp", ("https://fhir.example.jp",), "つなぎ")
        return open_people(
            shelf, POLICIES[policy], Sealer(b"s" * 32), b"k" * 32, host=host, passwords=passwords, lockout=PROMPT, clock=ticking
        )

    return open_under


@pytest.fixture
def people(opened) -> People:
    return opened("network")


@pytest.fixture
async def taro(people):
    """An account whose owner has chosen a password."""
    await people.accounts.create("taro.y", "Practitioner/1")
    initial = await people.accounts.set_initial_password("taro.y")
    return await people.accounts.change_password("taro.y", initial, GOOD, Personal())
