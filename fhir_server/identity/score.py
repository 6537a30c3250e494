"""How likely two Patients are one person: a score, a grade, and whether a machine may say so.

https://hl7.org/fhir/R4/valueset-match-grade.html; NETWORK.md 名寄せ rules, L32; docs/decisions/0020-identity.md

The score is the probability that Fellegi and Sunter's sum of weights gives (log2 of how much more often a field agrees so in one person than
in two). It sorts a list and decides `probable`, `possible` and `certainly-not`. It never makes a match *certain*: only a rule
of the network does, and no guard may speak against it.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from fhir_server.identity.agreement import DIFFERENT, FORMER, MISSING, PARTLY, SAME, SIMILAR, Field, Level, agreements
from fhir_server.identity.demographics import Demographics, Number
from fhir_server.identity.guards import BIRTH, NAME, TWINS, Guard, guards


class Grade(StrEnum):
    """Codes of http://terminology.hl7.org/CodeSystem/match-grade, best first."""

    CERTAIN = "certain"
    PROBABLE = "probable"
    POSSIBLE = "possible"
    CERTAINLY_NOT = "certainly-not"


class Rule(StrEnum):
    """The rules that make a match certain: the same insured person of the same name and birth; named by one consent form (様式6)."""

    INSURED = "insured-person"
    FORM = "consent-form"


PROBABLE_FROM: Final = 0.95
POSSIBLE_FROM: Final = 0.3

_NAMES: Final = (Field.KANA_FAMILY, Field.KANA_GIVEN, Field.KANJI_FAMILY, Field.KANJI_GIVEN)
_PRIOR: Final = -18.0  # one pair in 2^18: a patient's other record in a region of some hundred thousand
_HOUSEHOLD: Final = 9.0  # phone, address and an insured number without its branch tell of the household: together no more than this
_BIRTH: Final = {SAME: 14.0, SIMILAR: 4.0, DIFFERENT: -7.5}
_SEX: Final = {SAME: 1.0, DIFFERENT: -6.0}
_PHONE: Final = {SAME: 7.0, DIFFERENT: -0.5}
_POSTAL: Final = {SAME: 3.0, DIFFERENT: -0.5}
_ADDRESS: Final = {SAME: 7.0, SIMILAR: 3.0, DIFFERENT: -0.5}
_INSURED: Final = {SAME: 13.0, DIFFERENT: -0.5}
_FAMILY_INSURED: Final = {PARTLY: 6.0}
_REGIONAL: Final = {SAME: 15.0, DIFFERENT: -6.0}
# what a name weighs in one script; in the other one it adds little where it agrees, for it follows from the first
_FAMILY: Final = {SAME: 8.0, FORMER: 7.0, SIMILAR: 3.0, DIFFERENT: -5.5}
_GIVEN: Final = {SAME: 7.0, FORMER: 7.0, SIMILAR: 2.0, DIFFERENT: -6.0}
_ALSO: Final = {
    SAME: {SAME: 1.5, FORMER: 1.0, SIMILAR: 0.0, DIFFERENT: -2.5},
    FORMER: {SAME: 0.5, FORMER: 0.5, SIMILAR: 0.0, DIFFERENT: -1.0},
    SIMILAR: {SAME: 4.0, FORMER: 3.0, SIMILAR: 0.5, DIFFERENT: -1.0},
    DIFFERENT: {SAME: 8.5, FORMER: 7.5, SIMILAR: 0.5, DIFFERENT: -1.0},
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """What comparing two Patients gave.

    `score` is 0..1, its grade follows from it except for `certain`. `agreements` are for each field how well it agrees, `guards` what forbids
    an automatic link (empty where the match is certain), `rule` what made it certain.
    """

    score: float
    grade: Grade
    agreements: Mapping[Field, Level] = field(default_factory=dict)
    guards: tuple[Guard, ...] = ()
    rule: Rule | None = None


def compare(one: Demographics, other: Demographics, *, listed: bool = False) -> Comparison:
    """Compare two Patients; the order of the two does not matter. `listed`: one consent form names both (see `both_listed`)."""
    found = agreements(one, other)
    against = guards(one, other)
    score = probability(_telling(found, against))
    rule = _rule(found, listed=listed)
    if rule is not None and not against:
        return Comparison(max(score, 0.99), Grade.CERTAIN, found, against, rule)
    if TWINS in against or NAME in against:  # nobody can tell them apart, or knows who they are, by what is written
        score = min(score, 0.5)
    return Comparison(score, _grade(score), found, against)


def _telling(found: Mapping[Field, Level], against: tuple[Guard, ...]) -> Mapping[Field, Level]:
    """Leave out what agrees and tells nothing: names of nobody, birth dates that stand for unknown ones."""
    if BIRTH in against and found[Field.BIRTH] is SAME:
        found = {**found, Field.BIRTH: SIMILAR}
    return {**found, **dict.fromkeys(_NAMES, MISSING)} if NAME in against else found


def probability(found: Mapping[Field, Level]) -> float:
    """Give the probability that Patients whose fields agree so are one person, rounded to six digits."""
    weight = (
        _name(found[Field.KANA_FAMILY], found[Field.KANJI_FAMILY], _FAMILY)
        + _name(found[Field.KANA_GIVEN], found[Field.KANJI_GIVEN], _GIVEN)
        + _BIRTH.get(found[Field.BIRTH], 0.0)
        + _SEX.get(found[Field.SEX], 0.0)
        + _household(found)
        + _INSURED.get(found[Field.INSURED], 0.0)
        + _REGIONAL.get(found[Field.REGIONAL], 0.0)
    )
    return round(1.0 / (1.0 + math.exp2(-(weight + _PRIOR))), 6)


def _household(found: Mapping[Field, Level]) -> float:
    where = max(_POSTAL.get(found[Field.POSTAL_CODE], 0.0), _ADDRESS.get(found[Field.ADDRESS], 0.0))
    return min(where + _PHONE.get(found[Field.PHONE], 0.0) + _FAMILY_INSURED.get(found[Field.INSURED], 0.0), _HOUSEHOLD)


def _name(kana: Level, kanji: Level, weights: Mapping[Level, float]) -> float:
    if kana is MISSING:
        return weights.get(kanji, 0.0)
    return weights[kana] + (_ALSO[kana][kanji] if kanji is not MISSING else 0.0)


def _grade(score: float) -> Grade:
    if score >= PROBABLE_FROM:
        return Grade.PROBABLE
    return Grade.POSSIBLE if score >= POSSIBLE_FROM else Grade.CERTAINLY_NOT


def _rule(found: Mapping[Field, Level], *, listed: bool) -> Rule | None:
    """The rule by which the match is certain: both ask for the same current kana name and birth date."""
    named = found[Field.KANA_FAMILY] is SAME and found[Field.KANA_GIVEN] is SAME
    if not named or found[Field.BIRTH] is not SAME or found[Field.SEX] is DIFFERENT:
        return None
    if found[Field.INSURED] is SAME:
        return Rule.INSURED
    return Rule.FORM if listed else None


def both_listed(one: Demographics, other: Demographics, numbers: Collection[Number]) -> bool:
    """Tell whether a consent form (様式6), on which the patient lists his numbers at the facilities, names both."""
    return not one.numbers.isdisjoint(numbers) and not other.numbers.isdisjoint(numbers)
