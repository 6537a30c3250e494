"""The six facilities of the standard fixture, and the people and wards inside a facility.

A 医療機関コード has ten digits: prefecture (37, Kagawa), fee schedule (1), municipality (00, given to nobody) and a
number. No real institution has one of these.
"""

from dataclasses import dataclass, replace
from functools import cache
from random import Random

from fhir_server.sandbox.names import Name, name

# SS-MIX2 統一診療科コード (table 0069): the departments the sandbox uses.
DEPARTMENTS = {
    "01": "内科",
    "02": "精神科",
    "05": "呼吸器科",
    "06": "消化器科",
    "08": "循環器科",
    "09": "小児科",
    "10": "外科",
    "11": "整形外科",
    "14": "脳神経外科",
    "19": "皮膚科",
    "20": "泌尿器科",
    "26": "眼科",
    "27": "耳鼻咽喉科",
    "061": "肝臓内科",
    "081": "循環器内科",
}


@dataclass(frozen=True, slots=True)
class Facility:
    """One member of the network.

    `type` is `hospital`, `clinic` or `pharmacy`; `roles` are those of the network: `core`, `providing` (uploads),
    `sharing` (discloses), `viewing`, `referring`. `active` is false once the facility has left.
    """

    code: str
    name: str
    kana: str
    type: str
    roles: frozenset[str]
    postal_code: str
    address: str
    phone: str
    departments: tuple[str, ...]
    active: bool = True


@dataclass(frozen=True, slots=True)
class Doctor:
    """A physician of one facility: her number there, her name, her department."""

    number: str
    name: Name
    department: str


_ALL = tuple(DEPARTMENTS)
_FULL = ("providing", "sharing", "viewing")


def _facility(number: int, type: str, name: str, kana: str, roles: tuple[str, ...]) -> Facility:
    departments = _ALL if type == "hospital" else ("01",)
    address, phone = f"香川県高松市見本町99丁目{number}番1号", f"087-000-{number:04d}"
    return Facility(f"371{number:07d}", name, kana, type, frozenset(roles), "760-0099", address, phone, departments)


CLINIC_A = _facility(25, "clinic", "診療所Ａ", "シンリョウジョエー", _FULL)
HOSPITAL_B = _facility(17, "hospital", "病院Ｂ", "ビョウインビー", ("core", *_FULL))
PHARMACY_C = _facility(33, "pharmacy", "薬局Ｃ", "ヤッキョクシー", _FULL)
HOSPITAL_D = _facility(41, "hospital", "病院Ｄ", "ビョウインディー", _FULL)
CLINIC_E = _facility(58, "clinic", "診療所Ｅ", "シンリョウジョイー", ("viewing", "referring"))
HOSPITAL_F = replace(_facility(66, "hospital", "病院Ｆ", "ビョウインエフ", _FULL), active=False)
FACILITIES = (CLINIC_A, HOSPITAL_B, PHARMACY_C, HOSPITAL_D, CLINIC_E, HOSPITAL_F)


@cache
def doctors(facility: Facility) -> dict[str, tuple[Doctor, ...]]:
    """The physicians of a facility by department: the same ones in every run, whatever the seed."""
    rng = Random(f"doctors of {facility.code}")
    staff: dict[str, tuple[Doctor, ...]] = {}
    for position, department in enumerate(facility.departments):
        staff[department] = tuple(
            Doctor(f"D{position + 1:02d}{number:02d}", name(rng, rng.choice("MMMFF"), 1970 + number), department)
            for number in range(1, 4 if facility.type == "hospital" else 2)
        )
    return staff


def department(facility: Facility, wanted: str) -> str:
    """The department that takes the case: the wanted one where the facility has it, else internal medicine."""
    return wanted if wanted in facility.departments else facility.departments[0]
