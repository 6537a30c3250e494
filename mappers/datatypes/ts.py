"""TS, DTM and DT (日時) to FHIR date, dateTime and instant.

HL7 v2.5 2.A.22. FHIR R4 knows the precisions year, month, day, second: HHMM is read as HHMM00, HH as HH0000. All times
are Japan's (+09:00) unless the sender says otherwise. Real stores carry hours 24 to 47 (深夜帯 of the day before) and pad a
date with zeros.
"""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

_TS: Final = re.compile(r"(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,6}))?)?)?)?)?)?([+-]\d{4})?")
JAPAN: Final = "+09:00"


@lru_cache(maxsize=4096)
def date_time(text: str) -> str | None:
    """Give a dateTime as precise as the text, or None where it is no time."""
    match = _TS.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    if month in (None, "00"):
        return year if year != "0000" else None
    if day in (None, "00"):
        return f"{year}-{month}" if 1 <= int(month) <= 12 else None
    try:
        start = date(int(year), int(month), int(day))
    except ValueError:
        return None
    if hour is None:
        return start.isoformat()
    zone = f"{offset[:3]}:{offset[3:]}" if offset else JAPAN
    decimals = f".{fraction}" if fraction and int(fraction) else ""
    return _with_time(start, int(hour), int(minute or 0), int(second or 0), decimals + zone)


def _with_time(start: date, hour: int, minute: int, second: int, rest: str) -> str | None:
    """Add the time of day; hours from 24 on belong to the next day. `rest` is the fraction and the zone."""
    if hour > 47 or minute > 59 or second > 59:
        return None
    if hour > 23:
        start, hour = start + timedelta(days=1), hour - 24
    return f"{start.isoformat()}T{hour:02}:{minute:02}:{second:02}{rest}"


def day(text: str) -> str | None:
    """Give a FHIR date, without any time of day, or None."""
    moment = date_time(text)
    return moment[:10] if moment else None


def instant(text: str) -> str | None:
    """Give a FHIR instant, or None where the text is no time of day."""
    moment = date_time(text)
    return moment if moment and "T" in moment else None


def padded_date_time(text: str) -> str | None:
    """Give a dateTime where zeros pad a date: 20240618000000 and 2024061800 are the day, not its first second."""
    stripped = text.strip()
    return date_time(stripped[:8] if set(stripped[8:14]) == {"0"} else stripped)


def moment(value: str) -> datetime | None:
    """Give the beginning of a FHIR dateTime as a point of time, for comparing."""
    parts = (value + "-01-01"[len(value) - 4 :]) if len(value) in (4, 7) else value
    try:
        parsed = datetime.fromisoformat(parts if "T" in parts else f"{parts}T00:00:00{JAPAN}")
    except ValueError:
        return None
    return parsed.astimezone(UTC)
