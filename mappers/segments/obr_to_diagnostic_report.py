"""OBR (検査依頼) to JP_DiagnosticReport_LabResult.

ConceptMap segment-oml-11-obr-to-diagnosticreport, JAMI SS-MIX2 to FHIR 0.1.0. JP Core fixes category and code of a laboratory
report; the group of tests that OBR-4 names is a further coding of the code.
"""

from typing import Any, Final

from mappers.datatypes import cwe, ts
from mappers.datatypes.document import Document, Resource
from mappers.hl7v2.message import Segment
from mappers.segments import orc_to_service_request

PROFILE: Final = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_DiagnosticReport_LabResult"
_CATEGORY: Final = {"system": "http://loinc.org", "code": "LP29693-6"}
_CODE: Final = {
    "system": "http://jpfhir.jp/fhir/core/CodeSystem/JP_DocumentCodes_CS",
    "code": "11502-2",
    "display": "検体検査報告書",
}
_STATUS: Final = {
    "F": "final",
    "C": "corrected",
    "P": "preliminary",
    "A": "partial",
    "R": "preliminary",
    "I": "registered",
    "S": "registered",
    "O": "registered",
    "X": "cancelled",
}

USED: Final = frozenset((1, 2, 3, 4, 7, 8, 16, 22, 25))

NOT_MAPPED = {
    "OBR-12": "危険(検体)コード: JP Core の報告書に要素がない (no element in the report)",
    "OBR-26": "親結果: 微生物検査で扱う (belongs to microbiology)",
}


def diagnostic_report(obr: Segment, orc: Segment | None, notes: tuple[Segment, ...], document: Document) -> Resource:
    """Build the report of one OBR group, without its references; the message adds what belongs to it."""
    document.account(obr, USED, NOT_MAPPED)
    panel = obr.first(4)
    result: Resource = {
        "resourceType": "DiagnosticReport",
        "id": document.home_id("DiagnosticReport", obr[2], panel[1] or panel[4]),
        "meta": {"profile": [PROFILE]},
    }
    if found := orc_to_service_request.identifiers(orc, obr, document):  # OBR-2, OBR-3
        result["identifier"] = found
    result["status"] = _status(obr, document)
    result["category"] = [{"coding": [_CATEGORY]}]
    result["code"] = _code(obr, document)
    result["subject"] = document.patient
    result.update(_effective(obr))
    if issued := ts.instant(obr[22]):  # OBR-22 結果報告/状態変更日時
        result["issued"] = issued
    result["performer"] = [document.organization]
    words = "\n".join(text for note in notes if (text := note.text(3)))  # NTE-3 コメント
    if words:
        result["conclusion"] = words
    return result


def _status(obr: Segment, document: Document) -> str:
    """Give OBR-25 結果状態; a result notice without it is final."""
    if obr[25] and obr[25] not in _STATUS:
        document.warn("OBR-25", "no known result status; final is assumed")
    return _STATUS.get(obr[25], "final")


def _code(obr: Segment, document: Document) -> dict[str, Any]:
    """Give JP Core's fixed code and, beside it, OBR-4 検査項目ID."""
    group = cwe.codings(obr.first(4), document.facility.code)
    words = cwe.text(obr.first(4))
    code: dict[str, Any] = {"coding": [_CODE, *group]}
    return {**code, "text": words} if words else code


def _effective(obr: Segment) -> dict[str, Any]:
    """Give OBR-7 検査/採取日時 and, where it differs, OBR-8 検査/採取終了日時."""
    start, end = ts.date_time(obr[7]), ts.date_time(obr[8])
    if start and end and start != end:
        return {"effectivePeriod": {"start": start, "end": end}}
    return {"effectiveDateTime": start} if start else {}
