"""Invented persons look like people of Kagawa, and none can be real."""

import re
import unicodedata
from random import Random

import pytest

from fhir_server.sandbox import addresses, facilities, names
from fhir_server.sandbox.network import PATIENTS, USERS

KATAKANA = re.compile(r"[ァ-ヴー]+")
NAMES = [*names.FAMILIES, *(pair for sex in names.GIVEN.values() for generation in sex for pair in generation)]


def test_there_are_enough_names():
    assert len(set(names.FAMILIES)) >= 150
    assert all(len({pair for generation in names.GIVEN[sex] for pair in generation}) >= 120 for sex in "MF")


def test_every_name_has_a_full_width_katakana_reading_and_kanji_that_iso_2022_jp_can_carry():
    for written, kana in NAMES:
        assert KATAKANA.fullmatch(kana), kana
        written.encode("iso2022_jp")


def test_no_family_is_listed_twice():
    assert len({written for written, _ in names.FAMILIES}) == len(names.FAMILIES)


def test_common_families_are_met_more_often_than_rare_ones():
    rng = Random(1)
    drawn = [names.family_name(rng)[0] for _ in range(5000)]
    assert drawn.count("佐藤") > 3 * drawn.count("和泉")


@pytest.mark.parametrize(("year", "generation"), [(1930, 0), (1970, 1), (2015, 2)])
def test_given_names_belong_to_the_generation_and_the_sex(year, generation):
    rng = Random(2)
    for sex in "MF":
        assert {names.given_name(rng, sex, year) for _ in range(400)} <= set(names.GIVEN[sex][generation])


def test_no_address_and_no_telephone_number_can_be_real():
    rng = Random(3)
    for _ in range(500):
        home = addresses.address(rng)
        assert re.fullmatch(r"\d{3}-\d{2}99", home.postal_code)
        assert "99丁目" in home.text
        assert re.fullmatch(r"0\d{2,3}-000-\d{4}", home.phone)
        assert re.fullmatch(r"090-0000-\d{4}", addresses.mobile(rng))


def test_most_people_live_in_kagawa():
    rng = Random(4)
    assert sum(addresses.address(rng).text.startswith("香川県") for _ in range(1000)) > 900


def test_facility_codes_are_of_kagawa_and_keep_the_form_of_l27():
    codes = [facility.code for facility in facilities.FACILITIES]
    assert len(set(codes)) == 6
    assert all(re.fullmatch(r"[0-4][0-9][1-3][0-9]{7}", code) and code.startswith("37") for code in codes)


def test_only_b_is_a_core_hospital_and_only_f_has_left_the_network():
    assert [f.name for f in facilities.FACILITIES if "core" in f.roles] == ["病院Ｂ"]
    assert [f.name for f in facilities.FACILITIES if not f.active] == ["病院Ｆ"]


def test_every_department_of_a_facility_has_a_physician_there():
    for facility in facilities.FACILITIES:
        staff = facilities.doctors(facility)
        assert all(doctor.department == code for code in facility.departments for doctor in staff[code])
        numbers = [doctor.number for doctors in staff.values() for doctor in doctors]
        assert len(set(numbers)) == len(numbers)


def test_no_text_of_the_fixture_holds_half_width_kana():
    texts = [f.name + f.kana + f.address for f in facilities.FACILITIES]
    texts += [f"{m.person.name.family}{m.person.name.given_kana}{m.person.address.text}" for m in PATIENTS]
    texts += [user.name.family_kana for user in USERS]
    assert all("HALFWIDTH" not in unicodedata.name(character, "") for text in texts for character in text)
