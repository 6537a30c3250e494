"""Addresses as they are compared: the town, the numbers of the block and house, the flat.

NETWORK.md 名寄せ rules (丁目/番地 forms). 香川県高松市見本町九十九丁目１番地の２ コーポ見本301, 高松市見本町99-1-2-301 and 高松市大字見本町99丁目1番2号 are one
house: prefecture and county may be left out, as may the building's name. The flat is kept apart: it is often not written.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final, NamedTuple

from fhir_server.identity.dates import number
from fhir_server.identity.normal import VARIANTS, kanji

_POSTAL: Final = re.compile(r"〒?\s*\d{3}-?\d{4}(?=\D)")
_PREFECTURE: Final = re.compile(r"^(?:日本国?)?(?:北海道|東京都|(?:京都|大阪)府|[^市区町村郡]{2,3}県)")
_COUNTY: Final = re.compile(r"^[^市区町村]{1,4}?郡(?=[^市]+?[町村])")
_SECTION: Final = re.compile(r"大字|(?<=[町村])字")
_NUMERALS: Final = re.compile(r"[〇一二三四五六七八九十]+(?=(?:丁目|番|号)(?!町)|-|の\d)")
_HYPHENS: Final = re.compile(r"(?<=\d)\s*(?:丁目|番地|番(?!町)|号|[-‐‑‒–—―−ーの之ノ])+\s*(?=\d)|(?<=\d)\s*(?:丁目|番地|番(?!町)|号)+")
_HOUSE: Final = re.compile(r"\d+(?:-\d+)*")
_ROOM: Final = re.compile(r"(\d+)\s*号?室?\s*$")
_KE: Final = re.compile(r"(?<=[^\x00-\x7f])[ケガ](?=[^\x00-\x7f])")


class Place(NamedTuple):
    """An address: `town` up to the first number, `house` its numbers in order, `flat` what follows, as a number where there is one."""

    town: str
    house: tuple[int, ...]
    flat: str


@lru_cache(maxsize=16_384)
def place(text: str) -> Place | None:
    """Read an address, None where nothing is left of it."""
    written = _POSTAL.sub("", unicodedata.normalize("NFKC", text).translate(VARIANTS)).strip()
    written = _COUNTY.sub("", _PREFECTURE.sub("", written))
    written = _NUMERALS.sub(lambda found: str(number(found[0])), _SECTION.sub("", written))
    written = _HYPHENS.sub(lambda found: "-" if found.end() < len(found.string) and found.string[found.end()].isdigit() else " ", written)
    numbers = _HOUSE.search(written)
    if numbers is None:
        return Place(_town(written), (), "") if written else None
    house = tuple(int(each) for each in numbers[0].split("-"))
    rest = written[numbers.end() :].strip(" -")
    flat = "" if not rest else found[1] if (found := _ROOM.search(rest)) else kanji(rest)
    if len(house) > 3 and not flat:  # 1-2-3-301
        house, flat = house[:3], str(house[3])
    return Place(_town(written[: numbers.start()]), house, flat)


def _town(text: str) -> str:
    return _KE.sub("ケ", kanji(text))


def same(one: Place, other: Place) -> bool:
    """Tell whether two addresses are one house: the same town and numbers, and no two different flats."""
    return (
        bool(one.house) and one.town == other.town and one.house == other.house and not (one.flat and other.flat and one.flat != other.flat)
    )


def close(one: Place, other: Place) -> bool:
    """Tell whether two addresses are in one town, and one's numbers begin like the other's."""
    return one.town == other.town and (not one.house or not other.house or one.house[0] == other.house[0])
