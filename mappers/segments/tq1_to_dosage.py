"""TQ1 (タイミング/数量), RXR (与薬経路) and the amounts of RXE to JP_MedicationDosage.

ConceptMap segment-omp-01-rxe-to-medicationrequest, JAMI SS-MIX2 to FHIR 0.1.0; JP Core JP_MedicationDosage.

TQ1-3 carries the 16-digit JAMI usage code in subcomponents; further repetitions are 8-character supplements. The code says
when to take a medicine: what `terminology.systems.jami_usage` understands becomes Timing.repeat, the rest stays with the code.
"""

from typing import Any, Final

from mappers.datatypes import coding_systems, cq, cwe, ts
from mappers.datatypes.document import Document
from mappers.hl7v2.message import Repetition, Segment
from terminology.systems import jami_usage

_EXTENSION: Final = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_MedicationDosage_"
_DOSE_TYPE: Final = {
    "system": "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationIngredientStrengthStrengthType",
    "code": "1",
    "display": "製剤量",
}

USED: Final = frozenset((1, 3, 6, 7, 8, 11, 14))
USED_RXR: Final = frozenset((1, 2, 4))

NOT_MAPPED = {
    "TQ1-2": "数量: RXE-3, RXE-19 が量を示す (RXE says the amounts)",
    "TQ1-12": "連結: Dosage.sequence で順を示す (the order of dosages says it)",
    "RXR-3": "投薬装置: 処方の Dosage に要素がない (no element)",
}


def dosages(rxe: Segment, tq1s: tuple[Segment, ...], rxrs: tuple[Segment, ...], document: Document) -> list[dict[str, Any]]:
    """Build a Dosage for each TQ1; route, site and method are those of RXR, amounts those of RXE."""
    amounts = _amounts(rxe, document)
    ways = _ways(rxrs, document)
    found = []
    for number, tq1 in enumerate(tq1s, 1):
        timing = _timing(tq1, document)
        if len(tq1s) > 1:
            timing = {"sequence": number, **timing}
        found.append(_merged(timing, ways, amounts))
    if not tq1s and (ways or amounts):
        found.append({**ways, **amounts})
    return found


def _merged(timing: dict[str, Any], ways: dict[str, Any], amounts: dict[str, Any]) -> dict[str, Any]:
    """Join the parts. Both the usage code and RXR-4 may name a method: the codings are put side by side."""
    if "method" in timing and "method" in ways:
        codings = timing["method"]["coding"] + ways["method"].get("coding", [])
        ways = {**ways, "method": {**ways["method"], "coding": codings}}
    return {**timing, **ways, **amounts}


def _timing(tq1: Segment, document: Document) -> dict[str, Any]:
    """Read one TQ1."""
    document.account(tq1, USED, NOT_MAPPED)
    result: dict[str, Any] = {}
    if period := _period(tq1, document):
        result["extension"] = [{"url": f"{_EXTENSION}PeriodOfUse", "valuePeriod": period}]
    patterns = [each.subcomponents(1) for each in tq1.repetitions(3)]  # TQ1-3 繰返しパターン
    usages = [each for each in patterns if not _supplementary(each)]
    words = [each[2] for each in patterns if each[2]] + ([tq1.text(11)] if tq1.text(11) else [])  # TQ1-11 テキスト指令
    if words:
        result["text"] = " ".join(words)
    supplements = [cwe.concept(each, document.facility.code) for each in patterns if _supplementary(each)]
    if supplements:
        result["additionalInstruction"] = supplements
    usage = jami_usage.parse(usages[0][1]) if usages else None
    if timing := _repeat(tq1, usages, usage, document):
        result["timing"] = timing
    if (usage and usage.as_needed) or tq1[14]:  # TQ1-14 事象総数 (頓用回数)
        result["asNeededBoolean"] = True
    if usage:
        result["method"] = {"coding": [{"system": coding_systems.USAGE_DETAIL, "code": usage.detail}]}
    return result


def _supplementary(pattern: Repetition) -> bool:
    return pattern[3] == "JAMISDP01" and len(pattern[1]) == 8


def _repeat(tq1: Segment, usages: list[Repetition], usage: jami_usage.Usage | None, document: Document) -> dict[str, Any]:
    """Give Timing: the code as sent, what it means, and for how many days (TQ1-6 サービス期間)."""
    repeat: dict[str, Any] = {}
    if tq1.raw(6):
        if duration := cq.days(tq1.first(6)):
            repeat["boundsDuration"] = duration
        else:
            document.warn("TQ1-6", "not a number of days; it is left out")
    if usage and (meaning := usage.repeat()):
        repeat.update(meaning)
    timing: dict[str, Any] = {"repeat": repeat} if repeat else {}
    if usages and (code := cwe.concept(usages[0], document.facility.code)):
        timing["code"] = code
    if len(usages) > 1:
        document.warn("TQ1-3", "more than one usage; the first is the timing, all are in the text")
    return timing


def _period(tq1: Segment, document: Document) -> dict[str, str]:
    """Give TQ1-7 開始日時 and TQ1-8 終了日時; JP Core's period of use needs a start."""
    period: dict[str, str] = {}
    for number, key in ((7, "start"), (8, "end")):
        if not tq1[number]:
            continue
        if moment := ts.padded_date_time(tq1[number]):
            period[key] = moment
        else:
            document.warn(f"TQ1-{number}", "not a time; it is left out")
    if "start" not in period and period:
        document.warn("TQ1-8", "an end without a start is left out")
        return {}
    return period


def _ways(rxrs: tuple[Segment, ...], document: Document) -> dict[str, Any]:
    """Give RXR-1 経路, RXR-2 部位 and RXR-4 投薬方法 of the first RXR."""
    if not rxrs:
        return {}
    for rxr in rxrs:
        document.account(rxr, USED_RXR, NOT_MAPPED)
    if len(rxrs) > 1:
        document.warn("RXR-1", "more than one route; the first is taken")
    found = {key: cwe.concept(rxrs[0].first(number), document.facility.code) for number, key in ((2, "site"), (1, "route"), (4, "method"))}
    return {key: value for key, value in found.items() if value}


def _amounts(rxe: Segment, document: Document) -> dict[str, Any]:
    """Give the amount at a time (RXE-3), a day (RXE-19) and at most (RXE-4)."""
    facility = document.facility.code
    unit = rxe.first(5)  # RXE-5 与薬単位
    rate: dict[str, Any] = {}
    dose = cq.medicine(rxe[3], unit, facility)  # RXE-3 与薬量－最小
    if dose:
        rate["doseQuantity"] = dose
    elif rxe[3]:
        document.warn("RXE-3", "no number with a unit; it is left out")
    daily = rxe.first(19)  # RXE-19 1日あたりの総投与量
    if amount := cq.medicine(daily[1], daily.subcomponents(2), facility):
        rate["rateRatio"] = cq.per_day(amount)
    elif rxe.raw(19):
        document.warn("RXE-19", "no number with a unit; it is left out")
    result: dict[str, Any] = {"doseAndRate": [{"type": {"coding": [_DOSE_TYPE]}, **rate}]} if rate else {}
    most = cq.medicine(rxe[4], unit, facility)  # RXE-4 与薬量－最大
    return {**result, "maxDosePerAdministration": most} if most else result
