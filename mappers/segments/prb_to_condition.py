"""PRB (プロブレム) and ZPR (病名修飾) to JP_Condition_Diagnosis.

ConceptMap segment-ppr-01-prb-to-condition, JAMI SS-MIX2 to FHIR 0.1.0 (its Condition.hospitalization does not exist; 転帰 has JP
Core's extension JP_Condition_DiseaseOutcome); JP Core JP_Condition_Diagnosis.
"""

import re
from typing import Any, Final

from mappers.datatypes import coding_systems, cwe, ei, ts, xcn
from mappers.datatypes.document import Document, Resource
from mappers.hl7v2.message import Repetition, Segment
from mappers.segments import orc_to_service_request

PROFILE: Final = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Condition_Diagnosis"
_EXTENSION: Final = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Condition_"
_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/condition-category"
_CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
_DISCLOSURE: Final = {"V": "V", "R": "R", "U": "N"}  # HL7 table 0177
_OUTCOME_CODES: Final = {"R": "resolved", "F": "resolved", "D": "inactive", "S": "inactive"}  # HL7 table 0241
_OUTCOME_WORDS: Final = (("治", "resolved"), ("寛解", "remission"), ("死亡", "inactive"), ("中止", "inactive"))
_MODIFIER_KEYS: Final = (("MDCDX2", coding_systems.MODIFIER_KEY),)
_MODIFIER_EXCHANGE: Final = (("MDCDX2", coding_systems.MODIFIER_EXCHANGE),)

USED: Final = frozenset((1, 2, 3, 4, 7, 9, 10, 13, 14, 15, 16, 17, 18, 25))
USED_ORC: Final = frozenset((1, 12))
USED_ZPR: Final = frozenset((1, 2, 3, 4, 5, 6, 7))

NOT_MAPPED = {
    **orc_to_service_request.NOT_MAPPED,
    "ORC-2": "依頼者オーダ番号: 病名は PRB-4 が示す (PRB-4 identifies the diagnosis)",
    "ORC-3": "実施者オーダ番号: 同上 (likewise)",
    "ORC-9": "トランザクション日時: PRB-7 が設定日時 (PRB-7 is the date of the diagnosis)",
    "PRB-5": "診療ID エピソード: 受診と結び付ける番号がない (no visit number)",
    "PRB-6": "プロブレムリストの優先権: Condition に要素がない (no element)",
    "PRB-8": "予想されるプロブレム解決日時: 予想は abatement ではない (an expectation is no abatement)",
}


def condition(prb: Segment, zpr: Segment | None, orc: Segment | None, notes: tuple[Segment, ...], document: Document) -> Resource | None:
    """Build the Condition that a PRB segment and its ZPR describe, or None where it names no disease."""
    document.account(prb, USED, NOT_MAPPED)
    code = _code(prb, zpr, document)
    if code is None:
        document.warn("PRB-3", "no disease; the segment is left out")
        return None
    result: Resource = {
        "resourceType": "Condition",
        "id": document.home_id("Condition", *((prb[4],) if prb[4] else ("", prb.raw(3), prb[16]))),
        "meta": {"profile": [PROFILE], **_security(prb, document)},
    }
    if outcome := _outcome(prb, document):
        result["extension"] = [outcome]
    number = ei.identifier(prb.first(4), document.facility.system("problem-number"))  # PRB-4 プロブレムインスタンスID
    if number:
        result["identifier"] = [number]
    mistaken = prb[1] == "DE"  # PRB-1 アクションコード
    abatement = _abatement(prb, document)
    if not mistaken:
        result["clinicalStatus"] = _coded(_CLINICAL, _clinical_status(prb, abatement))
    result["verificationStatus"] = _coded(_VERIFICATION, "entered-in-error" if mistaken else _verification(prb))
    result["category"] = _categories(prb, document)
    result["code"] = code
    result["subject"] = document.patient
    times = {
        "onsetDateTime": _time(prb, 16, document),  # PRB-16 プロブレムの発生日付
        "abatementDateTime": abatement,
        "recordedDate": _time(prb, 7, document) or _time(prb, 2, document),  # PRB-7 プロブレム設定日時
    }
    result.update({key: value for key, value in times.items() if value})
    if orc:
        document.account(orc, USED_ORC, NOT_MAPPED)
    if orc and (recorder := xcn.reference(orc, 12, document)):  # ORC-12 依頼者
        result["recorder"] = recorder
    words = [text for note in notes if (text := note.text(3))] + ([zpr.text(7)] if zpr and zpr.text(7) else [])
    if words:
        result["note"] = [{"text": text} for text in words]
    return result


def _coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def _code(prb: Segment, zpr: Segment | None, document: Document) -> dict[str, Any] | None:
    """Give PRB-3, PRB-10 and ZPR-2, ZPR-5 as codings of one concept, with ZPR's modifiers as extensions."""
    facility = document.facility.code
    disease = prb.first(3)
    found = cwe.codings(disease, facility)  # PRB-3 プロブレムID
    words = prb.text(17) or cwe.text(disease)  # PRB-17 プロブレムの発生テキスト
    if zpr:
        document.account(zpr, USED_ZPR, {})
        for number in (2, 5):  # ZPR-2 病名管理番号, ZPR-5 病名交換用コード
            found += [coding for coding in cwe.codings(zpr.first(number), facility) if coding not in found]
    if icd := _icd10(prb.first(10)):
        found.append(icd)
    if not found and not words:
        return None
    parts = {"extension": _modifiers(zpr, facility) if zpr else [], "coding": found, "text": words}
    return {key: value for key, value in parts.items() if value}


def _icd10(classification: Repetition) -> dict[str, str] | None:
    """Give PRB-10 プロブレムの分類: CWE.7 tells the edition; JP Core has a URI for 2013 only.

    The WHO system's codes have a point (K29.7) where Japanese messages have none.
    """
    code = cwe.code_in(classification, "I10")
    if not code:
        return None
    if classification[7].startswith("2013"):
        return {"system": coding_systems.ICD10_2013, "code": code}
    pointed = f"{code[:3]}.{code[3:]}" if re.fullmatch(r"[A-Z]\d{3,5}", code) else code
    return {"system": coding_systems.ICD10, "code": pointed}


def _modifiers(zpr: Segment, facility: str) -> list[dict[str, Any]]:
    """Give the prefixes (ZPR-1, ZPR-4) and suffixes (ZPR-3, ZPR-6) of the disease's name, in their order."""
    extensions = []
    for what, key_field, exchange_field in (("Prefix", 1, 4), ("Postfix", 3, 6)):
        keys, exchanges = zpr.repetitions(key_field), zpr.repetitions(exchange_field)
        for index in range(max(len(keys), len(exchanges))):
            codings = cwe.codings(keys[index], facility, systems=_MODIFIER_KEYS) if index < len(keys) else []
            if index < len(exchanges):
                codings = codings + cwe.codings(exchanges[index], facility, systems=_MODIFIER_EXCHANGE)
            if not codings:
                continue
            words = next((coding["display"] for coding in codings if "display" in coding), None)
            concept: dict[str, Any] = {"coding": codings, "text": words} if words else {"coding": codings}
            extensions.append({"url": f"{_EXTENSION}Disease{what}Modifier", "valueCodeableConcept": concept})
    return extensions


def _outcome(prb: Segment, document: Document) -> dict[str, Any] | None:
    """Give PRB-14 プロブレムのライフサイクル状態 (転帰)."""
    concept = cwe.concept(prb.first(14), document.facility.code)
    return {"url": f"{_EXTENSION}DiseaseOutcome", "valueCodeableConcept": concept} if concept else None


def _ended(prb: Segment) -> str | None:
    """Give the clinical status that PRB-14 means, or None where the disease goes on."""
    outcome = prb.first(14)
    if code := cwe.code_in(outcome, "HL70241"):
        return _OUTCOME_CODES.get(code)
    words = cwe.text(outcome)
    return next((status for word, status in _OUTCOME_WORDS if word in words), None)


def _abatement(prb: Segment, document: Document) -> str | None:
    """Give PRB-9 実際のプロブレム解決日時, or PRB-15 where the outcome dated there is an end."""
    return _time(prb, 9, document) or (_time(prb, 15, document) if _ended(prb) else None)


def _clinical_status(prb: Segment, abatement: str | None) -> str:
    """Give the clinical status. One that has abated is never active (invariant con-4)."""
    return _ended(prb) or ("inactive" if abatement else "active")


def _verification(prb: Segment) -> str:
    """Give PRB-13 プロブレムの確認状態: 1 is 疑い."""
    return "provisional" if prb[13] == "1" else "confirmed"


def _categories(prb: Segment, document: Document) -> list[dict[str, Any]]:
    """Give the list's category and, where sent, PRB-10.4 診断区分 (JHSD0004) and PRB-18 主診断 (JHSD0007)."""
    categories = [_coded(_CATEGORY, "problem-list-item")]
    second = prb.first(10)
    if code := cwe.code_in(second, "JHSD0004"):
        concept: dict[str, Any] = _coded(coding_systems.uri("JHSD0004", code, document.facility.code), code)
        categories.append({**concept, "text": second[5]} if second[5] and second[4] == code else concept)
    if ranking := cwe.concept(prb.first(18), document.facility.code):
        categories.append(ranking)
    return categories


def _security(prb: Segment, document: Document) -> dict[str, Any]:
    """Give PRB-25 セキュリティ as the security label of the resource."""
    if not prb[25]:
        return {}
    level = _DISCLOSURE.get(prb[25])
    if level is None:
        document.warn("PRB-25", "no known level of disclosure; restricted is assumed")
    return {"security": [{"system": _CONFIDENTIALITY, "code": level or "R"}]}


def _time(prb: Segment, number: int, document: Document) -> str | None:
    if not prb[number]:
        return None
    found = ts.padded_date_time(prb[number])
    if found is None:
        document.warn(f"PRB-{number}", "not a time; it is left out")
    return found
