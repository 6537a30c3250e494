"""AL1 (患者アレルギー情報) to JP_AllergyIntolerance.

ConceptMaps segment-adt-00-al1-to-allergyintolerance and table-v2-0127-to-allergyintolerancecategory (its AA -> biologic is
taken as it is), JAMI SS-MIX2 to FHIR 0.1.0.
"""

from typing import Final

from mappers.datatypes import cwe
from mappers.datatypes.document import Document, Resource
from mappers.hl7v2.message import Segment

PROFILE: Final = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_AllergyIntolerance"
_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
USED: Final = frozenset((1, 2, 3))
_CATEGORY: Final = {
    "DA": "medication",
    "FA": "food",
    "EA": "environment",
    "PA": "environment",
    "LA": "environment",
    "AA": "biologic",
}


def allergy_intolerance(al1: Segment, document: Document) -> Resource | None:
    """Build the AllergyIntolerance that an AL1 segment describes, or None where it names no allergen."""
    document.account(al1, USED, {})
    code = cwe.concept(al1.first(3), document.facility.code)  # AL1-3 アレルゲン情報
    if code is None:
        document.warn("AL1-3", "no allergen; the segment is left out")
        return None
    result: Resource = {
        "resourceType": "AllergyIntolerance",
        "id": document.home_id("AllergyIntolerance", al1[2], al1.raw(3)),
        "meta": {"profile": [PROFILE]},
        "clinicalStatus": {"coding": [{"system": _CLINICAL, "code": "active"}]},
        "code": code,
        "patient": document.patient,
    }
    category = _CATEGORY.get(al1[2])  # AL1-2 アレルゲン分類
    if category:
        result["category"] = [category]
    elif al1[2]:
        document.inform("AL1-2", "MA, MC and unknown types of allergen have no category in FHIR")
    return result
