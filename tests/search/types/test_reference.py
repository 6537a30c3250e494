"""References."""

import pytest

from fhir_server.search.entries import entries
from fhir_server.search.expression import ForPatient, Has, Or, Placed
from fhir_server.search.holding import Subject, holds
from fhir_server.search.parameters import Parameters
from profiles.definitions import r4
from profiles.primitives import TOKYO
from tests.search.judge import BASE, answers, found_by, query, refusal

GLUCOSE = {
    "resourceType": "Observation",
    "subject": {"reference": "Patient/p1/_history/3", "identifier": {"system": "urn:oid:1.2.3", "value": "000001"}},
    "performer": [{"reference": "Organization/o1"}, {"reference": "http://elsewhere.example/fhir/Practitioner/9"}],
    "encounter": {"reference": "Encounter/e1"},
}


@pytest.mark.parametrize(
    "search",
    [
        "subject=Patient/p1", "subject=p1", "subject:Patient=p1", "subject:Patient=Patient/p1", "patient=p1", "patient=Patient/p1",
        f"patient={BASE}/Patient/p1", "patient=Patient/p1/_history/7", "performer=Organization/o1", "performer=o1",
        "performer=http://elsewhere.example/fhir/Practitioner/9", "subject:identifier=urn:oid:1.2.3|000001",
        "subject:identifier=000001", "encounter=e1", "patient=nobody,p1",
    ],
)  # fmt: skip
def test_a_reference_is_found_in_every_form(search):
    assert answers(f"Observation?{search}", GLUCOSE)


@pytest.mark.parametrize(
    "search",
    [
        "subject=Group/p1",
        "subject:Device=p1",
        "patient=p",
        "performer=Practitioner/9",
        "performer:Practitioner=o1",
        "subject:identifier=|000001",
    ],
)
def test_another_type_or_id_is_not_found(search):
    assert not answers(f"Observation?{search}", GLUCOSE)


def test_one_patient_is_served_by_the_patient_led_index():
    assert ForPatient("Patient/p1") in query("Observation?patient=p1").expression.parts
    assert ForPatient("Patient/p1") in query("Observation?subject=Patient/p1").expression.parts
    assert Has("performer", "Patient/p1") in query("Observation?performer=Patient/p1").expression.parts
    assert found_by(GLUCOSE).patient == "Patient/p1"


def test_several_patients_are_all_kept():
    group = {"resourceType": "Group", "member": [{"entity": {"reference": "Patient/a"}}, {"entity": {"reference": "Patient/b"}}]}
    stored = found_by(group)
    assert (stored.patient, stored.patients) == ("*", ("Patient/a", "Patient/b"))
    assert answers("Group?member=Patient/b", group)


def test_a_bare_id_means_every_type_the_parameter_may_name():
    (_, only) = query("Observation?specimen=s1").expression.parts
    assert only == Has("specimen", "Specimen/s1")
    (_, any_of) = query("Observation?performer=x").expression.parts
    assert isinstance(any_of, Or)
    assert Has("performer", "PractitionerRole/x") in any_of.parts


def test_a_bare_subject_is_served_by_one_index_whatever_its_type():
    (_, any_of) = query("Observation?subject=x").expression.parts
    assert isinstance(any_of, Or)
    assert all(isinstance(part, Has) for part in any_of.parts)
    assert ForPatient("Patient/x") in query("Observation?patient=x").expression.parts


@pytest.mark.parametrize("reference", [f"{BASE}/Patient/p1", f"{BASE}/Patient/p1/_history/2"])
@pytest.mark.parametrize("search", ["patient=p1", "subject=Patient/p1", f"subject={BASE}/Patient/p1"])
def test_our_own_address_is_a_local_reference(reference, search):
    resource = {"resourceType": "Observation", "id": "1", "subject": {"reference": reference}}
    stored = entries(resource, Parameters(r4(), base=BASE), TOKYO)
    assert stored.patient == "Patient/p1"
    assert holds(query(f"Observation?{search}").expression, Subject("Observation", "1", stored))


def test_what_is_part_of_others_has_an_above_and_a_below():
    parts = query("Encounter?location:below=l1").expression.parts
    assert Placed("location", "below", ("Location/l1",), (("Location", "partof"),)) in parts
    assert refusal("Observation?patient:above=p1").issues[0].code == "not-supported"
    assert refusal("Encounter?location:below=Patient/1").issues[0].code == "not-supported"


@pytest.mark.parametrize(
    ("search", "found"),
    [("below=http://example.jp/q|1", True), ("below=http://example.jp/q|1.2", True), ("below=http://example.jp/q", True),
     ("above=http://example.jp/q|1.2.3", True), ("below=http://example.jp/q|1.20", False), ("above=http://example.jp/q|1", False)],
)  # fmt: skip
def test_versions_of_a_canonical_have_an_above_and_a_below(search, found):
    response = {"resourceType": "QuestionnaireResponse", "questionnaire": "http://example.jp/q|1.2"}
    assert answers(f"QuestionnaireResponse?questionnaire:{search}", response) is found


def test_a_canonical_is_found_with_its_version_and_without():
    response = {"resourceType": "QuestionnaireResponse", "questionnaire": "http://example.jp/q|2"}
    assert answers("QuestionnaireResponse?questionnaire=http://example.jp/q", response)
    assert answers(r"QuestionnaireResponse?questionnaire=http://example.jp/q\|2", response)
    assert answers("QuestionnaireResponse?questionnaire=http://example.jp/q|2", response)
    assert not answers("QuestionnaireResponse?questionnaire=http://example.jp/q|1", response)


@pytest.mark.parametrize(
    ("search", "code"),
    [
        ("Observation?subject:Medication=1", "not-supported"),
        ("Observation?subject:foo=1", "not-supported"),
        ("Observation?subject:Patient=Group/1", "value"),
        ("Observation?subject=Patient/", "value"),
        ("Observation?subject=/1", "value"),
    ],
)
def test_what_is_no_reference_is_refused(search, code):
    assert refusal(search).issues[0].code == code
