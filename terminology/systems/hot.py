"""HOT codes (医薬品HOTコード) of 7, 9 and 13 digits, and YJ codes, of Japanese medicines.

https://www2.medis.or.jp/hcode/ - the HOT code master is MEDIS-DC's.

HOT7 is a medicine as it is prescribed, HOT9 adds the company, HOT13 the package: each is the beginning of the longer
ones. A bare "HOT" as the coding system of a message means the one of the code's length.
"""

import re
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["HOT7", "HOT9", "HOT13", "YJ"]

SYSTEMS: dict[Kind, str] = {
    "HOT7": "http://medis.or.jp/CodeSystem/master-HOT7",
    "HOT9": "http://medis.or.jp/CodeSystem/master-HOT9",
    "HOT13": "http://medis.or.jp/CodeSystem/master-HOT13",
    "YJ": "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code",
}

_DIGITS: dict[int, Kind] = {7: "HOT7", 9: "HOT9", 13: "HOT13"}
_YJ = re.compile(r"[0-9]{7}[A-Z][0-9]{4}")


def kind(code: str) -> Kind | None:
    """Tell which code system a medicine's code belongs to by its form; None where by none of these."""
    if code.isascii() and code.isdigit():
        return _DIGITS.get(len(code))
    return "YJ" if _YJ.fullmatch(code) else None


def system(code: str) -> str | None:
    """Give the canonical of the code system that the form of a medicine's code shows."""
    found = kind(code)
    return SYSTEMS[found] if found else None


def shortened(code: str, to: Literal["HOT7", "HOT9"]) -> str | None:
    """Give the HOT7 or HOT9 code that a HOT code of the same length or longer begins with."""
    length = 7 if to == "HOT7" else 9
    return code[:length] if kind(code) in {"HOT7", "HOT9", "HOT13"} and len(code) >= length else None
