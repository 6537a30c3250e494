"""FHIR search over the log: the index narrows, the exact judgement decides, and both come to the same."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from fhir_server.app.definitions import parameters
from fhir_server.audit import search
from fhir_server.audit.event import Seen
from fhir_server.audit.fhir import audit_event
from fhir_server.audit.found_by import Filter
from fhir_server.audit.search import AuditSearch, narrow
from fhir_server.outcome import FhirError
from fhir_server.search.entries import entries, updated_entry, updated_span
from fhir_server.search.expression import And, Has, Not
from fhir_server.search.holding import Subject, holds
from fhir_server.search.limits import Limits
from fhir_server.search.query import parse
from fhir_server.store.permit import Permit
from fhir_server.store.repository import Prepared, Put, Repository
from profiles import json

ZONE = ZoneInfo("Asia/Tokyo")


def asked(text):
    pairs = [tuple(each.split("=", 1)) for each in text.split("&")] if text else []
    return parse("AuditEvent", pairs, parameters(), strict=True, zone=ZONE, limits=Limits(), now=datetime(2026, 4, 1, tzinfo=UTC))


@pytest.fixture
async def told(log, happened, ticking):
    """Twenty events of several patients, facilities and outcomes, a minute apart."""
    for n in range(20):
        await log.record(
            happened(
                patient=f"Patient/p{n % 3}",
                custodian=f"Organization/{'ac'[n % 2]}",
                id=f"o{n}",
                request=f"r{n}",
                subject=f"dr-{n % 4}",
                person=f"Practitioner/d{n % 4}",
                status=404 if n % 5 == 0 else 200,
                action="R" if n % 2 else "E",
                purpose="ETREAT" if n == 7 else "TREAT",
            )
        )
        ticking.shift(minutes=1)
    return log


@pytest.fixture
def audit_search(log):
    return AuditSearch(log, parameters(), ZONE)


QUESTIONS = [
    "",
    "patient=Patient/p1",
    "patient=p1",
    "patient=Patient/p1,Patient/p2",
    "entity=Patient/p0",
    "entity=Observation/o5",
    "entity=Consent/c1&outcome=4",
    "agent=Practitioner/d2",
    "agent=Organization/a",
    "agent=Organization/b&patient=Patient/p2",
    "altid=dr-3",
    "outcome=4",
    "outcome:not=4",
    "action=R",
    "date=2026-04-01",
    "date=gt2026-04-01T09:05:00%2B09:00".replace("%2B", "+"),
    "date=ge2026-04-01T09:05:00+09:00&date=lt2026-04-01T09:10:00+09:00",
    "date=ne2026-04-01",
    "_lastUpdated=le2026-04-01T09:03:00+09:00",
    "agent-role=physician",
    "subtype=http://hl7.org/fhir/restful-interaction|read",
    "patient:missing=true",
    "agent=Practitioner/nobody",
    "type=rest&altid=dr-1,dr-2",
]


@pytest.mark.parametrize("question", QUESTIONS)
async def test_what_is_found_is_what_the_judgement_in_memory_finds(told, audit_search, question):
    query = replace(asked(question), count=50)
    page = await audit_search.find(query, query.expression)
    wanted = []
    async for each in told.stream(Filter()):
        found = entries(audit_event(each), parameters(), ZONE)
        at = each.event.at
        whole = replace(found, entries=(*found.entries, updated_entry(at)), spans=(*found.spans, updated_span(at)))
        if holds(query.expression, Subject("AuditEvent", each.id, whole)):
            wanted.append(each.id)
    assert [version.id for version in page.versions] == wanted
    assert page.total == len(wanted)
    assert (await audit_search.find(replace(query, count=0), query.expression)).total == len(wanted)


@pytest.mark.parametrize(
    "question", ["patient=Patient/p1", "entity=Observation/o5", "agent=Practitioner/d2", "altid=dr-3", "outcome=4", "date=2026-04-01"]
)
def test_the_index_narrows_what_auditors_ask_most(question):
    narrowed = narrow(asked(question).expression)
    assert narrowed.keys or narrowed.since


async def test_s01_the_permit_is_part_of_the_question(told, audit_search):
    query = asked("patient=Patient/p1")
    permit = And((Has("agent", "Organization/a"), Not(Has("altid", "dr-0"))))
    page = await audit_search.find(query, And((permit, query.expression)))
    assert page.versions
    for version in page.versions:
        agents = json.decode(version.body)["agent"]
        assert any(agent["who"].get("reference") == "Organization/a" for agent in agents)
        assert all(agent.get("altId") != "dr-0" for agent in agents)
    one = page.versions[0].id
    assert (await audit_search.read(one)).body == page.versions[0].body
    assert await audit_search.read(one, Has("agent", "Organization/elsewhere")) is None
    assert await audit_search.read("audit-00000000000000000-1-0") is None


async def test_an_event_is_found_by_its_id(told, audit_search):
    one = (await told.events(Filter(), limit=1)).events[0].id
    for question, count in ((f"_id={one}", 1), (f"_id={one}&outcome=8", 0), ("_id=o1", 0)):
        query = asked(question)
        assert len((await audit_search.find(query, query.expression)).versions) == count


@pytest.fixture
async def others(mongo, ticking):
    """Seven AuditEvents that somebody else has sent, among the others in time."""
    repository = Repository(mongo, Permit.everything())
    writes = []
    for n in range(7):
        recorded = datetime.fromtimestamp(ticking.ms / 1000 + n * 170 - 1200, UTC).isoformat()
        resource = {"resourceType": "AuditEvent", "id": f"theirs{n}", "recorded": recorded, "type": {"code": "rest"}, "outcome": "4"}
        writes.append(Put(Prepared("AuditEvent", f"theirs{n}", resource, entries(resource, parameters(), ZONE))))
    await repository.commit(writes)
    return repository


@pytest.mark.parametrize("count", [1, 2, 3, 7, 26, 27, 28])
@pytest.mark.parametrize("question", ["_sort=-date", "_sort=date", "outcome=4", "_sort=-date&outcome=4"])
async def test_what_others_sent_comes_in_the_same_order_and_no_page_skips_any(told, others, audit_search, count, question):
    query = replace(asked(question), count=count)
    expected = await _moments(audit_search, others, replace(asked(question), count=50))
    found, after = [], None
    while True:
        page = await audit_search.find(replace(query, after=after), query.expression, others.find)
        found += [(json.decode(version.body)["recorded"], version.id) for version in page.versions]
        after = page.after
        if after is None:
            break
        assert len(page.versions) == count
    assert len(found) == len({id for _, id in found})
    assert {id for _, id in found} == {id for _, id in expected}
    moments = [datetime.fromisoformat(recorded) for recorded, _ in found]
    assert moments == sorted(moments, reverse="_sort=date" not in question)


async def _moments(audit_search, others, query):
    ours = await audit_search.find(query, query.expression)
    theirs = await others.find(query)
    return [(json.decode(version.body)["recorded"], version.id) for page in (ours, theirs) for version in page.versions]


async def test_the_work_of_one_page_is_bounded(told, audit_search, monkeypatch):
    monkeypatch.setattr(search, "MOST", 10)
    query = asked("outcome=8,0")
    with pytest.raises(FhirError) as refused:
        await audit_search.find(replace(query, count=50), query.expression)
    assert refused.value.issues[0].code == "too-costly"
    query = asked("_sort=outcome")
    with pytest.raises(FhirError):
        await audit_search.find(query, query.expression)


async def test_a_place_of_another_search_is_refused(told, audit_search):
    query = replace(asked(""), after=("x",))
    with pytest.raises(FhirError):
        await audit_search.find(query, query.expression)


async def test_s58_what_somebody_sends_does_not_decide_whether_others_are_recorded(log, happened):
    await log.record(happened(query="name=\ud800" + "x" * 100_000, id="y" * 70_000, seen=(Seen("Patient/p1", "", "Observation", 1),)))
    ((_, event),) = (await log.events(Filter(patients=("Patient/p1",)))).events
    assert len(event.query) <= 8_000
    assert (await log.verify()).ok
