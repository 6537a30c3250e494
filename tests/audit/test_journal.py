"""The journal beside the database: what was answered is on the disk, and comes to the database whatever happens."""

import asyncio
import signal
import subprocess
import sys

import pytest
from pymongo import AsyncMongoClient

from fhir_server.audit import writing
from fhir_server.audit.chain import Chain
from fhir_server.audit.found_by import Filter
from fhir_server.audit.journal import Journal, left_behind
from fhir_server.audit.log import Log
from fhir_server.audit.writing import JournalWriter, recover
from fhir_server.outcome import FhirError
from fhir_server.store.audit_log import AuditStore, Taken
from tests.shared import REPOSITORY

KEY = b"k" * 32


@pytest.fixture
async def log(store, pens, ticking, tmp_path):
    opened = Log(store, pens, ticking, tmp_path / "audit")
    async with opened.kept():
        yield opened
    assert not list((tmp_path / "audit").iterdir()), "what is in the database needs no journal"


async def requests(log):
    return sorted([each.event.request async for each in log.stream(Filter())])


async def test_what_was_recorded_is_found_at_once_and_verifies(log, happened, store):
    await asyncio.gather(*(log.record(happened(request=f"r{n}")) for n in range(20)))
    await log.record(happened(request="r99"))
    assert len(await requests(log)) == 21
    assert await store.count() == 1
    assert (await log.verify()).ok
    assert await log.anchor() is not None
    assert (await log.verify()).unanchored == 0


async def test_s50_what_relies_on_an_emergency_is_in_the_database_before_anybody_is_answered(log, happened, store):
    await log.record(happened())
    assert await store.count() == 0
    await log.record(happened(emergency="Task/e1"))
    assert await store.count() == 1


async def test_events_come_to_the_database_by_themselves(log, happened, store):
    await log.record(happened())
    async with asyncio.timeout(5):
        while not await store.count():  # noqa: ASYNC110 - it is the database that is asked
            await asyncio.sleep(0.02)


async def test_a_journal_that_is_full_waits_for_the_database_and_begins_again(store, pens, ticking, tmp_path, happened):
    writer = JournalWriter(store, pens, ticking, lambda: 0, tmp_path, capacity=2_000)
    for n in range(20):
        await writer.write([happened(request=f"r{n}")])
    assert await store.count() > 2
    await writer.close()
    log = Log(store, pens, ticking)
    assert len(await requests(log)) == 20
    assert (await log.verify()).ok


class Away(AuditStore):
    """A MongoDB that cannot be reached."""

    def __init__(self) -> None:
        super().__init__(AsyncMongoClient("mongodb://127.0.0.1:9", serverSelectionTimeoutMS=100)["away"], patience=0.1)


async def test_s50_while_the_database_is_away_for_long_nobody_is_answered_and_nothing_is_lost(
    store, pens, ticking, tmp_path, happened, monkeypatch, caplog
):
    writer = JournalWriter(Away(), pens, ticking, lambda: 0, tmp_path)
    await writer.write([happened(request="before")])
    monkeypatch.setattr(writing, "_LATE", 0.0)
    await asyncio.sleep(0.01)
    with pytest.raises(FhirError) as refused:
        await writer.write([happened(request="refused")])
    assert refused.value.status == 503
    with pytest.raises(FhirError):
        await writer.settle()
    assert "Patient/p1" not in caplog.text
    stopping = asyncio.create_task(writer.close())
    await asyncio.sleep(0)
    writer._store = store  # the database is back
    await stopping
    assert not list(tmp_path.iterdir())
    assert await requests(Log(store, pens, ticking)) == ["before"]


async def test_l10_the_next_process_brings_what_an_ended_one_left(store, pens, ticking, tmp_path, happened):
    chain = Chain.new(pens.newest.batches, ticking.ms)
    journal = Journal(tmp_path, chain.id, pens.newest.batches, 20_000)
    events = [happened(request=f"r{n}") for n in range(6)]
    await journal.append(journal.entry(events[:2], 2))
    await journal.append(journal.entry(events[2:5], 5))
    await journal.append(journal.entry(events[5:], 6))
    await store.append(chain.next(events[:3], 0))  # the database has the beginning
    assert await recover(store, pens, tmp_path) == 0, "its process lives"
    journal.close(done=False)
    assert await recover(store, pens, tmp_path) == 3
    log = Log(store, pens, ticking)
    assert await requests(log) == [f"r{n}" for n in range(6)]
    assert (await log.verify()).ok
    assert await recover(store, pens, tmp_path) == 0


@pytest.mark.parametrize("position", [0, 5, 20, 60, -1])
async def test_s51_an_entry_that_is_torn_or_changed_ends_the_journal(tmp_path, happened, position):
    journal = Journal(tmp_path, "c", KEY, 20_000)
    first, second = journal.entry([happened()], 1), journal.entry([happened()], 2)
    await journal.append(first)
    torn = bytearray(second)
    torn[position] ^= 1
    await journal.append(bytes(torn))
    journal.close(done=False)
    (left,) = left_behind(tmp_path)
    assert [entry.last for entry in left.entries([KEY])] == [1]
    assert list(left.entries([b"x" * 32])) == []
    left.close(done=True)


async def test_what_is_old_in_a_journal_that_began_again_is_not_read(tmp_path, happened):
    journal = Journal(tmp_path, "c", KEY, 20_000)
    for last in (1, 2, 3):
        await journal.append(journal.entry([happened()], last))
    journal.rewind()
    await journal.append(journal.entry([happened()], 4))
    journal.close(done=False)
    (left,) = left_behind(tmp_path)
    assert [entry.last for entry in left.entries([KEY])] == [4]
    left.close(done=True)


async def test_the_same_batch_may_be_sent_again_and_another_may_not(store, pens, ticking, happened):
    chain = Chain.new(pens.newest.batches, ticking.ms)
    batch = chain.next([happened()], 0)
    await store.append(batch)
    await store.append(batch)
    with pytest.raises(Taken):
        await store.append(chain.next([happened(request="another")], 0))


KILLED = """
import asyncio, sys, time
from datetime import UTC, datetime
from pathlib import Path
from fhir_server.audit.event import Event
from fhir_server.audit.keys import open_pens
from fhir_server.audit.log import Log
from fhir_server.auth.sealing import Sealer
from fhir_server.store.audit_log import AuditStore
from fhir_server.store.mongo import Mongo
from fhir_server.store.records import Shelf

async def main(uri, name, directory):
    mongo = await Mongo.connect(uri, name)
    clock = lambda: datetime.now(UTC)
    pens = await open_pens(Shelf(mongo.database), Sealer(b"the server's secret"), clock)
    log = Log(AuditStore(mongo.database), pens, clock, Path(directory))
    async def recorder(n):
        done = 0
        while True:
            await log.record(Event(int(time.time() * 1000), "R", "read", 200, request=f"{n}:{done}"))
            done += 1
            print(f"{n}:{done}", flush=True)
    async with log.kept():
        await asyncio.gather(*(recorder(n) for n in range(8)))

asyncio.run(main(*sys.argv[1:]))
"""


async def test_l10_a_process_that_is_killed_loses_nothing_that_it_answered(mongodb_uri, database_name, store, pens, ticking, tmp_path):
    command = [sys.executable, "-c", KILLED, mongodb_uri, database_name, str(tmp_path)]
    answered: dict[str, int] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as killed:  # noqa: ASYNC220 - nothing else goes on
        assert killed.stdout is not None
        for line in killed.stdout:
            recorder, _, done = line.strip().partition(":")
            answered[recorder] = int(done)
            if sum(answered.values()) > 2_000 and killed.poll() is None:
                killed.send_signal(signal.SIGKILL)
    log = Log(store, pens, ticking, tmp_path)
    async with log.kept():
        found = await requests(log)
        assert len(found) == len(set(found)), "nothing is there twice"
        for recorder, done in answered.items():
            assert sum(each.startswith(f"{recorder}:") for each in found) >= done
        report = await log.verify()
        assert report.ok
        assert report.unanchored == 0
