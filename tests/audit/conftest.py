"""Logs of the audit on a real MongoDB, and events that happen in them."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fhir_server.audit.event import Event, Seen
from fhir_server.audit.keys import Pens, open_pens
from fhir_server.audit.log import Log
from fhir_server.auth.sealing import Sealer
from fhir_server.store.audit_log import AuditStore
from fhir_server.store.mongo import Mongo
from fhir_server.store.records import Shelf


class Clock:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 4, 1, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def shift(self, **how: float) -> None:
        self.moment += timedelta(**how)

    @property
    def ms(self) -> int:
        return round(self.moment.timestamp() * 1000)


@pytest.fixture
def ticking() -> Clock:
    return Clock()


@pytest.fixture
async def mongo(mongodb_uri: str, database_name: str) -> AsyncIterator[Mongo]:
    opened = await Mongo.connect(mongodb_uri, database_name)
    yield opened
    await opened.close()


@pytest.fixture
async def store(mongo: Mongo) -> AuditStore:
    opened = AuditStore(mongo.database)
    await opened.ensure()
    return opened


@pytest.fixture
async def pens(mongo: Mongo, ticking: Clock) -> Pens:
    return await open_pens(Shelf(mongo.database), Sealer(b"the server's secret"), ticking)


@pytest.fixture
def open_log(store: AuditStore, pens: Pens, ticking: Clock) -> Callable[[], Log]:
    """Open the log as another process does."""
    return lambda: Log(store, pens, ticking)


@pytest.fixture
def log(open_log: Callable[[], Log]) -> Log:
    return open_log()


@pytest.fixture
def happened(ticking: Clock) -> Callable[..., Event]:
    """A read of one patient's result in clinic A's custody by a doctor of hospital B, now; whatever is said is otherwise."""

    def make(
        patient: str = "Patient/p1", custodian: str = "Organization/a", type: str = "Observation", count: int = 1, **said: Any
    ) -> Event:
        known: dict[str, Any] = {
            "at": ticking.ms,
            "action": "R",
            "interaction": "read",
            "status": 200,
            "subject": "dr-b",
            "client": "viewer",
            "person": "Practitioner/b1",
            "organization": "Organization/b",
            "role": "physician",
            "purpose": "TREAT",
            "request": "3f1c9a72-5555-4444-8888-0123456789ab",
            "type": type,
            "id": "o1",
            "seen": (Seen(patient, custodian, type, count),) if patient or custodian else (),
            "consents": ("Consent/c1",),
        }
        return Event(**{**known, **said})

    return make
