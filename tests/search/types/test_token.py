"""Codes and identifiers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.search.types.escapes import escape, split, unescape
from tests.search.judge import answers, found_by

LOINC = "http://loinc.org"
GLUCOSE = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": LOINC, "code": "2345-7"}, {"code": "GLU"}], "text": "血糖"},
}
PERSON = {
    "resourceType": "Patient",
    "active": True,
    "gender": "female",
    "identifier": [{"system": "urn:oid:1.2.3", "value": "000001"}, {"value": "bare"}],
    "telecom": [{"system": "phone", "value": "087-123-4567"}, {"system": "email", "value": "a@example.jp"}],
}


@pytest.mark.parametrize(
    "search",
    [
        "code=2345-7", f"code={LOINC}|2345-7", f"code={LOINC}|", "code=GLU", "code=|GLU", "code=nothing,GLU", "status=final",
        "code:not=4548-4", "code:not=4548-4,718-7", "code:missing=false", "value-quantity:missing=true",
    ],
)  # fmt: skip
def test_a_code_is_found_with_its_system_and_without(search):
    assert answers(f"Observation?{search}", GLUCOSE)


@pytest.mark.parametrize(
    "search",
    [
        "code=|2345-7", f"code={LOINC}|GLU", "code=http://snomed.info/sct|2345-7", "code=http://loinc.or|", "code=2345", "code=glu",
        "code:not=GLU", "code:not=x,GLU", "code:missing=true", "status=fina", "code=血糖",
    ],
)  # fmt: skip
def test_another_code_or_system_is_not_found(search):
    assert not answers(f"Observation?{search}", GLUCOSE)


@pytest.mark.parametrize(
    "search",
    [
        "active=true", "active=http://hl7.org/fhir/special-values|true", "gender=female", "identifier=000001",
        "identifier=urn:oid:1.2.3|000001", "identifier=|bare", "phone=087-123-4567", "email=a@example.jp", "telecom=a@example.jp",
        "gender:not=male",
    ],
)  # fmt: skip
def test_identifiers_booleans_and_contact_points_are_tokens_too(search):
    assert answers(f"Patient?{search}", PERSON)


@pytest.mark.parametrize("search", ["active=false", "phone=a@example.jp", "identifier=urn:oid:1.2.3|bare", "identifier=|000001"])
def test_they_are_told_apart(search):
    assert not answers(f"Patient?{search}", PERSON)


def test_s58_separators_inside_a_value_are_escaped():
    odd = r"a,b|c$d\e"
    resource = {"resourceType": "Patient", "identifier": [{"system": "urn:x", "value": odd}]}
    assert answers(r"Patient?identifier=urn:x|a\,b\|c\$d\\e", resource)
    assert answers(r"Patient?identifier=nobody,a\,b\|c\$d\\e", resource)
    assert not answers(r"Patient?identifier=a\,b", resource)


@given(st.text(alphabet=",|$\\ab"), st.sampled_from(",|$"))
def test_s58_any_text_survives_escaping(text, separator):
    assert split(escape(text), separator) == [escape(text)]
    assert unescape(escape(text)) == text


@pytest.mark.parametrize(
    "search", ["gender=http://hl7.org/fhir/administrative-gender|female", "gender=http://hl7.org/fhir/administrative-gender|"]
)
def test_the_implied_system_of_a_code_may_be_said(search):
    assert answers(f"Patient?{search}", PERSON)


@pytest.mark.parametrize(
    "search", ["gender=http://hl7.org/fhir/other|female", "gender=http://hl7.org/fhir/administrative-gender|male", "gender=|female"]
)
def test_a_code_of_another_system_is_not_found(search):
    assert not answers(f"Patient?{search}", PERSON)


def test_a_code_element_has_an_implied_system_and_is_stored_once():
    assert [entry for entry in found_by(PERSON).entries if entry.startswith("gender")] == ["gender=female"]
