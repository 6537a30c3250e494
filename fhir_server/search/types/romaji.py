"""Names typed in Latin letters, as the kana they may stand for.

Hepburn, Kunrei and the ways of passports are read alike: sato, satou, satoh and satō are サトウ, syoiti is ショウイチ.
Long vowels and the n before a vowel are not always written: each reading is asked for, up to MOST of them.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import product

from fhir_server.search.types.japanese import one_sound

MOST = 16

_LONG = re.compile("[\u0302\u0304]")  # sâtô, sātō
_LETTERS = re.compile(r"[a-z][a-z'’ー \-]{1,40}")
_VOWELS = "aiueo"
_ROWS = {
    "": "アイウエオ", "k": "カキクケコ", "s": "サシスセソ", "t": "タチツテト", "n": "ナニヌネノ", "h": "ハヒフヘホ", "m": "マミムメモ",
    "y": "ヤ ユ ヨ", "r": "ラリルレロ", "w": "ワ   オ", "g": "ガギグゲゴ", "z": "ザジズゼゾ", "d": "ダジズデド", "b": "バビブベボ",
    "p": "パピプペポ", "j": "   ジエ ", "f": "  フ  ", "v": "バビブベボ", "l": "ラリルレロ",
}  # fmt: skip
_COMBINED = {
    "ky": "キ", "sy": "シ", "sh": "シ", "ty": "チ", "ch": "チ", "ny": "ニ", "hy": "ヒ", "my": "ミ", "ry": "リ", "ly": "リ",
    "gy": "ギ", "zy": "ジ", "j": "ジ", "jy": "ジ", "dy": "ジ", "by": "ビ", "py": "ピ",
}  # fmt: skip
_OTHERS = {
    "shi": "シ", "chi": "チ", "tsu": "ツ", "ji": "ジ", "dzu": "ズ", "she": "シエ", "che": "チエ", "je": "ジエ",
    "fa": "フア", "fi": "フイ", "fe": "フエ", "fo": "フオ", "tsa": "ツア", "tse": "ツエ", "tso": "ツオ",
}  # fmt: skip
_SYLLABLES = {
    **{consonant + vowel: kana for consonant, row in _ROWS.items() for vowel, kana in zip(_VOWELS, row, strict=False) if kana != " "},
    **{consonants + vowel: kana + "ヤユヨ"["auo".index(vowel)] for consonants, kana in _COMBINED.items() for vowel in "auo"},
    **_OTHERS,
}


def readings(text: str) -> tuple[str, ...]:
    """Give the kana, folded as they are stored, that a text may be the romaji of; none where it cannot be one."""
    written = _LONG.sub("ー", unicodedata.normalize("NFD", text).lower())
    if not _LETTERS.fullmatch(written):
        return ()
    pieces: list[tuple[str, ...]] = []
    for part in re.split(r"[ \-]+", written.strip()):
        for piece in _pieces(part.replace("’", "'")):
            if piece is None:
                return ()
            pieces.append(piece)
    if pieces:
        pieces[-1] = pieces[-1][:1]  # whatever goes on, begins so
    while _count(pieces) > MOST:  # the last doubts count least
        last = max(position for position, piece in enumerate(pieces) if len(piece) > 1)
        pieces[last] = pieces[last][:1]
    return tuple(dict.fromkeys(one_sound("".join(each)) for each in product(*pieces)))


def _count(pieces: list[tuple[str, ...]]) -> int:
    return 1 << sum(len(piece) > 1 for piece in pieces)


def _pieces(part: str) -> Iterator[tuple[str, ...] | None]:
    """Give the kana of each syllable, with its second reading where there is one; None where a letter belongs to none."""
    position = 0
    while position < len(part):
        letter, rest = part[position], part[position + 1 :]
        if letter == "ー" or (letter == "h" and position and part[position - 1] == "o" and rest[:1] not in tuple("aiueoy")):
            yield ("ー",)
            position += 1
        elif letter in "nm" and _is_syllabic(letter, rest):
            yield ("ン",)
            position += 2 if rest[:1] == "'" else 1
        elif rest[:1] == letter not in _VOWELS or part[position : position + 3] == "tch":
            yield ("ツ",)
            position += 1
        else:
            length = next((length for length in (3, 2, 1) if part[position : position + length] in _SYLLABLES), 0)
            if not length:
                yield None
                return
            syllable = part[position : position + length]
            before, position = part[:position][-1:], position + length
            yield _doubtful(before, syllable, part[position : position + 1])


def _is_syllabic(letter: str, rest: str) -> bool:
    return rest[:1] not in tuple("aiueoy") if letter == "n" else rest[:1] in tuple("bpm")


def _doubtful(before: str, syllable: str, following: str) -> tuple[str, ...]:
    kana = _SYLLABLES[syllable]
    if before and syllable in ("na", "ni", "nu", "ne", "no"):  # Kenichi, Junichi
        return kana, "ン" + _ROWS[""][_VOWELS.index(syllable[1])]
    if kana[-1] in "オコソトノホモヨロゴゾドボポ" and following not in tuple("ouhー") and not (syllable == before == "o"):
        return kana, kana + "オ"
    if kana[-1] == "ユ" and following not in tuple("uー"):
        return kana, kana + "ウ"
    return (kana,)
