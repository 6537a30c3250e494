"""How well patients are matched: candidates found as the store finds them, every pair of them compared, and judged by the truth."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final
from zoneinfo import ZoneInfo

from fhir_server.identity.blocking import blocks
from fhir_server.identity.demographics import Demographics, demographics
from fhir_server.identity.score import Comparison, Grade, compare
from fhir_server.sandbox.identities.charts import Chart
from fhir_server.search.entries import entries
from fhir_server.search.expression import EQUALS, LOW, TEXT, And, Begins, Expression, Has, Or, StartsWith
from fhir_server.search.holding import Subject, holds
from fhir_server.search.parameters import Parameters
from fhir_server.search.types.string import index_prefix

Pair = tuple[int, int]
ZONE: Final = ZoneInfo("Asia/Tokyo")


@dataclass(slots=True)
class Figures:
    """What a measurement gave.

    `pairs` are the true pairs of charts, `found` those among them that were candidates, `by` which key found them. `true` and `false` count the candidates of
    each grade by the truth. `wrong` are pairs of different people that were called certain: there may be none. `formed`: true pairs that a consent form makes certain,
    `misformed`: pairs of two persons of different name or birth that it would, had it listed both by mistake.
    `seconds` is the time of all `comparisons`, `reading` that of reading the charts.
    """

    charts: int = 0
    pairs: int = 0
    found: int = 0
    by: Counter[str] = field(default_factory=Counter)
    true: Counter[Grade] = field(default_factory=Counter)
    false: Counter[Grade] = field(default_factory=Counter)
    guarded: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[Chart, Chart, Comparison]] = field(default_factory=list)
    formed: int = 0
    misformed: int = 0
    comparisons: int = 0
    seconds: float = 0.0
    reading: float = 0.0
    namesakes: float = 0.0

    @property
    def blocking(self) -> float:
        """The share of true pairs that were candidates."""
        return self.found / self.pairs

    def recall(self, *grades: Grade) -> float:
        """The share of true pairs that were graded so."""
        return sum(self.true[grade] for grade in grades) / self.pairs

    def precision(self, grade: Grade) -> float:
        """The share of true pairs among all that were graded so."""
        return self.true[grade] / max(1, self.true[grade] + self.false[grade])


class Index:
    """Patients by their index entries, as the store has them: a search is led by entries, then judged."""

    def __init__(self, charts: Sequence[Chart], parameters: Parameters) -> None:
        self._subjects = [Subject("Patient", chart.patient["id"], entries(chart.patient, parameters, ZONE)) for chart in charts]
        self._by_entry: dict[str, set[int]] = defaultdict(set)
        for place, subject in enumerate(self._subjects):
            for entry in subject.entries.entries:
                self._by_entry[entry].add(place)

    def find(self, expression: Expression) -> list[int]:
        """Give the places of those for whom the expression holds. Raises TypeError where no entry leads to them."""
        led = self._led(expression)
        if led is None:
            raise TypeError("no entry of the index leads to what is asked")
        return [place for place in led if holds(expression, self._subjects[place])]

    def _led(self, expression: Expression) -> set[int] | None:
        match expression:
            case Has(parameter, value):
                return self._by_entry.get(parameter + EQUALS + value, set())
            case Begins(parameter, bound):
                return self._by_entry.get(parameter + LOW + bound, set())
            case StartsWith(parameter, text):
                return self._by_entry.get(parameter + TEXT + index_prefix(text), set())
            case And(parts):
                return min((led for part in parts if (led := self._led(part)) is not None), key=len, default=None)
            case Or(parts):
                each = [self._led(part) for part in parts]
                return None if None in each else set[int]().union(*(led for led in each if led is not None))
        return None


def measure(charts: Sequence[Chart], parameters: Parameters) -> Figures:
    """Find candidates for every chart, compare every pair, judge by the truth."""
    figures = Figures(charts=len(charts), namesakes=_namesakes(charts))
    began = time.perf_counter()
    read = [demographics(chart.patient) for chart in charts]
    figures.reading = time.perf_counter() - began
    truth = set(_truth(charts))
    found: dict[Pair, set[str]] = defaultdict(set)
    index = Index(charts, parameters)
    for place, who in enumerate(read):
        for key, expression in blocks(who, ZONE):
            for other in index.find(expression):
                if other != place:
                    found[min(place, other), max(place, other)].add(key)
    figures.pairs, figures.found = len(truth), len(truth & found.keys())
    figures.by.update(key for pair in truth & found.keys() for key in found[pair])
    _judge(figures, charts, read, found, truth)
    return figures


def _judge(figures: Figures, charts: Sequence[Chart], read: Sequence[Demographics], found: Iterable[Pair], truth: set[Pair]) -> None:
    began = time.perf_counter()
    compared = {(one, other): compare(read[one], read[other]) for one, other in found}
    figures.comparisons, figures.seconds = len(compared), time.perf_counter() - began
    for (one, other), comparison in compared.items():
        if (one, other) in truth:
            figures.true[comparison.grade] += 1
            figures.guarded.update(guard.code for guard in comparison.guards)
            figures.formed += _formed(read[one], read[other])
        else:
            figures.false[comparison.grade] += 1
            figures.misformed += not _namesake(charts[one], charts[other]) and _formed(read[one], read[other])
            if comparison.grade is Grade.CERTAIN:
                figures.wrong.append((charts[one], charts[other], comparison))


def _formed(one: Demographics, other: Demographics) -> bool:
    return compare(one, other, listed=True).grade is Grade.CERTAIN


def _namesake(one: Chart, other: Chart) -> bool:
    """Tell whether two persons agree in name and birth date: a form that lists the wrong one of them deceives everybody."""
    return (one.person.name, one.person.birth) == (other.person.name, other.person.birth)


def _truth(charts: Sequence[Chart]) -> Iterator[Pair]:
    by_person: dict[int, list[int]] = defaultdict(list)
    for place, chart in enumerate(charts):
        by_person[chart.person.key].append(place)
    for places in by_person.values():
        yield from combinations(places, 2)


def _namesakes(charts: Sequence[Chart]) -> float:
    """The share of people who bear the same name, in kana, as somebody else."""
    people = {chart.person.key: (chart.person.name.family_kana, chart.person.name.given_kana) for chart in charts}
    names = Counter(people.values())
    return sum(count for count in names.values() if count > 1) / len(people)
