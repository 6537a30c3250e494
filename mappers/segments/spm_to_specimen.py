"""SPM (検体) to JP_Specimen_Common.

ConceptMap segment-oml-11-spm-to-specimen, JAMI SS-MIX2 to FHIR 0.1.0 (its Specimen.bodySite is collection.bodySite in R4).
"""

from typing import Any, Final

from mappers.datatypes import cwe, ei, ts
from mappers.datatypes.document import Document, Resource
from mappers.hl7v2.message import Segment

PROFILE: Final = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Specimen_Common"


USED: Final = frozenset((1, 2, 4, 8, 17))


def specimen(spm: Segment, document: Document) -> Resource:
    """Build the Specimen that an SPM segment describes."""
    document.account(spm, USED, {})
    result: Resource = {
        "resourceType": "Specimen",
        "id": document.home_id("Specimen", spm[2] or spm[1], spm[4]),
        "meta": {"profile": [PROFILE]},
    }
    number = ei.identifier(spm.first(2), document.facility.system("specimen-number"))  # SPM-2 検体ID
    if number:
        result["identifier"] = [number]
    type = cwe.concept(spm.first(4), document.facility.code)  # SPM-4 検体タイプ
    if type:
        result["type"] = type
    else:
        document.warn("SPM-4", "no type of specimen")
    result["subject"] = document.patient
    if collection := _collection(spm, document):
        result["collection"] = collection
    return result


def collected(spm: Segment) -> str | None:
    """Give the time of collection (SPM-17), or None."""
    return ts.date_time(spm[17])


def _collection(spm: Segment, document: Document) -> dict[str, Any]:
    collection: dict[str, Any] = {}
    if spm[17]:
        if moment := collected(spm):
            collection["collectedDateTime"] = moment  # SPM-17 検体採取日時
        else:
            document.warn("SPM-17", "not a time; it is left out")
    site = cwe.concept(spm.first(8), document.facility.code)
    if site:
        collection["bodySite"] = site  # SPM-8 検体採取部位
    return collection
