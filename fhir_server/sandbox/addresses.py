"""Addresses and telephone numbers that look right and reach nobody.

Municipalities and the first digits of their postal codes are true; the town is invented, its 丁目 is 99, the last
two digits of the postal code are 99, and the telephone exchanges 000 and 0000 are not assigned in Japan.
"""

from dataclasses import dataclass
from itertools import accumulate
from random import Random

# Municipality, first five digits of the postal code, area code, weight (inhabitants in thousands, roughly).
MUNICIPALITIES = (
    ("香川県高松市", "760-00", "087", 415),
    ("香川県高松市", "761-80", "087", 120),
    ("香川県丸亀市", "763-00", "0877", 108),
    ("香川県坂出市", "762-00", "0877", 50),
    ("香川県善通寺市", "765-00", "0877", 31),
    ("香川県観音寺市", "768-00", "0875", 57),
    ("香川県さぬき市", "769-23", "087", 46),
    ("香川県東かがわ市", "769-27", "0879", 28),
    ("香川県三豊市", "767-00", "0875", 61),
    ("香川県小豆郡土庄町", "761-41", "0879", 13),
    ("香川県小豆郡小豆島町", "761-44", "0879", 13),
    ("香川県木田郡三木町", "761-07", "087", 27),
    ("香川県香川郡直島町", "761-31", "087", 3),
    ("香川県綾歌郡宇多津町", "769-02", "0877", 19),
    ("香川県綾歌郡綾川町", "761-23", "087", 23),
    ("香川県仲多度郡琴平町", "766-00", "0877", 8),
    ("香川県仲多度郡多度津町", "764-00", "0877", 22),
    ("香川県仲多度郡まんのう町", "766-02", "0877", 17),
    ("徳島県三好市", "778-00", "0883", 6),
    ("愛媛県四国中央市", "799-04", "0896", 8),
    ("岡山県岡山市北区", "700-09", "086", 6),
)
_WEIGHTS = tuple(accumulate(weight for *_, weight in MUNICIPALITIES))
_TOWNS = ("見本町", "架空町", "つなぎ町", "例題町", "想定町", "練習町", "雛形町", "仮想町", "試作町", "模擬町")
_BUILDINGS = ("コーポ見本", "メゾン架空", "つなぎハイツ", "例題マンション", "サンプル荘")


@dataclass(frozen=True, slots=True)
class Address:
    """A postal code with its hyphen, the whole address in one text, and the telephone number of the house."""

    postal_code: str
    text: str
    phone: str


def address(rng: Random) -> Address:
    """Draw an address; about one in six is a flat."""
    municipality, postal, area, _ = rng.choices(MUNICIPALITIES, cum_weights=_WEIGHTS)[0]
    town = _TOWNS[int(rng.random() * len(_TOWNS))]
    text = f"{municipality}{town}99丁目{1 + int(rng.random() * 40)}番{1 + int(rng.random() * 30)}号"
    if rng.random() < 0.17:
        text += f" {_BUILDINGS[int(rng.random() * len(_BUILDINGS))]}{101 + int(rng.random() * 9) * 100 + int(rng.random() * 8)}"
    return Address(postal + "99", text, f"{area}-000-{int(rng.random() * 10000):04d}")


def mobile(rng: Random) -> str:
    """Draw a mobile telephone number that is not assigned."""
    return f"090-0000-{int(rng.random() * 10000):04d}"
