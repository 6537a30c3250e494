"""The standard fixture: one small network whose every person stands for a rule.

Facilities, patients with their number at each facility, users, and who agreed to what: facts only, to be turned into
resources by whoever needs them. Tests and demonstrations name these people, so none of this follows from a seed.
"""

from dataclasses import dataclass, replace
from datetime import date
from random import Random
from typing import Any

from fhir_server.sandbox.diagnoses import CANCER, DIAGNOSES
from fhir_server.sandbox.facilities import CLINIC_A, CLINIC_E, HOSPITAL_B, HOSPITAL_D, HOSPITAL_F, PHARMACY_C, Facility
from fhir_server.sandbox.names import Name
from fhir_server.sandbox.patients import Person, Relative, describe


@dataclass(frozen=True, slots=True)
class Member:
    """A patient of the network.

    `numbers` is the patient number at each facility, by its code. `regional_id` is given once the identities at the
    facilities have been matched (名寄せ). `situation` is the rule the patient stands for.
    """

    key: str
    person: Person
    numbers: dict[str, str]
    situation: str
    regional_id: str | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Who agreed that which facilities share: the facts of one consent form.

    `status` is `received`, `matching`, `published`, `stopped` (全停止) or `deleted`. `paused` is a time without sharing
    (first and last day), `added` the facilities that joined later, with the day.
    """

    patient: str
    facilities: frozenset[str]
    status: str
    signed: date
    signed_by: str = "patient"
    paused: tuple[date, date] | None = None
    added: tuple[tuple[str, date], ...] = ()
    stopped: date | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A person who logs in; `facilities` are where she works, `patient` is whom she is."""

    key: str
    name: Name
    role: str
    facilities: tuple[str, ...] = ()
    patient: str | None = None


_CODES = dict(
    zip("ABCDEF", (CLINIC_A.code, HOSPITAL_B.code, PHARMACY_C.code, HOSPITAL_D.code, CLINIC_E.code, HOSPITAL_F.code), strict=True)
)


def _codes(letters: str) -> tuple[str, ...]:
    return tuple(_CODES[letter] for letter in letters)


def _member(
    number: int,
    key: str,
    who: str,
    letters: str,
    *,
    diagnoses: str,
    situation: str,
    regional_id: str | None = None,
    relative: Relative | None = None,
    withheld: bool = False,
) -> Member:
    family, given, family_kana, given_kana, sex, birth = who.split()
    found = tuple(DIAGNOSES[d] for d in diagnoses.split()) + ((CANCER,) if withheld else ())
    person = describe(Random(f"fixture {key}"), Name(family, given, family_kana, given_kana), sex, date.fromisoformat(birth), found)
    person = replace(person, relative=relative or person.relative, withheld=CANCER if withheld else None)
    numbers = {_CODES[letter]: f"{ord(letter) - 64:02d}{number:08d}" for letter in letters}
    return Member(key, person, numbers, situation, regional_id)


_MOTHER = Relative(Name("子守", "母子", "コモリ", "ハハコ"), "MTH")
_MEMBERS = (
    _member(
        101,
        "takamatsu",
        "高松 次郎 タカマツ ジロウ M 1958-07-14",
        "ABC",
        diagnoses="hypertension diabetes lipids ckd",
        situation="consent of A, B and C is published",
        regional_id="3700026101",
    ),
    _member(
        102,
        "nayose",
        "名寄せ 花子 ナヨセ ハナコ F 1965-11-03",
        "AB",
        diagnoses="lipids reflux",
        situation="identities are not matched yet (D4)",
    ),
    _member(
        119,
        "ichitaro",
        "テスト 一太郎 テスト イチタロウ M 1949-02-21",
        "ABCD",
        diagnoses="hypertension af bph",
        situation="facilities were added later",
        regional_id="3700026119",
    ),
    _member(
        104,
        "twin_first",
        "双葉 葵 フタバ アオイ F 2004-05-05",
        "AB",
        diagnoses="rhinitis",
        situation="twin: same birth, family and address",
        regional_id="3700026104",
    ),
    _member(
        105,
        "twin_second",
        "双葉 茜 フタバ アカネ F 2004-05-05",
        "AB",
        diagnoses="asthma",
        situation="twin: never to be linked automatically",
        regional_id="3700026105",
    ),
    _member(
        106,
        "child",
        "子守 健太 コモリ ケンタ M 2018-09-09",
        "AB",
        diagnoses="asthma dermatitis",
        situation="a child: his mother agreed for him (L19)",
        regional_id="3700026106",
        relative=_MOTHER,
    ),
    _member(
        107,
        "emergency",
        "救急 太郎 キュウキュウ タロウ M 1971-01-30",
        "AD",
        diagnoses="hypertension stroke",
        situation="unconscious, no consent (D9, D10)",
    ),
    _member(
        108,
        "withdrawn",
        "撤回 幸子 テッカイ サチコ F 1947-04-18",
        "ABC",
        diagnoses="osteoporosis knee",
        situation="consent withdrawn (D5)",
        regional_id="3700026108",
    ),
    _member(
        109,
        "paused",
        "停止 一郎 テイシ イチロウ M 1955-12-01",
        "AB",
        diagnoses="copd heart_failure",
        situation="consent stopped for a time (D7)",
        regional_id="3700026109",
    ),
    _member(
        110,
        "deleted",
        "削除 清 サクジョ キヨシ M 1939-08-15",
        "AB",
        diagnoses="dementia bph",
        situation="asked for deletion (D8)",
        regional_id="3700026110",
    ),
    _member(
        111,
        "untold",
        "未告知 文子 ミコクチ フミコ F 1952-03-03",
        "BC",
        diagnoses="hypertension anemia",
        situation="has a diagnosis she was not told (L28)",
        regional_id="3700026111",
        withheld=True,
    ),
    _member(
        112,
        "left",
        "退会 浩 タイカイ ヒロシ M 1962-06-06",
        "BF",
        diagnoses="gout hyperuricemia",
        situation="one facility has left the network (D11)",
        regional_id="3700026112",
    ),
)
TWINS = ("twin_first", "twin_second")


def _twins(members: tuple[Member, ...]) -> tuple[Member, ...]:
    """Let the twins live in one house, with one telephone."""
    home = next(m.person.address for m in members if m.key == TWINS[0])
    return tuple(replace(m, person=replace(m.person, address=home)) if m.key in TWINS else m for m in members)


PATIENTS = _twins(_MEMBERS)
BY_KEY = {member.key: member for member in PATIENTS}


def _agreement(patient: str, letters: str, status: str, signed: str, **facts: Any) -> Agreement:
    return Agreement(patient, frozenset(_codes(letters)), status, date.fromisoformat(signed), **facts)


AGREEMENTS = (
    _agreement("takamatsu", "ABC", "published", "2025-06-02"),
    _agreement("nayose", "AB", "matching", "2026-03-30"),
    _agreement("ichitaro", "AB", "published", "2025-04-10", added=((_CODES["C"], date(2025, 9, 1)), (_CODES["D"], date(2026, 1, 15)))),
    _agreement("twin_first", "AB", "published", "2025-07-07"),
    _agreement("child", "AB", "published", "2025-10-20", signed_by="MTH"),
    _agreement("withdrawn", "ABC", "stopped", "2025-05-12", stopped=date(2026, 2, 1)),
    _agreement("paused", "AB", "published", "2025-08-08", paused=(date(2026, 3, 1), date(2026, 4, 30))),
    _agreement("deleted", "AB", "deleted", "2025-05-30", stopped=date(2026, 3, 15)),
    _agreement("untold", "BC", "published", "2025-11-11"),
    _agreement("left", "BF", "published", "2025-03-03"),
)
USERS = (
    User("A1", Name("医師", "一子", "イシ", "イチコ"), "doctor", _codes("AB")),
    User("C1", Name("薬剤", "三郎", "ヤクザイ", "サブロウ"), "pharmacist", _codes("C")),
    User("S1", Name("事務", "良子", "ジム", "ヨシコ"), "secretariat"),
    User("S2", Name("事務", "次郎", "ジム", "ジロウ"), "secretariat"),
    User("U1", Name("監査", "正", "カンサ", "タダシ"), "auditor"),
    User("Q1", BY_KEY["takamatsu"].person.name, "patient", (), "takamatsu"),
)


def attending(facility: Facility) -> tuple[tuple[str, Person], ...]:
    """The fixture's patients of one facility, each with the number it gave them."""
    return tuple((member.numbers[facility.code], member.person) for member in PATIENTS if facility.code in member.numbers)
