"""Candidates are found by several searches, each led by the index, on the real database."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from fhir_server.identity.blocking import blocks, coverages, expressions
from fhir_server.identity.demographics import demographics
from fhir_server.search.entries import entries
from fhir_server.search.expression import And, OfType
from fhir_server.search.holding import Subject, holds
from fhir_server.search.parameters import Parameters
from fhir_server.search.query import Query
from fhir_server.store.mongo import Mongo
from fhir_server.store.permit import Permit
from fhir_server.store.repository import Prepared, Put, Repository
from profiles.definitions import r4
from tests.identity.patients import FACILITY_B, elsewhere, member, name, number, patient

PARAMETERS = Parameters(r4())
ZONE = ZoneInfo("Asia/Tokyo")
CLEAN = {"name": [name("山本", "梅子", "IDE"), name("ヤマモト", "ウメコ", "SYL")], "telecom": None, "birthDate": "1971-11-03"}
OTHERS = {
    "birth-date": elsewhere(number(FACILITY_B), **{**CLEAN, "birthDate": "1958-07-14"}),
    "phone": elsewhere(number(FACILITY_B), **{**CLEAN, "telecom": [{"system": "phone", "value": "+81870001234"}]}),
    "insured-id": elsewhere(number(FACILITY_B), member("01379990:１２３:４５６７８９０:2"), **CLEAN),
    "name-birth-year": elsewhere(number(FACILITY_B), telecom=None, birthDate="1958-12-25", name=[name("ｼﾖｳｺ", "ﾜﾀﾅﾍﾞ", "SYL")]),
    "name-near-birth-date": elsewhere(number(FACILITY_B), telecom=None, birthDate="2021-07-14"),
    "regional-id": elsewhere({"system": "urn:tsunagi:regional-patient-id", "value": "3700026101"}, **CLEAN),
}
ASKED = patient(number(), member(), {"system": "urn:tsunagi:regional-patient-id", "value": "3700026101"})
STRANGER = elsewhere(number(FACILITY_B), **CLEAN)


@pytest.mark.parametrize("key", OTHERS)
def test_l32_each_search_finds_whom_no_other_would(key):
    subject = Subject("Patient", "x", entries(OTHERS[key], PARAMETERS, ZONE))
    found = {block.key for block in blocks(demographics(ASKED), ZONE) if holds(block.expression, subject)}
    assert found == {key}


async def test_l32_the_database_finds_them_and_no_stranger(mongodb_uri, database_name):
    mongo = await Mongo.connect(mongodb_uri, database_name)
    try:
        repository = Repository(mongo, Permit.everything(), lambda: datetime(2026, 4, 1, tzinfo=UTC))
        stored = {**OTHERS, "stranger": STRANGER}
        await repository.commit(
            [Put(Prepared("Patient", id, {**each, "id": id}, entries(each, PARAMETERS, ZONE))) for id, each in stored.items()]
        )
        found = set()
        for each in expressions(demographics(ASKED), ZONE):
            page = await repository.find(Query("Patient", And((OfType(("Patient",)), each)), count=100))
            found |= {version.id for version in page.versions}
        assert found == set(OTHERS)
    finally:
        await mongo.close()


def test_l32_a_coverage_of_the_same_insured_person_is_found_in_any_width():
    asked = coverages(demographics(patient()))
    assert asked is not None
    for written, same in (
        ("01379990:１２３:４５６７８９０:2", True),
        ("01379990:123:4567890:02", True),
        ("01379990:123:4567891:02", False),
    ):
        coverage = {"resourceType": "Coverage", "id": "x", "status": "active", "identifier": [member(written)]}
        assert holds(asked, Subject("Coverage", "x", entries(coverage, PARAMETERS, ZONE))) is same
    assert coverages(demographics(patient(number()))) is None


def test_l32_a_birth_date_that_stands_for_unknown_is_not_searched_alone():
    keys = {block.key for block in blocks(demographics(patient(birthDate="1958-01-01")), ZONE)}
    assert "birth-date" not in keys
    assert "name-birth-year" in keys


def test_l32_nobody_s_name_is_not_searched():
    nobody = patient(number(), name=[name("テスト", "太郎", "IDE")], telecom=None, birthDate="1900-01-01", address=None)
    assert expressions(demographics(nobody), ZONE) == ()
    assert expressions(demographics({"resourceType": "Patient"}), ZONE) == ()


def test_midnight_of_a_summer_of_1949_was_at_another_hour():
    born = {**ASKED, "birthDate": "1949-06-15"}
    subject = Subject("Patient", "x", entries(born, PARAMETERS, ZONE))
    assert holds(next(block.expression for block in blocks(demographics(born), ZONE) if block.key == "birth-date"), subject)
