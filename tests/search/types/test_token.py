"""Codes and identifiers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.search.expression import Coded, Not
from fhir_server.search.types.escapes import escape, split, unescape
from tests.search.judge import answers, found_by, query, refusal

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


CONCEPT = {
    "resourceType": "Observation",
    "code": {"coding": [{"system": "urn:s", "code": "1", "display": "ﾍﾓｸﾞﾛﾋﾞﾝ A1c"}], "text": "HbA1c(NGSP)"},
    "category": [{"text": "検体検査"}],
    "identifier": [{"type": {"text": "Filler Number", "coding": [{"system": "urn:v2", "code": "FILL"}]}, "value": "f|1"}],
}


@pytest.mark.parametrize(
    "search",
    [
        "code:text=hba1c",
        "code:text=ヘモグロビンA",
        "code:text=HBA1C（NGSP）",
        "category:text=検体",
        "identifier:text=filler n",
        "code:text=x,hb",
    ],
)
def test_a_code_is_found_by_how_its_text_begins(search):
    assert answers(f"Observation?{search}", CONCEPT)


@pytest.mark.parametrize("search", ["code:text=a1c", "code:text=1", "category:text=hba1c", "code=HbA1c(NGSP)", "code:text=NGSP"])
def test_another_text_or_the_middle_of_it_does_not_find_the_code(search):
    assert not answers(f"Observation?{search}", CONCEPT)


def test_a_concept_that_has_a_text_only_is_not_missing():
    assert answers("Observation?category:missing=false", CONCEPT)
    assert not answers("Observation?category:missing=true", CONCEPT)


def test_an_identifier_is_found_with_its_type():
    assert answers(r"Observation?identifier:of-type=urn:v2|FILL|f\|1", CONCEPT)
    assert not answers("Observation?identifier:of-type=urn:v2|PLAC|f", CONCEPT)
    assert not answers(r"Observation?identifier:of-type=urn:v3|FILL|f\|1", CONCEPT)
    for value in ("FILL|f", "|FILL|f", "urn:v2|FILL|f|1", "urn:v2|FILL|"):
        assert refusal(f"Observation?identifier:of-type={value}").issues[0].code == "value"


SNOMED = {"resourceType": "Observation", "status": "final", "code": {"coding": [{"system": LOINC, "code": "8867-4"}]}}
OBSERVATION_STATUS = "http://hl7.org/fhir/ValueSet/observation-status"
VITALS = "http://hl7.org/fhir/ValueSet/observation-vitalsignresult"
HUMAN = {
    "resourceType": "Patient", "gender": "female",
    "maritalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "code": "M"}]},
    "identifier": [{"type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}, "value": "1"}],
}  # fmt: skip
ENCOUNTER = {"resourceType": "Encounter", "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "ACUTE"}}
CLASS = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


@pytest.mark.parametrize(
    ("search", "resource"),
    [
        (f"Observation?status:in={OBSERVATION_STATUS}", SNOMED),
        (f"Observation?status:in={OBSERVATION_STATUS}|4.0.1", SNOMED),
        ("Patient?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender", HUMAN),
        ("Patient?gender:not-in=http://hl7.org/fhir/ValueSet/observation-status", HUMAN),
        (f"Encounter?class:below={CLASS}|IMP", ENCOUNTER),
        (f"Encounter?class:below={CLASS}|ACUTE", ENCOUNTER),
        (f"Encounter?class:above={CLASS}|ACUTE", ENCOUNTER),
    ],
)
def test_a_value_set_or_hierarchy_of_the_definitions_is_known(search, resource):
    assert answers(search, resource)


@pytest.mark.parametrize(
    ("search", "resource"),
    [
        (f"Observation?status:not-in={OBSERVATION_STATUS}", SNOMED),
        ("Patient?gender:in=http://hl7.org/fhir/ValueSet/observation-status", HUMAN),
        (f"Encounter?class:above={CLASS}|IMP", ENCOUNTER),
        (f"Encounter?class:below={CLASS}|NONAC", ENCOUNTER),
        (f"Encounter?class:below={CLASS}|nothing", ENCOUNTER),
        (f"Observation?status:not-in=http://hl7.org/fhir/ValueSet/administrative-gender,{OBSERVATION_STATUS}", SNOMED),
    ],
)
def test_what_is_outside_is_not_found(search, resource):
    assert not answers(search, resource)


def test_a_parameter_that_others_stand_for_has_their_modifiers():
    component = {
        "resourceType": "Observation",
        "component": [{"code": {"coding": [{"system": LOINC, "code": "8480-6", "display": "Systolic"}]}}],
    }
    assert answers("Observation?combo-code:text=systolic", component)
    assert answers(f"Observation?combo-code:not-in={OBSERVATION_STATUS}", component)
    assert not answers("Observation?combo-code:not=8480-6", component)
    assert not answers("Observation?combo-code:text=dia", component)


def test_what_the_definitions_do_not_know_is_looked_up():
    (_, asked) = query("Observation?code:in=http://example.jp/ValueSet/a").expression.parts
    assert asked == Coded("code", "in", "http://example.jp/ValueSet/a")
    (_, asked) = query("Observation?code:not-in=ValueSet/a").expression.parts
    assert asked == Not(Coded("code", "in", "ValueSet/a"))
    (_, asked) = query("Observation?code:below=urn:s|1").expression.parts
    assert asked == Coded("code", "below", "urn:s|1")


def test_a_value_set_of_codes_that_are_not_known_here_is_refused():
    assert refusal("Observation?code:in=http://hl7.org/fhir/ValueSet/observation-codes").issues[0].code == "not-supported"
    assert refusal("Observation?code:below=1").issues[0].code == "value"


JLAC10 = "urn:oid:1.2.392.200119.4.504"
ICD10 = "http://hl7.org/fhir/sid/icd-10"


@pytest.mark.parametrize(
    ("code", "found", "missed"),
    [
        (
            (JLAC10, "3D045000001906202"),
            f"below={JLAC10}|3D045 below={JLAC10}|3D0450000 above={JLAC10}|3D045000001906202",
            f"below={JLAC10}|3D046",
        ),
        ((JLAC10, "3D045"), f"above={JLAC10}|3D045000001906202", f"above={JLAC10}|3D046000001906202"),
        ((ICD10, "E11.9"), f"below={ICD10}|E11 below={ICD10}|E11.9 above={ICD10}|E11.9", f"below={ICD10}|E10 above={ICD10}|E11"),
        ((ICD10, "E11"), f"above={ICD10}|E11.9 above={ICD10}|E119", f"above={ICD10}|E10.9"),
    ],
)
def test_codes_that_show_their_hierarchy_are_read(code, found, missed):
    resource = {"resourceType": "Observation", "code": {"coding": [{"system": code[0], "code": code[1]}]}}
    for search in found.split():
        assert answers(f"Observation?code:{search}", resource), search
    for search in missed.split():
        assert not answers(f"Observation?code:{search}", resource), search


@pytest.mark.parametrize("modifier", ["exact", "contains", "identifier", "Patient", "x"])
def test_a_modifier_of_another_type_is_refused(modifier):
    assert refusal(f"Observation?code:{modifier}=x").issues[0].code == "not-supported"
