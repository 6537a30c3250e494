"""MSH (メッセージヘッダ) and the file's name to Provenance, and the facility to JP_Organization.

ConceptMap segment-msh-to-bundle, JAMI SS-MIX2 to FHIR 0.1.0. The times are 発生日時 of the file name: MSH-7 is the time of
storage, and the time of the import would make every import differ.
"""

from collections.abc import Sequence
from typing import Final

from mappers.datatypes.document import Document, Resource

ORGANIZATION_PROFILE: Final = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Organization"
INSTITUTION: Final = "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no"
_EXTENSION: Final = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Organization_"
_PREFECTURE: Final = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/PrefectureNo-2digits"
_FEE_TABLE: Final = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationFeeScoreType"
_INSTITUTION_NUMBER: Final = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/MedicalOrganizationID"
_AGENT: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
STORAGE_PATH: Final = "urn:tsunagi:ssmix2:standard-storage-path"

NOT_MAPPED = {
    "MSH-3": "送信アプリケーション..MSH-6 受信施設: 自由記述 (free text of the interface)",
    "MSH-7": "メッセージ日時: 格納日時であり診療の日時ではない (time of storage, no clinical time)",
    "MSH-10": "メッセージ制御ID: ファイル名が文書を示す (the file name identifies the document)",
    "MSH-11": "処理ID",
    "EVN-2": "事象記録日時: 発生日時が代わる (the file name's time stands for it)",
    "EVN-7": "事象施設: 施設は設定から (the facility comes from the configuration)",
}


def organization(document: Document) -> Resource:
    """Build the Organization of the facility: prefecture (2 digits), fee table (1) and institution (7) of its code."""
    code, name = document.facility.code, document.facility.name
    result: Resource = {
        "resourceType": "Organization",
        "id": document.shared_id("Organization"),
        "meta": {"profile": [ORGANIZATION_PROFILE]},
    }
    if len(code) == 10 and code.isdigit():
        result["extension"] = [
            {"url": f"{_EXTENSION}PrefectureNo", "valueCoding": {"system": _PREFECTURE, "code": code[:2]}},
            {
                "url": f"{_EXTENSION}InsuranceOrganizationCategory",
                "valueCoding": {"system": _FEE_TABLE, "code": code[2]},
            },
            {
                "url": f"{_EXTENSION}InsuranceOrganizationNo",
                "valueIdentifier": {"system": _INSTITUTION_NUMBER, "value": code[3:]},
            },
        ]
    result["identifier"] = [{"system": INSTITUTION, "value": code}]
    result["active"] = True
    if name:
        result["name"] = name
    return result


def provenance(document: Document, more: Sequence[Resource] = ()) -> Resource:
    """Build the Provenance of what this file said: one for each document, about the version in force.

    `more` are references to what is about this document without belonging to it alone.
    """
    recorded = document.name.occurred.isoformat(timespec="milliseconds")
    path = f"{document.facility.code}/{document.name.storage_path}"
    return {
        "resourceType": "Provenance",
        "id": document.home_id("Provenance"),
        "target": [*({"reference": reference} for reference in document.home), *more],
        "occurredDateTime": recorded,
        "recorded": recorded,
        "agent": [
            {"type": {"coding": [{"system": _AGENT, "code": "author"}]}, "who": document.organization},
        ],
        "entity": [{"role": "source", "what": {"identifier": {"system": STORAGE_PATH, "value": path}}}],
    }
