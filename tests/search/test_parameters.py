"""Search parameters as they are compiled from the definitions."""

import pytest

from fhir_server.search.parameters import DATES, Parameters
from fhir_server.search.paths import own_path
from profiles.definitions import r4
from tests.search.judge import answers, found_by, parameters


@pytest.mark.parametrize("type", r4().resource_types)
def test_every_search_parameter_of_every_type_compiles(type):
    known = parameters().of(type)
    assert {"_id", "_lastUpdated", "_tag", "_profile", "_security", "_source"} <= set(known)
    assert found_by({"resourceType": type}).words == ()
    lead, date = parameters().lead(type), parameters().date(type)
    assert lead is None or "Patient" in known[lead].targets
    assert date is None or (known[date].type == "date" and date in DATES)


def test_only_what_is_asked_for_is_compiled():
    fresh = Parameters(r4())
    fresh.of("Observation")
    assert fresh.of("NoSuchType") == {}
    assert fresh._of.keys() == {"Observation"}


@pytest.mark.parametrize(
    ("type", "lead", "also"),
    [
        ("Observation", "patient", "subject"),
        ("Condition", "patient", "subject"),
        ("AllergyIntolerance", "patient", None),
        ("Coverage", "patient", "beneficiary"),
        ("SupplyRequest", "subject", None),
        ("Schedule", "actor", None),
        ("Patient", None, None),
        ("Organization", None, None),
        ("CodeSystem", None, None),
    ],
)
def test_a_lead_parameter_says_whose_the_resource_is(type, lead, also):
    assert parameters().lead(type) == lead
    assert lead is None or parameters().is_lead(type, lead)
    assert also is None or parameters().is_lead(type, also)
    assert not parameters().is_lead(type, "performer")


@pytest.mark.parametrize(
    ("type", "date"),
    [
        ("Observation", "date"), ("MedicationRequest", "authoredon"), ("Encounter", "date"), ("Condition", "recorded-date"),
        ("DiagnosticReport", "date"), ("Specimen", "collected"), ("ServiceRequest", "authored"), ("Patient", None), ("Organization", None),
    ],
)  # fmt: skip
def test_a_main_date_says_when_it_happened(type, date):
    assert parameters().date(type) == date


def test_the_examples_among_the_definitions_are_not_served():
    assert "part-agree" not in parameters().of("Patient")
    assert "Patient" in parameters().of("Condition")["subject"].targets


def test_a_union_is_reduced_to_what_speaks_of_the_type():
    expression = "AllergyIntolerance.code | (MedicationRequest.medication as CodeableConcept) | Resource.meta"
    assert own_path(expression, "MedicationRequest") == "(MedicationRequest.medication as CodeableConcept) | Resource.meta"


def test_a_parameter_of_the_network_wins():
    extra = {
        "url": "http://example.jp/SearchParameter/Patient-kana", "code": "kana", "base": ["Patient"], "type": "string",
        "expression": "Patient.name.where(extension('http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation').exists())",
    }  # fmt: skip
    network = Parameters(r4(), [extra])
    assert network.of("Patient")["kana"].url == extra["url"]
    assert "kana" not in parameters().of("Patient")


def test_a_search_parameter_that_is_not_served_does_not_exist():
    for code in ("_filter", "_query"):
        assert code not in parameters().of("Patient")
    assert not parameters().of("Location")["near"].sortable


def test_meta_is_searched():
    resource = {
        "resourceType": "Patient",
        "meta": {
            "profile": ["http://jpfhir.jp/fhir/core/StructureDefinition/JP_Patient"],
            "tag": [{"system": "urn:x", "code": "t"}],
            "security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}],
            "source": "urn:facility:1",
        },
    }
    assert answers("Patient?_profile=http://jpfhir.jp/fhir/core/StructureDefinition/JP_Patient", resource)
    assert answers("Patient?_profile:below=http://jpfhir.jp/fhir/core/", resource)
    assert answers("Patient?_tag=urn:x|t&_security=R&_source=urn:facility:1&_id=1", resource)
    assert not answers("Patient?_tag=urn:x|u", resource)
