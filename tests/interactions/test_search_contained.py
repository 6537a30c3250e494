"""_contained and _containedType: contained resources as matches."""

import pytest

from tests.interactions.searching import every_page, references, store
from tests.rest.served import BASE, issue_of, patient

AMLODIPINE = {"coding": [{"system": "urn:hot", "code": "2171022"}], "text": "アムロジピン"}


def request(id, code, inside="m1"):
    return {
        "resourceType": "MedicationRequest", "id": id, "status": "active", "intent": "order", "subject": {"reference": "Patient/p1"},
        "medicationReference": {"reference": f"#{inside}"},
        "contained": [{"resourceType": "Medication", "id": inside, "code": code, "status": "active"}],
    }  # fmt: skip


@pytest.fixture
async def filled(client):
    await store(
        client,
        {"resourceType": "Medication", "id": "alone", "code": AMLODIPINE},
        request("r1", AMLODIPINE),
        request("r2", {"text": "other"}),
        request("r3", AMLODIPINE, "m3"),
        patient(
            id="p1", contained=[{"resourceType": "Organization", "id": "h", "name": "讃岐病院"}], managingOrganization={"reference": "#h"}
        ),
    )
    return client


ASKED = "/Medication?code=urn:hot|2171022"


async def test_contained_resources_are_no_matches_unless_asked_for(filled):
    assert references(await filled.get(ASKED)) == ["Medication/alone"]
    assert references(await filled.get(f"{ASKED}&_contained=false&_containedType=contained")) == ["Medication/alone"]


async def test_contained_matches_answer_with_their_containers(filled):
    assert sorted(references(await filled.get(f"{ASKED}&_contained=true"))) == ["MedicationRequest/r1", "MedicationRequest/r3"]
    both = await filled.get(f"{ASKED}&_contained=both")
    assert sorted(references(both)) == ["Medication/alone", "MedicationRequest/r1", "MedicationRequest/r3"]
    assert both.json()["total"] == 3
    assert sorted(references(await filled.get("/Organization?name=讃岐&_contained=true"))) == ["Patient/p1"]


async def test_contained_matches_answer_by_themselves(filled):
    response = await filled.get(f"{ASKED}&_contained=both&_containedType=contained")
    assert sorted(references(response)) == ["Medication/alone", "Medication/m1", "Medication/m3"]
    addresses = sorted(entry["fullUrl"] for entry in response.json()["entry"])
    assert addresses == [f"{BASE}/Medication/alone", f"{BASE}/MedicationRequest/r1#m1", f"{BASE}/MedicationRequest/r3#m3"]
    assert references(await filled.get("/Medication?_id=m3&_contained=true&_containedType=contained")) == ["Medication/m3"]


async def test_any_question_that_a_resource_answers_by_itself_can_be_asked(filled):
    for asked, found in (
        ("code:not=urn:hot|2171022", ["MedicationRequest/r2"]),
        ("code:missing=false&status=active&_id=m1", ["MedicationRequest/r1", "MedicationRequest/r2"]),
        ("status:missing=true", []),
        ("_filter=code eq urn:hot|2171022 and not (_id eq m1)", ["MedicationRequest/r3"]),
    ):
        assert sorted(references(await filled.get(f"/Medication?{asked}&_contained=true"))) == found, asked


async def test_contained_matches_are_paged(filled):
    for sort in ("", "&_sort=_id", "&_sort=-_lastUpdated"):
        pages = await every_page(filled, f"{ASKED}&_contained=both&_count=1{sort}")
        assert sorted(reference for page in pages for reference in page) == [
            "Medication/alone",
            "MedicationRequest/r1",
            "MedicationRequest/r3",
        ]


async def test_what_was_contained_and_is_not_any_more_is_not_found(filled):
    await store(filled, {**request("r1", AMLODIPINE), "contained": [{"resourceType": "Medication", "id": "m1", "code": {"text": "other"}}]})
    assert references(await filled.get(f"{ASKED}&_contained=true")) == ["MedicationRequest/r3"]
    await filled.delete("/MedicationRequest/r3")
    assert references(await filled.get(f"{ASKED}&_contained=true")) == []


@pytest.mark.parametrize(
    "address",
    [
        "/Medication?_contained=maybe",
        "/Medication?_contained=true&_containedType=x",
        "/Medication?_contained=true&_sort=code",
        "/Medication?_contained=true&manufacturer.name=x",
        "/Medication?_contained=true&_has:MedicationRequest:medication:status=active",
        "/Patient/p1/MedicationRequest?_contained=true",
        "?_type=Medication&_contained=true",
    ],
)
async def test_what_cannot_be_asked_of_contained_resources_is_refused(filled, address):
    response = await filled.get(address)
    assert response.status_code == 400
    assert "_contained" in issue_of(response)["expression"][0]
