"""Characters and sounds that Japanese names are written with in several ways, each with the one that stands for all.

Kana: hiragana, and small kana written large (ショウイチ, シヨウイチ), as older hospital systems do; sounds that became one
(ヅ ズ, ヂ ジ, ヲ オ, ヴァ バ). Long vowels: サトウ, サトオ and サトー are one, as are ケイコ and ケーコ; サト is another name.
Kanji: old and variant forms common in names and places, which registries, insurers and people use side by side (渡邊,
渡邉, 渡辺). Distinct names are not merged: 斉 and 斎 stay apart, each with its own old form.
docs/decisions/0012-what-a-search-value-means.md
"""

import re

_SMALL, _LARGE = "ァィゥェォッャュョヮヵヶ", "アイウエオツヤユヨワカケ"
_LOST, _KEPT = "ヂヅヲヰヱ", "ジズオイエ"
_OLD = "髙﨑邊邉德濵濱澤齋齊櫻廣國嶋嶌眞惠榮學壽龍瀧桒栁𠮷冨彌禮與豐條黑圓實藏鐵來萬靜淸敎檜舘籔槇渕淵曾繩鷗"
_NEW = "高崎辺辺徳浜浜沢斎斉桜広国島島真恵栄学寿竜滝桑柳吉富弥礼与豊条黒円実蔵鉄来万静清教桧館薮槙淵淵曽縄鴎"

_large = dict(zip(_SMALL + _LOST, _LARGE + _KEPT, strict=True))
_hiragana = {chr(code): chr(code + 0x60) for code in (*range(0x3041, 0x3097), 0x309D, 0x309E)}
_kana = {hiragana: _large.get(katakana, katakana) for hiragana, katakana in _hiragana.items()} | _large

ONE_FORM = str.maketrans(_kana | dict(zip(_OLD, _NEW, strict=True)))
"""For str.translate, after NFKC."""

_VU = {"ヴア": "バ", "ヴイ": "ビ", "ヴエ": "ベ", "ヴオ": "ボ", "ヴ": "ブ"}
_vu = re.compile("ヴ[アイエオ]?")
_long = re.compile(
    "([アカサタナハマヤラワガザダバパ])ー+|([イキシチニヒミリギジビピ])ー+|([ウクスツヌフムユルグズブプ])ー+"
    "|([エケセテネヘメレゲゼデベペ])[ーイ]+|([オコソトノホモヨロゴゾドボポ])[ーウ]+"
)


def one_sound(text: str) -> str:
    """Write long vowels, in a text of ONE_FORM, as the vowel again."""
    if "ヴ" in text:
        text = _vu.sub(lambda found: _VU[found[0]], text)
    return _long.sub(_repeated, text)


def _repeated(found: re.Match[str]) -> str:
    assert found.lastindex is not None
    return found[found.lastindex] + "アイウエオ"[found.lastindex - 1] * (len(found[0]) - 1)
