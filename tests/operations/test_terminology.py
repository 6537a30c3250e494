"""Whether a code belongs, and what stands above what. https://hl7.org/fhir/R4/terminology-service.html"""

import pytest

from tests.operations.records import put
from tests.rest.served import issue_of

GENDER = "http://hl7.org/fhir/ValueSet/administrative-gender"
STORED = {
    "resourceType": "CodeSystem", "id": "wards", "url": "urn:wards", "status": "active", "content": "complete",
    "concept": [{"code": "ward", "concept": [{"code": "east", "concept": [{"code": "east-1"}]}, {"code": "west"}]}],
}  # fmt: skip
OF_STORED = {
    "resourceType": "ValueSet", "id": "of-wards", "url": "urn:wards-of-east", "status": "active",
    "compose": {"include": [{"system": "urn:wards", "filter": [{"property": "concept", "op": "is-a", "value": "east"}]}]},
}  # fmt: skip


def result(answer) -> bool:
    assert answer.status_code == 200, answer.text
    return next(each["valueBoolean"] for each in answer.json()["parameter"] if each["name"] == "result")


async def test_a_value_set_of_r4_knows_its_codes(client):
    assert result(await client.get(f"/ValueSet/$validate-code?url={GENDER}&code=female"))
    assert not result(await client.get(f"/ValueSet/$validate-code?url={GENDER}&code=woman"))
    assert not result(await client.get(f"/ValueSet/$validate-code?url={GENDER}&code=female&system=urn:x"))


async def test_a_stored_value_set_draws_on_a_stored_code_system(client):
    await put(client, STORED)
    await put(client, OF_STORED)
    for path in ("/ValueSet/$validate-code?url=urn:wards-of-east&", "/ValueSet/of-wards/$validate-code?"):
        assert result(await client.get(f"{path}system=urn:wards&code=east-1"))
        assert not result(await client.get(f"{path}system=urn:wards&code=west"))


async def test_a_value_set_and_codings_may_be_sent(client):
    await put(client, STORED)
    concept = {"coding": [{"system": "urn:other", "code": "1"}, {"system": "urn:wards", "code": "east"}]}
    body = {
        "resourceType": "Parameters",
        "parameter": [{"name": "valueSet", "resource": OF_STORED}, {"name": "codeableConcept", "valueCodeableConcept": concept}],
    }
    assert result(await client.post("/ValueSet/$validate-code", json=body))


async def test_a_code_system_knows_its_codes(client):
    await put(client, STORED)
    assert result(await client.get("/CodeSystem/$validate-code?url=urn:wards&code=west"))
    assert not result(await client.get("/CodeSystem/wards/$validate-code?code=north"))
    assert result(await client.get("/CodeSystem/$validate-code?url=http://hl7.org/fhir/administrative-gender&code=male"))


@pytest.mark.parametrize(
    ("a", "b", "outcome"),
    [("ward", "east-1", "subsumes"), ("east-1", "east", "subsumed-by"), ("east", "west", "not-subsumed"), ("east", "east", "equivalent")],
)
async def test_which_of_two_codes_stands_above(client, a, b, outcome):
    await put(client, STORED)
    answer = await client.get(f"/CodeSystem/$subsumes?system=urn:wards&codeA={a}&codeB={b}")
    assert answer.json()["parameter"] == [{"name": "outcome", "valueCode": outcome}]


async def test_codings_name_their_system_themselves(client):
    await put(client, STORED)
    body = {"resourceType": "Parameters", "parameter": [
        {"name": f"coding{letter}", "valueCoding": {"system": "urn:wards", "code": code}} for letter, code in (("A", "ward"), ("B", "west"))
    ]}  # fmt: skip
    assert (await client.post("/CodeSystem/$subsumes", json=body)).json()["parameter"][0]["valueCode"] == "subsumes"


@pytest.mark.parametrize(
    ("path", "status"),
    [("/ValueSet/$validate-code?url=urn:nowhere&code=1", 404), ("/ValueSet/$validate-code?code=1", 400), (f"/ValueSet/$validate-code?url={GENDER}", 400),
     ("/ValueSet/$validate-code?url=http://hl7.org/fhir/ValueSet/observation-codes&code=2345-7&system=http://loinc.org", 404),
     (f"/ValueSet/$validate-code?url={GENDER}&code=male&date=2020-01-01", 400), ("/CodeSystem/$subsumes?system=urn:nowhere&codeA=1&codeB=2", 404),
     ("/CodeSystem/$subsumes?system=http://hl7.org/fhir/administrative-gender&codeA=male&codeB=man", 400), ("/CodeSystem/$subsumes?codeA=male&codeB=man", 400)],
)  # fmt: skip
async def test_what_cannot_be_told_is_never_a_yes_or_a_no(client, path, status):
    answer = await client.get(path)
    assert answer.status_code == status
    assert issue_of(answer)["diagnostics"]
