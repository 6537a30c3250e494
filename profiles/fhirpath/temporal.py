"""Dates, times and moments with their precision.

https://hl7.org/fhirpath/N1/#date, #datetime, #time; comparison: https://hl7.org/fhirpath/N1/#comparison
"""

import calendar
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Self

from profiles.fhirpath.error import FhirPathError

YEAR, MONTH, DAY, HOUR, MINUTE, SECOND = range(1, 7)
_LOWEST = (1, 1, 1, 0, 0, 0)
_FARTHEST = timedelta(hours=14)
_TEXT = re.compile(
    r"(?:(\d{4})(?:-(\d\d)(?:-(\d\d))?)?)?(?:T(?:(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?)?(Z|[+-]\d\d:\d\d)?)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Temporal:
    """A date, dateTime or time, as long as it is known.

    `fields` are year, month, day, hour, minute, second as far as they are given, of a time the hour first with year, month and day 1;
    `fraction` are the digits of the second, "" where there are none; `offset` the zone's minutes, None where it is unknown.
    """

    kind: str
    fields: tuple[int, ...]
    fraction: str = ""
    offset: int | None = None
    zulu: bool = False

    @classmethod
    def parse(cls, text: str, kind: str) -> Self:
        """Read `2024-05`, `2024-05-01T10:00+09:00`, `T10:30`; ValueError for what does not exist."""
        found = _TEXT.fullmatch(text if kind != "time" or text.startswith("T") else "T" + text)
        if found is None:
            raise ValueError("no date or time")
        given = [int(each) for each in found.groups()[:6] if each is not None]
        if (kind == "time") != (found[1] is None) or not given or (kind == "date" and "T" in text):
            raise ValueError("no date or time")
        moment = cls(kind, tuple([1, 1, 1, *given] if kind == "time" else given), found[7] or "", _minutes(found[8]), found[8] == "Z")
        moment.start()
        return moment

    @property
    def precision(self) -> int:
        """YEAR to SECOND."""
        return len(self.fields)

    def start(self) -> datetime:
        """Give the first moment meant, on UTC's clock if the zone is known; ValueError where there is none."""
        year, month, day, hour, minute, second = (*self.fields, *_LOWEST[len(self.fields) :])
        moment = datetime(year, month, day, hour, minute, min(second, 59), int(self.fraction[:6].ljust(6, "0")), tzinfo=UTC)
        try:
            return moment - timedelta(minutes=self.offset or 0)
        except OverflowError as error:
            raise ValueError("no such moment") from error

    def last(self) -> datetime:
        """Give the moment after which it is over, seen from the precision."""
        return (self.plus(1, self.precision) if self.precision < SECOND else self).start()

    def plus(self, count: int, unit: int) -> "Temporal":
        """Add whole years, ... seconds; a unit finer than the precision counts as far as it fills whole units of the precision."""
        fields, precision = list(self.fields), self.precision
        if unit in {YEAR, MONTH}:
            months = fields[0] * 12 + (fields[1] if precision > 1 else 1) - 1 + count * (12 if unit == YEAR else 1)
            fields[0] = months // 12
            if not 1 <= fields[0] <= 9999:
                raise FhirPathError("a date leaves the years 1 to 9999")
            if precision > 1:
                fields[1] = months % 12 + 1
            if precision > 2:
                fields[2] = min(fields[2], calendar.monthrange(fields[0], fields[1])[1])
            return replace(self, fields=tuple(fields))
        seconds = count * (1, 60, 3600, 86400)[SECOND - unit]
        return self._later(timedelta(seconds=seconds) if abs(seconds) < 10**12 else None)

    def plus_milliseconds(self, count: int) -> "Temporal":
        """Add milliseconds."""
        return self._later(timedelta(milliseconds=count) if abs(count) < 10**15 else None)

    def _later(self, by: timedelta | None) -> "Temporal":
        local = replace(self, offset=None)
        try:
            if by is None:
                raise OverflowError
            later = local.start() + by
        except OverflowError as error:
            raise FhirPathError("a date leaves the years 1 to 9999") from error
        fields = later.timetuple()[:6]
        if self.kind == "time":
            fields = (1, 1, 1, *fields[3:])
        fraction = f"{later.microsecond:06}" if self.precision == SECOND else ""
        digits = len(self.fraction) or (3 if later.microsecond else 0)
        return replace(self, fields=fields[: self.precision], fraction=fraction[:digits])

    def __str__(self) -> str:
        steps = [f"{self.fields[0]:04}", *(f"{each:02}" for each in self.fields[1:])]
        date, clock = "-".join(steps[:3]), ":".join(steps[3:]) + (f".{self.fraction}" if self.fraction else "")
        if self.kind == "time":
            return clock
        return date if self.kind == "date" else f"{date}{'T' + clock + self._zone() if clock else ''}"

    def _zone(self) -> str:
        if self.offset is None or self.zulu:
            return "Z" if self.zulu else ""
        return f"{'-' if self.offset < 0 else '+'}{abs(self.offset) // 60:02}:{abs(self.offset) % 60:02}"


@lru_cache(maxsize=4096)
def read(text: str, kind: str) -> Temporal | None:
    """Read the JSON value of a date, dateTime, instant or time; None where it is none."""
    try:
        return Temporal.parse(text, kind)
    except ValueError:
        return None


def compare(left: Temporal, right: Temporal) -> int | None:
    """Give -1, 0 or 1, or None where precision or zone leave it open. FhirPathError for a time against a date."""
    if (left.kind == "time") != (right.kind == "time"):
        raise FhirPathError("a time cannot be compared with a date")
    if (left.offset is None) != (right.offset is None):
        return _compare_zoneless(left, right)
    these, those = _on_one_clock(left), _on_one_clock(right)
    for mine, yours in zip(these, those, strict=False):
        if mine != yours:
            return -1 if mine < yours else 1
    return 0 if len(these) == len(those) else None


def _on_one_clock(moment: Temporal) -> tuple[int | Decimal, ...]:
    """The fields in UTC where the zone is known; seconds and their fraction are one."""
    fields: tuple[int | Decimal, ...] = moment.start().timetuple()[: moment.precision]
    if moment.precision == SECOND:
        return (*fields[:5], fields[5] + Decimal("0." + (moment.fraction or "0")))
    return fields


def _compare_zoneless(left: Temporal, right: Temporal) -> int | None:
    """Whoever does not tell the zone may be up to 14 hours off."""
    try:
        if left.last() + _FARTHEST < right.start():
            return -1
        return 1 if right.last() + _FARTHEST < left.start() else None
    except (OverflowError, ValueError, FhirPathError):
        return None


def _minutes(zone: str | None) -> int | None:
    if zone is None or zone == "Z":
        return 0 if zone else None
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    return -minutes if zone[0] == "-" else minutes
