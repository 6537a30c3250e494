"""The life of one resource: create, read, vread, update, delete, history."""

import asyncio

from tests.rest.served import BASE, issue_of, patient


async def test_a_created_resource_gets_an_id_and_a_first_version(client):
    response = await client.post("/Patient", json=patient(id="mine"))
    body = response.json()
    assert response.status_code == 201
    assert body["id"] != "mine"
    assert body["meta"]["versionId"] == "1"
    assert response.headers["ETag"] == 'W/"1"'
    assert response.headers["Location"] == f"{BASE}/Patient/{body['id']}/_history/1"
    assert response.headers["Content-Type"] == "application/fhir+json; charset=utf-8"
    assert response.headers["Last-Modified"].endswith("GMT")


async def test_a_created_resource_reads_back_as_it_was_answered(client):
    created = await client.post("/Patient", json=patient())
    read = await client.get(f"/Patient/{created.json()['id']}")
    assert read.status_code == 200
    assert read.content == created.content
    assert read.headers["ETag"] == created.headers["ETag"]
    assert read.json()["name"][0]["text"] == "讃岐 花子"


async def test_an_update_creates_what_was_not_there(client):
    response = await client.put("/Patient/p1", json=patient(id="p1"))
    assert response.status_code == 201
    assert response.headers["Location"] == f"{BASE}/Patient/p1/_history/1"


async def test_an_update_makes_the_next_version_and_keeps_the_one_before(client):
    await client.put("/Patient/p1", json=patient(id="p1"))
    updated = await client.put("/Patient/p1", json=patient(id="p1", gender="male"))
    assert (updated.status_code, updated.headers["ETag"]) == (200, 'W/"2"')
    assert "Location" not in updated.headers
    assert (await client.get("/Patient/p1")).json()["gender"] == "male"
    assert (await client.get("/Patient/p1/_history/1")).json()["gender"] == "female"
    assert (await client.get("/Patient/p1/_history/2")).json()["gender"] == "male"


async def test_an_update_with_what_is_stored_already_makes_no_version(client):
    await client.put("/Patient/p1", json=patient(id="p1"))
    again = await client.put("/Patient/p1", json=patient(id="p1"))
    assert (again.status_code, again.headers["ETag"]) == (200, 'W/"1"')


async def test_a_decimal_survives_as_it_was_written(client):
    raw = (
        b'{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"x"},'
        b'"valueQuantity":{"value":1.00,"unit":"mg/dL"},"referenceRange":[{"low":{"value":0.10},"high":{"value":1E+2}}]}'
    )
    await client.put("/Observation/o1", content=raw, headers={"Content-Type": "application/fhir+json"})
    text = (await client.get("/Observation/o1")).content
    assert b'"value":1.00' in text
    assert b'"value":0.10' in text
    assert b'"value":1E+2' in text


async def test_unknown_extensions_and_the_order_of_keys_survive(client):
    resource = {
        "resourceType": "Patient",
        "id": "p1",
        "birthDate": "1984-03-02",
        "_birthDate": {"extension": [{"url": "http://example.org/unknown", "valueString": "午前"}]},
        "active": True,
        "extension": [{"url": "http://example.org/other", "extension": [{"url": "a", "valueDecimal": 3}]}],
    }
    await client.put("/Patient/p1", json=resource)
    body = (await client.get("/Patient/p1")).json()
    body.pop("meta")
    assert list(body) == list(resource)
    assert body == resource


async def test_if_match_of_the_current_version_updates(client):
    await client.put("/Patient/p1", json=patient(id="p1"))
    response = await client.put("/Patient/p1", json=patient(id="p1", active=True), headers={"If-Match": 'W/"1"'})
    assert response.status_code == 200


async def test_if_match_of_another_version_is_a_failed_precondition(client):
    await client.put("/Patient/p1", json=patient(id="p1"))
    response = await client.put("/Patient/p1", json=patient(id="p1", active=True), headers={"If-Match": 'W/"7"'})
    assert response.status_code == 412
    assert issue_of(response)["code"] == "conflict"
    assert (await client.get("/Patient/p1")).headers["ETag"] == 'W/"1"'


async def test_if_none_match_of_anything_only_creates(client):
    for status in (201, 412):
        response = await client.put("/Patient/p1", json=patient(id="p1"), headers={"If-None-Match": "*"})
        assert response.status_code == status
    assert issue_of(response)["code"] == "conflict"


async def test_of_two_updates_with_the_same_if_match_one_wins(client):
    await client.put("/Patient/p1", json=patient(id="p1"))
    headers = {"If-Match": 'W/"1"'}
    both = [client.put("/Patient/p1", json=patient(id="p1", birthDate=f"198{n}"), headers=headers) for n in range(2)]
    assert sorted(response.status_code for response in await asyncio.gather(*both)) == [200, 412]


async def test_if_none_match_of_the_current_version_reads_nothing(client):
    await client.put("/Patient/p1", json=patient(id="p1"))
    response = await client.get("/Patient/p1", headers={"If-None-Match": 'W/"1"'})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["ETag"] == 'W/"1"'
    assert (await client.get("/Patient/p1", headers={"If-None-Match": "1"})).status_code == 304  # as fhirpy writes it
    assert (await client.get("/Patient/p1", headers={"If-None-Match": 'W/"2"'})).status_code == 200


async def test_if_modified_since_now_reads_nothing(client):
    created = await client.put("/Patient/p1", json=patient(id="p1"))
    since = {"If-Modified-Since": created.headers["Last-Modified"]}
    assert (await client.get("/Patient/p1", headers=since)).status_code == 304
    assert (await client.get("/Patient/p1", headers={"If-Modified-Since": "Thu, 01 Jan 2015 00:00:00 GMT"})).status_code == 200


async def test_a_deleted_resource_is_gone_but_its_history_stays(client):
    await client.put("/Patient/p1", json=patient(id="p1"))
    deleted = await client.delete("/Patient/p1")
    assert (deleted.status_code, deleted.content) == (204, b"")
    gone = await client.get("/Patient/p1")
    assert (gone.status_code, issue_of(gone)["code"]) == (410, "deleted")
    assert (await client.get("/Patient/p1/_history/1")).status_code == 200
    assert (await client.get("/Patient/p1/_history/2")).status_code == 410


async def test_deleting_twice_and_deleting_nothing_succeed(client):
    await client.put("/Patient/p1", json=patient(id="p1"))
    for path in ("/Patient/p1", "/Patient/p1", "/Patient/never"):
        assert (await client.delete(path)).status_code == 204


async def test_a_deleted_resource_can_come_back_with_the_next_version(client):
    await client.put("/Patient/p1", json=patient(id="p1"))
    await client.delete("/Patient/p1")
    back = await client.put("/Patient/p1", json=patient(id="p1"))
    assert (back.status_code, back.headers["ETag"]) == (201, 'W/"3"')
    assert (await client.get("/Patient/p1")).status_code == 200


async def test_the_history_tells_every_version_newest_first(client):
    await client.put("/Patient/p1", json=patient(id="p1"))
    await client.put("/Patient/p1", json=patient(id="p1", active=True))
    await client.delete("/Patient/p1")
    bundle = (await client.get("/Patient/p1/_history")).json()
    assert (bundle["type"], bundle["total"]) == ("history", 3)
    assert [entry["request"]["method"] for entry in bundle["entry"]] == ["DELETE", "PUT", "PUT"]
    assert [entry["response"]["etag"] for entry in bundle["entry"]] == ['W/"3"', 'W/"2"', 'W/"1"']
    assert "resource" not in bundle["entry"][0]
    assert bundle["entry"][1]["resource"]["active"] is True
    assert bundle["entry"][1]["fullUrl"] == f"{BASE}/Patient/p1"


async def test_the_history_comes_in_pages(client):
    for number in range(5):
        await client.put("/Patient/p1", json=patient(id="p1", birthDate=f"198{number}"))
    address, seen = "/Patient/p1/_history?_count=2", []
    while address:
        bundle = (await client.get(address)).json()
        seen += [entry["resource"]["meta"]["versionId"] for entry in bundle["entry"]]
        address = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
    assert seen == ["5", "4", "3", "2", "1"]


async def test_the_history_since_tomorrow_is_empty(client):
    await client.put("/Patient/p1", json=patient(id="p1"))
    assert "entry" not in (await client.get("/Patient/p1/_history?_since=2999-01-01T00:00:00Z")).json()
    assert len((await client.get("/Patient/p1/_history?_since=2020-01-01T00:00:00Z")).json()["entry"]) == 1


async def test_the_history_of_what_never_was_is_not_found(client):
    response = await client.get("/Patient/never/_history")
    assert (response.status_code, issue_of(response)["code"]) == (404, "not-found")


async def test_prefer_decides_what_a_write_answers(client):
    minimal = await client.put("/Patient/p1", json=patient(id="p1"), headers={"Prefer": "return=minimal"})
    assert (minimal.status_code, minimal.content) == (201, b"")
    outcome = await client.post("/Patient", json=patient(), headers={"Prefer": "return=OperationOutcome"})
    assert outcome.json()["resourceType"] == "OperationOutcome"
    assert outcome.json()["issue"][0]["severity"] == "information"
    whole = await client.post("/Patient", json=patient(), headers={"Prefer": "return=representation, respond-async"})
    assert whole.json()["resourceType"] == "Patient"
    for address in ("/Patient/p1", "/Patient?gender=female"):
        told = await client.delete(address, headers={"Prefer": "return=OperationOutcome"})
        assert (told.status_code, told.json()["resourceType"]) == (200, "OperationOutcome")


async def test_reads_of_the_same_moment_all_get_their_own(client):
    for number in range(20):
        await client.put(f"/Patient/p{number}", json=patient(id=f"p{number}"))
    answers = await asyncio.gather(*(client.get(f"/Patient/p{number}") for number in range(25)))
    assert [answer.status_code for answer in answers] == [200] * 20 + [404] * 5
    assert [answer.json()["id"] for answer in answers[:20]] == [f"p{number}" for number in range(20)]
