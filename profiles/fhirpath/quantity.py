"""Quantities: a number with a unit of UCUM or a calendar duration.

https://hl7.org/fhirpath/N1/#quantity
"""

import re
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any, Self

from terminology.systems import ucum

_UNITS = ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
CALENDAR = {word: unit for unit in _UNITS for word in (unit, unit + "s")}
"""The words for calendar durations, each with its singular."""
_AS_UCUM = {"week": "wk", "day": "d", "hour": "h", "minute": "min", "second": "s", "millisecond": "ms"}
_AS_CALENDAR = {"wk": "week", "d": "day", "h": "hour", "min": "minute", "s": "second", "ms": "millisecond"}
_ABOUT_UCUM = {**_AS_UCUM, "year": "a", "month": "mo"}
_DIGITS = 20
_TEXT = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*(?:'([^']+)'|([A-Za-z]+))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and its unit: a UCUM code, or a singular word of CALENDAR where `calendar` is true. `word` is the unit as written."""

    value: Decimal
    unit: str = "1"
    calendar: bool = False
    word: str = ""

    @classmethod
    def of(cls, value: int | Decimal, unit: str, *, calendar: bool = False) -> Self:
        """Make a quantity; a quoted calendar word means the same as the bare one."""
        calendar = calendar or unit in CALENDAR
        return cls(Decimal(value), CALENDAR[unit] if calendar else unit, calendar, unit)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read `1.5 'mg'`, `2 days`, `3`; None for anything else."""
        found = _TEXT.fullmatch(text)
        if found is None or (found[3] and found[3] not in CALENDAR):
            return None
        return cls.of(Decimal(found[1]), found[2] or found[3] or "1", calendar=bool(found[3]))

    @classmethod
    def of_fhir(cls, value: dict[str, Any]) -> Self | None:
        """Take the value of a FHIR Quantity; None where it has no number. A code counts only if it is UCUM's."""
        number, system = value.get("value"), value.get("system")
        if type(number) is not int and not isinstance(number, Decimal):
            return None
        unit = value.get("code") if system == ucum.SYSTEM else value.get("unit") or value.get("code")
        return cls(Decimal(number), unit if isinstance(unit, str) else "1")

    def of_base_units(self, *, definite: bool) -> tuple[Decimal, str] | None:
        """Give the number in base units, to 20 digits, and what these are; None where the unit is unknown.

        `definite`: a calendar year and month are units of their own, since their length varies.
        """
        code = (_AS_UCUM if definite else _ABOUT_UCUM).get(self.unit) if self.calendar else self.unit
        if code is None:
            return self.value * (12 if self.unit == "year" else 1), "calendar month"
        unit = ucum.unit(code)
        if unit is None or not self.value.is_finite() or abs(self.value.adjusted()) > 300:
            return None
        with localcontext(prec=_DIGITS):
            return +unit.in_base_units(self.value), unit.dimension

    @property
    def duration(self) -> str | None:
        """The calendar unit it means when it is added to a date; None where it means none."""
        return self.unit if self.calendar else _AS_CALENDAR.get(self.unit)

    def __str__(self) -> str:
        return f"{self.value:f} {self.word}" if self.calendar and self.word in CALENDAR else f"{self.value:f} '{self.unit}'"


def compare(left: Quantity, right: Quantity, *, definite: bool = True) -> int | None:
    """Give -1, 0 or 1; None where the units cannot be compared."""
    if left.unit == right.unit and left.calendar == right.calendar:
        return (left.value > right.value) - (left.value < right.value)
    one, other = left.of_base_units(definite=definite), right.of_base_units(definite=definite)
    if one is None or other is None or one[1] != other[1]:
        return None
    return (one[0] > other[0]) - (one[0] < other[0])


def comparable(left: Quantity, right: Quantity) -> bool:
    """Tell whether the two measure the same."""
    return compare(left, right, definite=False) is not None


def product(left: Quantity, right: Quantity, sign: int) -> Quantity | None:
    """Multiply (`sign` 1) or divide (-1), in base units; None for unknown units and for a division by zero."""
    if sign < 0 and not right.value:
        return None
    if right.unit == "1":
        return Quantity(left.value * right.value if sign > 0 else left.value / right.value, left.unit, left.calendar, left.word)
    one, other = left.of_base_units(definite=False), right.of_base_units(definite=False)
    if one is None or other is None:
        return None
    unit = ucum.unit(f"({one[1]}){'.' if sign > 0 else '/'}({other[1]})")
    return Quantity(one[0] * other[0] if sign > 0 else one[0] / other[0], unit.dimension) if unit is not None else None


def converted(value: Quantity, unit: Quantity) -> Quantity | None:
    """Give the quantity in the unit of another; None where the two do not measure the same, and for temperatures, whose zeros differ."""
    one, other = value.of_base_units(definite=False), unit.of_base_units(definite=False)
    if one is None or other is None or one[1] != other[1] or one[1] == "K":
        return None
    return Quantity(one[0] / other[0], unit.unit, unit.calendar, unit.word)
