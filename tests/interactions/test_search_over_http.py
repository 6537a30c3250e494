"""The search interaction: Bundles, links, pages, includes. What each parameter type matches is tested beside it."""

import base64
import re

import pytest
from httpx import ASGITransport, AsyncClient

from fhir_server.app import create_app
from fhir_server.settings import Settings
from tests.rest.served import BASE, issue_of, observation, patient


async def store(client, *resources):
    for resource in resources:
        assert (await client.put(f"/{resource['resourceType']}/{resource['id']}", json=resource)).status_code == 201


def ids(response, mode="match"):
    assert response.status_code == 200, response.text
    return [entry["resource"]["id"] for entry in response.json().get("entry", []) if entry["search"]["mode"] == mode]


def link(response, relation):
    return next((link["url"] for link in response.json()["link"] if link["relation"] == relation), None)


async def test_a_search_answers_matches_with_their_address(client):
    await store(client, patient(id="p1"), patient(id="p2", gender="male"))
    response = await client.get("/Patient?gender=female")
    bundle = response.json()
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "searchset")
    (entry,) = bundle["entry"]
    assert entry["fullUrl"] == f"{BASE}/Patient/p1"
    assert entry["search"] == {"mode": "match"}
    assert entry["resource"] == (await client.get("/Patient/p1")).json()


async def test_the_self_link_says_what_was_understood(client):
    response = await client.get("/Patient", params={"name": "讃岐", "_count": "5", "_format": "json"})
    assert link(response, "self") == f"{BASE}/Patient?name=%E8%AE%83%E5%B2%90&_count=5"


async def test_nothing_found_is_a_bundle_without_entries(client):
    response = await client.get("/Patient?gender=male")
    assert response.status_code == 200
    assert "entry" not in response.json()


async def test_a_search_can_be_posted_as_a_form(client):
    await store(client, patient(id="p1"), patient(id="p2", gender="male"))
    response = await client.post("/Patient/_search?gender=female", data={"name": "讃岐"})
    assert ids(response) == ["p1"]
    assert ids(await client.post("/Patient/_search", data={"gender": "male"})) == ["p2"]
    assert len(ids(await client.post("/Patient/_search"))) == 2


async def test_pages_show_everything_once_and_in_order(client):
    await store(client, *(observation("Patient/p1", id=f"o{n}", effectiveDateTime=f"2026-03-{n + 1:02}") for n in range(7)))
    address, seen = "/Observation?subject=Patient/p1&_sort=-date&_count=3", []
    pages = 0
    while address:
        response = await client.get(address)
        seen += ids(response)
        pages += 1
        address = link(response, "next")
    assert seen == [f"o{n}" for n in reversed(range(7))]
    assert pages == 3


async def test_s54_a_page_token_of_another_search_is_refused(client):
    await store(client, patient(id="p1"), patient(id="p2"))
    following = link(await client.get("/Patient?gender=female&_count=1"), "next")
    token = re.search("_after=([^&]+)", following)[1]
    for address in (f"/Patient?gender=male&_count=1&_after={token}", f"/Patient?gender=female&_count=1&_after=A{token}"):
        assert (await client.get(address)).status_code == 400


async def test_later_pages_say_where_the_first_one_is(client):
    await store(client, *(patient(id=f"p{n}") for n in range(3)))
    first = await client.get("/Patient?gender=female&_count=1")
    assert link(first, "first") is None
    second = await client.get(link(first, "next"))
    assert link(second, "first") == link(first, "self") == f"{BASE}/Patient?gender=female&_count=1"
    assert link(second, "self") == link(first, "next")


async def test_a_page_may_be_of_another_size_than_the_one_before(client):
    await store(client, *(patient(id=f"p{n}") for n in range(5)))
    following = link(await client.get("/Patient?_sort=_id&_count=1"), "next")
    assert ids(await client.get(following.replace("_count=1", "_count=3"))) == ["p1", "p2", "p3"]


async def test_s54_a_page_token_expires(client, clock, application):
    await store(client, patient(id="p1"), patient(id="p2"))
    following = link(await client.get("/Patient?_count=1"), "next")
    clock.shift(24 * 3600 - 1)
    assert len(ids(await client.get(following))) == 1
    clock.shift(2)
    response = await client.get(following)
    assert (response.status_code, issue_of(response)["expression"]) == (410, ["Patient?_after"])
    assert "expired" in issue_of(response)["diagnostics"]


async def test_s54_every_process_reads_the_tokens_of_the_others_and_nobody_else_does(client, mongodb_uri, database_name):
    await store(client, patient(id="p1"), patient(id="p2"))
    following = link(await client.get("/Patient?_count=1"), "next")
    for settings, status in (({}, 200), ({"paging_key": "some other secret of the operator"}, 400)):
        other = create_app(Settings(authentication="off", database=database_name, **settings), mongodb_uri)
        async with other.outer.router.lifespan_context(other.outer), AsyncClient(transport=ASGITransport(other), base_url=BASE) as second:
            assert (await second.get(following)).status_code == status


async def test_a_next_link_tells_nothing_of_what_was_sorted_by(client):
    await store(client, patient(id="p1"), patient(id="p2"))
    following = link(await client.get("/Patient?_sort=name&_count=1"), "next")
    token = re.search("_after=([^&]+)", following)[1]
    assert "讃岐".encode() not in base64.urlsafe_b64decode(token + "==")
    assert len(ids(await client.get(following))) == 1


async def test_the_total_is_counted_when_asked_for(client):
    await store(client, patient(id="p1"), patient(id="p2"), patient(id="p3", gender="male"))
    response = await client.get("/Patient?gender=female&_count=1&_total=accurate")
    assert response.json()["total"] == 2
    assert (await client.get("/Patient?gender=female&_count=1&_total=estimate")).json()["total"] == 2
    assert "total" not in (await client.get("/Patient?gender=female&_total=none")).json()
    only = await client.get("/Patient?gender=female&_summary=count")
    assert only.json()["total"] == 2
    assert "entry" not in only.json()


@pytest.mark.parametrize("asked", ["999999999", "1000000000", "1001"])
async def test_s49_a_count_beyond_the_limit_is_cut_and_the_self_link_says_so(client, asked):
    response = await client.get(f"/Patient?_count={asked}")
    assert link(response, "self") == f"{BASE}/Patient?_count=1000"


@pytest.mark.parametrize("asked", ["-1", "1e9", "", "1.5", "９", "0x10"])
async def test_s49_what_is_no_size_of_a_page_is_refused(client, asked):
    assert issue_of(await client.get("/Patient", params={"_count": asked}))["expression"] == ["Patient?_count"]


async def test_s49_a_count_of_nothing_is_the_total(client):
    await store(client, patient(id="p1"), patient(id="p2"))
    bundle = (await client.get("/Patient?_count=0")).json()
    assert (bundle["total"], bundle.get("entry"), [each["relation"] for each in bundle["link"]]) == (2, None, ["self"])


@pytest.mark.parametrize(
    "name", ["$where", "__proto__", "constructor", '{"$ne":null}', "_foo", "_query", "_type", "name.$where", "_has:$where:x:y"]
)
async def test_s47_a_parameter_is_only_ever_a_name(client, name):
    await store(client, patient(id="p1"))
    for address in ("/Patient", "/Patient/p1/Observation"):
        response = await client.get(address, params={name: "1"})
        assert (response.status_code, issue_of(response)["code"]) in {(400, "not-supported"), (400, "value")}
    lenient = await client.get("/Patient", params={name: "1"}, headers={"Prefer": "handling=lenient"})
    assert lenient.status_code == 400 or ids(lenient) == ["p1"]


async def test_s58_escapes_stand_for_themselves(client):
    await store(client, patient(id="p1", identifier=[{"system": "urn:x", "value": "a,b|c$d\\e"}]), patient(id="p2"))
    escaped = "a\\,b\\|c\\$d\\\\e"
    assert ids(await client.get("/Patient", params={"identifier": f"urn:x|{escaped}"})) == ["p1"]
    following = await client.get("/Patient", params={"identifier": f"urn:x|{escaped}", "_count": "1"})
    assert ids(await client.get(link(following, "self"))) == ["p1"]


async def test_lenient_handling_leaves_out_what_it_does_not_know_and_the_self_link_too(client):
    await store(client, patient(id="p1"))
    response = await client.get("/Patient?gender=female&nome=x&_foo=y&_sort=bar", headers={"Prefer": "handling=lenient"})
    assert ids(response) == ["p1"]
    assert link(response, "self") == f"{BASE}/Patient?gender=female"
    (outcome,) = [entry["resource"] for entry in response.json()["entry"] if entry["search"]["mode"] == "outcome"]
    assert [issue["expression"] for issue in outcome["issue"]] == [["http.nome"], ["http._foo"], ["http._sort"]]


async def test_a_posted_search_is_told_as_one_that_can_be_got(client):
    await store(client, patient(id="p1"), patient(id="p2"))
    response = await client.post("/Patient/_search?gender=female", data={"name": "讃岐", "_count": "1"})
    assert link(response, "self") == f"{BASE}/Patient?gender=female&name=%E8%AE%83%E5%B2%90&_count=1"
    assert len(ids(await client.get(link(response, "next")))) == 1


async def test_an_include_brings_each_referenced_resource_once(client):
    await store(
        client,
        patient(id="p1"),
        observation("Patient/p1", id="o1"),
        observation("Patient/p1", id="o2"),
        observation("Patient/gone", id="o3"),
    )
    response = await client.get("/Observation?_include=Observation:subject")
    assert sorted(ids(response)) == ["o1", "o2", "o3"]
    assert ids(response, "include") == ["p1"]


async def test_a_revinclude_brings_what_refers_to_the_matches(client):
    await store(client, patient(id="p1"), patient(id="p2"), observation("Patient/p1", id="o1"), observation("Patient/p2", id="o2"))
    response = await client.get("/Patient?_id=p1&_revinclude=Observation:subject")
    assert ids(response) == ["p1"]
    assert ids(response, "include") == ["o1"]


async def test_an_include_can_go_on(client):
    await store(
        client,
        {"resourceType": "Organization", "id": "h1", "name": "讃岐病院"},
        patient(id="p1", managingOrganization={"reference": "Organization/h1"}),
        observation("Patient/p1", id="o1"),
    )
    once = await client.get("/Observation?_include=Observation:subject")
    on = await client.get("/Observation?_include=Observation:subject&_include:iterate=Patient:organization")
    assert ids(once, "include") == ["p1"]
    assert ids(on, "include") == ["p1", "h1"]


async def test_a_deleted_resource_is_no_longer_found(client):
    await store(client, patient(id="p1"))
    await client.delete("/Patient/p1")
    assert ids(await client.get("/Patient")) == []


async def test_s59_a_day_is_a_day_in_japan(client):
    await store(
        client,
        observation("Patient/p1", id="before", effectiveDateTime="2025-12-31T23:59:59+09:00"),
        observation("Patient/p1", id="after", effectiveDateTime="2026-01-01T00:00:00+09:00"),
    )
    assert ids(await client.get("/Observation?date=2026")) == ["after"]
    assert ids(await client.get("/Observation?date=2025-12-31")) == ["before"]


async def test_a_chain_and_has_find_by_related_resources(client):
    await store(
        client, patient(id="p1"), patient(id="p2", gender="male"), observation("Patient/p1", id="o1"), observation("Patient/p2", id="o2")
    )
    assert ids(await client.get("/Observation?patient.gender=male")) == ["o2"]
    system = "urn:oid:1.2.392.100495.20.3.51.13710000017|0099887766"
    both = await client.get("/Observation", params={"patient.identifier": system, "code": "http://loinc.org|2345-7", "_sort": "-date"})
    assert sorted(ids(both)) == ["o1", "o2"]
    assert ids(await client.get("/Patient?gender=male&_has:Observation:patient:code=2345-7")) == ["p2"]


async def test_pretty_answers_are_indented_and_keep_decimals(client):
    raw = b'{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.00}}'
    await client.put("/Observation/o1", content=raw)
    text = (await client.get("/Observation/o1?_pretty=true")).text
    assert '\n  "id": "o1"' in text
    assert '"value": 1.00' in text


async def test_an_unknown_parameter_is_refused_by_default(client):
    response = await client.get("/Patient?nickname=x")
    issue = issue_of(response)
    assert (response.status_code, issue["code"]) == (400, "not-supported")
    assert "nickname" in issue["expression"][0]
