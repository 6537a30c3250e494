"""_include and _revinclude: wildcards, target types, :iterate, canonicals, limits."""

from dataclasses import replace

import pytest

from tests.interactions.searching import references, remarks, store
from tests.rest.served import observation, patient


@pytest.fixture
async def filled(client):
    await store(
        client,
        {"resourceType": "Organization", "id": "h1", "name": "讃岐病院", "partOf": {"reference": "Organization/h2"}},
        {"resourceType": "Organization", "id": "h2", "name": "香川", "partOf": {"reference": "Organization/h3"}},
        {"resourceType": "Organization", "id": "h3", "name": "四国"},
        {"resourceType": "Practitioner", "id": "d1", "name": [{"family": "金刀比羅"}]},
        patient(id="p1", managingOrganization={"reference": "Organization/h1"}, generalPractitioner=[{"reference": "Practitioner/d1"}]),
        observation("Patient/p1", id="o1", performer=[{"reference": "Organization/h1"}, {"reference": "Practitioner/d1"}]),
        observation("Patient/p1", id="o2", effectiveDateTime="2026-03-01", derivedFrom=[{"reference": "Observation/o1"}]),
        {"resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p1"}},
    )
    return client


async def includes(client, address):
    return sorted(references(await client.get(address), "include"))


async def test_an_include_can_name_the_type_it_leads_to(filled):
    assert await includes(filled, "/Observation?_id=o1&_include=Observation:performer:Practitioner") == ["Practitioner/d1"]
    assert await includes(filled, "/Observation?_id=o1&_include=Observation:performer") == ["Organization/h1", "Practitioner/d1"]


async def test_wildcards_follow_every_reference(filled):
    everything = ["Organization/h1", "Patient/p1", "Practitioner/d1"]
    assert await includes(filled, "/Observation?_id=o1&_include=*") == everything
    assert await includes(filled, "/Observation?_id=o1&_include=Observation:*") == everything
    assert await includes(filled, "/Observation?_id=o2&_include=*") == ["Observation/o1", "Patient/p1"]


async def test_wildcards_follow_every_reference_back(filled):
    assert await includes(filled, "/Patient?_id=p1&_revinclude=*") == ["Condition/c1", "Observation/o1", "Observation/o2"]
    assert await includes(filled, "/Patient?_id=p1&_revinclude=Observation:*") == ["Observation/o1", "Observation/o2"]
    assert await includes(filled, "/Organization?_id=h1&_revinclude=*") == ["Observation/o1", "Patient/p1"]
    assert await includes(filled, "?_id=p1&_type=Patient,Organization&_revinclude=*") == [
        "Condition/c1",
        "Observation/o1",
        "Observation/o2",
    ]


async def test_several_includes_bring_each_resource_once(filled):
    asked = "_include=Observation:subject&_include=Observation:performer&_include:iterate=Patient:general-practitioner"
    assert await includes(filled, f"/Observation?{asked}") == ["Organization/h1", "Patient/p1", "Practitioner/d1"]
    assert await includes(filled, "/Observation?_include=Observation:derived-from") == []  # it is a match already


async def test_an_include_goes_on_as_long_as_it_finds_something(filled):
    assert await includes(filled, "/Patient?_include=Patient:organization&_include:iterate=Organization:partof") == [
        "Organization/h1", "Organization/h2", "Organization/h3",
    ]  # fmt: skip
    assert await includes(filled, "/Organization?_id=h3&_revinclude:iterate=Organization:partof&_revinclude:iterate=Patient:organization") == [
        "Organization/h1", "Organization/h2", "Patient/p1",
    ]  # fmt: skip


async def test_a_circle_of_references_ends(client):
    for id, other in (("a", "b"), ("b", "a")):
        await store(client, {"resourceType": "Organization", "id": id, "name": id, "partOf": {"reference": f"Organization/{other}"}})
    response = await client.get("/Organization?_id=a&_include:iterate=*&_revinclude:iterate=*")
    assert references(response, "include") == ["Organization/b"]
    assert remarks(response) == []


async def test_s49_a_limit_of_includes_is_named_and_so_is_one_of_rounds(filled, application):
    endpoint = application._endpoint
    limits = endpoint.service.serving.limits
    for few, setting in ((replace(limits, includes=1), "include_limit"), (replace(limits, rounds=1), "include_rounds")):
        endpoint.service.serving = replace(endpoint.service.serving, limits=few)
        response = await filled.get("/Patient?_include:iterate=Patient:organization&_include:iterate=Organization:partof")
        (issue,) = remarks(response)
        assert (issue["severity"], issue["code"]) == ("warning", "too-costly")
        assert setting in issue["diagnostics"]
        assert len(references(response, "include")) == 1


async def test_s49_includes_do_not_count_as_matches(filled):
    response = await filled.get("/Observation?_count=1&_include=Observation:subject&_total=accurate")
    assert references(response) == ["Observation/o1"]
    assert references(response, "include") == ["Patient/p1"]
    assert response.json()["total"] == 2
    none = await filled.get("/Observation?_count=0&_include=Observation:subject")
    assert "entry" not in none.json()


# -- canonicals ----------------------------------------------------------------------------------------------------------

MEASURE = "http://tsunagi.example/Measure/m"
LIBRARY = "http://tsunagi.example/Library/l"


@pytest.fixture
async def defined(client):
    library = {"resourceType": "Library", "status": "active", "type": {"text": "x"}, "url": LIBRARY}
    await store(
        client,
        {**library, "id": "l1", "version": "1", "date": "2024-01-01"},
        {**library, "id": "l2", "version": "2", "date": "2025-01-01"},
        {"resourceType": "Measure", "id": "m1", "url": MEASURE, "status": "active", "library": [f"{LIBRARY}|1"]},
        {"resourceType": "Measure", "id": "m2", "url": MEASURE + "2", "status": "active", "library": [LIBRARY]},
        {"resourceType": "MeasureReport", "id": "r1", "status": "complete", "type": "summary", "measure": MEASURE,
         "period": {"start": "2026"}},
    )  # fmt: skip
    return client


async def test_an_include_follows_a_canonical_to_the_version_it_names_or_the_latest(defined):
    assert await includes(defined, "/MeasureReport?_include=MeasureReport:measure") == ["Measure/m1"]
    assert await includes(defined, "/Measure?_id=m1&_include=Measure:depends-on") == ["Library/l1"]
    assert await includes(defined, "/Measure?_id=m2&_include=Measure:depends-on:Library") == ["Library/l2"]
    assert await includes(defined, "/MeasureReport?_include=*&_include:iterate=Measure:depends-on") == ["Library/l1", "Measure/m1"]


async def test_a_revinclude_follows_canonicals_back(defined):
    assert await includes(defined, "/Measure?_id=m1&_revinclude=MeasureReport:measure") == ["MeasureReport/r1"]
    assert await includes(defined, "/Library?_id=l2&_revinclude=Measure:depends-on") == ["Measure/m1", "Measure/m2"]
    assert await includes(defined, "/Library?_id=l2&_revinclude=*") == ["Measure/m1", "Measure/m2"]
