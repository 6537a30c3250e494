"""The search interaction: Bundles, links, pages, includes. What each parameter type matches is tested beside it."""

import re

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


async def test_the_total_is_counted_when_asked_for(client):
    await store(client, patient(id="p1"), patient(id="p2"), patient(id="p3", gender="male"))
    response = await client.get("/Patient?gender=female&_count=1&_total=accurate")
    assert response.json()["total"] == 2
    only = await client.get("/Patient?gender=female&_summary=count")
    assert only.json()["total"] == 2
    assert "entry" not in only.json()


async def test_s49_a_count_beyond_the_limit_is_cut_and_the_self_link_says_so(client):
    response = await client.get("/Patient?_count=999999999")
    assert link(response, "self") == f"{BASE}/Patient?_count=1000"


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
