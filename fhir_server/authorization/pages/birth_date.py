"""Birth dates as people write and read them: in the Western calendar and by eras 元号.

昭和41年6月6日, S41/06/06, s41.6.6, 1966-06-06, 19660606, １９６６年６月６日 are one day. An era's years begin with 1 (元年) on the
day of its proclamation: https://www.ndl.go.jp/jp/data/databases.html (laws on eras 元号法 1979).
"""

import re
import unicodedata
from datetime import date
from typing import Final

from fhir_server.authorization.pages.words import Language

_ERAS: Final = (
    ("令和", "R", date(2019, 5, 1)),
    ("平成", "H", date(1989, 1, 8)),
    ("昭和", "S", date(1926, 12, 25)),
    ("大正", "T", date(1912, 7, 30)),
    ("明治", "M", date(1868, 10, 23)),
)
_WRITTEN: Final = re.compile(
    r"(?:(?P<era>令和?|平成?|昭和?|大正|大|明治?|[RHSTM])\.?)?\s*(?P<year>\d{1,4}|元)\s*[-/.年]\s*(?P<month>\d{1,2})\s*[-/.月]\s*(?P<day>\d{1,2})\s*日?"
)
_TOGETHER: Final = re.compile(r"(?:(?P<era>[RHSTM])(?P<year>\d{2})|(?P<western>\d{4}))(?P<month>\d{2})(?P<day>\d{2})")


def read(text: str, today: date) -> date | None:
    """Read a birth date in any of these notations; None for what is none, or has not come yet."""
    plain = unicodedata.normalize("NFKC", text).strip().upper()
    found = _WRITTEN.fullmatch(plain) or _TOGETHER.fullmatch(plain)
    if found is None:
        return None
    written = found.groupdict()
    year = written["year"] or written["western"]
    day = _day(written["era"], 1 if year == "元" else int(year), int(written["month"]), int(written["day"]))
    return day if day is not None and day <= today else None


def _day(era: str | None, year: int, month: int, day: int) -> date | None:
    begin: date | None = None
    if era is not None:
        begin = next(begin for name, letter, begin in _ERAS if era == letter or name.startswith(era))
        year += begin.year - 1
    try:
        found = date(year, month, day)
    except ValueError:
        return None
    if begin is not None:
        return found if begin <= found and _era(found)[1] == begin else None
    return found if year >= 1850 else None


def written(text: str, language: Language) -> str:
    """Write the date of a FHIR resource (`1966-06-06`, or only its year) in both calendars, whatever precision it has."""
    parts = [int(part) for part in text.split("-")] if re.fullmatch(r"\d{4}(-\d\d){0,2}", text) else []
    if len(parts) != 3:
        return text
    try:
        day = date(*parts)
    except ValueError:
        return text
    name, begin, letter = _era(day)
    if begin is None:
        return text
    year = day.year - begin.year + 1
    if language == "en":
        return f"{text} ({letter}{year}/{day.month:02}/{day.day:02})"
    return f"{day.year}年{day.month}月{day.day}日（{name}{'元' if year == 1 else year}年）"


def _era(day: date) -> tuple[str, date | None, str]:
    return next(((name, begin, letter) for name, letter, begin in _ERAS if begin <= day), ("", None, ""))


def age(text: str, today: date) -> int | None:
    """Count the full years since a birth date known to the day."""
    try:
        born = date.fromisoformat(text)
    except ValueError:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
