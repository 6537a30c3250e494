"""The standard fixture: its persons stand for the rules of the network."""

import re
from datetime import date

from fhir_server.sandbox.facilities import FACILITIES, HOSPITAL_B, HOSPITAL_D
from fhir_server.sandbox.network import AGREEMENTS, BY_KEY, PATIENTS, TWINS, USERS, attending
from fhir_server.sandbox.patients import TODAY

CODES = {letter: facility.code for letter, facility in zip("ABCDEF", FACILITIES, strict=True)}


def test_ichitaro_has_the_regional_id_of_the_fixture():
    assert BY_KEY["ichitaro"].regional_id == "3700026119"


def test_jiro_takamatsu_agreed_that_a_b_and_c_share_d2():
    (agreement,) = [a for a in AGREEMENTS if a.patient == "takamatsu"]
    assert agreement.facilities == {CODES["A"], CODES["B"], CODES["C"]}
    assert agreement.status == "published"


def test_who_is_not_matched_has_no_regional_id_d4():
    assert BY_KEY["nayose"].regional_id is None
    assert BY_KEY["emergency"].regional_id is None


def test_the_unconscious_patient_agreed_to_nothing_d9():
    assert not [a for a in AGREEMENTS if a.patient == "emergency"]


def test_twins_differ_in_nothing_but_given_name_number_and_disease_l32():
    first, second = (BY_KEY[key] for key in TWINS)
    assert first.person.birth == second.person.birth
    assert first.person.address == second.person.address
    assert first.person.name.family == second.person.name.family
    assert first.person.name.given != second.person.name.given
    assert not set(first.numbers.values()) & set(second.numbers.values())


def test_a_child_has_a_mother_who_signed_l19():
    child = BY_KEY["child"]
    assert child.person.age(TODAY) < 15
    assert child.person.relative.relationship == "MTH"
    assert next(a for a in AGREEMENTS if a.patient == "child").signed_by == "MTH"


def test_a_consent_is_paused_today_d7_and_one_is_stopped_d5_and_one_deleted_d8():
    facts = {a.patient: a for a in AGREEMENTS}
    begin, end = facts["paused"].paused
    assert begin <= TODAY <= end
    assert facts["withdrawn"].status == "stopped"
    assert facts["deleted"].status == "deleted"


def test_facilities_joined_an_agreement_later_l18():
    agreement = next(a for a in AGREEMENTS if a.patient == "ichitaro")
    assert {code for code, _ in agreement.added} == {CODES["C"], CODES["D"]}
    assert all(agreement.signed < day <= TODAY for _, day in agreement.added)


def test_an_agreement_names_only_facilities_that_know_the_patient_f014():
    for agreement in AGREEMENTS:
        known = set(BY_KEY[agreement.patient].numbers)
        assert agreement.facilities | {code for code, _ in agreement.added} <= known, agreement.patient


def test_the_diagnosis_withheld_is_one_of_the_patients_own_l28():
    person = BY_KEY["untold"].person
    assert person.withheld in person.diagnoses
    assert [m.key for m in PATIENTS if m.person.withheld] == ["untold"]


def test_numbers_are_ten_digits_and_nobody_shares_one_inside_a_facility():
    for facility in FACILITIES:
        numbers = [number for number, _ in attending(facility)]
        assert len(set(numbers)) == len(numbers)
        assert all(re.fullmatch(r"\d{10}", number) for number in numbers)


def test_the_users_of_the_fixture_are_there_and_a1_works_at_two_facilities():
    assert [user.key for user in USERS] == ["A1", "C1", "S1", "S2", "U1", "Q1"]
    assert set(USERS[0].facilities) == {CODES["A"], CODES["B"]}
    assert USERS[-1].patient == "takamatsu"


def test_people_of_the_fixture_do_not_follow_from_a_seed():
    assert BY_KEY["takamatsu"].person.birth == date(1958, 7, 14)


def test_the_core_hospital_does_not_know_the_emergency_patient_d9():
    assert HOSPITAL_B.code not in BY_KEY["emergency"].numbers
    assert len(attending(HOSPITAL_B)) == 11
    assert [person.name.family for _, person in attending(HOSPITAL_D)] == ["テスト", "救急"]
