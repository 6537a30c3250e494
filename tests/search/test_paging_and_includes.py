"""Pages, compartments and includes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.outcome import FhirError
from fhir_server.search import compartment, paging
from fhir_server.search.expression import ForPatient, Has, Or, WithId
from fhir_server.search.include import Include, references
from tests.search.judge import parameters, query

UNDERSTOOD = (("code", "a"), ("_count", "20"))
keys = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.text().filter(lambda text: "\0" not in text), st.floats(allow_nan=False))


@given(st.lists(keys, max_size=6).map(tuple))
def test_s54_a_token_leads_back_to_its_place(place):
    token = paging.encode(place, "Observation", UNDERSTOOD)
    assert paging.decode(token, "Observation", UNDERSTOOD) == place
    assert paging.decode(token, "Observation", (("code", "a"), ("_count", "5"))) == place, "the size of a page may change"


@given(st.integers(0, 40), st.sampled_from("ABab01_-!=é\0"))
def test_s54_a_changed_token_is_refused(position, character):
    token = paging.encode((1715301000000, 42), "Observation", UNDERSTOOD)
    changed = token[:position] + character + token[position + 1 :]
    if changed != token:
        with pytest.raises(FhirError) as failure:
            paging.decode(changed, "Observation", UNDERSTOOD)
        assert failure.value.status == 400


@pytest.mark.parametrize(("type", "understood"), [("Patient", UNDERSTOOD), ("Observation", (("code", "b"),)), ("Observation", ())])
def test_a_token_belongs_to_one_search(type, understood):
    token = paging.encode((1, 2), "Observation", UNDERSTOOD)
    with pytest.raises(FhirError):
        paging.decode(token, type, understood)


@given(st.text())
def test_s54_what_is_no_token_is_refused(text):
    with pytest.raises(FhirError):
        paging.decode(text, "Observation", UNDERSTOOD)


def test_a_query_knows_where_its_page_begins():
    first = query("Observation?code=a&_sort=-date")
    token = paging.encode((5, 7), first.type, first.understood)
    second = query(f"Observation?code=a&_sort=-date&{paging.PARAMETER}={token}")
    assert second.after == (5, 7)
    assert second.understood == first.understood


def test_a_compartment_is_what_its_parameters_refer_to():
    members = compartment.expression("Patient", "p1", "Observation", parameters())
    assert members == Or((ForPatient("Patient/p1"), Has("performer", "Patient/p1")))
    assert compartment.expression("Patient", "p1", "Encounter", parameters()) == ForPatient("Patient/p1")
    assert compartment.expression("Encounter", "e1", "Observation", parameters()) == Has("encounter", "Encounter/e1")


def test_a_patient_is_in_the_own_compartment():
    assert compartment.expression("Patient", "p1", "Patient", parameters()) == Or((WithId(("p1",)), Has("link", "Patient/p1")))


@pytest.mark.parametrize(("code", "type"), [("Patient", "Organization"), ("Organization", "Patient"), ("Patient", "Nothing")])
def test_what_is_in_no_compartment_is_said(code, type):
    with pytest.raises(FhirError) as failure:
        compartment.expression(code, "p1", type, parameters())
    assert failure.value.issues[0].code == "not-supported"


OBSERVATION = {
    "resourceType": "Observation",
    "subject": {"reference": "Patient/p1/_history/2"},
    "performer": [
        {"reference": "Organization/o1"}, {"reference": "Practitioner/d1"}, {"reference": "Organization/o1"}, {"reference": "#x"},
        {"reference": "http://elsewhere.example/Practitioner/9"}, {"display": "someone"},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("include", "expected"),
    [
        (Include("Observation", "subject"), ["Patient/p1"]),
        (Include("Observation", "performer"), ["Organization/o1", "Practitioner/d1"]),
        (Include("Observation", "performer", "Practitioner"), ["Practitioner/d1"]),
        (Include("Observation", "device"), []),
        (Include("Patient", "organization"), []),
    ],
)
def test_an_include_follows_local_references_once(include, expected):
    assert list(references(OBSERVATION, include, parameters())) == expected
