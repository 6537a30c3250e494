"""PID (患者識別), NK1 (近親者) and DB1 (障害) to JP_Patient.

ConceptMap segment-pid-to-patient, JAMI SS-MIX2 to FHIR 0.1.0; JP Core JP_Patient.
"""

from typing import Any, Final

from mappers.datatypes import cwe, cx, ts, xad, xpn, xtn
from mappers.datatypes.document import Document, Resource
from mappers.hl7v2.message import Segment

PROFILE: Final = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Patient"
DISABILITY: Final = "http://hl7.org/fhir/StructureDefinition/patient-disability"
_RELATIONSHIP: Final = "http://terminology.hl7.org/CodeSystem/v2-0063"
_DISABLED_PERSON: Final = "http://terminology.hl7.org/CodeSystem/v2-0334"
_GENDER: Final = {"M": "male", "F": "female", "O": "other", "A": "other", "U": "unknown", "N": "unknown"}

USED: Final = frozenset((1, 3, 5, 7, 8, 11, 13, 14))
USED_KIN: Final = frozenset((1, 2, 3, 4, 5, 6, 13))

NOT_MAPPED = {
    "PID-33": "最終更新日時: サーバーが meta.lastUpdated を持つ (the server keeps its own)",
}


def patient(pid: Segment, document: Document, kin: tuple[Segment, ...] = (), disability: tuple[Segment, ...] = ()) -> Resource:
    """Build the Patient that PID and, in ADT-00, NK1 and DB1 describe.

    A patient number is unique only inside its hospital; without the facility's system two people of the network would
    become one.
    """
    result: Resource = {
        "resourceType": "Patient",
        "id": document.shared_id("Patient", document.name.patient_id),
        "meta": {"profile": [PROFILE]},
    }
    extensions = [found for each in disability if (found := _disability(each))]
    if extensions:
        result["extension"] = extensions
    result["identifier"] = [cx.identifier(pid.first(3), document.facility.patient_numbers)]  # PID-3 患者IDリスト
    result["active"] = True
    parts = {
        "name": _names(pid, 5, document),  # PID-5 患者氏名
        "telecom": _telecom(pid, 13, "home") + _telecom(pid, 14, "work"),  # PID-13, PID-14 電話番号
        "gender": _gender(pid, document),  # PID-8 性別
        "birthDate": _birth_date(pid, document),  # PID-7 生年月日
        "address": _addresses(pid, 11),  # PID-11 患者住所
        "contact": [found for each in kin if (found := _contact(each, document))],
        "managingOrganization": document.organization,
    }
    result.update({key: value for key, value in parts.items() if value})
    return result


def _names(segment: Segment, number: int, document: Document) -> list[dict[str, Any]]:
    names = []
    for each in segment.repetitions(number):
        if xpn.misplaced(each):
            document.warn(f"{segment.name}-{number}", "the name representation code stands in component 7 instead of 8")
        if name := xpn.human_name(each):
            names.append(name)
    return names


def _telecom(segment: Segment, number: int, use: str) -> list[dict[str, Any]]:
    return [point for each in segment.repetitions(number) if (point := xtn.contact_point(each, use))]


def _addresses(segment: Segment, number: int) -> list[dict[str, Any]]:
    return [found for each in segment.repetitions(number) if (found := xad.address(each))]


def _gender(pid: Segment, document: Document) -> str | None:
    if not pid[8]:
        return None
    gender = _GENDER.get(pid[8])
    if gender is None:
        document.warn("PID-8", "the code is none of HL7 table 0001; the gender is left out")
    return gender


def _birth_date(pid: Segment, document: Document) -> str | None:
    if not pid[7]:
        return None
    birth = ts.day(pid[7])
    if birth is None:
        document.warn("PID-7", "not a date; the birth date is left out")
    return birth


def _contact(nk1: Segment, document: Document) -> dict[str, Any] | None:
    """Build a contact. FHIR allows one name and one address: the ideographic name and the first address are taken."""
    document.account(nk1, USED_KIN, NOT_MAPPED)
    names, addresses = _names(nk1, 2, document), _addresses(nk1, 4)
    if len(names) > 1:
        document.inform("NK1-2", "カナ氏名: Patient.contact.name holds only one name")
    if len(addresses) > 1:
        document.inform("NK1-4", "Patient.contact.address holds only one address; the first is taken")
    relationship = cwe.concept(nk1.first(3), document.facility.code, table=_RELATIONSHIP)
    parts = {
        "relationship": [relationship] if relationship else None,  # NK1-3 続柄
        "name": names[0] if names else None,  # NK1-2 氏名
        "telecom": _telecom(nk1, 5, "home") + _telecom(nk1, 6, "work"),  # NK1-5, NK1-6 電話番号
        "address": addresses[0] if addresses else None,  # NK1-4 住所
        "organization": {"display": nk1[13]} if nk1[13] else None,  # NK1-13 所属組織名
    }
    contact = {key: value for key, value in parts.items() if value}
    return contact if contact.keys() - {"relationship"} else None


def _disability(db1: Segment) -> dict[str, Any] | None:
    """Say that there is a disability (DB1-4 = Y); SS-MIX2 does not say which."""
    if db1[4] != "Y":
        return None
    coding = {"system": _DISABLED_PERSON, "code": cwe.as_code(db1[2]) or "PT"}  # DB1-2 身体障害情報
    return {"url": DISABILITY, "valueCodeableConcept": {"coding": [coding], "text": "身体障害あり"}}
