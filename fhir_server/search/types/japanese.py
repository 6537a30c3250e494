"""Characters that Japanese names are written with in several ways, each with the one that stands for all.

Kana: hiragana, and small kana written large (ショウイチ, シヨウイチ), as older hospital systems do. Kanji: old and
variant forms common in names and places, which registries, insurers and people use side by side (渡邊, 渡邉, 渡辺).
Distinct names are not merged: 斉 and 斎 stay apart, each with its own old form.
"""

_SMALL, _LARGE = "ァィゥェォッャュョヮヵヶ", "アイウエオツヤユヨワカケ"
_OLD = "髙﨑邊邉德濵濱澤齋齊櫻廣國嶋嶌眞惠榮學壽龍瀧桒栁𠮷冨彌禮與豐條黑圓實藏鐵來萬靜淸敎檜舘籔槇渕淵曾繩鷗"
_NEW = "高崎辺辺徳浜浜沢斎斉桜広国島島真恵栄学寿竜滝桑柳吉富弥礼与豊条黒円実蔵鉄来万静清教桧館薮槙淵淵曽縄鴎"

_hiragana = {chr(code): chr(code + 0x60) for code in (*range(0x3041, 0x3097), 0x309D, 0x309E)}
_large = dict(zip(_SMALL, _LARGE, strict=True))
_kana = {hiragana: _large.get(katakana, katakana) for hiragana, katakana in _hiragana.items()} | _large

ONE_FORM = str.maketrans(_kana | dict(zip(_OLD, _NEW, strict=True)))
"""For str.translate, after NFKC."""
