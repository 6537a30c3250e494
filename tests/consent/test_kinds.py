"""Which data by kind and code, and what tells of several patients: decision vectors C37-C39."""

import pytest

from fhir_server.consent.decision import decide_for_all
from fhir_server.consent.directive import directive
from fhir_server.consent.facts import facts
from fhir_server.consent.vocabulary import vocabulary
from profiles.primitives import TOKYO
from tests.consent.judging import (
    TYPES,
    A,
    B,
    asks,
    consent,
    denying,
    labels,
    observation,
    permitting,
    read,
    rule,
    sees,
)
from tests.search.judge import parameters

ENCOUNTER = {"resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "AMB"}, "subject": {"reference": "Patient/p"}}
FEBRUARY = {"start": "2026-02-01", "end": "2026-02-28"}

PROFILE = "http://example.org/StructureDefinition/lipids"
PROFILED = observation(meta={"profile": [f"{PROFILE}|1.0"]})
REPORT = {
    "resourceType": "DocumentReference",
    "id": "d",
    "status": "current",
    "type": {"coding": [{"system": "http://loinc.org", "code": "18842-5"}]},
    "subject": {"reference": "Patient/p"},
    "content": [{"attachment": {"contentType": "application/pdf", "url": "Binary/b"}}],
}


def of_class(system, code):
    return {"class": [{"system": system, "code": code}]}


@pytest.mark.parametrize(
    ("conditions", "covered", "other"),
    [
        (of_class(TYPES, "Observation"), observation(), ENCOUNTER),
        (of_class("urn:ietf:rfc:3986", PROFILE), PROFILED, observation()),
        (of_class("urn:ietf:rfc:3986", f"{PROFILE}|1.0"), PROFILED, observation(meta={"profile": [f"{PROFILE}|2.0"]})),
        (of_class("http://loinc.org", "18842-5"), REPORT, {**REPORT, "type": {"text": "letter"}}),
        (
            of_class("http://loinc.org", "2345-7"),
            {**REPORT, "category": [{"coding": [{"system": "http://loinc.org", "code": "2345-7"}]}]},
            observation(),
        ),
        (of_class("urn:ietf:bcp:13", "application/pdf"), REPORT, observation()),
    ],
)
def test_c37_a_rule_on_a_kind_of_data_covers_it_by_type_profile_document_and_media_type(conditions, covered, other):
    assert sees(permitting(**conditions), asks(), covered)
    assert not sees(permitting(**conditions), asks(), other)
    assert not sees(denying(**conditions), asks(), covered)
    assert sees(denying(**conditions), asks(), other)


def concept(system, code):
    return {"coding": [{"system": system, "code": code}]}


HIV = concept("http://loinc.org", "7917-8")


@pytest.mark.parametrize(
    "resource",
    [
        observation(code=HIV),
        observation(component=[{"code": HIV, "valueString": "-"}]),
        observation(component=[{"code": {"text": "x"}, "valueCodeableConcept": HIV}]),
        observation(bodySite=HIV),
        observation(interpretation=[HIV]),
        observation(extension=[{"url": "urn:x", "valueCodeableConcept": HIV}]),
        observation(contained=[{"resourceType": "Specimen", "id": "s", "type": HIV}]),
    ],
)
def test_c38_a_code_is_found_wherever_it_stands_in_the_instance(resource):
    assert sees(permitting(code=[HIV]), asks(), resource)
    assert not sees(denying(code=[HIV]), asks(), resource)
    assert not sees(permitting(code=[concept("http://loinc.org", "7917")]), asks(), resource)


def test_c38_a_label_or_tag_is_no_code_of_the_data():
    tagged = observation(meta={"tag": HIV["coding"], "security": HIV["coding"]})
    assert not sees(permitting(code=[HIV]), asks(), tagged)


def test_c38_a_unit_is_no_code():
    measured = observation(valueQuantity={"value": 1, "system": "http://unitsofmeasure.org", "code": "mg"})
    assert not sees(permitting(code=[concept("http://unitsofmeasure.org", "mg")]), asks(), measured)


def test_conditions_of_a_rule_hold_together():
    several = permitting(**of_class(TYPES, "Observation"), code=[HIV], dataPeriod=FEBRUARY, securityLabel=labels("N"))
    assert sees(several, asks(), observation(code=HIV))
    assert not sees(several, asks(), observation())
    assert not sees(several, asks(), observation(code=HIV, effectiveDateTime="2026-03-03"))
    assert not sees(several, asks(), observation(code=HIV, security=labels("R")))


# -- several patients


@pytest.mark.parametrize(
    "about_two",
    [
        observation(focus=[{"reference": "Patient/q"}]),
        {
            "resourceType": "Group",
            "id": "g",
            "type": "person",
            "actual": True,
            "member": [{"entity": {"reference": f"Patient/{n}"}} for n in "pq"],
        },
        {"resourceType": "List", "id": "l", "subject": {"reference": "Patient/p"}, "entry": [{"item": {"reference": "Patient/q"}}]},
    ],
)
def test_c39_of_what_tells_of_two_patients_both_have_to_permit_it(about_two):
    permits, dissents = read(consent(rule(to=B))), (directive(consent(rule("deny"), "other"), TOKYO),)
    found = facts(about_two, A, parameters(), TOKYO)
    assert sorted(found.patients) == ["Patient/p", "Patient/q"]

    def decided(**persons):
        return decide_for_all({f"Patient/{name}": each for name, each in persons.items()}, asks(B), found, vocabulary())

    assert decided(p=permits, q=permits).permits
    assert decided(p=permits).outcome == "none"
    assert (decided(p=permits, q=dissents).outcome, decided(p=permits, q=dissents).consents) == ("deny", ("Consent/other",))
    assert not decide_for_all(
        {"Patient/p": permits}, asks(B), facts({"resourceType": "Basic", "id": "b"}, A, parameters(), TOKYO), vocabulary()
    ).permits


def test_c39_a_patient_tells_of_herself_and_not_of_whom_she_is_linked_with():
    patient = {"resourceType": "Patient", "id": "p", "link": [{"other": {"reference": "Patient/golden-1"}, "type": "seealso"}]}
    assert facts(patient, A, parameters(), TOKYO).patients == ("Patient/p",)
