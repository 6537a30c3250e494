"""CQ (単位付き複合数量) to Quantity, and medicine quantities with MERIT-9 units.

HL7 v2.5 2.A.12: `3^TAB&錠&MR9P`, the unit's CE in subcomponents. JP Core's JP_MedicationQuantity demands value and code.
"""

from decimal import Decimal
from typing import Any, Final

from mappers.datatypes import coding_systems, result
from mappers.datatypes.cwe import as_code
from mappers.hl7v2.message import Repetition

DAYS: Final = frozenset(("d", "D", "日", "DAY"))


def medicine(value: str, unit: Repetition, facility: str) -> dict[str, Any] | None:
    """Give the Quantity of a medicine, or None where the value is no number or no unit was sent."""
    amount = result.number(value)
    code = as_code(unit[1] or unit[2])
    if amount is None or not code:
        return None
    system = coding_systems.uri(unit[3], code, facility)
    return {"value": amount, "unit": unit[2] or code, "system": system, "code": code}


def days(cq: Repetition) -> dict[str, Any] | None:
    """Give a Duration in days (JP Core fixes unit 日 and code d), or None where it is something else."""
    amount = result.number(cq[1])
    unit = cq.subcomponents(2)
    if amount is None or not {unit[1], unit[2]} & DAYS:
        return None
    return {"value": amount, "unit": "日", "system": coding_systems.UCUM, "code": "d"}


def per_day(numerator: dict[str, Any]) -> dict[str, Any]:
    """Give the Ratio of an amount to one day."""
    return {
        "numerator": numerator,
        "denominator": {"value": Decimal(1), "unit": "日", "system": coding_systems.UCUM, "code": "d"},
    }
