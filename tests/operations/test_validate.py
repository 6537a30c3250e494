"""What would be said of a resource. https://hl7.org/fhir/R4/resource-operation-validate.html"""

import pytest

from tests.operations.records import put
from tests.rest.served import issue_of, patient

BASE_DEFINITION = "http://hl7.org/fhir/StructureDefinition/"


def parameters(resource: dict | None = None, **codes: str) -> dict:
    sent = [] if resource is None else [{"name": "resource", "resource": resource}]
    kinds = {"mode": "valueCode", "profile": "valueUri"}
    return {"resourceType": "Parameters", "parameter": sent + [{"name": name, kinds[name]: value} for name, value in codes.items()]}


def issues(answer) -> list[tuple[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    return [(each["severity"], each.get("expression", [""])[0]) for each in answer.json()["issue"]]


async def test_a_valid_resource_is_answered_with_information_and_not_stored(client):
    assert issues(await client.post("/Patient/$validate", json=parameters(patient())))[-1] == ("information", "")
    assert (await client.get("/Patient?_summary=count")).json()["total"] == 0


async def test_the_resource_may_be_the_body_and_the_mode_in_the_address(client):
    assert issues(await client.post("/Patient/$validate?mode=create", json=patient()))[-1][0] == "information"


async def test_what_is_wrong_is_told_with_its_place_and_200(client):
    found = issues(await client.post("/Patient/$validate", json=patient(gender="unknowable", nonsense=1)))
    assert ("error", "Patient.gender") in found
    assert ("error", "Patient") in found  # it has no element of that name
    assert not any(severity == "information" for severity, _ in found)


async def test_another_type_than_the_address_says_is_an_error(client):
    assert ("error", "resourceType") in issues(await client.post("/Observation/$validate", json=patient()))


async def test_a_type_that_is_no_text_is_an_error(client):
    for type in ({}, [], None, 1, True, "Nonsense", ""):
        assert issues(await client.post("/Observation/$validate", json={"resourceType": type, "parameter": []}))[0][0] == "error"


async def test_a_stored_resource_is_judged_where_none_is_sent(client):
    await put(client, patient(id="p"))
    assert issues(await client.get("/Patient/p/$validate"))[-1][0] == "information"
    assert (await client.get("/Patient/nobody/$validate")).status_code == 404


async def test_an_update_is_judged_by_its_id_too(client):
    assert issues(await client.post("/Patient/p/$validate", json=parameters(patient(id="p"), mode="update")))[-1][0] == "information"
    for resource in (patient(id="q"), patient()):
        assert ("error", "Patient.id") in issues(await client.post("/Patient/p/$validate", json=parameters(resource, mode="update")))


async def test_a_deletion_needs_only_the_resource_to_be_there(client):
    await put(client, patient(id="p"))
    assert issues(await client.get("/Patient/p/$validate?mode=delete")) == [("information", "")]
    assert (await client.get("/Patient/q/$validate?mode=delete")).status_code == 404
    assert (await client.get("/Patient/p")).status_code == 200


@pytest.mark.parametrize("profile", ["Patient", "Patient|4.0.1", "Resource", "DomainResource"])
async def test_the_definitions_of_r4_are_known_as_profiles(client, profile):
    assert (
        issues(await client.post("/Patient/$validate", json=parameters(patient(), profile=BASE_DEFINITION + profile)))[-1][0]
        == "information"
    )


async def test_the_definition_of_another_type_does_not_fit(client):
    found = issues(await client.post("/Patient/$validate", json=parameters(patient(), profile=BASE_DEFINITION + "Observation")))
    assert ("error", "resourceType") in found


@pytest.mark.parametrize(
    "profile", ["http://example.org/StructureDefinition/own", BASE_DEFINITION + "Nothing", BASE_DEFINITION + "Patient|9"]
)
async def test_a_profile_that_is_not_known_cannot_be_judged_by(client, profile):
    answer = await client.post("/Patient/$validate", json=parameters(patient(), profile=profile))
    assert (answer.status_code, issue_of(answer)["code"]) == (400, "not-supported")


@pytest.mark.parametrize("query", ["mode=nonsense", "mode=update", "mode=delete", ""])
async def test_modes_that_make_no_sense_there_are_refused(client, query):
    answer = await client.get(f"/Patient/$validate?{query}")
    assert answer.status_code == 400
    assert "Parameters.parameter" in issue_of(answer)["expression"][0]
