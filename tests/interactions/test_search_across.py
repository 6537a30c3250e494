"""Searches across types and in compartments."""

import pytest

from profiles.definitions import r4
from tests.interactions.searching import every_page, link, references, store
from tests.rest.served import BASE, issue_of, observation, patient

TAGGED = {"tag": [{"system": "urn:x", "code": "t"}]}


@pytest.fixture
async def filled(client):
    """Two patients; what belongs to the first, and what does not."""
    await store(
        client,
        patient(id="p1", meta=TAGGED),
        patient(id="p2"),
        {"resourceType": "Practitioner", "id": "d1", "name": [{"family": "金刀比羅"}]},
        {"resourceType": "Organization", "id": "h1", "name": "讃岐病院", "meta": TAGGED},
        {"resourceType": "Encounter", "id": "e1", "status": "finished", "class": {"code": "AMB"}, "subject": {"reference": "Patient/p1"},
         "period": {"start": "2026-03-01"}},
        observation("Patient/p1", id="o1", effectiveDateTime="2026-03-02", encounter={"reference": "Encounter/e1"}, meta=TAGGED),
        observation("Patient/p2", id="o2", effectiveDateTime="2026-03-03", performer=[{"reference": "Patient/p1"}]),
        observation("Patient/p2", id="o3", effectiveDateTime="2026-03-04", focus=[{"reference": "Patient/p1"}]),
        {"resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p1"}, "recordedDate": "2026-03-05",
         "asserter": {"reference": "Practitioner/d1"}},
        {"resourceType": "Flag", "id": "f1", "status": "active", "code": {"text": "x"}, "subject": {"reference": "Patient/p1"},
         "period": {"start": "2026-03-06"}},
    )  # fmt: skip
    return client


# -- across types ------------------------------------------------------------------------------------------------------


async def test_several_types_are_searched_together_in_one_order(filled):
    response = await filled.get("?_type=Observation,Condition,Encounter")
    assert references(response) == ["Condition/c1", "Observation/o3", "Observation/o2", "Observation/o1", "Encounter/e1"]
    assert link(response, "self") == f"{BASE}?_type=Observation,Condition,Encounter"
    assert response.json()["total"] == 5


async def test_without_a_type_all_are_searched(filled):
    assert sorted(references(await filled.get("?_tag=urn:x|t"))) == ["Observation/o1", "Organization/h1", "Patient/p1"]
    assert len(references(await filled.get(""))) == 10
    assert sorted(references(await filled.get("?_id=o1,p2"))) == ["Observation/o1", "Patient/p2"]


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("sort", ["", "&_sort=_lastUpdated", "&_sort=-_lastUpdated", "&_sort=_id", "&_sort=-_lastUpdated,_id"])
async def test_pages_across_types_show_everything_once(filled, count, sort):
    everything = [
        reference for page in await every_page(filled, f"?_type=Observation,Patient,Condition,Organization{sort}") for reference in page
    ]
    pages = await every_page(filled, f"?_type=Observation,Patient,Condition,Organization&_count={count}{sort}")
    assert [reference for page in pages for reference in page] == everything
    assert len(everything) == len(set(everything)) == 7


async def test_parameters_are_common_to_all_types(filled):
    assert sorted(references(await filled.get("?_type=Observation,Condition&patient=p1"))) == ["Condition/c1", "Observation/o1"]
    assert sorted(references(await filled.get("?_type=Observation,Condition&patient.gender=female&_lastUpdated=gt2020"))) == [
        "Condition/c1", "Observation/o1", "Observation/o2", "Observation/o3",
    ]  # fmt: skip
    response = await filled.get("?_type=Observation,Patient&code=x")
    assert (response.status_code, issue_of(response)["code"]) == (400, "not-supported")
    assert "Patient has no search parameter" in issue_of(response)["diagnostics"]


async def test_what_refers_back_is_asked_of_each_type_by_itself(filled):
    await store(filled, {"resourceType": "Group", "id": "p1", "type": "person", "actual": True})
    assert references(await filled.get("?_type=Patient,Group&_has:Observation:subject:code=2345-7")) == ["Patient/p2", "Patient/p1"]
    response = await filled.get("?_has:Provenance:target:recorded=2026")
    assert issue_of(response)["code"] == "too-costly"


async def test_texts_are_looked_through_in_each_type(filled):
    assert sorted(references(await filled.get("?_type=Patient,Organization&_content=讃岐"))) == [
        "Organization/h1",
        "Patient/p1",
        "Patient/p2",
    ]
    assert references(await filled.get("?_type=Patient&_content=讃岐&_id=p1")) == ["Patient/p1"]
    assert issue_of(await filled.get("?_content=讃岐"))["code"] == "too-costly"


async def test_a_search_across_types_includes_and_counts(filled):
    response = await filled.get("?_type=Observation,Condition&_include=Condition:asserter&_total=accurate&_count=1")
    assert references(response) == ["Condition/c1"]
    assert references(response, "include") == ["Practitioner/d1"]
    assert response.json()["total"] == 4
    assert (await filled.get("?_type=Observation,Condition&_summary=count")).json()["total"] == 4


async def test_a_search_across_types_can_be_posted(filled):
    assert references(await filled.post("/_search", data={"_type": "Condition,Flag"})) == ["Flag/f1", "Condition/c1"]


@pytest.mark.parametrize("asked", ["_type=Nothing", "_type=patient", "_type=Patient,", "name=x", "_sort=name"])
async def test_s57_what_is_not_understood_across_types_is_refused(filled, asked):
    assert issue_of(await filled.get(f"?{asked}"))["expression"]


async def test_every_type_can_be_found_by_what_every_resource_has(client):
    for name in ("_id=x", "_lastUpdated=gt2020", "_tag=x", "_profile=http://x.example/y", "_security=x", "_source=urn:x"):
        response = await client.get(f"?{name}")
        assert response.status_code == 200, name
        assert response.json()["total"] == 0


# -- compartments ------------------------------------------------------------------------------------------------------


async def test_a_compartment_holds_what_its_parameters_refer_to_and_no_more(filled):
    assert sorted(references(await filled.get("/Patient/p1/Observation"))) == ["Observation/o1", "Observation/o2"]
    assert references(await filled.get("/Patient/p1/Observation?code=2345-7&date=2026-03-02")) == ["Observation/o1"]
    assert references(await filled.get("/Patient/p1/Patient")) == ["Patient/p1"]
    assert references(await filled.get("/Encounter/e1/Observation")) == ["Observation/o1"]
    assert references(await filled.get("/Encounter/e1/Encounter")) == ["Encounter/e1"]
    assert references(await filled.get("/Practitioner/d1/Condition")) == ["Condition/c1"]


async def test_a_whole_compartment_is_one_search(filled):
    response = await filled.get("/Patient/p1/*")
    assert sorted(references(response)) == ["Condition/c1", "Encounter/e1", "Flag/f1", "Observation/o1", "Observation/o2", "Patient/p1"]
    assert link(response, "self") == f"{BASE}/Patient/p1/*"
    some = await filled.get("/Patient/p1/*?_type=Condition,Flag")
    assert references(some) == ["Flag/f1", "Condition/c1"]
    assert sorted(references(await filled.get("/Practitioner/d1/*"))) == ["Condition/c1", "Practitioner/d1"]
    assert references(await filled.post("/Patient/p1/*/_search", data={"_type": "Flag"})) == ["Flag/f1"]


@pytest.mark.parametrize("count", [1, 2, 4])
async def test_a_compartment_is_paged_like_any_search(filled, count):
    pages = await every_page(filled, f"/Patient/p1/*?_count={count}")
    found = [reference for page in pages for reference in page]
    assert len(found) == len(set(found)) == 6
    assert found == references(await filled.get("/Patient/p1/*"))


async def test_s54_a_token_of_one_compartment_is_refused_by_another(filled):
    following = link(await filled.get("/Patient/p1/Observation?_count=1"), "next")
    assert (await filled.get(following)).status_code == 200
    assert (await filled.get(following.replace("/Patient/p1/", "/Patient/p2/"))).status_code == 400
    assert (await filled.get(following.replace("/Patient/p1/", "/"))).status_code == 400


async def test_s33_the_compartment_of_nobody_is_empty(filled):
    for address in ("/Patient/nobody/Observation", "/Patient/nobody/*", "/Encounter/nobody/*"):
        response = await filled.get(address)
        assert references(response) == []
        assert response.json()["total"] == 0


async def test_what_is_in_no_compartment_is_said(filled):
    assert (await filled.get("/Patient/p1/Organization")).status_code == 400
    assert (await filled.get("/Organization/h1/Patient")).status_code == 404
    assert (await filled.get("/Organization/h1/*")).status_code == 404
    assert (await filled.get("/Patient/p1/*?_type=Organization")).status_code == 400


@pytest.mark.parametrize("compartment", sorted(r4().compartments))
async def test_every_type_of_every_compartment_can_be_searched(client, compartment):
    for type in r4().compartments[compartment]:
        assert (await client.get(f"/{compartment}/x/{type}?_summary=count")).json()["total"] == 0
    assert (await client.get(f"/{compartment}/x/*")).json()["total"] == 0
