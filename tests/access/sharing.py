"""A network of the standard fixture's facilities (NETWORK.md §5) with one patient known to three of them: who sees what of her.

A, B and C are named in the consent, D is a member that is not, E only views, F has left, G is no member at all.
"""

from typing import Any

from fhir_server.app import Application
from fhir_server.auth.requester import Requester
from fhir_server.auth.roles import FACILITY_ROLE_SYSTEM, Role
from tests.access.secured import requester, store
from tests.rest.served import observation, patient

NETWORK = "Organization/network"
GOLDEN = "Patient/golden-1"
REGIONAL = "urn:tsunagi:regional-patient-id"
ROLES = {
    "A": ("providing", "sharing", "viewing"),
    "B": ("core", "providing", "sharing", "viewing"),
    "C": ("providing", "sharing", "viewing"),
    "D": ("providing", "sharing", "viewing"),
    "E": ("viewing",),
    "F": ("providing", "sharing", "viewing"),
}
LABORATORY = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}]


def facility(letter: str) -> str:
    """The Organization of a facility."""
    return f"Organization/facility-{letter.lower()}"


def organization(letter: str, **facts: Any) -> dict[str, Any]:
    """A facility as the network knows it."""
    types = [{"coding": [{"system": FACILITY_ROLE_SYSTEM, "code": role}]} for role in ROLES[letter]]
    known = {"active": letter != "F", "address": [{"city": "高松市" if letter in "AB" else "丸亀市"}]}
    return {"resourceType": "Organization", "id": f"facility-{letter.lower()}", "name": f"施設{letter}", "type": types, **known, **facts}


def physician(letter: str, purpose: str = "TREAT", **facts: Any) -> Requester:
    """A physician of a facility."""
    roles = frozenset(ROLES.get(letter, ()))
    known = {"organization": facility(letter), "facility_roles": roles, "fhir_user": f"Practitioner/d-{letter.lower()}", "purpose": purpose}
    return requester(Role.PHYSICIAN, **{**known, **facts})


SECRETARY = requester(Role.SECRETARIAT, organization=NETWORK, facility=None, facility_roles=frozenset(), fhir_user="Practitioner/s1")


def patient_of(letter: str, number: int = 1, *, linked: bool = True, **facts: Any) -> dict[str, Any]:
    """A facility's own Patient: pa1 is patient 1 at A."""
    link = [{"other": {"reference": f"Patient/golden-{number}"}, "type": "seealso"}] if linked else None
    known = {"id": f"p{letter.lower()}{number}", "identifier": [{"system": f"urn:facility:{letter}", "value": f"{letter}{number:04d}"}]}
    return patient(**known, **({"link": link} if link else {}), **facts)


def result_of(letter: str, number: int = 1, id: str | None = None, **facts: Any) -> dict[str, Any]:
    """A laboratory result of a facility: lab-a1 is patient 1's at A."""
    subject = f"Patient/p{letter.lower()}{number}"
    return observation(subject, id=id or f"lab-{letter.lower()}{number}", category=LABORATORY, **facts)


def golden(number: int = 1) -> dict[str, Any]:
    """The golden Patient."""
    return patient(id=f"golden-{number}", identifier=[{"system": REGIONAL, "value": f"{3700000000 + number}"}])


def consent(letters: str = "AB", number: int = 1, *, id: str = "consent-1", published: bool = True, **facts: Any) -> dict[str, Any]:
    """A consent of the network's form that names these facilities."""
    role = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]}
    actors = [{"role": role, "reference": {"reference": facility(letter)}} for letter in letters]
    treatment = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}
    known: dict[str, Any] = {
        "resourceType": "Consent",
        "id": id,
        "status": "active",
        "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": f"Patient/golden-{number}"},
        "dateTime": "2026-03-01",
        "organization": [{"reference": facility(letters[0])}],
        "policy": [{"uri": "urn:tsunagi:policy:listed"}],
        "provision": {"type": "permit", "purpose": [treatment], "actor": actors},
    }
    if published:
        known["verification"] = [{"verified": True, "verificationDate": "2026-03-02T10:00:00+09:00"}]
    return {**known, **facts}


def denied(letter: str, **facts: Any) -> dict[str, Any]:
    """An exception for a facility."""
    role = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]}
    return {"type": "deny", "actor": [{"role": role, "reference": {"reference": facility(letter)}}], **facts}


async def network(app: Application, letters: str = "ABC", number: int = 1) -> None:
    """Store the facilities, and a patient known to these with a result at each; nothing is consented yet."""
    await store(app, *(organization(letter) for letter in ROLES), custodian=NETWORK)
    await write(app, golden(number))
    for letter in letters:
        await store(app, patient_of(letter, number, linked=False), result_of(letter, number), custodian=facility(letter))
        await write(app, patient_of(letter, number))


async def write(app: Application, *resources: dict[str, Any]) -> None:
    """Write as the network itself does."""
    assert app.registry is not None
    await app.registry.network.desk.store(*resources)


async def settle(app: Application) -> None:
    """Let the documents say what the consents say, as happens by itself after a while."""
    assert app.registry is not None
    settler = app.registry.network.settler
    settler._after = settler._after * 0
    await settler.settle()
