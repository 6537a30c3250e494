"""Events become durable together, and are found again."""

import asyncio
import signal
import subprocess
import sys

import pytest

from fhir_server.audit.chain import MOST_SEEN, SPREAD, events_of
from fhir_server.audit.event import Seen
from fhir_server.audit.found_by import Filter
from fhir_server.outcome import FhirError
from fhir_server.store.audit_log import AuditStore
from tests.shared import REPOSITORY


async def ids(log, filter=None, **how):
    return [each.event.request async for each in log.stream(filter or Filter(), **how)]


async def test_l09_an_event_is_found_as_it_was_recorded(log, happened):
    event = happened()
    await log.record(event)
    ((id, found),) = (await log.events(Filter())).events
    assert found == event
    assert await log.find(id) == (id, event)


async def test_s50_what_is_recorded_is_stored_when_record_returns(log, happened, mongo):
    await log.record(happened(status=403))
    assert await mongo.database["audit"].count_documents({"e": "d"}) == 1


async def test_what_happens_in_one_moment_is_few_documents(log, happened, store):
    await asyncio.gather(*(log.record(happened(request=f"r{n}")) for n in range(100)))
    assert await store.count() == 1
    assert len(await ids(log)) == 100


async def test_a_caller_that_gives_up_stops_nobody(log, happened):
    tasks = [asyncio.create_task(log.record(happened(request=f"r{n}"))) for n in range(10)]
    await asyncio.sleep(0)
    tasks[3].cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(isinstance(each, asyncio.CancelledError) for each in done) == 1
    assert len(await ids(log)) == 10


async def test_who_comes_just_when_a_batch_was_answered_is_not_forgotten(log, happened):
    async def recorder(n):
        for round in range(30):
            await log.record(happened(request=f"{n}-{round}"))

    async with asyncio.timeout(20):
        await asyncio.gather(*(recorder(n) for n in range(7)))
    assert len(await ids(log)) == 210


async def test_an_event_of_very_many_patients_becomes_several_of_the_same_request(log, happened):
    seen = tuple(Seen(f"Patient/{n}", "Organization/a", "Observation", 1) for n in range(MOST_SEEN + 10))
    await log.record(happened(seen=seen))
    found = (await log.events(Filter())).events
    assert [len(each.event.seen) for each in found] in ([MOST_SEEN, 10], [10, MOST_SEEN])
    assert {each.event.request for each in found} == {happened().request}


@pytest.fixture
async def told(log, happened, ticking):
    """Six events, a minute apart."""
    for request, said in (
        ("own", {"organization": "Organization/a"}),
        ("other", {}),
        ("patient-2", {"patient": "Patient/p2"}),
        ("denied", {"status": 404, "seen": (), "type": "Patient", "id": "p1"}),
        ("emergency", {"emergency": "Task/e1", "reason": "意識不明", "purpose": "ETREAT", "custodian": "Organization/c"}),
        (
            "written",
            {
                "action": "C",
                "interaction": "create",
                "subject": "system-b",
                "organization": "Organization/b",
                "custodian": "Organization/b",
            },
        ),
    ):
        await log.record(happened(request=request, **said))
        ticking.shift(minutes=1)
    return log


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({"patients": ("Patient/p1",)}, ["written", "emergency", "denied", "other", "own"]),
        ({"patients": ("Patient/p2", "Patient/none")}, ["patient-2"]),
        ({"organization": "Organization/a"}, ["own"]),
        ({"custodian": "Organization/a"}, ["patient-2", "other", "own"]),
        ({"custodian": "Organization/a", "elsewhere": True}, ["patient-2", "other"]),
        ({"organization": "Organization/b", "elsewhere": True}, ["emergency", "patient-2", "other"]),
        ({"custodian": "Organization/a", "patients": ("Patient/p2",)}, ["patient-2"]),
        ({"subject": "system-b"}, ["written"]),
        ({"emergency": True}, ["emergency"]),
        ({"denied": True}, ["denied"]),
        ({"outcome": "4"}, ["denied"]),
        ({"action": "C"}, ["written"]),
        ({}, ["written", "emergency", "denied", "patient-2", "other", "own"]),
    ],
)
async def test_f092_a_filter_finds_what_it_says(told, asked, answer):
    assert await ids(told, Filter(**asked)) == answer
    assert await ids(told, Filter(**asked), newest=False) == answer[::-1]


async def test_a_span_of_time_holds_its_ends(told, ticking):
    start = ticking.ms - 6 * 60_000
    assert await ids(told, Filter(since=start + 60_000, until=start + 120_000)) == ["patient-2", "other"]
    assert await ids(told, Filter(since=start + 60_001, until=start + 119_999)) == []


async def test_pages_follow_each_other_and_what_comes_meanwhile_shifts_nothing(told, happened, ticking):
    for newest in (True, False):
        after, pages = None, []
        while True:
            page = await told.events(Filter(patients=("Patient/p1",)), after, 2, newest=newest)
            pages += [each.event.request for each in page.events]
            after = page.after
            if newest:
                await told.record(happened(request="meanwhile", at=ticking.ms))
            if after is None:
                break
        assert [each for each in pages if each != "meanwhile"][:5] == (
            ["written", "emergency", "denied", "other", "own"] if newest else ["own", "other", "denied", "emergency", "written"]
        )


async def test_events_of_several_processes_come_in_the_order_of_time(open_log, happened, ticking):
    logs = [open_log() for _ in range(3)]
    wanted = []
    for n in range(30):
        await logs[n % 3].record(happened(request=f"r{n}", at=ticking.ms + (n * 7919) % 4000))
        wanted.append(((n * 7919) % 4000, f"r{n}"))
    assert await ids(logs[0]) == [request for _, request in sorted(wanted, reverse=True)]
    assert await ids(logs[0], newest=False) == [request for _, request in sorted(wanted)]


async def test_what_began_long_ago_is_found_at_its_time(log, happened, ticking, store):
    old = happened(request="old", at=ticking.ms - 3_600_000)
    await asyncio.gather(log.record(old), log.record(happened(request="new")))
    assert await ids(log, Filter(until=ticking.ms - 3_599_999)) == ["old"]
    async for batch in store.found((), None, None):
        events = events_of(batch)
        assert max(each.at for each in events) - min(each.at for each in events) <= SPREAD


@pytest.mark.parametrize(
    "filter",
    [
        Filter(),
        Filter(patients=("Patient/p1", "Patient/p2")),
        Filter(custodian="Organization/a", since=5, elsewhere=True),
        Filter(denied=True),
    ],
)
async def test_every_question_is_answered_by_the_index(store, filter):
    plan = str(await store.explain(filter.keys(), filter.since, filter.until))
    assert "by_key" in plan
    assert "COLLSCAN" not in plan
    assert "'SORT'" not in plan


@pytest.mark.parametrize("id", ["", "audit", "audit-x-1-0", "audit-../a-1-0", "audit-0-1", "audit-0-1-x", "audit-0-1-²", "o1"])
async def test_an_id_that_is_none_of_ours_is_not_found(log, id):
    assert await log.find(id) is None


class Away(AuditStore):
    """A MongoDB that cannot be reached."""

    def __init__(self) -> None:
        from pymongo import AsyncMongoClient

        super().__init__(AsyncMongoClient("mongodb://127.0.0.1:9", serverSelectionTimeoutMS=300)["away"], patience=0.3)


async def test_s50_a_database_that_is_away_refuses_all_who_wait_and_says_nothing_of_them(pens, ticking, happened, caplog):
    from fhir_server.audit.log import Log

    log = Log(Away(), pens, ticking)
    done = await asyncio.gather(*(log.record(happened()) for _ in range(5)), return_exceptions=True)
    assert [each.status for each in done if isinstance(each, FhirError)] == [503] * 5
    assert caplog.records
    assert "Patient/p1" not in caplog.text
    assert "dr-b" not in caplog.text


KILLED = """
import asyncio, sys, time
from datetime import UTC, datetime
from fhir_server.audit.event import Event, Seen
from fhir_server.audit.keys import open_pens
from fhir_server.audit.log import Log
from fhir_server.auth.sealing import Sealer
from fhir_server.store.audit_log import AuditStore
from fhir_server.store.mongo import Mongo
from fhir_server.store.records import Shelf

async def main(uri, name):
    mongo = await Mongo.connect(uri, name)
    clock = lambda: datetime.now(UTC)
    log = Log(AuditStore(mongo.database), await open_pens(Shelf(mongo.database), Sealer(b"the server's secret"), clock), clock)
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


async def test_l10_a_process_that_is_killed_leaves_what_it_answered_and_a_log_that_verifies(mongodb_uri, database_name, open_log):
    command = [sys.executable, "-c", KILLED, mongodb_uri, database_name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as killed:  # noqa: ASYNC220 - nothing else goes on
        answered: dict[str, int] = {}
        assert killed.stdout is not None
        for line in killed.stdout:
            recorder, _, done = line.strip().partition(":")
            answered[recorder] = int(done)
            if sum(answered.values()) > 300 and killed.poll() is None:
                killed.send_signal(signal.SIGKILL)
    log = open_log()
    found: dict[str, int] = {}
    for request in await ids(log):
        found[request.partition(":")[0]] = found.get(request.partition(":")[0], 0) + 1
    assert all(found[recorder] >= done for recorder, done in answered.items())
    assert (await log.verify()).ok
    async with log.kept():  # the next process anchors what was left
        pass
    report = await log.verify()
    assert report.ok
    assert report.unanchored == 0
