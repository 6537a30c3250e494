"""Dates as people write them, in the Japanese or the Western calendar, as FHIR dates.

NETWORK.md 名寄せ rules (和暦). S33.7.14, 昭和33年7月14日, R8/4/1, 令和元年5月1日, 1958/7/14, 19580714 and 1958-07-14 are all read. The last
years of an era are read beyond its end, as many systems went on counting (平成31年12月).
"""

import re
import unicodedata
from datetime import date
from typing import Final

ERAS: Final = {"M": (1868, 45), "T": (1912, 15), "S": (1926, 64), "H": (1989, 31), "R": (2019, 99)}
"""First year and last year number of 明治, 大正, 昭和, 平成, 令和."""

_NAMES: Final = {"明治": "M", "大正": "T", "昭和": "S", "平成": "H", "令和": "R", "明": "M", "大": "T", "昭": "S", "平": "H", "令": "R"}
_BEGAN: Final = {"M": (1, 25), "T": (7, 30), "S": (12, 25), "H": (1, 8), "R": (5, 1)}
_PART: Final = r"(\d{1,2}|[元〇一二三四五六七八九十]{1,3})"
_ERA: Final = re.compile(rf"({'|'.join(_NAMES)}|[MTSHR])\s*\.?{_PART}[年./\-\s]\s*{_PART}[月./\-\s]\s*{_PART}日?", re.IGNORECASE)
_ERA_SHORT: Final = re.compile(r"([MTSHR])(\d{2})(\d{2})(\d{2})", re.IGNORECASE)
_WESTERN: Final = re.compile(r"(\d{4})(?:[年./\-\s]\s*(\d{1,2})[月./\-\s]\s*(\d{1,2})日?|(\d{2})(\d{2}))")
_VAGUE: Final = re.compile(r"(?!0000)\d{4}(?:-(?:0[1-9]|1[0-2]))?")
_NUMERALS: Final = "〇一二三四五六七八九"


def iso_date(text: str) -> str | None:
    """Give a date as YYYY-MM-DD; YYYY and YYYY-MM stay as they are; None where the text is no day of the calendar."""
    written = unicodedata.normalize("NFKC", text).strip()
    written = re.sub(r"(?<=\d)T\d.*$", "", written)  # a dateTime: its day as written
    if _VAGUE.fullmatch(written):
        return written
    if found := _WESTERN.fullmatch(written):
        year, month, day = found[1], found[2] or found[4], found[3] or found[5]
        return _day(int(year), int(month), int(day))
    if found := _ERA.fullmatch(written) or _ERA_SHORT.fullmatch(written):
        return _in_era(_NAMES.get(found[1], found[1].upper()), *(number(each) for each in found.groups()[1:]))
    return None


def number(numeral: str) -> int:
    """Read a number of up to two digits written in Arabic or Chinese numerals; 元 is one, -1 what is no number."""
    if numeral.isascii():
        return int(numeral)
    if numeral == "元":
        return 1
    if "十" not in numeral:
        digits = [_NUMERALS.find(each) for each in numeral]
        return -1 if -1 in digits else int("".join(map(str, digits)))
    tens, _, ones = numeral.partition("十")
    return (_NUMERALS.find(tens) if tens else 1) * 10 + (_NUMERALS.find(ones) if ones else 0)


def _in_era(era: str, year: int, month: int, day: int) -> str | None:
    first, last = ERAS[era]
    if not 1 <= year <= last or (year == 1 and (month, day) < _BEGAN[era]):
        return None
    return _day(first + year - 1, month, day)


def is_day(written: str) -> bool:
    """Tell whether a text of the form YYYY-MM-DD is a day of the calendar."""
    try:
        date.fromisoformat(written)
    except ValueError:
        return False
    return True


def _day(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def is_placeholder(birth: str | None) -> bool:
    """Tell whether a birth date is one that systems and clerks write where it is not known, or no whole date.

    1 January of any year (only the year was known), years before 1900 or after 2099, one digit only (1911-11-11).
    """
    if birth is None or len(birth) != len("1958-07-14"):
        return True
    return birth[5:] == "01-01" or not "1900" < birth < "2100" or birth == "1911-11-11"


def is_unknown(birth: str) -> bool:
    """Tell whether not even the year of a date can be meant: 1900-01-01, 9999-12-31."""
    return not "1900-01-02" <= birth < "2100"


def near(one: str, other: str) -> bool:
    """Tell whether two days may be one that was mistyped: one digit, two neighbours, day and month changed, the era mistaken."""
    if len(one) != len(other) or len(one) != len("1958-07-14") or one == other:
        return False
    differing = [place for place in range(10) if one[place] != other[place]]
    if len(differing) == 1:
        return True
    if len(differing) == 2 and one[differing[0]] == other[differing[1]] and one[differing[1]] == other[differing[0]]:
        return True
    if one[:4] == other[:4] and one[5:7] == other[8:] and one[8:] == other[5:7]:
        return True
    return one[5:] == other[5:] and abs(int(one[:4]) - int(other[:4])) in _ERA_SLIPS


_ERA_SLIPS: Final = {
    abs(one - other) for letter, (one, _) in ERAS.items() for also, (other, _) in ERAS.items() if letter < also
}  # S33 read as H33


def mistaken(birth: str) -> tuple[str, ...]:
    """Give the days, other than this one, that a whole date is most often mistyped as: those of `near` that one entry each can find."""
    year, month, day = int(birth[:4]), birth[5:7], birth[8:]
    years = sorted({year + sign * step for step in (1, 10, *_ERA_SLIPS) for sign in (1, -1)})
    found = [f"{each}-{month}-{day}" for each in years if 1900 < each < 2100]
    found += [f"{birth[:4]}-{day}-{month}", f"{birth[0]}{birth[1]}{birth[3]}{birth[2]}-{month}-{day}"]
    found += [f"{birth[:4]}-{month}-{day[::-1]}", f"{birth[:4]}-{month}-{day[0]}{(int(day[1]) + 1) % 10}"]
    return tuple(dict.fromkeys(each for each in found if each != birth and is_day(each)))
