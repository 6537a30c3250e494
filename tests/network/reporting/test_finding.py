"""AuditEvents of the log over HTTP: found and read by who may, written by nobody, never missing in silence."""

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from fhir_server.auth.roles import Role
from tests.access.secured import FACILITY, requester, store
from tests.access.sharing import NETWORK, SECRETARY, consent, facility, network, physician, write

AUDITOR = requester(Role.AUDITOR, organization=NETWORK, facility=None, facility_roles=frozenset(), fhir_user="Practitioner/u1")
TESTER = requester(Role.TESTER)
OTHERS = {
    "resourceType": "AuditEvent", "id": "of-others", "type": {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "110100"},
    "recorded": "2020-01-01T00:00:00+09:00", "agent": [{"requestor": True, "who": {"reference": "Practitioner/d-b"}}],
    "source": {"observer": {"display": "PACS"}},
    "entity": [{"what": {"reference": "Patient/pa1"}}],
}  # fmt: skip


@pytest.fixture
async def looked(secured, ask):
    """B reads and searches what A shares with it, and is refused what it is not; a PACS has sent an event of its own."""
    await network(secured)
    await write(secured, consent("AB"))
    await store(secured, OTHERS, custodian=FACILITY)
    b = physician("B")
    assert (await ask(b, "GET", "/Observation/lab-a1")).status_code == 200
    assert (await ask(b, "GET", "/Observation?patient=Patient/golden-1")).status_code == 200
    assert (await ask(b, "GET", "/Observation/lab-c1")).status_code == 404
    assert (await ask(b, "GET", "/AuditEvent")).status_code == 403
    return secured


async def found(ask, query, who=AUDITOR):
    answer = await ask(who, "GET", f"/AuditEvent{query}")
    assert answer.status_code == 200, answer.text
    return [each["resource"] for each in answer.json().get("entry", ()) if each["search"]["mode"] == "match"]


async def test_l09_an_auditor_finds_who_did_what_of_whom(looked, ask):
    (read,) = await found(ask, "?entity=Observation/lab-a1&action=R&agent=Practitioner/d-b")
    assert read["outcome"] == "0"
    entities = {each["what"]["reference"] for each in read["entity"] if "reference" in each.get("what", {})}
    assert entities >= {"Patient/pa1", "Observation/lab-a1", "Consent/consent-1"}
    again = await ask(AUDITOR, "GET", f"/AuditEvent/{read['id']}")
    assert again.json() == (await ask(AUDITOR, "GET", f"/AuditEvent/{read['id']}/_history/1")).json() == read
    assert again.headers["etag"] == 'W/"1"'
    history = (await ask(AUDITOR, "GET", f"/AuditEvent/{read['id']}/_history")).json()
    assert [each["resource"] for each in history["entry"]] == [read]
    for absent in (f"{read['id']}/_history/2", "audit-0123456789abcdef0-1-1", f"{read['id']}999"):
        assert (await ask(AUDITOR, "GET", f"/AuditEvent/{absent}")).status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "patient=Patient/pa1&agent=Practitioner/d-b", "patient=Patient/golden-1&agent=Practitioner/d-b", "agent=Organization/facility-b&date={today}",
        "patient.name=讃岐&agent=Practitioner/d-b", "_id={ids}", "_lastUpdated=ge{today}&agent=Organization/facility-b", "outcome=0&agent=Practitioner/d-b",
        "_filter=patient eq Patient/pa1 and agent eq Practitioner/d-b",
    ],
)  # fmt: skip
async def test_l09_the_log_answers_every_kind_of_question(looked, ask, query):
    expected = {each["id"] for each in await found(ask, "?entity=Observation/lab-a1&agent=Practitioner/d-b")}
    today = datetime.now(ZoneInfo("Asia/Tokyo")).date().isoformat()
    who = TESTER if "name" in query else AUDITOR
    assert expected <= {each["id"] for each in await found(ask, "?" + query.format(today=today, ids=",".join(expected)), who)}
    assert expected


async def test_l09_events_that_others_sent_are_found_with_those_of_the_log(looked, ask):
    ids = [each["id"] for each in await found(ask, "?patient=Patient/pa1")]
    assert ids[-1] == "of-others"
    assert len(ids) > 2
    assert (await ask(AUDITOR, "GET", "/AuditEvent/of-others")).status_code == 200
    assert [each["id"] for each in await found(ask, "?date=lt2021")] == ["of-others"]


async def test_l09_an_auditor_pages_through_everything_once(looked, ask):
    total = (await ask(AUDITOR, "GET", "/AuditEvent?agent=Practitioner/d-b&_summary=count")).json()["total"]
    assert total == 5
    address, seen = "/AuditEvent?agent=Practitioner/d-b&_count=2", []
    while address:
        page = (await ask(AUDITOR, "GET", address)).json()
        seen += [each["resource"]["id"] for each in page["entry"]]
        address = next((each["url"] for each in page["link"] if each["relation"] == "next"), None)
    assert len(seen) == len(set(seen)) == total
    one = (await ask(AUDITOR, "GET", "/AuditEvent?agent=Practitioner/d-b&_count=1&_total=accurate")).json()
    assert (one["total"], len(one["entry"])) == (total, 1)


async def test_l09_the_history_of_the_type_tells_the_log_and_what_others_sent_page_by_page(looked, ask):
    every = [each["id"] for each in await found(ask, "?_count=500")]
    address, seen = "/AuditEvent/_history?_count=3", []
    while address:
        page = (await ask(AUDITOR, "GET", address)).json()
        seen += [each["resource"]["id"] for each in page["entry"]]
        address = next((each["url"] for each in page["link"] if each["relation"] == "next"), None)
    assert len(seen) == len(set(seen))
    assert set(every) <= set(seen)
    assert "of-others" in seen
    last = next(each for each in seen if each != "of-others")
    since = (await ask(AUDITOR, "GET", f"/AuditEvent/{last}")).json()["recorded"]
    newer = (await ask(AUDITOR, "GET", "/AuditEvent/_history", params={"_since": since})).json()["entry"]
    assert last in [each["resource"]["id"] for each in newer]
    assert all(each["resource"]["meta"]["lastUpdated"] >= since for each in newer)
    assert "entry" not in (await ask(AUDITOR, "GET", "/AuditEvent/_history?_since=2199-01-01T00:00:00Z")).json()


async def test_l09_a_compartment_and_what_refers_back_lead_to_the_log(looked, ask):
    of_patient = {each["id"] for each in await found(ask, "?patient=Patient/pa1&date=ge2021")}
    answer = (await ask(TESTER, "GET", "/Patient/pa1/AuditEvent?date=ge2021")).json()
    assert of_patient <= {each["resource"]["id"] for each in answer["entry"]}
    for wanted in ("_revinclude=AuditEvent:patient", "_revinclude=AuditEvent:patient&_revinclude=Observation:subject"):
        brought = (await ask(TESTER, "GET", f"/Patient?_id=pa1&{wanted}")).json()
        assert of_patient <= {each["resource"]["id"] for each in brought["entry"]}


@pytest.mark.parametrize(
    "address",
    [
        "/Patient?_has:AuditEvent:patient:date=ge2021", "/Observation?subject:Patient._has:AuditEvent:patient:action=R", "/?_type=AuditEvent,Patient",
        "/AuditEvent/$meta", "/AuditEvent?_content=x", "/Patient/pa1/$everything?_type=AuditEvent", "/AuditEvent?_sort=action",
    ],
)  # fmt: skip
async def test_what_cannot_lead_through_the_log_is_refused_and_never_silently_empty(looked, ask, address):
    refused = await ask(TESTER, "GET", address)
    assert refused.status_code in (400, 404), refused.text
    assert refused.json()["issue"][0]["code"] in ("not-supported", "too-costly")


async def test_s51_nobody_writes_or_deletes_what_is_in_the_log(looked, ask):
    (event,) = await found(ask, "?entity=Observation/lab-a1&action=R&agent=Practitioner/d-b")
    address = f"/AuditEvent/{event['id']}"
    patch = [{"op": "replace", "path": "/outcome", "value": "4"}]
    for who in (TESTER, AUDITOR, SECRETARY, physician("B")):
        for method, url, sent in (
            ("PUT", address, event), ("DELETE", address, None), ("PATCH", address, patch), ("DELETE", f"/AuditEvent?_id={event['id']}", None),
            ("PUT", "/AuditEvent/audit-0123456789abcdef0-1-1", {**event, "id": "audit-0123456789abcdef0-1-1"}),
            ("PUT", f"/AuditEvent?_id={event['id']}", event),
        ):  # fmt: skip
            headers = {"Content-Type": "application/json-patch+json"} if method == "PATCH" else {}
            answer = await ask(who, method, url, headers=headers, **({"json": sent} if sent else {}))
            assert answer.status_code == 403, (who.role, method, url, answer.text)
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "DELETE", "url": address[1:]}}]}
    assert (await ask(TESTER, "POST", "/", json=bundle)).json()["entry"][0]["response"]["status"].startswith("403")
    assert (await ask(AUDITOR, "GET", address)).json() == event


@pytest.mark.parametrize(
    "who", [physician("B"), SECRETARY, requester(Role.PATIENT, fhir_user="Patient/pa1")], ids=["actor", "bureau", "patient"]
)
async def test_s51_the_actor_himself_reads_none(looked, ask, who):
    (event,) = await found(ask, "?entity=Observation/lab-a1&action=R&agent=Practitioner/d-b")
    for address in ("", "?agent=Practitioner/d-b", f"/{event['id']}", f"/{event['id']}/_history/1", f"/{event['id']}/_history", "/none"):
        assert (await ask(who, "GET", f"/AuditEvent{address}")).status_code == 403
    for address in ("/Patient?_has:AuditEvent:patient:date=ge2021", "/Patient/pa1/AuditEvent", "/Patient?_revinclude=AuditEvent:patient"):
        assert (await ask(who, "GET", address)).status_code == 403


async def test_s50_every_denial_is_an_event_with_its_outcome(looked, ask):
    hidden = await found(ask, "?entity=Observation/lab-c1&agent=Practitioner/d-b")
    assert [(each["outcome"], each["outcomeDesc"][:8]) for each in hidden] == [("4", "HTTP 404")]
    refused = await found(ask, "?outcome=4&agent=Practitioner/d-b")
    assert {each["outcomeDesc"][:8] for each in refused} == {"HTTP 404", "HTTP 403"}
    assert {each.get("outcome") for each in await found(ask, "?outcome:not=4&agent=Practitioner/d-b")} == {"0", None}


async def test_s50_a_failure_of_the_server_is_an_event_too(looked, ask, monkeypatch):
    service = looked.registry.service
    handlers = dict(service._handlers)

    async def failing(*_):
        raise RuntimeError

    service._handlers = {**handlers, "read": failing}
    assert (await ask(physician("B"), "GET", "/Observation/lab-a1")).status_code == 500
    service._handlers = handlers
    assert [each["outcomeDesc"][:8] for each in await found(ask, "?outcome=8")] == ["HTTP 500"]


async def test_l09_reading_the_log_is_itself_recorded(looked, ask):
    await found(ask, "?patient=Patient/pa1")
    (looking,) = await found(ask, "?agent=Practitioner/u1&_count=1&outcome=0")
    assert looking["subtype"][0]["code"] == "search-type"
    assert any("query" in each for each in looking["entity"])


async def test_an_event_is_found_at_once_by_many_who_ask_at_the_same_time(looked, ask):
    b, before = physician("B"), (await ask(AUDITOR, "GET", "/AuditEvent?agent=Practitioner/d-b&_summary=count")).json()["total"]
    await asyncio.gather(
        *(ask(b, "GET", f"/Observation?_lastUpdated=ge{datetime.now(UTC) - timedelta(days=n):%Y-%m-%d}") for n in range(8))
    )
    assert (await ask(AUDITOR, "GET", "/AuditEvent?agent=Practitioner/d-b&_summary=count")).json()["total"] == before + 8
    assert facility("B") in str(await found(ask, "?agent=Practitioner/d-b&_count=1"))
