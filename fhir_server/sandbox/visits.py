"""Visits of one patient: when she comes or lies in hospital, and how many files that leaves.

A patient's plan is made from the number of files wanted, so that a hospital of exactly N files can be asked for. The
days follow from it: the last visit lies shortly before the sandbox's today, the others at their intervals before.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from fhir_server.sandbox.diagnoses import Diagnosis, acute
from fhir_server.sandbox.facilities import Facility
from fhir_server.sandbox.patients import TODAY, Person

_INTERVALS = (28, 28, 35, 56, 63, 91)


@dataclass(frozen=True, slots=True)
class Stay:
    """One visit (`nights` 0) or admission.

    `tests` are the days, counted from the first, on which the laboratory measures. `because` is a passing disease
    found at this visit. `revised` says how the prescription is later treated: `changed`, `cancelled` or left alone.
    """

    day: date
    nights: int = 0
    tests: tuple[int, ...] = ()
    drugs: bool = False
    because: Diagnosis | None = None
    revised: str = ""

    @property
    def files(self) -> int:
        """How many files the stay leaves in the storage of a hospital or clinic."""
        return (2 if self.nights else 1) + len(self.tests) + self.drugs + bool(self.revised)


def plan(rng: Random, facility: Facility, person: Person, files: int, *, revisions: bool = False) -> list[Stay]:
    """Plan stays that leave exactly so many files at this facility, oldest first."""
    stays: list[Stay] = []
    gaps: list[int] = []
    left = files
    while left > 0:
        stay = _pharmacy(rng) if facility.type == "pharmacy" else _stay(rng, facility, person, left, revisions=revisions)
        left -= 1 if facility.type == "pharmacy" else stay.files
        gaps.append(_gap(rng, person) + stay.nights)
        stays.append(stay)
    return _dated(rng, person, stays, gaps)


def _pharmacy(rng: Random) -> Stay:
    return Stay(TODAY, drugs=True, because=None if rng.random() < 0.7 else acute(rng, 30))


def _stay(rng: Random, facility: Facility, person: Person, left: int, *, revisions: bool) -> Stay:
    burden = len(person.diagnoses)
    age = int(person.age(TODAY))
    if facility.type == "hospital" and left >= 5 and rng.random() < 0.02 + 0.01 * burden:
        return _admission(rng, age, left)
    because = acute(rng, age) if rng.random() < (0.15 if burden else 0.6) else None
    tests = (0,) if left >= 2 and rng.random() < (0.75 if burden or not because else 0.35) else ()
    drugs = left >= 2 + len(tests) and (bool(burden) or because is not None) and rng.random() < 0.95
    stay = Stay(TODAY, tests=tests, drugs=drugs, because=because)
    if revisions and drugs and left > stay.files and rng.random() < 0.06:
        stay = replace(stay, revised="changed" if rng.random() < 0.7 else "cancelled")
    return stay


def _admission(rng: Random, age: int, left: int) -> Stay:
    nights = min(3 + int(rng.expovariate(1 / 7)), 28)
    tests = tuple(range(0, nights + 1, 2 if nights < 8 else 4))[: left - 3]
    return Stay(TODAY, nights=nights, tests=tests, drugs=True, because=acute(rng, age) if rng.random() < 0.8 else None)


def _gap(rng: Random, person: Person) -> int:
    if person.diagnoses:
        return _INTERVALS[int(rng.random() * len(_INTERVALS))] + int(rng.random() * 7) - 3
    return 10 + int(rng.expovariate(1 / 110))


def _dated(rng: Random, person: Person, stays: list[Stay], gaps: list[int]) -> list[Stay]:
    """Give every stay its day; a life too short for the intervals has shorter ones, but never two stays on one day.

    `gaps[i]` are the days from the beginning of stay i to that of the next.
    """
    later = TODAY - timedelta(days=int(rng.random() * 60))
    room, needed = (later - person.birth).days - 2, sum(gaps[:-1])
    scale = min(1.0, room / needed) if needed else 1.0
    dated: list[Stay] = []
    for position in range(len(stays) - 1, -1, -1):
        stay = stays[position]
        gap = int(gaps[position] * scale) if dated else 0
        later -= timedelta(days=max(gap, stay.nights + 1))
        dated.append(replace(stay, day=later))
    return dated[::-1]
