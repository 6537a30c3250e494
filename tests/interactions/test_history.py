"""What happened: history of a resource, of a type, of everything."""

import asyncio
import random
from datetime import UTC, datetime

import pytest

from fhir_server.outcome import FhirError
from fhir_server.search.expression import Has
from fhir_server.store.permit import Permit
from fhir_server.store.repository import Repository, Span
from tests.rest.served import BASE, issue_of, observation, patient


def told(bundle):
    return [
        (entry["request"]["method"], entry["fullUrl"].removeprefix(f"{BASE}/"), entry["response"]["etag"])
        for entry in bundle.get("entry", ())
    ]


async def pages(client, address):
    """Everything that is told, page by page."""
    seen = []
    while address:
        bundle = (await client.get(address)).json()
        assert bundle["type"] == "history"
        seen += told(bundle)
        address = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
    return seen


@pytest.fixture
async def eventful(client, clock):
    """Two patients and an observation, changed once a second; one patient is deleted in the end."""
    changes = [
        client.put("/Patient/a", json=patient(id="a")),
        client.put("/Patient/b", json=patient(id="b")),
        client.put("/Observation/o", json=observation("Patient/a", id="o")),
        client.put("/Patient/a", json=patient(id="a", active=True)),
        client.delete("/Patient/b"),
        client.put("/Patient/a", json=patient(id="a", active=False)),
    ]
    for change in changes:
        assert (await change).status_code in (200, 201, 204)
        clock.shift(1)
    return client


PATIENTS = [("PUT", "Patient/a", 'W/"3"'), ("DELETE", "Patient/b", 'W/"2"'), ("PUT", "Patient/a", 'W/"2"')]
PATIENTS += [("PUT", "Patient/b", 'W/"1"'), ("PUT", "Patient/a", 'W/"1"')]
ALL = [*PATIENTS[:3], ("PUT", "Observation/o", 'W/"1"'), *PATIENTS[3:]]


async def test_the_history_of_a_type_tells_everything_newest_first(eventful):
    bundle = (await eventful.get("/Patient/_history")).json()
    assert told(bundle) == PATIENTS
    assert bundle["total"] == 5
    deletion = bundle["entry"][1]
    assert "resource" not in deletion
    assert deletion["request"] == {"method": "DELETE", "url": "Patient/b"}
    assert deletion["response"]["status"] == "204"


async def test_the_history_of_the_system_tells_of_all_types(eventful):
    assert told((await eventful.get("/_history")).json()) == ALL


@pytest.mark.parametrize("count", [1, 2, 3])
async def test_histories_come_in_pages(eventful, count):
    assert await pages(eventful, f"/Patient/_history?_count={count}") == PATIENTS
    assert await pages(eventful, f"/_history?_count={count}") == ALL


async def test_a_history_that_has_more_pages_tells_no_total_that_was_not_counted(eventful):
    assert "total" not in (await eventful.get("/Patient/_history?_count=2")).json()


async def test_since_leaves_out_what_was_made_before(eventful):
    for address in ("/Patient/_history", "/_history"):
        found = told((await eventful.get(f"{address}?_since=2026-04-01T09:00:03%2B09:00")).json())
        assert found == PATIENTS[:3]
    assert await pages(eventful, "/_history?_since=2026-04-01T09:00:03%2B09:00&_count=1") == ALL[:3]


@pytest.mark.parametrize("count", [1, 9])
async def test_at_tells_what_was_current_then(eventful, count):
    then = "_at=2026-04-01T09:00:02%2B09:00"
    assert await pages(eventful, f"/_history?{then}&_count={count}") == ALL[3:]
    assert await pages(eventful, f"/Patient/_history?{then}&_count={count}") == PATIENTS[3:]
    assert await pages(eventful, f"/Patient/a/_history?{then}&_count={count}") == [("PUT", "Patient/a", 'W/"1"')]
    later = "_at=2026-04-01T09:00:04%2B09:00"
    assert await pages(eventful, f"/Patient/_history?{later}&_count={count}") == PATIENTS[1:3]
    assert await pages(eventful, f"/Patient/a/_history?{later}&_count={count}") == PATIENTS[2:3]


async def test_at_a_whole_day_tells_all_that_was_current_on_it(eventful):
    assert await pages(eventful, "/_history?_at=2026-04-01") == ALL
    assert await pages(eventful, "/_history?_at=2026-03-31") == []


async def test_a_list_limits_the_history_to_what_it_names(eventful):
    items = [{"item": {"reference": reference}} for reference in ("Patient/b", "Observation/o", "http://elsewhere.example/Patient/a")]
    await eventful.put("/List/l", json={"resourceType": "List", "id": "l", "status": "current", "mode": "working", "entry": items})
    expected = [each for each in ALL if each[1] in ("Patient/b", "Observation/o")]
    assert await pages(eventful, "/_history?_list=l") == expected
    assert await pages(eventful, "/_history?_list=l&_count=1") == expected
    assert await pages(eventful, "/Patient/_history?_list=l") == expected[:1] + expected[2:]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("_since=yesterday", 400),
        ("_at=x", 400),
        ("_count=-1", 400),
        ("_sort=_lastUpdated", 400),
        ("name=x", 400),
        ("_since=2026&_since=2025", 400),
        ("_after=x", 400),
        ("_list=$current-problems", 400),
        ("_list=never", 404),
        ("_at=9999", 200),
    ],
)
async def test_a_history_refuses_what_it_does_not_understand(eventful, query, status):
    for level in ("/_history", "/Patient/_history"):
        response = await eventful.get(f"{level}?{query}")
        assert response.status_code == status
        if status != 200:
            assert issue_of(response)["expression"]


async def test_a_page_of_another_history_is_refused(eventful):
    bundle = (await eventful.get("/Patient/_history?_count=1")).json()
    token = next(link["url"] for link in bundle["link"] if link["relation"] == "next").partition("_after=")[2]
    assert (await eventful.get(f"/Observation/_history?_count=1&_after={token}")).status_code == 400


async def test_a_history_in_a_batch_is_answered(eventful):
    entries = [{"request": {"method": "GET", "url": url}} for url in ("Patient/_history?_count=2", "_history", "Patient/a/_history")]
    answer = (await eventful.post("", json={"resourceType": "Bundle", "type": "batch", "entry": entries})).json()
    assert [len(entry["resource"]["entry"]) for entry in answer["entry"]] == [2, 6, 3]


async def test_what_was_there_all_the_time_is_told_once_while_others_write(client):
    """Versions change their place from the current ones to the superseded ones between and during the pages."""
    numbers = random.Random(7)
    for n in range(30):
        await client.put(f"/Patient/p{n}", json=patient(id=f"p{n}", multipleBirthInteger=0))
    before = set(await pages(client, "/Patient/_history"))
    reading = asyncio.create_task(pages(client, "/Patient/_history?_count=2"))
    written = 0
    while not reading.done():
        written += 1
        id = f"p{numbers.randrange(30)}"
        await client.put(f"/Patient/{id}", json=patient(id=id, multipleBirthInteger=written))
    seen = reading.result()
    assert len(seen) == len(set(seen))
    assert before <= set(seen)
    assert written > 5


# -- what a permit shows ------------------------------------------------------------------------------------------------


MOMENT = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
async def limited(application, client):
    """A requester who may read the active patients, over a history of active and other ones."""
    for id, versions in {"a": (False, True, True), "b": (True, False), "c": (True,)}.items():
        for number, active in enumerate(versions):
            await client.put(f"/Patient/{id}", json=patient(id=id, active=active, multipleBirthInteger=number))
    await client.put("/Patient/d", json=patient(id="d", active=True))
    await client.delete("/Patient/d")
    await client.put("/Observation/o", json=observation("Patient/a", id="o"))
    everything = application._endpoint.service._open_repository
    return everything(Permit({(each, "Patient"): Has("active", "true") for each in ("read", "search-type")}))


async def test_a_limited_permit_sees_the_past_of_what_it_sees_now_and_no_deletion(limited):
    for types in (("Patient",), ("Observation", "Patient")):
        page = await limited.past(types, Span(9))
        assert [(version.id, version.version) for version in page.versions] == [("c", 1), ("a", 3), ("a", 2), ("a", 1)]
        assert page.total == 4


async def test_pages_are_full_although_much_is_hidden(limited):
    page = await limited.past(("Patient",), Span(2))
    assert [version.reference for version in page.versions] == ["Patient/c", "Patient/a"]
    page = await limited.past(("Patient",), Span(2, after=page.after))
    assert [version.version for version in page.versions] == [2, 1]
    assert page.after is None


async def test_without_a_permit_nothing_is_told_of_what_happened(limited):
    nobody = Repository(limited.mongo, Permit())
    with pytest.raises(FhirError) as refused:
        await nobody.past(("Patient",), Span(9))
    assert refused.value.status == 403


# -- how it is found ----------------------------------------------------------------------------------------------------


async def test_a_history_is_read_in_the_order_of_an_index(application, client):
    for n in range(40):
        await client.put(f"/Patient/p{n % 20}", json=patient(id=f"p{n % 20}", multipleBirthInteger=n))
    mongo = application._endpoint.service._open_repository(Permit.everything()).mongo
    types = [f"Type{n}" for n in range(145)] + ["Patient"]
    for name, fields in {"resource": ("u", "_id"), "history": ("u", "r", "v")}.items():
        for asked in (types, ["Patient"]):
            command = {"find": name, "filter": {"t": {"$in": asked}}, "sort": dict.fromkeys(fields, -1), "limit": 5, "hint": "by_time"}
            plan = await mongo.database.command({"explain": command, "verbosity": "executionStats"})
            assert "'SORT'" not in str(plan["queryPlanner"]["winningPlan"])
            assert plan["executionStats"]["totalDocsExamined"] <= 6
