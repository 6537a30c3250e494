"""JAMI standard usage codes (標準用法コード) of 16 digits: when a medicine is taken.

https://www.jami.jp/ - the code system is the Japan Association for Medical Informatics'.

| digits | meaning |
|---|---|
| 1 | 基本用法: 1 内服, 2 外用, 3 注射, 4 注入 |
| 1-2 | 用法詳細: 10 経口, ... |
| 3 | 1 meals and the day's rhythm, 2 interval, 4 and 5 on an event or as needed |
| 4 | times a day; as an interval 2 is every 12 hours, 3 every 8, 4 every 6, 6 every 4, 8 every 3 |
| 5 | 就寝: 1 就寝前 (digit 3 = 1) |
| 6, 7, 8 | 夕, 昼, 朝: 1 食前, 2 食直前, 3 食直後, 4 食後, 5 食後2時間 (digit 3 = 1) |
| 9 | 9 起床時 (digit 3 = 1) |
| 5-6 | the event: 11 疼痛時, ... (digit 3 = 4 or 5) |

A code with a digit that is not in this table gives no timing: half-understood timing is worse than the code alone.
"""

import re
from dataclasses import dataclass
from typing import Any

SYSTEM = "http://jami.jp/CodeSystem/MedicationUsage"
BASIC_SYSTEM = "http://jami.jp/CodeSystem/MedicationMethodBasicUsage"
DETAIL_SYSTEM = "http://jami.jp/CodeSystem/MedicationMethodDetailUsage"

BASIC = {"1": "内服", "2": "外用", "3": "注射", "4": "注入"}
EVENTS = {"11": "疼痛時", "48": "空腹時", "61": "不眠時", "71": "発熱時"}

_GRAMMAR = re.compile(r"[1-4][0-9]{15}")
_HOURS = {"2": 12, "3": 8, "4": 6, "6": 4, "8": 3}
_NOTHING_MORE = "0000000"  # digits 10 to 16
_MEALS = ((8, "M"), (7, "D"), (6, "V"))  # 朝, 昼, 夕 in the order of the day
_BEFORE = frozenset("12")
_AFTER = frozenset("345")
_TWO_HOURS_AFTER = "5"


@dataclass(frozen=True, slots=True)
class Usage:
    """A usage code taken apart.

    `frequency` is times a day, `when` codes of https://hl7.org/fhir/R4/valueset-event-timing.html in the order of the
    day, `hours` the interval where the code names one, `offset` minutes after those events, `event` the two digits of what it is taken at (疼痛時). `understood` is
    False where a digit says something that is not known here; then these are empty.
    """

    code: str
    basic: str
    detail: str
    frequency: int | None = None
    when: tuple[str, ...] = ()
    offset: int | None = None
    hours: int | None = None
    event: str | None = None
    understood: bool = True

    @property
    def as_needed(self) -> bool:
        """Whether it is taken on an event and not by the clock."""
        return self.event is not None

    def repeat(self) -> dict[str, Any] | None:
        """Give `Timing.repeat`; None where the code says no time of day, no number and no interval."""
        if self.hours is not None:
            return {"frequency": 1, "period": self.hours, "periodUnit": "h"}
        if self.frequency is None:
            return None
        repeat: dict[str, Any] = {"frequency": self.frequency, "period": 1, "periodUnit": "d"}
        if self.when:
            repeat["when"] = list(self.when)
        if self.offset is not None:
            repeat["offset"] = self.offset
        return repeat


def parse(code: str) -> Usage | None:
    """Take a 16-digit usage code apart; None for what is none, such as a hospital's own or the dummy of zeros."""
    if _GRAMMAR.fullmatch(code) is None:
        return None
    basic, detail = code[0], code[:2]
    if code[9:] == _NOTHING_MORE:
        match code[2]:
            case "1":
                return _by_meals(code)
            case "2":
                return _by_interval(code)
            case "4" | "5" if code[3] == "0" and code[4:6] != "00" and code[6:9] == "000":
                return Usage(code, basic, detail, event=code[4:6])
    return Usage(code, basic, detail, understood=False)


def _by_meals(code: str) -> Usage:
    basic, detail = code[0], code[:2]
    bedtime, waking = code[4], code[8]
    digits = [code[place - 1] for place, _ in _MEALS]
    told = [digit for digit in digits if digit != "0"]
    late = _TWO_HOURS_AFTER in told
    when = [_meal(digit, meal) for digit, (_, meal) in zip(digits, _MEALS, strict=True) if digit != "0"]
    when = ["WAKE"] * (waking == "9") + when + ["HS"] * (bedtime == "1")
    unknown = bedtime not in "01" or waking not in "09" or "" in when
    # One offset holds for all events, and the times named are the times a day: what contradicts itself is not understood.
    mixed = late and (set(told) != {_TWO_HOURS_AFTER} or len(when) != len(told))
    if unknown or mixed or code[3] == "0" or (when and len(when) != int(code[3])):
        return Usage(code, basic, detail, understood=False)
    return Usage(code, basic, detail, frequency=int(code[3]), when=tuple(when), offset=120 if late else None)


def _meal(digit: str, meal: str) -> str:
    """The event-timing code: ACM is before breakfast, PCV after dinner; "" where the digit is not known."""
    return "AC" + meal if digit in _BEFORE else "PC" + meal if digit in _AFTER else ""


def _by_interval(code: str) -> Usage:
    basic, detail = code[0], code[:2]
    hours = _HOURS.get(code[3])
    if hours is None or code[4:9] != "00000":
        return Usage(code, basic, detail, understood=False)
    return Usage(code, basic, detail, frequency=int(code[3]), hours=hours)
