"""Profiles, tags and security labels. https://hl7.org/fhir/R4/resource-operation-meta.html"""

import asyncio

from tests.operations.records import put
from tests.rest.served import issue_of, patient

A, B, SECRET = ({"system": "urn:labels", "code": code} for code in ("a", "b", "secret"))


def named(**meta: object) -> dict:
    return {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]}


def found(answer) -> dict:
    assert answer.status_code == 200, answer.text
    (parameter,) = answer.json()["parameter"]
    assert parameter["name"] == "return"
    return parameter["valueMeta"]


async def test_labels_are_added_once_and_in_a_new_version(client):
    await put(client, patient(id="p", meta={"tag": [{**A, "display": "first"}], "source": "urn:x"}))
    added = await client.post(
        "/Patient/p/$meta-add", json=named(tag=[{**A, "display": "other"}, B], profile=["http://p"], security=[SECRET])
    )
    meta = found(added)
    assert meta["tag"] == [{**A, "display": "first"}, B]
    assert (meta["profile"], meta["security"], meta["source"], meta["versionId"]) == (["http://p"], [SECRET], "urn:x", "2")
    assert added.headers["ETag"] == 'W/"2"'
    assert (await client.get("/Patient/p")).json()["meta"] == meta
    assert [entry["resource"]["id"] for entry in (await client.get("/Patient?_tag=urn:labels|b")).json()["entry"]] == ["p"]
    assert (await client.get("/Patient/p/_history/1")).json()["meta"]["tag"] == [{**A, "display": "first"}]


async def test_labels_are_taken_away_whatever_their_display(client):
    await put(client, patient(id="p", meta={"tag": [A, B], "profile": ["http://p"]}))
    meta = found(await client.post("/Patient/p/$meta-delete", json=named(tag=[{**A, "display": "x"}, SECRET], profile=["http://p"])))
    assert meta["tag"] == [B]
    assert "profile" not in meta
    assert "entry" not in (await client.get("/Patient?_tag=urn:labels|a")).json()


async def test_what_changes_nothing_makes_no_version(client):
    await put(client, patient(id="p", meta={"tag": [A]}))
    for path, meta in (("$meta-add", {"tag": [A]}), ("$meta-delete", {"tag": [B]}), ("$meta-add", {})):
        assert found(await client.post(f"/Patient/p/{path}", json=named(**meta)))["versionId"] == "1"


async def test_if_match_names_the_version_that_may_change(client):
    await put(client, patient(id="p"))
    refused = await client.post("/Patient/p/$meta-add", json=named(tag=[A]), headers={"If-Match": 'W/"7"'})
    assert refused.status_code == 412
    assert found(await client.post("/Patient/p/$meta-add", json=named(tag=[A]), headers={"If-Match": 'W/"1"'}))["versionId"] == "2"


async def test_twenty_at_once_lose_nothing(client):
    await put(client, patient(id="p"))
    tags = [{"system": "urn:labels", "code": f"t{n}"} for n in range(20)]
    answers = await asyncio.gather(*(client.post("/Patient/p/$meta-add", json=named(tag=[tag])) for tag in tags))
    assert {answer.status_code for answer in answers} == {200}
    meta = found(await client.get("/Patient/p/$meta"))
    assert sorted(meta["tag"], key=str) == sorted(tags, key=str)
    assert meta["versionId"] == "21"


async def test_labels_that_are_not_valid_are_refused(client):
    await put(client, patient(id="p"))
    assert (await client.post("/Patient/p/$meta-add", json=named(tag=[{"nonsense": 1}]))).status_code == 400
    assert (await client.post("/Patient/p/$meta-add", json=named(profile=["not a uri"]))).status_code == 400
    assert (await client.get("/Patient/p")).headers["ETag"] == 'W/"1"'


async def test_a_type_and_the_server_tell_all_labels_in_use(client):
    await put(client, patient(id="p", meta={"tag": [A], "profile": ["http://p"]}))
    await put(client, patient(id="q", meta={"tag": [A, {"code": "no-system"}], "security": [SECRET]}))
    await put(client, {"resourceType": "Basic", "id": "x", "code": {"text": "x"}, "meta": {"tag": [B]}})
    assert found(await client.get("/Patient/$meta")) == {"profile": ["http://p"], "security": [SECRET], "tag": [{"code": "no-system"}, A]}
    assert found(await client.get("/$meta"))["tag"] == [{"code": "no-system"}, A, B]
    assert found(await client.get("/Observation/$meta")) == {}


async def test_meta_of_what_is_not_there_is_answered_as_a_read(client):
    for request in (client.get("/Patient/p/$meta"), client.post("/Patient/p/$meta-add", json=named(tag=[A]))):
        answer = await request
        assert (answer.status_code, issue_of(answer)["code"]) == (404, "not-found")
