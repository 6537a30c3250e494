"""Names in kana and in Latin letters, brought to one spelling: 佐藤 さとう, サトウ, ｻﾄｳ, sato, satou, Satoh, Satō are all `sato`.

For finding a person's name in her password, so it rather merges too much. Searching by romaji asks the other question, what
kana a text may stand for (search/types/romaji.py).
"""

import re
import unicodedata

_ROWS = {
    "": "アイウエオ", "k": "カキクケコ", "s": "サシスセソ", "t": "タチツテト", "n": "ナニヌネノ", "h": "ハヒフヘホ", "m": "マミムメモ",
    "y": "ヤ ユ ヨ", "r": "ラリルレロ", "w": "ワヰ ヱヲ", "g": "ガギグゲゴ", "z": "ザジズゼゾ", "d": "ダヂヅデド", "b": "バビブベボ",
    "p": "パピプペポ",
}  # fmt: skip
_KANA = {kana: consonant + vowel for consonant, row in _ROWS.items() for vowel, kana in zip("aiueo", row, strict=False) if kana != " "}
_KANA |= {"ン": "n", "ヴ": "bu", "ー": "", "ヶ": "ga", "ヵ": "ka"}
_SMALL = dict(zip("ァィゥェォャュョヮ", ("a", "i", "u", "e", "o", "ya", "yu", "yo", "wa"), strict=True))
_KATAKANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}

_SPELLINGS = tuple(
    (re.compile(pattern), kunrei)
    for pattern, kunrei in (
        ("[^a-z]+", ""), ("cch", "tch"), ("shi", "si"), ("chi", "ti"), ("tsu", "tu"), ("dzu|du", "zu"), ("ji|di", "zi"),
        ("sh", "sy"), ("ch", "ty"), ("jy?", "zy"), ("f", "h"), ("l", "r"), ("v", "b"), ("wo", "o"), ("m(?=[bpm])", "n"),
        ("(?<=[kstnhmrgzbp])iy(?=[auo])", "y"), ("nn", "n"), ("oh(?![aiueoy])", "o"), ("o[ou]+", "o"), ("uu+", "u"), ("aa+", "a"),
        ("ii+", "i"), ("e[ei]+", "e"),
    )
)  # fmt: skip


def one_spelling(text: str) -> str:
    """Give the sound of a text in kana or Latin letters as small letters; of anything else, nothing."""
    letters = unicodedata.normalize("NFD", _latin(unicodedata.normalize("NFKC", text))).lower()
    for pattern, kunrei in _SPELLINGS:
        letters = pattern.sub(kunrei, letters)
    return letters


def _latin(text: str) -> str:
    written: list[str] = []
    doubled = False
    for kana in text.translate(_KATAKANA):
        if kana in _SMALL and written:
            written[-1] = _joined(written[-1], _SMALL[kana])
        elif kana == "ッ":
            doubled = True
            continue
        else:
            latin = _KANA.get(kana, kana)
            written.append(latin[:1] * doubled + latin)
        doubled = False
    return "".join(written)


def _joined(syllable: str, small: str) -> str:
    return syllable[:-1] + small
