"""Two patients with a few resources each, and what belongs to nobody: the least that shows who sees what."""

from typing import Any

from tests.rest.served import observation, patient


def of_patient(id: str) -> list[dict[str, Any]]:
    """One patient's record."""
    subject = {"reference": f"Patient/{id}"}
    return [
        patient(id=id, identifier=[{"system": "urn:oid:1.2.392.100495.20.3.51.13710000025", "value": f"000{id}"}]),
        observation(f"Patient/{id}", id=f"lab-{id}", category=[{"coding": [{"system": CATEGORY, "code": "laboratory"}]}]),
        observation(f"Patient/{id}", id=f"vital-{id}", category=[{"coding": [{"system": CATEGORY, "code": "vital-signs"}]}]),
        {"resourceType": "Condition", "id": f"condition-{id}", "subject": subject, "code": {"text": "x"}},
        {"resourceType": "Encounter", "id": f"encounter-{id}", "status": "finished", "class": {"code": "AMB"}, "subject": subject},
        {"resourceType": "Coverage", "id": f"coverage-{id}", "status": "active", "beneficiary": subject, "payor": [{"display": "x"}]},
        {"resourceType": "Consent", "id": f"consent-{id}", "status": "active", "patient": subject,
         "scope": {"text": "x"}, "category": [{"text": "x"}], "policyRule": {"text": "x"}},
        {"resourceType": "AuditEvent", "id": f"audit-{id}", "type": {"code": "rest"}, "recorded": "2026-03-31T09:00:00+09:00",
         "agent": [{"requestor": True, "who": {"display": "x"}}], "source": {"observer": {"display": "x"}},
         "entity": [{"what": subject}]},
    ]  # fmt: skip


CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"

OF_NOBODY: list[dict[str, Any]] = [
    {"resourceType": "Organization", "id": "facility-a", "name": "診療所Ａ", "active": True,
     "type": [{"coding": [{"system": "urn:tsunagi:facility-role", "code": "providing"}]}]},
    {"resourceType": "Organization", "id": "other", "name": "保険者"},
    {"resourceType": "Practitioner", "id": "d1", "name": [{"text": "医師 一子"}]},
    {"resourceType": "PractitionerRole", "id": "r1", "active": True, "practitioner": {"reference": "Practitioner/d1"},
     "organization": {"reference": "Organization/facility-a"}, "code": [{"coding": [{"system": "urn:tsunagi:role", "code": "physician"}]}]},
    {"resourceType": "Questionnaire", "id": "q1", "status": "active"},
    {"resourceType": "Medication", "id": "m1", "code": {"text": "x"}},
    {"resourceType": "Device", "id": "device1"},
    {"resourceType": "Task", "id": "t1", "status": "requested", "intent": "order"},
]  # fmt: skip

EVERYTHING = [*of_patient("p1"), *of_patient("p2"), *OF_NOBODY]
