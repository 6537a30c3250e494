"""IN1 (保険) to JP_Coverage and the insurer's JP_Organization.

ConceptMap segment-adt-00-in1-to-coverage, JAMI SS-MIX2 to FHIR 0.1.0; JP Core JP_Coverage.

記号 (symbol), 番号 (number) and 枝番 (sub-number) come in two ways: 記号 in IN1-10 with 番号 in IN1-11, or all three as
repetitions of IN1-10, with IN1-11 then naming a group.
"""

from typing import Any, Final, NamedTuple

from mappers.datatypes import cwe, ts
from mappers.datatypes.document import Document, Resource
from mappers.datatypes.result import normal
from mappers.hl7v2.message import Segment

PROFILE: Final = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Coverage"
ORGANIZATION_PROFILE: Final = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Organization"
INSURER_NUMBER: Final = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/InsurerNumber"
MEMBER: Final = "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID"
EXTENSION: Final = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Coverage_InsuredPerson"
_ORGANIZATION_TYPE: Final = "http://terminology.hl7.org/CodeSystem/organization-type"
_RELATIONSHIP: Final = "http://terminology.hl7.org/CodeSystem/v2-0063"
_COVERAGE_CLASS: Final = "http://terminology.hl7.org/CodeSystem/coverage-class"

USED: Final = frozenset((1, 2, 3, 4, 10, 11, 12, 13, 15, 17))

NOT_MAPPED = {
    "IN1-11": "被保険者グループ雇用者名: 記号・番号・枝番が IN1-10 の繰返しで送られたとき (a group's name, where IN1-10 repeats)",
}


class Insured(NamedTuple):
    """記号, 番号 and 枝番 of an insured person, as written."""

    symbol: str
    number: str
    branch: str


def coverage(in1: Segment, document: Document) -> Resource | None:
    """Build the Coverage that an IN1 segment describes, or None where it names neither plan nor insurer."""
    document.account(in1, USED, NOT_MAPPED)
    plan = cwe.concept(in1.first(2), document.facility.code)  # IN1-2 保険プランID
    insurer = in1[3]  # IN1-3 保険会社ID (保険者番号)
    if plan is None and not insurer:
        document.warn("IN1-2", "neither plan nor insurer; the segment is left out")
        return None
    insured = _insured(in1, document)
    result: Resource = {
        "resourceType": "Coverage",
        "id": document.home_id("Coverage", in1[2], insurer, *insured),
        "meta": {"profile": [PROFILE]},
    }
    extensions = [
        {"url": f"{EXTENSION}{what}", "valueString": value}
        for what, value in zip(("Symbol", "Number", "SubNumber"), insured, strict=True)
        if value
    ]
    parts: dict[str, Any] = {
        "extension": extensions,
        "identifier": _identifier(insurer, insured),
        "status": "active",
        "type": plan,
        "subscriberId": ":".join(part for part in insured[:2] if part),  # IN1-10, IN1-11
        "beneficiary": document.patient,
        "dependent": normal(insured.branch),
        "relationship": cwe.concept(in1.first(17), document.facility.code, table=_RELATIONSHIP),  # IN1-17 続柄
        "period": _period(in1, document),  # IN1-12, IN1-13 有効期間
        "payor": [_payor(in1, insurer, document)],
        "class": _plan_type(in1),  # IN1-15 プランタイプ
    }
    result.update({key: value for key, value in parts.items() if value})
    return result


def _insured(in1: Segment, document: Document) -> Insured:
    values = [each[1] for each in in1.repetitions(10)]
    if len(values) < 2:
        return Insured(values[0] if values else "", in1[11], "")
    if in1[11]:
        document.inform("IN1-11", NOT_MAPPED["IN1-11"])
    return Insured(values[0], values[1], values[2] if len(values) > 2 else "")


def _identifier(insurer: str, insured: Insured) -> list[dict[str, Any]]:
    """Give 保険者番号:記号:番号:枝番; a plan without symbol and number (公費) has no such identifier."""
    if not insurer or not (insured.symbol or insured.number):
        return []
    return [{"system": MEMBER, "value": ":".join((insurer, insured.symbol, insured.number, normal(insured.branch)))}]


def _payor(in1: Segment, insurer: str, document: Document) -> dict[str, Any]:
    """Refer to the insurer. It is shared by number; its name differs from message to message and stays in the display."""
    name = in1[4]  # IN1-4 保険会社名
    if not insurer:
        return {"display": name or cwe.text(in1.first(2)) or in1[2]}
    organization: Resource = {
        "resourceType": "Organization",
        "id": document.shared_id("Organization", "insurer", insurer),
        "meta": {"profile": [ORGANIZATION_PROFILE]},
        "identifier": [{"system": INSURER_NUMBER, "value": insurer}],
        "type": [{"coding": [{"system": _ORGANIZATION_TYPE, "code": "pay", "display": "Payer"}]}],
    }
    if name:
        organization["name"] = name
    reference = document.add_shared(organization)
    return {**reference, "display": name} if name else reference


def _period(in1: Segment, document: Document) -> dict[str, str]:
    period: dict[str, str] = {}
    for number, key in ((12, "start"), (13, "end")):
        if not in1[number]:
            continue
        if day := ts.day(in1[number]):
            period[key] = day
        else:
            document.warn(f"IN1-{number}", "not a date; it is left out of the period")
    return period


def _plan_type(in1: Segment) -> list[dict[str, Any]]:
    if not in1[15]:
        return []
    return [{"type": {"coding": [{"system": _COVERAGE_CLASS, "code": "subplan"}]}, "value": in1[15]}]
