"""PATCH over HTTP, alone and in a Bundle."""

import asyncio
import base64
import json as standard

import pytest

from tests.interactions.test_patches import operation, parameters
from tests.rest.served import issue_of, patient

JSON_PATCH = {"Content-Type": "application/json-patch+json"}
FHIR = {"Content-Type": "application/fhir+json"}


@pytest.fixture
async def stored(client):
    await client.put("/Patient/p1", json=patient(id="p1"))
    return client


def replacing(path, value):
    return standard.dumps([{"op": "replace", "path": path, "value": value}])


async def test_a_json_patch_makes_the_next_version(stored):
    response = await stored.patch("/Patient/p1", content=replacing("/gender", "male"), headers=JSON_PATCH)
    assert (response.status_code, response.headers["ETag"]) == (200, 'W/"2"')
    read = await stored.get("/Patient/p1")
    assert read.content == response.content
    assert read.json()["gender"] == "male"
    entry = (await stored.get("/Patient/p1/_history")).json()["entry"][0]
    assert (entry["request"]["method"], entry["response"]["status"]) == ("PATCH", "200")


async def test_a_fhirpath_patch_makes_the_next_version(stored):
    change = parameters(operation("replace", "Patient.gender", value={"valueCode": "male"}))
    response = await stored.patch("/Patient/p1", json=change, headers=FHIR)
    assert (response.status_code, response.json()["gender"]) == (200, "male")


async def test_a_patch_that_changes_nothing_makes_no_version(stored):
    for body, headers in ((replacing("/gender", "female"), JSON_PATCH), ("[]", JSON_PATCH), ('{"resourceType":"Parameters"}', FHIR)):
        response = await stored.patch("/Patient/p1", content=body, headers=headers)
        assert (response.status_code, response.headers["ETag"]) == (200, 'W/"1"')


async def test_a_patched_decimal_is_stored_as_it_was_written(client):
    observation = b'{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.00}}'
    await client.put("/Observation/o", content=observation, headers=FHIR)
    body = '[{"op":"copy","from":"/valueQuantity","path":"/component","x":1},{"op":"remove","path":"/component"}]'
    assert (await client.patch("/Observation/o", content=body, headers=JSON_PATCH)).headers["ETag"] == 'W/"1"'
    body = '[{"op":"replace","path":"/valueQuantity/value","value":2.50}]'
    assert b'"value":2.50' in (await client.patch("/Observation/o", content=body, headers=JSON_PATCH)).content


@pytest.mark.parametrize(
    ("body", "headers", "status", "expression"),
    [
        (replacing("/gender", "unclear"), JSON_PATCH, 422, "Patient.gender"),
        (replacing("/id", "p2"), JSON_PATCH, 422, "Patient"),
        (replacing("/resourceType", "Group"), JSON_PATCH, 422, "Patient"),
        (replacing("/meta/versionId", "7"), JSON_PATCH, 422, "Patient"),
        (replacing("/meta/lastUpdated", "2020-01-01T00:00:00Z"), JSON_PATCH, 422, "Patient"),
        (replacing("/meta", {}), JSON_PATCH, 422, "Patient"),
        (replacing("", []), JSON_PATCH, 422, "Patient"),
        (replacing("/colour", "blue"), JSON_PATCH, 409, "http.body[0]"),
        ('[{"op":"add","path":"/colour","value":"blue"}]', JSON_PATCH, 422, "Patient"),
        ("{", JSON_PATCH, 400, "Patient"),
        ("", JSON_PATCH, 400, "Patient"),
        ("{}", JSON_PATCH, 400, "http.body"),
        ('{"resourceType":"Patient"}', FHIR, 400, "http.body"),
        ("<diff/>", {"Content-Type": "application/xml-patch+xml"}, 415, "http.Content-Type"),
        ("{}", {"Content-Type": "application/merge-patch+json"}, 415, "http.Content-Type"),
    ],
)
async def test_a_patch_that_cannot_be_done_changes_nothing_and_says_why(stored, body, headers, status, expression):
    response = await stored.patch("/Patient/p1", content=body, headers=headers)
    assert response.status_code == status
    assert issue_of(response)["expression"] == [expression]
    assert ("Accept-Patch" in response.headers) == (status == 415)
    assert (await stored.get("/Patient/p1")).headers["ETag"] == 'W/"1"'


async def test_a_patch_minds_if_match(stored):
    for etag, status in (('W/"7"', 412), ('W/"1"', 200), ('W/"1"', 412)):
        headers = {**JSON_PATCH, "If-Match": etag}
        assert (await stored.patch("/Patient/p1", content=replacing("/gender", "male"), headers=headers)).status_code == status


async def test_what_is_not_there_cannot_be_patched(stored):
    await stored.delete("/Patient/p1")
    for path, status in (("/Patient/p1", 410), ("/Patient/never", 404), ("/Patient?gender=male", 404)):
        response = await stored.patch(path, content="[]", headers=JSON_PATCH)
        assert (response.status_code, issue_of(response)["severity"]) == (status, "error")


async def test_a_conditional_patch_changes_the_one_that_answers(stored):
    response = await stored.patch("/Patient?gender=female", content=replacing("/gender", "male"), headers=JSON_PATCH)
    assert (response.status_code, response.headers["ETag"]) == (200, 'W/"2"')
    for id in ("p2", "p3"):
        await stored.put(f"/Patient/{id}", json=patient(id=id))
    response = await stored.patch("/Patient?gender=female", content=replacing("/gender", "male"), headers=JSON_PATCH)
    assert (response.status_code, issue_of(response)["code"]) == (412, "multiple-matches")
    response = await stored.patch("/Patient", content="[]", headers=JSON_PATCH)
    assert (response.status_code, issue_of(response)["code"]) == (400, "required")


async def test_patches_of_the_same_moment_all_come_through(stored):
    await stored.put("/Patient/p1", json=patient(id="p1", generalPractitioner=[{"display": "0"}]))
    bodies = [standard.dumps([{"op": "add", "path": "/generalPractitioner/-", "value": {"display": str(n)}}]) for n in range(1, 13)]
    answers = await asyncio.gather(*(stored.patch("/Patient/p1", content=body, headers=JSON_PATCH) for body in bodies))
    assert {answer.status_code for answer in answers} == {200}
    found = (await stored.get("/Patient/p1")).json()["generalPractitioner"]
    assert sorted(int(each["display"]) for each in found) == list(range(13))


async def test_a_patch_minds_prefer(stored):
    headers = {**JSON_PATCH, "Prefer": "return=minimal"}
    response = await stored.patch("/Patient/p1", content=replacing("/gender", "male"), headers=headers)
    assert (response.status_code, response.content) == (200, b"")


def binary(patch):
    data = base64.b64encode(standard.dumps(patch).encode()).decode()
    return {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data}


@pytest.mark.parametrize("type", ["batch", "transaction"])
async def test_patches_in_a_bundle_are_done(stored, type):
    await stored.put("/Patient/p2", json=patient(id="p2", birthDate="1999-01-01"))
    change = parameters(operation("replace", "Patient.gender", value={"valueCode": "other"}))
    entries = [
        {"resource": binary([{"op": "replace", "path": "/gender", "value": "male"}]), "request": {"method": "PATCH", "url": "Patient/p1"}},
        {"resource": change, "request": {"method": "PATCH", "url": "Patient?birthdate=1999-01-01"}},
    ]
    answer = (await stored.post("", json={"resourceType": "Bundle", "type": type, "entry": entries})).json()
    assert [entry["response"]["status"] for entry in answer["entry"]] == ["200 OK", "200 OK"]
    assert [entry["response"]["etag"] for entry in answer["entry"]] == ['W/"2"', 'W/"2"']
    assert [(await stored.get(f"/Patient/{id}")).json()["gender"] for id in ("p1", "p2")] == ["male", "other"]
