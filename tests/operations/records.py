"""A small record: two patients, one of them with everything that may refer to somebody."""

import httpx

from tests.rest.served import observation, patient

ACTIVE = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]}


async def put(client: httpx.AsyncClient, resource: dict) -> None:
    answer = await client.put(f"/{resource['resourceType']}/{resource['id']}", json=resource)
    assert answer.status_code in {200, 201}, answer.text


async def record(client: httpx.AsyncClient) -> None:
    """Patient/p with an encounter, results, an allergy without a date; Patient/q beside."""
    for resource in (
        {"resourceType": "Organization", "id": "hospital", "name": "病院"},
        {"resourceType": "Practitioner", "id": "doctor", "name": [{"text": "医師"}]},
        {"resourceType": "Device", "id": "analyser"},
        {"resourceType": "Device", "id": "of-q", "patient": {"reference": "Patient/q"}},
        patient(id="p", managingOrganization={"reference": "Organization/hospital"}),
        patient(id="q"),
        {"resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "AMB"}, "subject": {"reference": "Patient/p"},
         "period": {"start": "2026-03-01", "end": "2026-03-02"}},
        observation("Patient/p", id="o1", encounter={"reference": "Encounter/e"}, performer=[{"reference": "Practitioner/doctor"}]),
        observation("Patient/p", id="o2", effectiveDateTime="2025-01-01", device={"reference": "Device/analyser"}),
        observation("Patient/q", id="of-q", encounter={"reference": "Encounter/e"}, device={"reference": "Device/of-q"}),
        observation("Patient/q", id="by-p", performer=[{"reference": "Patient/p"}], device={"reference": "Device/of-q"}),
        {"resourceType": "AllergyIntolerance", "id": "a", "patient": {"reference": "Patient/p"}, "clinicalStatus": ACTIVE},
        {"resourceType": "Appointment", "id": "both", "status": "proposed",
         "participant": [{"actor": {"reference": f"Patient/{id}"}, "status": "accepted"} for id in ("p", "q")]},
    ):  # fmt: skip
        await put(client, resource)


def references(bundle: dict, mode: str = "match") -> list[str]:
    """What a searchset holds, in its order."""
    entries = [each for each in bundle.get("entry", []) if each["search"]["mode"] == mode]
    return [f"{each['resource']['resourceType']}/{each['resource']['id']}" for each in entries]


def link(bundle: dict, relation: str) -> str | None:
    """An address that a Bundle names."""
    return next((each["url"] for each in bundle["link"] if each["relation"] == relation), None)
