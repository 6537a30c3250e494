"""PL (患者所在場所) to Location and a reference to it.

HL7 v2.5 2.A.53; JP Core JP_Location. PL.6 tells a ward (N: 病棟^病室^ベッド) from an outpatient department (C: 診療科). What the
Location says follows from the codes alone, so that every message gives the same.
"""

from typing import Any, Final

from mappers.datatypes import coding_systems
from mappers.datatypes.document import Document
from mappers.hl7v2.message import Repetition

PROFILE: Final = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Location"
_ROLE: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
_PHYSICAL: Final = "http://terminology.hl7.org/CodeSystem/location-physical-type"


def reference(pl: Repetition, document: Document) -> dict[str, Any] | None:
    """Give a reference to the place, or None where none was sent."""
    if not pl[1]:
        return None
    return document.add_shared(_clinic(pl, document) if pl[6] == "C" else _ward(pl, document))


def department(pl: Repetition) -> str:
    """Give the department's code where the place is an outpatient department, else ""."""
    return pl[1] if pl[6] == "C" else ""


def department_coding(code: str) -> dict[str, Any]:
    """Give the CodeableConcept of a code of 統一診療科コード (HL70069)."""
    return {"coding": [{"system": coding_systems.DEPARTMENT, "code": " ".join(code.split())}]}


def _clinic(pl: Repetition, document: Document) -> dict[str, Any]:
    return {
        "resourceType": "Location",
        "id": document.shared_id("Location", "C", pl[1]),
        "meta": {"profile": [PROFILE]},
        "identifier": [{"system": document.facility.system("department"), "value": pl[1]}],
        "status": "active",
        "name": f"診療科 {pl[1]}",
        "mode": "instance",
        "type": [department_coding(pl[1])],
        "managingOrganization": document.organization,
    }


def _ward(pl: Repetition, document: Document) -> dict[str, Any]:
    parts = [part for part in (pl[1], pl[2], pl[3]) if part]
    words = [f"{part}{kind}" for part, kind in zip(parts, ("病棟", "病室", "ベッド"), strict=False)]
    physical = ("wa", "ro", "bd")[len(parts) - 1]
    return {
        "resourceType": "Location",
        "id": document.shared_id("Location", "N", *parts),
        "meta": {"profile": [PROFILE]},
        "identifier": [{"system": document.facility.system("location"), "value": ".".join(parts)}],
        "status": "active",
        "name": " ".join(words),
        "mode": "instance",
        "type": [{"coding": [{"system": _ROLE, "code": "WARD"}]}],
        "physicalType": {"coding": [{"system": _PHYSICAL, "code": physical}]},
        "managingOrganization": document.organization,
    }
