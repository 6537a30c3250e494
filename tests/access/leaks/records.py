"""What one hidden patient has at a facility and in the network, and what the reader has himself: every kind of thing that may tell of her.

Ids bear her number: pat-7301, lab-7301. What the reader has refers to her, and what is hers to it, so that every include, chain and `_has`
has a way to go.
"""

import base64
from typing import Any

from tests.rest.served import observation, patient

Resources = list[dict[str, Any]]
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_RAW = base64.b64encode("ひみつの紹介状".encode() * 40).decode()
CHART = "urn:oid:1.2.392.100495.20.3.51.13710000017"
DOCTOR = "Practitioner/shared"
R = {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}


def category(code: str) -> list[dict[str, Any]]:
    """The category of a result."""
    return [{"coding": [{"system": _CATEGORY, "code": code}]}]


def own(n: int) -> Resources:
    """What the reader has of his own patient; it refers to the hidden one."""
    subject = f"Patient/own-{n}"
    measured = {"category": category("vital-signs"), "performer": [{"reference": DOCTOR}]}
    return [
        own_patient(n),
        *(observation(subject, id=f"own-{n}-{k}", valueQuantity={"value": k}, **measured) for k in (1, 2)),
        observation(
            subject, id=f"bridge-{n}", **measured, focus=[{"reference": f"Patient/pat-{n}"}], encounter={"reference": f"Encounter/enc-{n}"},
            hasMember=[{"reference": f"Observation/lab-{n}"}],
        ),
        {"resourceType": "List", "id": f"own-list-{n}", "status": "current", "mode": "working", "subject": {"reference": subject},
         "entry": [{"item": {"reference": f"Observation/{each}"}} for each in (f"lab-{n}", f"own-{n}-1")]},
    ]  # fmt: skip


def own_patient(n: int, **facts: Any) -> dict[str, Any]:
    """The reader's own patient."""
    return {**_patient(n, "own", "1950-05-05"), "generalPractitioner": [{"reference": DOCTOR}], **facts}


def hidden_patient(n: int, **facts: Any) -> dict[str, Any]:
    """The hidden patient as her facility knows her."""
    return {**_patient(n, "pat", "1931-12-24"), "generalPractitioner": [{"reference": DOCTOR}], **facts}


def _patient(n: int, kind: str, birth: str) -> dict[str, Any]:
    numbers = [{"system": f"urn:{kind}", "value": f"{kind}-{n}"}, {"system": CHART, "value": f"{kind}-{n}"}]
    known = {"identifier": numbers, "birthDate": birth}
    return patient(id=f"{kind}-{n}", name=[{"family": f"秘{kind}{n}", "text": f"秘{kind}{n}"}], **known)


def hidden_record(n: int) -> Resources:
    """What is hidden of her at her facility."""
    subject = {"reference": f"Patient/pat-{n}"}
    secret = {"code": {"coding": [{"system": "urn:secret", "code": f"secret-{n}"}]}, "performer": [{"reference": DOCTOR}]}
    result = {**secret, "category": category("laboratory"), "encounter": {"reference": f"Encounter/enc-{n}"}, "note": [{"text": "ひみつ"}]}
    return [{"meta": R, **each} for each in (
        {"resourceType": "Encounter", "id": f"enc-{n}", "status": "finished", "class": {"code": "AMB"}, "subject": subject},
        observation(f"Patient/pat-{n}", id=f"lab-{n}", **result, valueQuantity={"value": n, "unit": "x"},
                    hasMember=[{"reference": f"Observation/own-{n}-1"}]),
        observation(f"Patient/pat-{n}", id=f"focus-{n}", **result, focus=[{"reference": f"Patient/own-{n}"}]),
        {"resourceType": "Condition", "id": f"con-{n}", "subject": subject, "code": {"text": "ひみつ"}},
        {"resourceType": "DocumentReference", "id": f"doc-{n}", "status": "current", "subject": subject,
         "content": [{"attachment": {"contentType": "text/plain", "url": f"Binary/raw-{n}"}}]},
        _binary(f"bin-{n}", securityContext=subject),
        _binary(f"raw-{n}", securityContext={"reference": f"DocumentReference/doc-{n}"}),
        _binary(f"free-{n}"),
        {"resourceType": "List", "id": f"list-{n}", "status": "current", "mode": "working", "subject": subject,
         "entry": [{"item": {"reference": f"Observation/{each}"}} for each in (f"lab-{n}", f"own-{n}-1")]},
        {"resourceType": "MedicationRequest", "id": f"med-{n}", "status": "active", "intent": "order", "subject": subject,
         "contained": [{"resourceType": "Medication", "id": "m", "code": secret["code"]}], "medicationReference": {"reference": "#m"}},
        {"resourceType": "Device", "id": f"dev-{n}", "patient": subject, "identifier": [{"system": "urn:dev", "value": f"dev-{n}"}]},
        {"resourceType": "Group", "id": f"grp-{n}", "type": "person", "actual": True, "member": [{"entity": subject}]},
        {"resourceType": "Communication", "id": f"com-{n}", "status": "completed", "subject": subject},
    )]  # fmt: skip


def _binary(id: str, **facts: Any) -> dict[str, Any]:
    return {"resourceType": "Binary", "id": id, "contentType": "text/plain", "data": _RAW, **facts}


def of_network(n: int, custodian: str) -> Resources:
    """What the network keeps of her for itself."""
    her = {"reference": f"Patient/pat-{n}"}
    code = {"coding": [{"system": "urn:tsunagi:task", "code": "match-identity"}]}
    sent = {"subject": her, "recipient": [{"reference": custodian}]}
    agent = [{"who": {"reference": "Organization/network"}}]
    return [
        {"resourceType": "Provenance", "id": f"prov-{n}", "target": [her], "recorded": "2026-03-01T09:00:00+09:00", "agent": agent},
        {"resourceType": "Task", "id": f"task-{n}", "status": "requested", "intent": "order", "code": code, "for": her, "focus": her},
        {
            "resourceType": "Linkage",
            "id": f"link-{n}",
            "item": [{"type": "source", "resource": her}, {"type": "alternate", "resource": her}],
        },
        {"resourceType": "Communication", "id": f"told-{n}", "status": "completed", **sent},
    ]


def golden_patient(n: int) -> dict[str, Any]:
    """The golden Patient."""
    return patient(id=f"golden-{n}", identifier=[{"system": "urn:tsunagi:regional-patient-id", "value": f"370000{n}"}])


def linked(n: int) -> dict[str, Any]:
    """The element of a Patient that belongs to the golden one."""
    return {"link": [{"other": {"reference": f"Patient/golden-{n}"}, "type": "seealso"}]}
