"""OBX (検査結果) to JP_Observation_LabResult, JP_Observation_BodyMeasurement and JP_Observation_Common.

ConceptMaps segment-oml-11-obx-to-observation and segment-adt-00-obx-to-observation, JAMI SS-MIX2 to FHIR 0.1.0. The category
is JP Core's own code system (JP_SimpleObservationCategory_CS), not the one of terminology.hl7.org that the ConceptMap names.
"""

from dataclasses import dataclass
from typing import Any, Final

from mappers.datatypes import cwe, result, ts, unit
from mappers.datatypes.document import Document, Resource
from mappers.hl7v2.message import Segment

_PROFILES: Final = "http://jpfhir.jp/fhir/core/StructureDefinition/"
LAB: Final = f"{_PROFILES}JP_Observation_LabResult"
BODY: Final = f"{_PROFILES}JP_Observation_BodyMeasurement"
COMMON: Final = f"{_PROFILES}JP_Observation_Common"
CATEGORY: Final = "http://jpfhir.jp/fhir/core/CodeSystem/JP_SimpleObservationCategory_CS"
BODY_CATEGORY: Final = "http://jpfhir.jp/fhir/core/CodeSystem/JP_ObservationBodyMeasurementCategory_CS"
INSTANCE: Final = "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier"
_INTERPRETATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_ABSENT: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_BODY_MEASUREMENTS: Final = {"9N001": "height", "9N006": "weight"}  # JLAC10 分析物コード 身長, 体重

_STATUS: Final = {
    "F": "final",
    "U": "final",
    "C": "corrected",
    "A": "amended",
    "P": "preliminary",
    "R": "preliminary",
    "S": "preliminary",
    "B": "preliminary",
    "I": "registered",
    "O": "registered",
    "X": "cancelled",
    "N": "cancelled",
    "D": "entered-in-error",
    "W": "entered-in-error",
}
_FLAGS: Final = {
    "L": "Low",
    "H": "High",
    "LL": "Critical low",
    "HH": "Critical high",
    "<": "Off scale low",
    ">": "Off scale high",
    "N": "Normal",
    "A": "Abnormal",
    "AA": "Critical abnormal",
    "U": "Significant change up",
    "D": "Significant change down",
    "B": "Better",
    "W": "Worse",
    "S": "Susceptible",
    "R": "Resistant",
    "I": "Intermediate",
}

USED: Final = frozenset((1, 2, 3, 4, 5, 6, 7, 8, 11, 14))

NOT_MAPPED = {
    "OBX-15": "実施施設: 施設は設定から (the facility comes from the configuration)",
    "OBX-17": "検査方法: JLAC10 の測定法が示す (the method is part of a JLAC10 code)",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """What the segments around an OBX say: identifiers of order and specimen, fallbacks, references."""

    order: str = ""
    panel: str = ""
    material: str = ""
    effective: str | None = None
    issued: str | None = None
    specimen: dict[str, Any] | None = None
    request: dict[str, Any] | None = None


def lab_result(obx: Segment, notes: tuple[Segment, ...], setting: Setting, document: Document) -> Resource | None:
    """Build the laboratory Observation that an OBX of OML-11 describes, or None where it names no test."""
    observation = _observation(obx, LAB, [_category("laboratory")], setting, document)
    if observation is None:
        return None
    words = tuple(text for note in notes if (text := note.text(3)))  # NTE-3 コメント
    if words:
        observation["note"] = [{"text": text} for text in words]
    if setting.specimen:
        observation["specimen"] = setting.specimen
    return observation


def body_measurement(obx: Segment, setting: Setting, document: Document) -> Resource | None:
    """Build the Observation that an OBX of ADT-00 describes: height, weight, blood type.

    Blood types come without a specimen, which JP_Observation_LabResult demands: they are JP_Observation_Common.
    """
    what = _BODY_MEASUREMENTS.get(cwe.code_in(obx.first(3), "JC10")[:5])
    if what is None:
        return _observation(obx, COMMON, [_category("laboratory")], setting, document)
    categories = [_category("body-measurement"), {"coding": [{"system": BODY_CATEGORY, "code": what}]}]
    return _observation(obx, BODY, categories, setting, document)


def _category(code: str) -> dict[str, Any]:
    return {"coding": [{"system": CATEGORY, "code": code}]}


def _observation(obx: Segment, profile: str, category: list[Any], setting: Setting, document: Document) -> Resource | None:
    """Build what all Observations have in common."""
    document.account(obx, USED, NOT_MAPPED)
    item = obx.first(3)
    code = cwe.concept(item, document.facility.code)  # OBX-3 検査項目
    if code is None or "coding" not in code:
        document.warn("OBX-3", "no code of a test; the segment is left out")
        return None
    code.setdefault("text", code["coding"][0]["code"])
    local = item[1] or item[4]
    keys = (setting.order, setting.panel, setting.material, local, obx[4])  # OBX-4 検査副ID
    observation: Resource = {
        "resourceType": "Observation",
        "id": document.home_id("Observation", *keys),
        "meta": {"profile": [profile]},
    }
    if setting.order:
        observation["identifier"] = [{"system": INSTANCE, "value": "_".join(key for key in keys if key)}]
    if setting.request:
        observation["basedOn"] = [setting.request]
    observation["status"] = _status(obx, document)
    observation["category"] = category
    observation["code"] = code
    observation["subject"] = document.patient
    if effective := _effective(obx, setting, document):
        observation["effectiveDateTime"] = effective
    if setting.issued:
        observation["issued"] = setting.issued
    observation["performer"] = [document.organization]
    _add_value(observation, obx, document)
    return observation


def _status(obx: Segment, document: Document) -> str:
    status = _STATUS.get(obx[11])  # OBX-11 検査結果状態
    if status is None:
        document.warn("OBX-11", "no known result status; final is assumed")
    return status or "final"


def _effective(obx: Segment, setting: Setting, document: Document) -> str | None:
    """Give OBX-14 検査日時, else the time of collection."""
    if obx[14]:
        moment = ts.date_time(obx[14])
        if moment:
            return moment
        document.warn("OBX-14", "not a time; the time of collection is taken")
    return setting.effective


def _add_value(observation: Resource, obx: Segment, document: Document) -> None:
    """Add OBX-5 検査値, OBX-7 基準値範囲 and OBX-8 異常フラグ."""
    words = obx.text(5)
    measure = unit.unit(obx.first(6), document.facility.code) if obx.raw(6) else {}  # OBX-6 単位
    if words:
        _value(observation, obx, words, measure, document)
    else:
        observation["dataAbsentReason"] = {"coding": [{"system": _ABSENT, "code": "unknown", "display": "Unknown"}]}
    if flags := [each[1] for each in obx.repetitions(8) if each[1]] if obx.raw(8) else []:
        observation["interpretation"] = [_interpretation(flag) for flag in flags]
    if range_ := obx.text(7):
        observation["referenceRange"] = [result.reference_range(range_, measure)]


def _value(observation: Resource, obx: Segment, words: str, measure: dict[str, Any], document: Document) -> None:
    """Choose value[x] by OBX-2 値型; text that is a number with comparator or unit becomes a Quantity."""
    kind = obx[2]
    if kind in ("CWE", "CE", "CNE"):
        concept = cwe.concept(obx.first(5), document.facility.code)
        if concept:
            observation["valueCodeableConcept"] = concept
        return
    quantity = result.quantity(words, measure)
    if quantity and (kind == "NM" or measure or "comparator" in quantity):
        observation["valueQuantity"] = quantity
        return
    if kind == "NM":
        document.warn("OBX-5", "the type is NM but the value is no number; it is kept as text")
    elif kind not in ("ST", "TX", "FT"):
        document.warn("OBX-2", "a value type that SS-MIX2 does not use; the value is kept as text")
    if measure:
        document.inform("OBX-6", "a unit beside a value that is no number is left out")
    lines = obx.raw(5).split(obx.delimiters.repetition)
    observation["valueString"] = "\n".join(obx.delimiters.unescape(line).strip() for line in lines)


def _interpretation(flag: str) -> dict[str, Any]:
    if flag not in _FLAGS:
        return {"text": flag}
    return {"coding": [{"system": _INTERPRETATION, "code": flag, "display": _FLAGS[flag]}], "text": flag}
