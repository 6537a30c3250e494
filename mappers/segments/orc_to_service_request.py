"""ORC (共通オーダ) and OBR (検査依頼) to JP_ServiceRequest_Common.

ConceptMap segment-oml-11-orc-to-servicerequest, JAMI SS-MIX2 to FHIR 0.1.0.
"""

from typing import Any, Final

from mappers.datatypes import cwe, ei, ts, xcn
from mappers.datatypes.document import Document, Resource
from mappers.hl7v2.message import Segment

PROFILE: Final = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_ServiceRequest_Common"
_IDENTIFIER_TYPE: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
_STATUS: Final = {
    "CM": "completed",
    "A": "completed",
    "CA": "revoked",
    "DC": "revoked",
    "RP": "revoked",
    "ER": "entered-in-error",
    "HD": "on-hold",
    "IP": "active",
    "SC": "active",
}

USED: Final = frozenset((1, 2, 3, 5, 9, 12))

NOT_MAPPED = {
    "ORC-4": "依頼者グループ番号: 検査結果では使われない (not used with results)",
    "ORC-10": "入力者: ServiceRequest に入力者の要素がない (no element for who typed it)",
    "ORC-13": "入力場所: 同上 (likewise)",
    "ORC-15": "オーダ有効日時: 定義表で使用しない (not used in SS-MIX2)",
    "ORC-17": "入力組織: PV1 と診療科コードにある (in PV1 and the file name)",
    "ORC-18": "入力装置: 診療情報ではない (no clinical information)",
    "ORC-21": "オーダ施設名: 施設は設定から (the facility comes from the configuration)",
    "ORC-22": "オーダ施設住所: 同上 (likewise)",
    "ORC-23": "オーダ施設電話番号: 同上 (likewise)",
    "ORC-29": "オーダタイプ: 入院・外来は Encounter が示す (the Encounter says it)",
}


def service_request(orc: Segment | None, obr: Segment, specimen: dict[str, Any] | None, document: Document) -> Resource:
    """Build the order that a group of results answers. It is `completed` with its results unless ORC-5 says otherwise."""
    if orc:
        document.account(orc, USED, NOT_MAPPED)
    placer = obr[2] or (orc[2] if orc else "")
    result: Resource = {
        "resourceType": "ServiceRequest",
        "id": document.home_id("ServiceRequest", placer, obr[4] or obr.first(4)[4]),
        "meta": {"profile": [PROFILE]},
    }
    if found := identifiers(orc, obr, document):
        result["identifier"] = found
    result["status"] = _status(orc, document)
    result["intent"] = "order"
    code = cwe.concept(obr.first(4), document.facility.code)  # OBR-4 検査項目ID
    if code:
        result["code"] = code
    result["subject"] = document.patient
    if moment := ts.date_time(obr[7]):  # OBR-7 検査/採取日時
        result["occurrenceDateTime"] = moment
    if orc and (ordered := ts.date_time(orc[9])):  # ORC-9 トランザクション日時
        result["authoredOn"] = ordered
    if requester := _requester(orc, obr, document):
        result["requester"] = requester
    if specimen:
        result["specimen"] = [specimen]
    return result


def identifiers(orc: Segment | None, obr: Segment, document: Document) -> list[dict[str, Any]]:
    """Give the placer's and the filler's number of the order (OBR-2, OBR-3, else ORC-2, ORC-3)."""
    found = []
    for number, code, what in ((2, "PLAC", "order-number"), (3, "FILL", "filler-order-number")):
        source = obr if obr[number] or orc is None else orc
        if value := ei.identifier(source.first(number), document.facility.system(what)):
            found.append({"type": {"coding": [{"system": _IDENTIFIER_TYPE, "code": code}]}, **value})
    return found


def _status(orc: Segment | None, document: Document) -> str:
    code = orc[5] if orc else ""
    if not code:
        return "completed"
    if code not in _STATUS:
        document.warn("ORC-5", "no known order status; completed is assumed")
    return _STATUS.get(code, "completed")


def _requester(orc: Segment | None, obr: Segment, document: Document) -> dict[str, Any] | None:
    """Give who ordered: ORC-12, which carries the name's representation, else OBR-16 依頼者."""
    found = xcn.reference(orc, 12, document) if orc else None
    return found or xcn.reference(obr, 16, document)
