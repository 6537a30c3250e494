"""How well two Patients agree, field by field: for the secretariat's view side by side, and for the score.

NETWORK.md L32; 4.5 (side-by-side with the score). Names, numbers and dates themselves stay in the two Patients.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import product
from typing import Final

from fhir_server.identity import dates, places
from fhir_server.identity.demographics import Demographics, Name
from fhir_server.identity.normal import unvoiced


class Field(StrEnum):
    """What is compared."""

    KANA_FAMILY = "kana-family"
    KANA_GIVEN = "kana-given"
    KANJI_FAMILY = "kanji-family"
    KANJI_GIVEN = "kanji-given"
    BIRTH = "birth-date"
    SEX = "sex"
    PHONE = "phone"
    POSTAL_CODE = "postal-code"
    ADDRESS = "address"
    INSURED = "insured-id"
    REGIONAL = "regional-id"


class Level(StrEnum):
    """How well a field agrees; `former`: with a name borne before; `partly`: the insured number, where a branch is unknown."""

    SAME = "same"
    FORMER = "former"
    SIMILAR = "similar"
    PARTLY = "partly"
    DIFFERENT = "different"
    MISSING = "missing"


FIELDS: Final[Mapping[Field, tuple[str, str]]] = {
    Field.KANA_FAMILY: ("カナ姓", "family name in kana"),
    Field.KANA_GIVEN: ("カナ名", "given name in kana"),
    Field.KANJI_FAMILY: ("漢字姓", "family name in kanji"),
    Field.KANJI_GIVEN: ("漢字名", "given name in kanji"),
    Field.BIRTH: ("生年月日", "birth date"),
    Field.SEX: ("性別", "sex"),
    Field.PHONE: ("電話番号", "telephone"),
    Field.POSTAL_CODE: ("郵便番号", "postal code"),
    Field.ADDRESS: ("住所", "address"),
    Field.INSURED: ("被保険者番号・枝番", "insured person"),
    Field.REGIONAL: ("地域患者ID", "regional patient ID"),
}
LEVELS: Final[Mapping[Level, tuple[str, str]]] = {
    Level.SAME: ("一致", "same"),
    Level.FORMER: ("旧姓等と一致", "same as an earlier name"),
    Level.SIMILAR: ("類似", "similar"),
    Level.PARTLY: ("枝番を除き一致", "same but for the branch"),
    Level.DIFFERENT: ("不一致", "different"),
    Level.MISSING: ("記載なし", "missing"),
}

SAME, FORMER, SIMILAR, PARTLY, DIFFERENT, MISSING = Level


def agreements(one: Demographics, other: Demographics) -> dict[Field, Level]:
    """Give how well each field agrees; the order of the two does not matter."""
    return {
        **_names(one.kana, other.kana, one.former_kana, other.former_kana, (Field.KANA_FAMILY, Field.KANA_GIVEN)),
        **_names(one.kanji, other.kanji, one.former_kanji, other.former_kanji, (Field.KANJI_FAMILY, Field.KANJI_GIVEN)),
        Field.BIRTH: _birth(one.birth, other.birth),
        Field.SEX: _either(one.sex, other.sex, one.sex == other.sex),
        Field.PHONE: _either(one.phones, other.phones, not one.phones.isdisjoint(other.phones)),
        Field.POSTAL_CODE: _either(one.postal_codes, other.postal_codes, not one.postal_codes.isdisjoint(other.postal_codes)),
        Field.ADDRESS: _address(one, other),
        Field.INSURED: _insured(one, other),
        Field.REGIONAL: _either(one.regional, other.regional, not one.regional.isdisjoint(other.regional)),
    }


def _names(
    these: Sequence[Name], those: Sequence[Name], former: Sequence[Name], formerly: Sequence[Name], fields: tuple[Field, Field]
) -> dict[Field, Level]:
    """The best of all current names; else of those borne before."""
    if not these or not those:
        return dict.fromkeys(fields, MISSING)
    best = max((_name(mine, theirs) for mine, theirs in product(these, those)), key=_merit)
    if best != (SAME, SAME) and (former or formerly):
        pairs = (*product(former, those), *product(these, formerly), *product(former, formerly))
        if (_name_in(pairs)) and best[0] is not SAME:
            return dict(zip(fields, (FORMER, SAME), strict=True))
    return dict(zip(fields, best, strict=True))


def _name_in(pairs: Iterable[tuple[Name, Name]]) -> bool:
    return any(_name(mine, theirs) == (SAME, SAME) for mine, theirs in pairs)


def _merit(levels: tuple[Level, Level]) -> tuple[int, tuple[Level, Level]]:
    """How much it is worth; of two that are worth the same always the same one."""
    return sum({SAME: 4, SIMILAR: 2, MISSING: 1}.get(level, 0) for level in levels), levels


def _name(one: Name, other: Name) -> tuple[Level, Level]:
    """Compare two names; also where one has its parts exchanged, or no parts at all."""
    complete = (one.family and one.given) or (other.family and other.given)
    if complete and (one.whole == other.whole or (one.family, one.given) == (other.given, other.family)):
        return SAME, SAME
    if one.whole == other.whole:  # only half a name, or one that nobody can divide
        return (SAME, MISSING) if one.family else (MISSING, SAME)
    if one.family and other.family:
        return _part(one.family, other.family), _part(one.given, other.given)
    return _undivided(one, other)


def _undivided(one: Name, other: Name) -> tuple[Level, Level]:
    """Compare where one of the two has no family name of its own, and all of it is written as one."""
    divided, whole = (one, other.whole) if one.family and one.given else (other, one.whole)
    if not divided.family or not divided.given:
        level = SIMILAR if similar(one.whole, other.whole) else DIFFERENT
        return level, level
    starts, ends = whole.startswith(divided.family), whole.endswith(divided.given)
    return SAME if starts else DIFFERENT, SAME if ends else DIFFERENT


def _part(one: str, other: str) -> Level:
    if not one or not other:
        return MISSING
    return SAME if one == other else SIMILAR if similar(one, other) else DIFFERENT


def similar(one: str, other: str) -> bool:
    """Tell whether one may be the other mistyped: dots (ザ サ), two neighbours changed, one character in four or more."""
    if unvoiced(one) == unvoiced(other):
        return True
    if len(one) == len(other):
        differing = [place for place, (mine, theirs) in enumerate(zip(one, other, strict=True)) if mine != theirs]
        if len(differing) == 2 and differing[1] == differing[0] + 1 and len(one) >= 3:
            return one[differing[0]] == other[differing[1]] and one[differing[1]] == other[differing[0]]
        return len(differing) == 1 and len(one) >= 4
    short, long = sorted((one, other), key=len)
    return len(long) == len(short) + 1 >= 4 and any(long[:place] + long[place + 1 :] == short for place in range(len(long)))


def _birth(one: str | None, other: str | None) -> Level:
    if one is None or other is None:
        return MISSING
    if one != other and (dates.is_unknown(one) or dates.is_unknown(other)):
        return MISSING
    if one == other:
        return SAME if len(one) == len("1958-07-14") else SIMILAR
    only_year = one[:4] == other[:4] and (dates.is_placeholder(one) or dates.is_placeholder(other))
    return SIMILAR if only_year or dates.near(one, other) else DIFFERENT


def _address(one: Demographics, other: Demographics) -> Level:
    pairs = tuple(product(one.places, other.places))
    if not pairs:
        return MISSING
    if any(places.same(mine, theirs) for mine, theirs in pairs):
        return SAME
    return SIMILAR if any(places.close(mine, theirs) or places.close(theirs, mine) for mine, theirs in pairs) else DIFFERENT


def _insured(one: Demographics, other: Demographics) -> Level:
    if not one.insured or not other.insured:
        return MISSING
    if any(each.branch for each in one.insured & other.insured):
        return SAME
    branches = ["" in (mine.branch, theirs.branch) for mine, theirs in product(one.insured, other.insured) if mine[:2] == theirs[:2]]
    return PARTLY if any(branches) else DIFFERENT


def _either(one: object, other: object, same: bool) -> Level:
    return MISSING if not one or not other else SAME if same else DIFFERENT
