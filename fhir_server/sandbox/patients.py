"""Patients of a hospital: who they are, what they have, how they are insured."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from fhir_server.sandbox.addresses import Address, address, mobile
from fhir_server.sandbox.diagnoses import Diagnosis, chronic
from fhir_server.sandbox.names import Name, given_name, name

TODAY = date(2026, 3, 31)  # the sandbox's clock stands still: no history has a later day


@dataclass(frozen=True, slots=True)
class Insurance:
    """Health insurance as IN1 says it: code and name of the plan (JHSD0001), insurer, 記号, 番号."""

    code: str
    name: str
    insurer: str
    symbol: str
    number: str


@dataclass(frozen=True, slots=True)
class Relative:
    """A next of kin or proxy; `relationship` is a code of HL7 table 0063."""

    name: Name
    relationship: str


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person.

    `allergies` are keys of `ALLERGIES`. `withheld` names the diagnosis that the patient has not been told (未告知).
    """

    name: Name
    sex: str
    birth: date
    address: Address
    mobile: str
    diagnoses: tuple[Diagnosis, ...]
    insurance: Insurance
    height: float
    weight: float
    blood: str
    allergies: tuple[str, ...] = ()
    relative: Relative | None = None
    withheld: Diagnosis | None = None

    def age(self, day: date) -> float:
        """Age in years on a day."""
        return (day - self.birth).days / 365.25


# key -> category (table 0127), its text, code, text, coding system
ALLERGIES = {
    "pollen": ("LA", "花粉アレルギー", "J9NK12000000", "花粉", "J-FAGY"),
    "mite": ("EA", "環境アレルギー", "J9NM12000000", "ダニ", "J-FAGY"),
    "peanut": ("FA", "食物アレルギー", "J9FA21180000", "ピーナッツ", "J-FAGY"),
    "shellfish": ("FA", "食物アレルギー", "J9FC12000000", "貝類", "J-FAGY"),
    "penicillin": ("DA", "薬物アレルギー", "1", "ペニシリン系抗生物質", "99L03"),
    "nsaid": ("DA", "薬物アレルギー", "13", "非ステロイド性抗炎症薬", "99L03"),
}
_ALLERGY_SHARE = {"pollen": 0.12, "mite": 0.05, "peanut": 0.01, "shellfish": 0.02, "penicillin": 0.03, "nsaid": 0.02}
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


def insurance(rng: Random, age: float) -> Insurance:
    """Draw an insurance that suits the age; insurers' numbers are of municipality 99, which there is not."""
    number = str(int(rng.random() * 9_000_000) + 1_000_000).translate(_FULL_WIDTH)
    if age >= 75:
        return Insurance("39", "後期高齢者医療", "39379990", "", number)
    symbol = str(int(rng.random() * 900) + 100).translate(_FULL_WIDTH)
    if age >= 60 or rng.random() < 0.4:
        return Insurance("C0", "国民健康保険", "379990", f"見本{symbol}", number)
    return Insurance("01", "全国健康保険協会管掌健康保険", "01379990", symbol, number)


def _birth(rng: Random) -> date:
    """People who see a doctor: few children, many old."""
    age = rng.choices((rng.uniform(1, 18), rng.uniform(18, 50), rng.uniform(50, 75), rng.uniform(75, 97)), (8, 17, 40, 35))[0]
    return TODAY - timedelta(days=int(age * 365.25))


def _body(rng: Random, sex: str, age: float) -> tuple[float, float]:
    adult = rng.gauss(170.5, 6.0) if sex == "M" else rng.gauss(157.5, 5.5)
    height = adult * min(1.0, 0.43 + age * 0.0335) - max(0.0, age - 50) * 0.12
    bmi = rng.gauss(22.8, 3.2) if age >= 18 else rng.gauss(16.0 + age * 0.25, 1.2)
    return round(height, 1), round(max(12.5, bmi) * (height / 100) ** 2, 1)


def _guardian(rng: Random, child: Name) -> Relative:
    mother = rng.random() < 0.7
    given, kana = given_name(rng, "F" if mother else "M", 1988)
    return Relative(Name(child.family, given, child.family_kana, kana), "MTH" if mother else "FTH")


def person(rng: Random) -> Person:
    """Draw a person."""
    sex = "F" if rng.random() < 0.53 else "M"
    birth = _birth(rng)
    return describe(rng, name(rng, sex, birth.year), sex, birth)


def describe(rng: Random, name: Name, sex: str, birth: date, diagnoses: tuple[Diagnosis, ...] | None = None) -> Person:
    """Draw everything about a person but name, sex and birth (and diseases, where given)."""
    age = (TODAY - birth).days / 365.25
    height, weight = _body(rng, sex, age)
    return Person(
        name=name,
        sex=sex,
        birth=birth,
        address=address(rng),
        mobile=mobile(rng),
        diagnoses=chronic(rng, int(age), sex) if diagnoses is None else diagnoses,
        insurance=insurance(rng, age),
        height=height,
        weight=weight,
        blood=rng.choices(("A", "O", "B", "AB"), (39, 29, 22, 10))[0],
        allergies=tuple(key for key, share in _ALLERGY_SHARE.items() if rng.random() < share),
        relative=_guardian(rng, name) if age < 18 else None,
    )
