"""Ways to write what is the same, and mistakes in writing it.

Made apart from the tables that matching uses (`fhir_server.identity`), so that the one can be measured by the other.
"""

import re
from datetime import date
from random import Random
from typing import Final

_OLD: Final = {
    "辺": "邊邉", "斎": "齋齊斉", "高": "髙", "崎": "﨑嵜", "沢": "澤", "浜": "濱", "広": "廣", "島": "嶋嶌", "桜": "櫻", "国": "國", "真": "眞", "恵": "惠",
    "栄": "榮", "吉": "𠮷", "徳": "德", "滝": "瀧", "静": "靜", "実": "實", "弥": "彌", "渕": "淵", "円": "圓", "富": "冨", "黒": "黑", "塩": "鹽", "横": "橫",
    "条": "條", "医": "醫", "穂": "穗", "清": "淸", "郎": "郞", "豊": "豐", "亀": "龜", "鉄": "鐵", "万": "萬", "壮": "壯",
    "峰": "峯", "学": "學", "彦": "彥", "悦": "悅", "歩": "步", "節": "莭", "礼": "禮", "来": "來", "凛": "凜", "桧": "檜", "曽": "曾", "寿": "壽",
}  # fmt: skip
_HALF: Final = str.maketrans({
    **dict(zip("アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲンァィゥェォャュョッー",
               "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜｦﾝｧｨｩｪｫｬｭｮｯｰ", strict=True)),
    **{dotted: half + "ﾞ" for dotted, half in zip("ガギグゲゴザジズゼゾダヂヅデドバビブベボ", "ｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾊﾋﾌﾍﾎ", strict=True)},
    **{ringed: half + "ﾟ" for ringed, half in zip("パピプペポ", "ﾊﾋﾌﾍﾎ", strict=True)},
})  # fmt: skip
_LARGE: Final = str.maketrans("ァィゥェォャュョッ", "アイウエオヤユヨツ")
_LONG: Final = {
    "コウ": "コー",
    "ヨウ": "ヨー",
    "ロウ": "ロー",
    "オオ": "オー",
    "トウ": "トオ",
    "ユウ": "ユー",
    "ケイ": "ケー",
    "ソウ": "ソー",
}
_WIDE: Final = str.maketrans("0123456789-", "０１２３４５６７８９－")
_BLOCK: Final = re.compile(r"(\d+)丁目(\d+)番(\d+)号")
_ROOM: Final = re.compile(r" (\D+)(\d+)$")
_NUMERALS: Final = "〇一二三四五六七八九"
_KANJI_TAKEN: Final = "美子一郎太介雄夫恵香樹也"


def kana_ways(rng: Random, kana: str, style: int) -> str:
    """Write kana as the facility does; now and then with another long vowel, ヅ for ズ, or without dots."""
    chance = rng.random()
    if chance < 0.04:
        kana = next((kana.replace(long, other, 1) for long, other in _LONG.items() if long in kana), kana)
    elif chance < 0.06:
        kana = kana.replace("ズ", "ヅ") if "ズ" in kana else kana.replace("ジ", "ヂ")
    elif chance < 0.07:
        kana = kana.replace("ザ", "サ") if "ザ" in kana else kana.replace("ダ", "タ")
    if style == 1:
        return kana.translate(_HALF)
    if style == 2:
        return kana.translate(_LARGE)
    if style == 5:
        return kana.translate(_LARGE).translate(_HALF)
    return "".join(chr(ord(each) - 0x60) if "ァ" <= each <= "ヶ" else each for each in kana) if style == 6 else kana


def another_kanji(rng: Random, text: str, *, old: bool) -> str:
    """Write a name with the old forms that the facility's system has."""
    if not old:
        return text
    return "".join(rng.choice(_OLD[each]) if each in _OLD and rng.random() < 0.6 else each for each in text)


def mistyped(rng: Random, text: str) -> str:
    """Change, leave out or exchange a character."""
    place = rng.randrange(len(text))
    way = rng.random()
    if way < 0.3 and len(text) > 2:
        return text[:place] + text[place + 1 :]
    if way < 0.6 and place:
        return text[: place - 1] + text[place] + text[place - 1] + text[place + 1 :]
    return text[:place] + rng.choice(_KANJI_TAKEN if text[0] > "一" else "アイカシタナノマリン") + text[place + 1 :]


def changed_digit(rng: Random, birth: date) -> str:
    """Mistype a date: an era, a digit, day and month."""
    way, written = rng.random(), birth.isoformat()
    if way < 0.25 and birth.day <= 12:
        return date(birth.year, birth.day, birth.month).isoformat()
    if way < 0.4:
        return f"{birth.year + rng.choice((-30, -14, 14, 30, 63, -63, 1, -1))}{written[4:]}".replace("-02-29", "-02-28")
    for _ in range(20):
        place = rng.choice((2, 3, 5, 6, 8, 9))
        changed = written[:place] + str(rng.randrange(10)) + written[place + 1 :]
        try:
            if changed != written and 1900 < date.fromisoformat(changed).year < 2100:
                return changed
        except ValueError:
            continue
    return written


def written_phone(phone: str, style: int) -> str:
    """Write a telephone number as the facility does."""
    digits = phone.replace("-", "")
    return (phone, digits, phone.translate(_WIDE), f"+81{digits[1:]}", phone, digits, f"+81-{phone[1:]}", phone)[style]


def written_address(rng: Random, text: str, style: int) -> str:
    """Write an address as the facility does, now and then without prefecture or building."""
    if rng.random() < 0.3:
        text = _ROOM.sub(r"-\2" if rng.random() < 0.5 else "", text)
    if rng.random() < 0.3:
        text = re.sub(r"^.{2,3}県", "", text)
    if style in (1, 4):
        return _BLOCK.sub(r"\1-\2-\3", text)
    if style == 2:
        return _BLOCK.sub(r"\1丁目\2番地の\3", text).translate(_WIDE)
    if style == 3:
        return _BLOCK.sub(lambda found: f"{_numeral(found[1])}丁目{found[2]}番地{found[3]}", text)
    return _BLOCK.sub(r"\1丁目\2－\3", text).translate(_WIDE) if style == 5 else text


def _numeral(number: str) -> str:
    tens, ones = divmod(int(number), 10)
    return ("" if tens < 2 else _NUMERALS[tens]) + ("十" if tens else "") + (_NUMERALS[ones] if ones else "")
