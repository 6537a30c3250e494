"""PV1 (来院情報) to JP_Encounter.

ConceptMaps segment-adt-xx-pv1-to-encounter and segment-pv1-to-encounter, JAMI SS-MIX2 to FHIR 0.1.0. Two departures: an
admission (A01) is `in-progress`, not `arrived`, because the patient is in bed; PV1-36 is the disposition of the discharge, where
the ConceptMap puts it into an element that R4 does not have.

SS-MIX2 sends no visit number. An outpatient visit is known by its document (patient, day, reception) and department; a stay is
assembled from its admission and its discharge by `mappers.messages.stays`.
"""

from typing import Any, Final

from mappers.datatypes import cwe, pl, ts, xcn
from mappers.datatypes.document import Document, Resource
from mappers.hl7v2.message import Segment

PROFILE: Final = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Encounter"
_CLASS: Final = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode"}
AMBULATORY: Final = {**_CLASS, "code": "AMB", "display": "ambulatory"}
INPATIENT: Final = {**_CLASS, "code": "IMP", "display": "inpatient encounter"}
_PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_DISPOSITION: Final = "http://terminology.hl7.org/CodeSystem/v2-0112"

USED_VISIT: Final = frozenset((1, 2, 3, 7, 10, 44))
USED_ADMISSION: Final = frozenset((1, 2, 3, 7, 10, 17, 44))
USED_DISCHARGE: Final = frozenset((1, 2, 3, 7, 36, 44, 45))

NOT_MAPPED = {
    "PV1-6": "患者の以前の所在: 移動は ADT-42 が運ぶ (transfers come with ADT-42)",
    "PV1-10": "退院時の診療科: Encounter.serviceType は入院時のもの (of a discharge: serviceType is the admission's)",
    "PV1-17": "入院時医師: 入院 (ADT-22) が運ぶ (comes with ADT-22)",
}


def outpatient_visit(pv1: Segment, document: Document) -> Resource:
    """Build the Encounter of one reception (ADT-12)."""
    document.account(pv1, USED_VISIT, NOT_MAPPED)
    department = _department(pv1, document)
    result: Resource = {
        "resourceType": "Encounter",
        "id": document.home_id("Encounter", department),
        "meta": {"profile": [PROFILE]},
        "identifier": [{"system": document.facility.system("reception-document"), "value": document.key}],
        "status": "arrived",
        "class": AMBULATORY if pv1[2] != "I" else INPATIENT,
    }
    if pv1[2] not in ("O", "I"):
        document.warn("PV1-2", "neither O nor I; an outpatient visit is assumed")
    if department:
        result["serviceType"] = pl.department_coding(department)  # PV1-10 診療部門
    result["subject"] = document.patient
    if doctor := xcn.reference(pv1, 7, document):  # PV1-7 主治医
        result["participant"] = [participant("ATND", doctor, {})]
    start = moment(pv1, 44, document)  # PV1-44 外来受付日時
    result["period"] = {"start": start}
    if place := pl.reference(pv1.first(3), document):  # PV1-3 患者所在場所
        result["location"] = [{"location": place, "status": "active", "period": {"start": start}}]
    result["serviceProvider"] = document.organization
    return result


def participant(code: str, individual: dict[str, Any], period: dict[str, str]) -> dict[str, Any]:
    """Give a participant of the kind of v3-ParticipationType: ATND 主治医, ADM 入院時医師."""
    result: dict[str, Any] = {"type": [{"coding": [{"system": _PARTICIPATION, "code": code}]}]}
    if period:
        result["period"] = period
    return {**result, "individual": individual}


def disposition(pv1: Segment) -> dict[str, Any] | None:
    """Give PV1-36 退院区分 as the discharge disposition."""
    return {"coding": [{"system": _DISPOSITION, "code": cwe.as_code(pv1[36])}]} if pv1[36] else None


def department(pv1: Segment, document: Document) -> dict[str, Any] | None:
    """Give PV1-10 診療部門, else the department of the file name, as a CodeableConcept."""
    code = _department(pv1, document)
    return pl.department_coding(code) if code else None


def moment(pv1: Segment, number: int, document: Document) -> str | None:
    """Give the time of PV1-44 or PV1-45, else 診療日, which repeats its day."""
    stated = ts.date_time(pv1[number])
    if stated:
        return stated
    document.warn(f"PV1-{number}", "no time; 診療日 of the file name stands for it")
    return ts.date_time(document.name.day) if document.name.day else None


def _department(pv1: Segment, document: Document) -> str:
    return cwe.as_code(pv1[10] or document.name.department or pl.department(pv1.first(3)))
