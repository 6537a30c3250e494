"""One form for what is written in many: names, telephone numbers, postal codes, insured persons.

NETWORK.md 名寄せ rules, L32. Names go through what search compares by (`search.types.string.fold`: width, kana, small kana, long
vowels, ヴ ヂ ヅ), and are then made equal where only matching may: 斉藤 is not found by 斎藤, but may be the same person. Every function
here, applied to its own result, changes nothing more.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Final

from fhir_server.search.types.japanese import one_sound
from fhir_server.search.types.string import fold

_IN_BRACKETS: Final = re.compile(r"[(（\[［〔]([^)）\]］〕]*)[)）\]］〕]?")
_KANA: Final = re.compile(r"[ァ-ヺヽヾーｦ-ﾟぁ-ゖゝゞ゛゜・･'’.,\-\s]+")
_IGNORED: Final = re.compile(r"[\s\-‐‑‒–—―−ー・.]")
_MOST_TURNS: Final = 5
_HYPHEN: Final = re.compile(r"(?<=[ぁ-ゖァ-ヺｦ-ﾟ])[-‐‑‒–—―−－]")  # ｻﾄ-, typed for ｻﾄｰ
_MARKS: Final = "々ゝゞヽヾ"
_DIGITS: Final = re.compile(r"\d+")
_EXTENSION: Final = re.compile(r"(?:内線|ext\.?|x|#|[(]内).*$", re.IGNORECASE)
_MOBILE: Final = ("50", "70", "80", "90")
_UNVOICED: Final = str.maketrans(
    "ガギグゲゴザジズゼゾダデドバビブベボパピプペポ", "カキクケコサシスセソタテトハヒフヘホハヒフヘホ"
)  # ヂ and ヅ are ジ and ズ by then


def _groups() -> Mapping[int, str]:
    """Read variants.txt: each character and what stands for it."""
    text = files(__package__).joinpath("variants.txt").read_text(encoding="utf-8")
    groups = [group for line in text.splitlines() if not line.startswith("#") for group in line.split()]
    return {ord(variant): group[0] for group in groups for variant in group[1:]}


VARIANTS: Final = _groups()
"""旧字体 and 異体字 for str.translate: code point to the character that stands for it."""


@lru_cache(maxsize=65_536)
def kana(text: str) -> str:
    """Give a kana name, or a part of one, as it is compared: ｼﾖｳｲﾁ, しょういち and ショーイチ are one."""
    return _folded(_HYPHEN.sub("ー", _spelt_out(text)))


@lru_cache(maxsize=65_536)
def kanji(text: str) -> str:
    """Give a name in kanji (or Latin letters) as it is compared: 渡邊, 渡邉 and 渡辺 are one, as are 佐々木 and 佐佐木."""
    return _folded(_spelt_out(text.translate(VARIANTS))).translate(VARIANTS)


def is_kana(text: str) -> bool:
    """Tell whether a text is written in kana only, of any width."""
    return bool(_KANA.fullmatch(text)) and any(unicodedata.category(each) == "Lo" for each in text)


def unvoiced(text: str) -> str:
    """Give a kana name without its dots: ヤマザキ and ヤマサキ are one."""
    return text.translate(_UNVOICED)


def without_brackets(text: str) -> tuple[str, str]:
    """Give a name, and what stands in brackets behind it: by custom an earlier name, 佐藤（鈴木）花子."""
    found = _IN_BRACKETS.search(text)
    return (_IN_BRACKETS.sub(" ", text).strip(), found[1].strip()) if found else (text.strip(), "")


def phone(text: str) -> str:
    """Give the digits of a telephone number as dialled in Japan; empty where it reaches nobody (none, or one digit only)."""
    dialled = _EXTENSION.sub("", unicodedata.normalize("NFKC", text).strip())
    digits = "".join(_DIGITS.findall(dialled))
    if dialled.startswith("+81") or (digits.startswith("81") and len(digits) in (11, 12)):
        digits = "0" + digits.removeprefix("81").removeprefix("0")
    if len(digits) == 9 or (len(digits) == 10 and digits[:2] in _MOBILE):  # the leading zero was lost in a spreadsheet
        digits = "0" + digits
    return digits if 6 <= len(digits) <= 15 and len(set(digits.lstrip("0"))) > 1 else ""


def postal_code(text: str) -> str:
    """Give the seven digits of a postal code; empty where there are not seven, or all are the same."""
    digits = "".join(_DIGITS.findall(unicodedata.normalize("NFKC", text)))
    return digits if len(digits) == 7 and len(set(digits)) > 1 else ""


def insured_part(text: str) -> str:
    """Give one part of an insured person's identification: width, spaces, hyphens and leading zeros do not count."""
    bare = _IGNORED.sub("", unicodedata.normalize("NFKC", text).upper())
    return unicodedata.normalize("NFKC", bare).lstrip("0")


def _spelt_out(text: str) -> str:
    """Write what marks of repetition stand for; ゞ and ヾ repeat with dots."""
    if not any(mark in text for mark in _MARKS):
        return text
    spelt = ""
    for each in unicodedata.normalize("NFKC", text):
        repeated = spelt[-1:] if each in _MARKS else ""
        spelt += unicodedata.normalize("NFC", repeated + "\u3099")[:1] if repeated and each in "ゞヾ" else repeated or each
    return spelt


def _folded(text: str) -> str:
    """Fold until nothing changes: what stood between two characters may have kept them from being one sound."""
    for _ in range(_MOST_TURNS):
        folded = fold(text)
        joined = one_sound(folded.replace(" ", "")) if " " in folded else folded
        if joined == text:
            break
        text = joined
    return text
