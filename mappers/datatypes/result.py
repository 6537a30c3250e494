"""OBX-5 and OBX-7: results and reference ranges as people write them.

SS-MIX2 allows NM, ST and CWE. What HL7 would put into SN arrives as text: `< 300`, `>= 200`, `0.3以下`, `＜0.5`; it becomes a
Quantity with a comparator. Decimals stay as they were written (10.0 is not 10). Qualitative results (`(1+)`, `陰性`) stay text.
"""

import re
import unicodedata
from decimal import Decimal
from typing import Any, Final

Quantity = dict[str, Any]

_NUMBER: Final = r"[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d{1,2})?"
_PLAIN: Final = re.compile(_NUMBER)
_BEFORE: Final = re.compile(rf"(<=|>=|<|>|≦|≧|≤|≥|=<|=>)\s*({_NUMBER})")
_AFTER: Final = re.compile(rf"({_NUMBER})\s*(以下|以上|未満|超|を超える|より大)")
_RANGE: Final = re.compile(rf"({_NUMBER})\s*[-~〜–—]\s*({_NUMBER})")
_COMPARATOR: Final = {
    "≦": "<=",
    "≤": "<=",
    "=<": "<=",
    "以下": "<=",
    "≧": ">=",
    "≥": ">=",
    "=>": ">=",
    "以上": ">=",
    "未満": "<",
    "超": ">",
    "を超える": ">",
    "より大": ">",
}


def normal(text: str) -> str:
    """Give the text in half width (NFKC), with the various minus signs as one."""
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFKC", text).replace("−", "-").strip()


def number(text: str) -> Decimal | None:
    """Give the number that the text is, exactly as precise as written, or None."""
    written = normal(text)
    return _decimal(written) if _PLAIN.fullmatch(written) else None


def _decimal(text: str) -> Decimal:
    return Decimal(text.removeprefix("+"))


def quantity(text: str, unit: dict[str, Any]) -> Quantity | None:
    """Give the Quantity that a number with or without a comparator means, or None where the text is something else."""
    written = normal(text)
    if _PLAIN.fullmatch(written):
        return {"value": _decimal(written), **unit}
    if match := _BEFORE.fullmatch(written):
        sign, digits = match.groups()
    elif match := _AFTER.fullmatch(written):
        digits, sign = match.groups()
    else:
        return None
    return {"value": _decimal(digits), "comparator": _COMPARATOR.get(sign, sign), **unit}


def reference_range(text: str, unit: dict[str, Any]) -> dict[str, Any]:
    """Give a referenceRange: low and high where they can be read, and always the words themselves."""
    written = normal(text)
    result: dict[str, Any] = {}
    if match := _RANGE.fullmatch(written):
        result["low"] = {"value": _decimal(match.group(1)), **unit}
        result["high"] = {"value": _decimal(match.group(2)), **unit}
    elif limit := quantity(written, unit):
        comparator = limit.pop("comparator", None)
        if comparator in ("<", "<="):
            result["high"] = limit
        elif comparator in (">", ">="):
            result["low"] = limit
    result["text"] = text
    return result
