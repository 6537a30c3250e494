"""_summary and _elements: parts of resources, on searches and reads."""

import pytest

from profiles.definitions import r4
from profiles.validator import Validator
from terminology.service import Terminology
from tests.interactions.searching import references, store
from tests.rest.served import issue_of, observation, patient

SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
WHOLE = {
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">讃岐</div>'},
    "contact": [{"name": {"family": "讃岐", "given": ["太郎"]}, "gender": "male"}],
    "link": [{"other": {"reference": "Patient/p2"}, "type": "seealso"}],
    "communication": [{"language": {"text": "日本語"}, "preferred": True}],
    "maritalStatus": {"text": "既婚"},
    "meta": {"tag": [{"system": "urn:x", "code": "kept"}]},
}


async def found(client, query):
    response = await client.get(f"/Patient?_id=p1&{query}")
    assert response.status_code == 200, response.text
    return response.json()["entry"][0]["resource"]


@pytest.fixture
async def one(client):
    await store(client, patient(id="p1", **WHOLE))
    return client


async def test_a_summary_has_the_elements_that_fhir_marks_so(one):
    resource = await found(one, "_summary=true")
    assert {"resourceType", "id", "meta", "identifier", "name", "gender", "birthDate", "link"} == set(resource)
    assert resource["link"] == WHOLE["link"]
    assert resource["meta"]["tag"] == [{"system": "urn:x", "code": "kept"}, SUBSETTED]


async def test_a_summary_of_the_text_has_the_text_and_what_is_mandatory(one):
    assert set(await found(one, "_summary=text")) == {"resourceType", "id", "meta", "text"}
    await store(one, observation("Patient/p1", id="o1", text=WHOLE["text"]))
    (entry,) = (await one.get("/Observation?_summary=text")).json()["entry"]
    assert set(entry["resource"]) == {"resourceType", "id", "meta", "text", "status", "code"}


async def test_a_summary_of_the_data_has_no_text(one):
    whole = await found(one, "")
    data = await found(one, "_summary=data")
    assert set(data) == set(whole) - {"text"}
    assert SUBSETTED in data["meta"]["tag"]


async def test_no_summary_is_the_resource_as_it_is_stored(one):
    assert await found(one, "_summary=false") == (await one.get("/Patient/p1")).json()


async def test_elements_are_those_asked_and_those_that_have_to_be(one):
    resource = await found(one, "_elements=name.family,contact.name")
    assert set(resource) == {"resourceType", "id", "meta", "name", "contact"}
    assert resource["name"] == [{"family": "讃岐"}]
    assert resource["contact"] == [{"name": WHOLE["contact"][0]["name"]}]
    repeated = await found(one, "_elements=gender&_elements=birthDate,Patient.link")
    assert set(repeated) == {"resourceType", "id", "meta", "gender", "birthDate", "link"}
    assert SUBSETTED in repeated["meta"]["tag"]


async def test_an_element_of_several_types_goes_by_its_name(one):
    await store(one, observation("Patient/p1", id="o1", valueQuantity={"value": 1.5, "unit": "g/L"}))
    (entry,) = (await one.get("/Observation?_elements=value")).json()["entry"]
    assert set(entry["resource"]) == {"resourceType", "id", "meta", "status", "code", "valueQuantity"}


async def test_modifier_extensions_are_never_left_out(one):
    negating = [{"url": "urn:not", "valueBoolean": True}]
    await store(one, patient(id="p1", modifierExtension=negating))
    assert (await found(one, "_elements=name"))["modifierExtension"] == negating
    assert (await found(one, "_summary=true"))["modifierExtension"] == negating


async def test_decimals_of_a_subset_stay_exact(one):
    raw = b'{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.00}}'
    await one.put("/Observation/o1", content=raw)
    assert '"value":1.00' in (await one.get("/Observation?_elements=value")).text


async def test_includes_are_summarised_too_and_elements_may_name_their_type(one):
    await store(one, observation("Patient/p1", id="o1"))
    summarised = (await one.get("/Observation?_include=Observation:subject&_summary=true")).json()["entry"]
    assert all(SUBSETTED in entry["resource"]["meta"]["tag"] for entry in summarised)
    assert "maritalStatus" not in summarised[1]["resource"]
    named = (await one.get("/Observation?_include=Observation:subject&_elements=code,Patient.gender")).json()["entry"]
    assert set(named[1]["resource"]) == {"resourceType", "id", "meta", "gender"}
    unnamed = (await one.get("/Observation?_include=Observation:subject&_elements=code")).json()["entry"]
    assert unnamed[1]["resource"] == (await one.get("/Patient/p1")).json()


@pytest.mark.parametrize("asked", ["_summary=true", "_summary=text", "_summary=data", "_elements=gender", "_elements=name.given,deceased"])
async def test_a_read_shows_the_same_part_as_a_search(one, asked):
    part = (await one.get(f"/Patient/p1?{asked}")).json()
    assert part == await found(one, asked)
    assert (await one.get(f"/Patient/p1/_history/1?{asked}")).json() == part
    assert not [issue for issue in Validator(r4(), Terminology()).validate(part) if issue.severity == "error"]


@pytest.mark.parametrize("asked", ["_summary=yes", "_summary=count", "_elements=nothing", "_elements=", "_summary=true&_elements=name"])
async def test_a_read_refuses_what_it_does_not_understand(one, asked):
    response = await one.get(f"/Patient/p1?{asked}")
    assert response.status_code == 400
    assert issue_of(response)["expression"][0].startswith("Patient?_")


async def test_s16_a_part_of_a_resource_is_found_by_all_of_it(one):
    assert references(await one.get("/Patient?birthdate=1984-03-02&_elements=gender")) == ["Patient/p1"]
