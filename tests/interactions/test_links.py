"""Placeholders of a transaction become references."""

import pytest

from fhir_server.interactions.links import path_to, resolve
from fhir_server.outcome import FhirError
from profiles.definitions import r4

URN = "urn:uuid:0f3c1a52-8f0e-4a8f-9d7f-0123456789a0"
TARGETS = {URN: "Patient/1"}


def resolved(resource):
    resolve(resource, TARGETS, r4().shapes)
    return resource


def test_references_are_replaced_however_deep_they_are():
    resource = resolved(
        {
            "resourceType": "List",
            "subject": {"reference": URN},
            "entry": [{"item": {"reference": URN}, "extension": [{"url": "a", "valueReference": {"reference": URN}}]}],
            "contained": [{"resourceType": "Observation", "subject": {"reference": URN}}],
        }
    )
    assert str(resource).count("Patient/1") == 4
    assert URN not in str(resource)


@pytest.mark.parametrize(
    ("resource", "replaced"),
    [
        ({"resourceType": "Patient", "extension": [{"url": "a", "valueUri": URN}]}, True),
        ({"resourceType": "Patient", "extension": [{"url": "a", "valueUuid": URN}]}, True),
        ({"resourceType": "PlanDefinition", "library": [URN]}, False),  # a canonical is not among the types of the rule
        ({"resourceType": "CarePlan", "instantiatesUri": [URN]}, True),
        ({"resourceType": "Patient", "extension": [{"url": "a", "valueString": URN}]}, False),
        ({"resourceType": "Patient", "identifier": [{"system": "urn:ietf:rfc:3986", "value": URN}]}, False),
        ({"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "CarePlan", "instantiatesUri": [URN]}}]}, True),
        ({"resourceType": "Patient", "nonsense": URN}, False),
    ],
)
def test_only_elements_that_link_are_replaced(resource, replaced):
    assert (URN not in str(resolved(resource))) is replaced


def test_links_of_the_narrative_are_replaced_and_its_text_is_not():
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{URN}">{URN}</a><img alt="" src=\'{URN}\'/></div>'
    text = resolved({"resourceType": "Patient", "text": {"status": "generated", "div": div}})["text"]["div"]
    assert 'href="Patient/1"' in text
    assert "src='Patient/1'" in text
    assert f">{URN}<" in text


@pytest.mark.parametrize("reference", ["urn:uuid:unknown", "urn:oid:1.2.3"])
def test_a_reference_that_leads_nowhere_is_refused_with_its_path(reference):
    resource = {"resourceType": "List", "entry": [{"item": {"reference": "Patient/2"}}, {"item": {"reference": reference}}]}
    with pytest.raises(FhirError) as refused:
        resolved(resource)
    assert refused.value.issues[0].expression == ("List.entry[1].item.reference",)


def test_a_web_address_with_a_query_is_no_conditional_reference():
    resource = {"resourceType": "Observation", "subject": {"reference": "http://elsewhere.example/show?id=1"}}
    assert resolved(resource)["subject"]["reference"] == "http://elsewhere.example/show?id=1"


def test_conditional_references_are_told_until_they_are_known():
    resource = {"resourceType": "List", "entry": [{"item": {"reference": "Patient?identifier=1"}}, {"item": {"reference": "Patient/2"}}]}
    shapes = r4().shapes
    assert resolve(resource, {}, shapes) == {"Patient?identifier=1"}
    assert path_to(resource, "Patient?identifier=1") == "List.entry[0].item.reference"
    assert resolve(resource, {"Patient?identifier=1": "Patient/1"}, shapes) == set()
    assert resource["entry"][0]["item"]["reference"] == "Patient/1"
