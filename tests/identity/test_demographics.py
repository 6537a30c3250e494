"""What is read of a Patient, and that nothing malformed in one is a fault."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_server.identity.demographics import FACILITY_NUMBER, Demographics, Insured, Number, demographics, insured
from tests.identity.patients import FACILITY_A, MEMBER, member, name, number, patient


def test_a_whole_patient_is_read():
    who = demographics(patient())
    assert [each.whole for each in who.kana] == ["ワタナベシヨオコ"]
    assert [(each.family, each.given) for each in who.kanji] == [("渡辺", "翔子")]
    assert (who.birth, who.sex, who.phones, who.postal_codes) == ("1958-07-14", "female", {"0870001234"}, {"7600099"})
    assert who.numbers == {Number(FACILITY_A, "0000000101")}
    assert who.facilities == {FACILITY_A}
    assert who.insured == {Insured("1379990", "123:4567890", "2")}
    assert who.places[0].house == (99, 12, 3)


def test_l32_a_maiden_name_is_a_former_one():
    who = demographics(patient(name=[name("渡辺", "翔子"), name("山本", "翔子", use="maiden"), name("ヤマモト", "ショウコ", use="old")]))
    assert [each.whole for each in who.kanji] == ["渡辺翔子"]
    assert [each.whole for each in who.former_kanji] == ["山本翔子"]
    assert [each.whole for each in who.former_kana] == ["ヤマモトシヨオコ"]


def test_l32_a_maiden_name_in_brackets_is_a_former_one():
    who = demographics(patient(name=[name("渡辺（山本）", "翔子")]))
    assert [each.whole for each in who.kanji] == ["渡辺翔子"]
    assert [each.whole for each in who.former_kanji] == ["山本翔子"]


@pytest.mark.parametrize("text", ["ワタナベ ショウコ", "ﾜﾀﾅﾍﾞ　ｼｮｳｺ", "わたなべ しょうこ"])
def test_a_name_in_one_text_is_divided_at_its_space(text):
    assert demographics(patient(name=[{"text": text}])).kana == demographics(patient()).kana


def test_insurance_is_also_read_from_coverages():
    coverage = {"resourceType": "Coverage", "identifier": [{"system": MEMBER, "value": "01379990:１２３:４５６７８９０:2"}]}
    assert demographics(patient(number()), [coverage]).insured == demographics(patient()).insured


@pytest.mark.parametrize("written", ["01379990:123:4567890:02", "1379990:１２３:４５６７８９０:２", "01379990:1-23:456 7890:002"])
def test_l27_an_insured_person_is_one_in_any_width(written):
    assert insured(written) == Insured("1379990", "123:4567890", "2")


@pytest.mark.parametrize("written", ["", "::", "01379990", "01379990::", ":1:2:3", "01379990:123:0000000:01", "01379990:123:9999999:01"])
def test_l27_what_names_no_insured_person_is_none(written):
    assert insured(written) is None


def test_l27_the_elderly_are_numbered_each_by_himself():
    assert insured("39379990::1234567:") == insured("39379990::1234567:00") == Insured("39379990", ":1234567", "-")


@pytest.mark.parametrize(("code", "valid"), [("3710000025", True), ("4730000025", True), ("5710000025", False), ("3740000025", False),
                                             ("371000002", False), ("37100000255", False)])  # fmt: skip
def test_l27_a_facility_number_has_the_system_of_an_institution(code, valid):
    assert bool(FACILITY_NUMBER.fullmatch(f"urn:oid:1.2.392.100495.20.3.51.1{code}")) is valid


def test_custodian_and_organization_tell_the_facility_too():
    who = demographics(
        patient(
            member(), meta={"tag": [{"system": "urn:tsunagi:custodian", "code": "b"}]}, managingOrganization={"reference": "Organization/a"}
        )
    )
    assert who.facilities == {"Organization/a", "Organization/b"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["system", "value", "family", "given", "text", "use", "line"]), inner)
    ),
    max_leaves=6,
)
ELEMENTS = (
    "identifier",
    "name",
    "telecom",
    "address",
    "gender",
    "birthDate",
    "meta",
    "deceasedBoolean",
    "deceasedDateTime",
    "managingOrganization",
)


@given(st.dictionaries(st.sampled_from(ELEMENTS), JSON))
@settings(max_examples=50, deadline=None)
def test_whatever_is_malformed_counts_as_absent(elements):
    assert isinstance(demographics({"resourceType": "Patient", **elements}), Demographics)
