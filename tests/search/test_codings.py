"""What a resource mentions: codings, references, authors and patients, wherever they stand."""

import pytest

from fhir_server.search.codings import codings, mentions, subjects, words
from profiles.json import decode
from tests.search.judge import found_by, parameters

BASE = "http://tsunagi.example/fhir"
LOINC = {"system": "http://loinc.org", "code": "2345-7"}


def observation(**elements):
    return {"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/p"}, **elements}


@pytest.mark.parametrize(
    "elements",
    [
        {"code": {"coding": [LOINC, LOINC]}},
        {"component": [{"valueCodeableConcept": {"coding": [{**LOINC, "display": "x", "version": "1"}]}}]},
        {"extension": [{"extension": [{"url": "urn:x", "valueCoding": LOINC}]}]},
        {"contained": [{"resourceType": "Specimen", "id": "s", "type": {"coding": [LOINC]}}]},
    ],
)
def test_c38_a_coding_is_found_wherever_it_stands_and_once(elements):
    assert codings(observation(**elements)) == ("http://loinc.org|2345-7",)


@pytest.mark.parametrize(
    "elements",
    [
        {"valueQuantity": {"value": 1, **LOINC}},
        {"valueQuantity": {"unit": "mg", **LOINC}},
        {"code": {"coding": [{"code": "2345-7"}, {"system": "http://loinc.org"}]}},
        {"identifier": [{"system": "http://loinc.org", "value": "2345-7"}]},
        {"meta": {"tag": [LOINC], "security": [LOINC]}},
    ],
)
def test_c38_a_unit_an_identifier_a_tag_and_half_a_coding_are_none(elements):
    assert codings(observation(**elements)) == ()


def test_references_are_found_in_their_plain_form():
    several = [
        f"{BASE}/Encounter/e",
        "Encounter/e/_history/3",
        "Encounter/e#x",
        "#inside",
        "urn:uuid:1",
        "http://elsewhere.example/Encounter/e",
    ]
    found = mentions(observation(extension=[{"url": "urn:x", "valueReference": {"reference": each}} for each in several]), BASE).references
    assert found == ("Patient/p", "Encounter/e", "http://elsewhere.example/Encounter/e")


def test_c12_authors_are_those_in_the_elements_that_say_who_made_it():
    resource = observation(performer=[{"reference": "Practitioner/d"}], focus=[{"reference": "Practitioner/e"}])
    assert mentions(resource).authors == ("Practitioner/d",)


def test_c39_every_patient_who_is_mentioned_is_one_it_tells_of():
    resource = observation(
        focus=[{"reference": "Patient/q"}], extension=[{"url": "urn:x", "valueReference": {"reference": f"{BASE}/Patient/r"}}]
    )
    assert subjects(resource, BASE) == ("Patient/p", "Patient/q", "Patient/r")


def test_c39_a_patient_tells_of_herself_not_of_whom_she_is_linked_with():
    patient = {"resourceType": "Patient", "id": "p", "link": [{"other": {"reference": "Patient/q"}, "type": "seealso"}]}
    assert subjects(patient) == ("Patient/p",)
    assert subjects({**patient, "extension": [{"url": "urn:x", "valueReference": {"reference": "Patient/r"}}]}) == (
        "Patient/p",
        "Patient/r",
    )


def test_only_what_no_entry_holds_becomes_a_word():
    resource = {
        "resourceType": "Condition",
        "id": "c",
        "subject": {"reference": "Patient/p"},
        "code": {"coding": [LOINC]},
        "bodySite": [{"coding": [LOINC]}],
        "asserter": {"reference": "Practitioner/a"},
        "recorder": {"reference": "Practitioner/d"},
        "extension": [{"url": "urn:x", "valueCoding": {"system": "urn:s", "code": "c"}}],
    }
    found = words(mentions(resource), found_by(resource).entries, parameters(), "Condition")
    assert found == ("_coding=urn:s|c", "_refers=Practitioner/d", "_author=Practitioner/d")
    assert set(found) <= set(found_by(resource).words)


def test_a_reference_that_another_parameter_holds_is_still_the_authors():
    resource = {
        "resourceType": "MedicationRequest",
        "id": "m",
        **{name: {"reference": "Practitioner/d"} for name in ("recorder", "performer")},
    }
    assert words(mentions(resource), found_by(resource).entries, parameters(), "MedicationRequest") == ("_author=Practitioner/d",)


def test_s45_a_resource_that_is_deep_or_odd_is_walked_through():
    deep = decode(b'{"resourceType":"Basic","id":"b","extension":' + b'[{"extension":' * 45 + b"[]" + b"}]" * 45 + b"}")
    assert mentions(deep) == ((), (), ())
    assert mentions({"resourceType": "Basic", "id": "b", "code": {"reference": 1, "code": None, "system": ["x"]}}) == ((), (), ())
