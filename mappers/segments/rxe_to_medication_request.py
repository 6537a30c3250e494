"""RXE (薬剤/治療コード化されたオーダ) and ORC to JP_MedicationRequest.

ConceptMap segment-omp-01-rxe-to-medicationrequest, JAMI SS-MIX2 to FHIR 0.1.0; JP Core JP_MedicationRequest, whose worked example
is this message.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from mappers.datatypes import coding_systems, cq, cwe, result, ts, xcn
from mappers.datatypes.document import Document, Resource
from mappers.hl7v2.message import Segment
from mappers.segments import tq1_to_dosage

PROFILE: Final = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_MedicationRequest"
RP_NUMBER: Final = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/Medication-RPGroupNumber"
ORDER_IN_RP: Final = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/MedicationAdministrationIndex"
INSTANCE: Final = "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier"
_EXTENSION: Final = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_MedicationRequest_DispenseRequest_"
_INSTITUTION: Final = re.compile(r"(0[1-9]|[1-3][0-9]|4[0-7])[0-9]{8}")
_GROUP: Final = re.compile(r".+_(\d{1,3})_(\d{1,4})")
_CATEGORY: Final = (("MR9P", coding_systems.MEDICATION_CATEGORY),)
_ORDER_TYPE: Final = "http://terminology.hl7.org/CodeSystem/v2-0482"
_STATUS: Final = {
    "CA": "cancelled",
    "OC": "cancelled",
    "CR": "cancelled",
    "DC": "stopped",
    "OD": "stopped",
    "HD": "on-hold",
    "OH": "on-hold",
}

USED: Final = frozenset((2, 3, 4, 5, 7, 10, 11, 12, 15, 19, 21, 31, 32))
USED_ORC: Final = frozenset((1, 2, 4, 9, 10, 12, 29))

NOT_MAPPED = {
    "RXE-6": "与薬剤形: 薬剤コードが剤形を示す (the medicine's code implies the form)",
    "RXE-13": "麻薬施用者番号: 共有する Practitioner には入れない (not put into the shared Practitioner)",
    "RXE-14": "薬剤師検証ID: 処方に要素がない (no element)",
    "RXE-27": "与薬指示: 用法コードが内服・外用を示す (the usage code says it)",
    "RXE-42": "患者への配達場所: 処方に要素がない (no element)",
    "ORC-3": "実施者オーダ番号: 処方では RXE-15 処方箋番号が示す (RXE-15 identifies the prescription)",
    "ORC-13": "入力場所: 処方に要素がない (no element)",
    "ORC-15": "オーダ有効日時: ORC-9 が処方日時 (ORC-9 is the time of the order)",
    "ORC-17": "入力組織: ファイル名の診療科コードにある (in the file name)",
    "ORC-18": "入力装置: 診療情報ではない (no clinical information)",
    "ORC-21": "オーダ施設名: 施設は設定から (the facility comes from the configuration)",
    "ORC-22": "オーダ施設住所: 同上 (likewise)",
    "ORC-23": "オーダ施設電話番号: 同上 (likewise)",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One medicine of a prescription: its RP (medicines taken together) and its place there, and its segments."""

    rp: str
    place: str
    orc: Segment
    rxe: Segment
    tq1s: tuple[Segment, ...]
    rxrs: tuple[Segment, ...]
    notes: tuple[Segment, ...]


def group_number(orc: Segment) -> tuple[str, str | None]:
    """Give RP number and place in it from ORC-4 依頼者グループ番号: `<order>_<RP>_<place>`, or the bare RP number."""
    if match := _GROUP.fullmatch(orc[4]):
        return str(int(match.group(1))), str(int(match.group(2)))
    return orc[4], None


def medication_request(line: Line, document: Document) -> Resource | None:
    """Build the MedicationRequest of one medicine, or None where none is named."""
    orc, rxe = line.orc, line.rxe
    document.account(orc, USED_ORC, NOT_MAPPED)
    document.account(rxe, USED, NOT_MAPPED)
    medication = _medication(rxe, document)
    if medication is None:
        document.warn("RXE-2", "no medicine; the segment is left out")
        return None
    request: Resource = {
        "resourceType": "MedicationRequest",
        "id": document.home_id("MedicationRequest", line.rp, line.place),
        "meta": {"profile": [PROFILE]},
        "identifier": _identifiers(line, document),
        "status": _STATUS.get(orc[1], "active"),  # ORC-1 オーダ制御
        "intent": "order",
    }
    parts: dict[str, Any] = {
        "category": _categories(orc, rxe, document),
        "medicationCodeableConcept": medication,
        "subject": document.patient,
        "authoredOn": _authored(orc, rxe, document),
        "requester": xcn.reference(orc, 12, document),  # ORC-12 依頼者
        "recorder": xcn.reference(orc, 10, document),  # ORC-10 入力者
        "note": [{"text": text} for note in line.notes if (text := note.text(3))],
        "dosageInstruction": tq1_to_dosage.dosages(rxe, line.tq1s, line.rxrs, document),
        "dispenseRequest": _dispense_request(line, document),
    }
    request.update({key: value for key, value in parts.items() if value})
    return request


def _identifiers(line: Line, document: Document) -> list[dict[str, str]]:
    """Give RP number, place, order and prescription."""
    order = line.orc[2] or document.name.order  # ORC-2 依頼者オーダ番号
    found = [
        {"system": RP_NUMBER, "value": line.rp},
        {"system": ORDER_IN_RP, "value": line.place},
        {"system": INSTANCE, "value": f"{order}.{line.rp}.{line.place}"},
        {"system": document.facility.system("order-number"), "value": order},
    ]
    if line.rxe[15]:  # RXE-15 処方箋番号
        found.append({"system": _prescription_system(document), "value": line.rxe[15]})
    return found


def _prescription_system(document: Document) -> str:
    """Give JP Core's form for a hospital's own prescription numbers; its invariant wants a real prefecture."""
    code = document.facility.code
    if _INSTITUTION.fullmatch(code):
        return f"urn:oid:1.2.392.100495.20.3.11.1{code}"
    return document.facility.system("prescription-number")


def _medication(rxe: Segment, document: Document) -> dict[str, Any] | None:
    """Give RXE-2 与薬コード and RXE-31 補足コード as one concept."""
    medication = cwe.concept(rxe.first(2), document.facility.code)
    more = [coding for each in rxe.repetitions(31) for coding in cwe.codings(each, document.facility.code)]
    if medication is None or not more:
        return medication
    return {**medication, "coding": medication.get("coding", []) + more}


def _categories(orc: Segment, rxe: Segment, document: Document) -> list[dict[str, Any]]:
    """Give ORC-29 オーダタイプ and, of RXE-21, what classifies the prescription (院外, 院内, 定期, 臨時)."""
    facility = document.facility.code
    found = [cwe.concept(orc.first(29), facility, table=_ORDER_TYPE)]
    found += [cwe.concept(each, facility, systems=_CATEGORY) for each in rxe.repetitions(21) if _classifies(each[3])]
    return [concept for concept in found if concept]


def _classifies(system: str) -> bool:
    return system in ("MR9P", "JHSP0007", "JHSI0001")


def _authored(orc: Segment, rxe: Segment, document: Document) -> str | None:
    """Give ORC-9 トランザクション日時, else RXE-32 当初のオーダ日時, else 診療日: JP Core demands a time."""
    found = ts.date_time(orc[9]) or ts.date_time(rxe[32])
    if found:
        return found
    document.warn("ORC-9", "no time of the order; 診療日 of the file name stands for it")
    return ts.date_time(document.name.day or document.name.time[:8])


def _dispense_request(line: Line, document: Document) -> dict[str, Any]:
    """Give what is to be dispensed."""
    rxe, facility = line.rxe, document.facility.code
    instructions = [*rxe.repetitions(7), *(each for each in rxe.repetitions(21) if not _classifies(each[3]))]
    extensions: list[dict[str, Any]] = [
        {"url": f"{_EXTENSION}InstructionForDispense", "valueCodeableConcept": concept}
        for each in instructions
        if (concept := cwe.concept(each, facility))
    ]
    times = next((count for tq1 in line.tq1s if (count := _count(tq1[14]))), None)
    if times:  # TQ1-14 事象総数 (頓用回数)
        extensions.append({"url": f"{_EXTENSION}ExpectedRepeatCount", "valueInteger": times})
    quantity = cq.medicine(rxe[10], rxe.first(11), facility)  # RXE-10 調剤量, RXE-11 調剤単位
    if quantity is None and rxe[10]:
        document.warn("RXE-10", "no number with a unit; it is left out")
    repeats = _count(rxe[12])  # RXE-12 同一薬発行数 (リフィル回数)
    if repeats is None and rxe[12]:
        document.warn("RXE-12", "no number of refills; it is left out")
    duration = next((days for tq1 in line.tq1s if (days := cq.days(tq1.first(6)))), None)
    parts = {
        "extension": extensions,
        "numberOfRepeatsAllowed": repeats,
        "quantity": quantity,
        "expectedSupplyDuration": duration,
    }
    return {key: value for key, value in parts.items() if value}


def _count(text: str) -> int | None:
    """Give a small whole number, or None."""
    written = result.normal(text)
    return int(written) if written.isdecimal() and len(written) <= 4 else None
