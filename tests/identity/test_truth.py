"""NETWORK.md L32, measured on people of known truth: no automatic link of two persons, and how many of one person are found."""

import pytest

from fhir_server.identity.score import Grade
from fhir_server.sandbox.identities.charts import charts
from fhir_server.sandbox.identities.measuring import Figures, measure
from fhir_server.sandbox.identities.people import people
from fhir_server.search.parameters import Parameters
from profiles.definitions import r4


@pytest.fixture(scope="module")
def figures() -> Figures:
    return measure(charts(1, people(1, 1200)), Parameters(r4()))


def test_l32_no_two_persons_are_linked_by_themselves(figures):
    assert [(one.person.kind, other.person.kind) for one, other, _ in figures.wrong] == []
    assert figures.false[Grade.CERTAIN] == 0
    assert figures.misformed == 0, "also where a consent form lists a relative, a twin or a stranger by mistake"


def test_l32_who_is_one_person_is_found(figures):
    assert figures.pairs > 2000
    assert figures.blocking > 0.99
    assert figures.recall(Grade.CERTAIN) > 0.28
    assert figures.recall(Grade.CERTAIN, Grade.PROBABLE) > 0.98
    assert figures.formed / figures.pairs > 0.73


def test_l32_the_secretariat_is_not_given_strangers(figures):
    assert figures.precision(Grade.PROBABLE) > 0.95
    assert figures.false[Grade.POSSIBLE] < 0.05 * figures.pairs


def test_the_people_are_the_same_each_time():
    assert charts(7, people(7, 60)) == charts(7, people(7, 60))
    assert charts(7, people(7, 60)) != charts(8, people(8, 60))
