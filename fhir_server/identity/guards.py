"""What forbids that two Patients are linked by themselves, however well they agree: each with its code and its text.

NETWORK.md 名寄せ rules: twins, birth dates that stand for unknown ones, missing sex; and what else has led to wrong links: names that name
nobody, contradictions, two charts of one facility. A guarded pair may still be one person: the secretariat decides.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from fhir_server.identity import places
from fhir_server.identity.dates import is_placeholder
from fhir_server.identity.demographics import Demographics, Name
from fhir_server.identity.normal import kanji


class Guard(NamedTuple):
    """A reason for which people have to look."""

    code: str
    ja: str
    en: str

    @property
    def text(self) -> str:
        """Both texts."""
        return f"{self.ja} / {self.en}"


TWINS: Final = Guard(
    "twins",
    "双子・多胎の疑い（生年月日・姓・住所等が同じで名が違う）",
    "Perhaps twins: same birth date, family and household, other given name",
)
BIRTH: Final = Guard(
    "placeholder-birth-date", "生年月日が不明・仮の日付", "A birth date is missing, incomplete or one that stands for unknown"
)
SEX: Final = Guard("missing-sex", "性別が未記載", "A sex is missing")
SEX_DIFFERS: Final = Guard("sex-differs", "性別が矛盾", "The sexes differ")
NAME: Final = Guard("placeholder-name", "氏名が仮のもの（不明・テスト・ベビー等）", "A name stands for nobody (unknown, test, baby)")
DECEASED: Final = Guard("deceased-differs", "死亡の記載が一致しない", "What is said of death differs")
INSURED: Final = Guard("insured-differs", "同じ保険者で被保険者番号・枝番が矛盾", "Other number or branch at the same insurer")
REGIONAL: Final = Guard("regional-id-differs", "地域患者IDが異なる", "Other 地域患者ID: already two persons of the network")
FACILITY: Final = Guard("same-facility", "同じ施設の二つの患者（二重登録の疑い）", "Two patients of one facility: perhaps registered twice")

GUARDS: Final = (TWINS, BIRTH, SEX, SEX_DIFFERS, NAME, DECEASED, INSURED, REGIONAL, FACILITY)

_WORDS: Final = (
    "不明 不詳 身元 匿名 名無 名称未 未登録 未定 仮名 仮登録 仮患者 テスト 試験患者 ダミー サンプル ベビー 新生児 赤ちゃん フメイ フショウ ミモトフ トクメイ "
    "ミトウロク カリトウロク シンセイジ アカチャン test dummy sample unknown unidentified noname anonymous baby johndoe janedoe"
)
_WHOLE_WORDS: Final = "子 児 男児 女児 ナナシ ダンジ ジョジ ジョニ x"
_NOBODY: Final = re.compile(
    "|".join(
        (*map(kanji, _WORDS.split()), f"(?:^|ノ)(?:{'|'.join(map(kanji, _WHOLE_WORDS.split()))})[0-9一二三]?$", "第[0-9一二三](?:子|児)$")
    )
)
_ONE_LETTER: Final = re.compile(r"(.)\1{2,}")


def names_nobody(who: Demographics) -> bool:
    """Tell whether one of the names stands for somebody whose name is not known, for no real person, or there is none."""
    names = who.kana + who.kanji
    return who.anonymous or not names or any(_stands_for_nobody(each) for each in names)


@lru_cache(maxsize=16_384)
def _stands_for_nobody(name: Name) -> bool:
    return any(bool(part) and bool(_NOBODY.search(part) or _ONE_LETTER.fullmatch(part)) for part in name)


def guards(one: Demographics, other: Demographics) -> tuple[Guard, ...]:
    """Give all that forbids an automatic link of these two."""
    return tuple(_found(one, other))


def _found(one: Demographics, other: Demographics) -> Iterator[Guard]:
    if looks_like_twins(one, other):
        yield TWINS
    if is_placeholder(one.birth) or is_placeholder(other.birth):
        yield BIRTH
    if one.sex is None or other.sex is None:
        yield SEX
    elif one.sex != other.sex:
        yield SEX_DIFFERS
    if names_nobody(one) or names_nobody(other):
        yield NAME
    if _death_differs(one.deceased, other.deceased):
        yield DECEASED
    if insured_differs(one, other):
        yield INSURED
    if one.regional and other.regional and not one.regional & other.regional:
        yield REGIONAL
    if one.facilities & other.facilities:
        yield FACILITY


def _death_differs(one: str | None, other: str | None) -> bool:
    """Both alive or unsaid, or both dead and no two different days."""
    dead, also = one not in (None, "no"), other not in (None, "no")
    return dead != also or (dead and one != other and "yes" not in (one, other))


def insured_differs(one: Demographics, other: Demographics) -> bool:
    """Tell whether the two are insured by one insurer under different numbers or branches, and under no common one."""
    if one.insured & other.insured:
        return False
    return any(
        mine.insurer == theirs.insurer and (mine.number != theirs.number or ("" not in (mine.branch, theirs.branch)))
        for mine in one.insured
        for theirs in other.insured
    )


def looks_like_twins(one: Demographics, other: Demographics) -> bool:
    """Tell whether the two share birth date, family name and household, and their given names differ in every script."""
    return (
        one.birth is not None
        and one.birth == other.birth
        and _one_family(one, other)
        and _given_differs(one, other)
        and _one_household(one, other)
    )


def _one_family(one: Demographics, other: Demographics) -> bool:
    return any(
        mine.family and mine.family == theirs.family
        for these, those in ((one.kana, other.kana), (one.kanji, other.kanji))
        for mine in these
        for theirs in those
    )


def _given_differs(one: Demographics, other: Demographics) -> bool:
    differing = False
    for these, those in ((one.kana, other.kana), (one.kanji, other.kanji)):
        given, also = {each.given for each in these if each.given}, {each.given for each in those if each.given}
        if given & also:
            return False
        differing = differing or bool(given and also)
    return differing


def _one_household(one: Demographics, other: Demographics) -> bool:
    """A phone, a house, a postal code, an insurance in common; or nothing that could tell."""
    if one.phones & other.phones or any(places.same(mine, theirs) for mine in one.places for theirs in other.places):
        return True
    if one.postal_codes & other.postal_codes:
        return True
    if {each[:2] for each in one.insured} & {each[:2] for each in other.insured}:
        return True
    return not ((one.places or one.phones) and (other.places or other.phones))
