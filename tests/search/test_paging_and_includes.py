"""Pages, compartments and includes."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.outcome import FhirError
from fhir_server.search import compartment, paging
from fhir_server.search.expression import ForPatient, Has, Or, WithId
from fhir_server.search.include import Include, references
from fhir_server.search.paging import Tokens
from tests.search.judge import parameters, query

UNDERSTOOD = (("code", "a"), ("_count", "20"))
keys = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.text().filter(lambda text: "\0" not in text), st.floats(allow_nan=False))


TOKENS = Tokens(b"a secret of the tests")


@given(st.lists(keys, max_size=6).map(tuple))
def test_s54_a_token_leads_back_to_its_place(place):
    token = TOKENS.encode(place, "Observation", UNDERSTOOD)
    assert TOKENS.decode(token, "Observation", UNDERSTOOD) == place
    assert TOKENS.decode(token, "Observation", (("code", "a"), ("_count", "5"))) == place, "the size of a page may change"
    assert Tokens(b"a secret of the tests").decode(token, "Observation", UNDERSTOOD) == place, "another process reads it"


@given(st.integers(0, 90), st.sampled_from("ABab01_-!=é\0"))
def test_s54_a_changed_token_is_refused(position, character):
    token = TOKENS.encode((1715301000000, 42), "Observation", UNDERSTOOD)
    changed = token[:position] + character + token[position + 1 :]
    if changed != token:
        with pytest.raises(FhirError) as failure:
            TOKENS.decode(changed, "Observation", UNDERSTOOD)
        assert failure.value.status == 400


@given(st.integers(0, 511))
def test_s54_no_bit_of_a_token_can_be_changed(bit):
    token = TOKENS.encode((1715301000000, 42), "Observation", UNDERSTOOD)
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    raw[bit // 8 % len(raw)] ^= 1 << bit % 8
    with pytest.raises(FhirError):
        TOKENS.decode(base64.urlsafe_b64encode(raw).decode().rstrip("="), "Observation", UNDERSTOOD)


@pytest.mark.parametrize("purpose", ["Patient", "Patient/1/Observation", "Observation/_history", ""])
def test_a_token_belongs_to_one_address(purpose):
    token = TOKENS.encode((1, 2), "Observation", UNDERSTOOD)
    with pytest.raises(FhirError):
        TOKENS.decode(token, purpose, UNDERSTOOD)


@pytest.mark.parametrize("understood", [(("code", "b"),), (), (*UNDERSTOOD, ("status", "final")), (("_count", "20"), ("code", "a,a"))])
def test_a_token_belongs_to_one_search(understood):
    token = TOKENS.encode((1, 2), "Observation", UNDERSTOOD)
    with pytest.raises(FhirError):
        TOKENS.decode(token, "Observation", understood)


def test_a_token_of_another_key_is_refused_and_tells_nothing_of_its_place():
    token = TOKENS.encode(("佐藤", 2), "Observation", UNDERSTOOD)
    with pytest.raises(FhirError):
        Tokens(b"another secret").decode(token, "Observation", UNDERSTOOD)
    assert "佐藤".encode() not in base64.urlsafe_b64decode(token + "==")
    assert token != TOKENS.encode(("佐藤", 2), "Observation", UNDERSTOOD)


def test_a_token_expires_and_the_outcome_says_so():
    now = [1_000_000.0]
    tokens = Tokens(b"x" * 32, 3600, lambda: now[0])
    token = tokens.encode((1,), "Patient", ())
    now[0] += 3599
    assert tokens.decode(token, "Patient", ()) == (1,)
    now[0] += 2
    with pytest.raises(FhirError) as failure:
        tokens.decode(token, "Patient", ())
    assert failure.value.status == 410
    assert "expired" in failure.value.issues[0].diagnostics


@given(st.text())
def test_s54_what_is_no_token_is_refused(text):
    with pytest.raises(FhirError):
        TOKENS.decode(text, "Observation", UNDERSTOOD)


def test_a_query_knows_where_its_page_begins():
    first = query("Observation?code=a&_sort=-date")
    second = query(f"Observation?code=a&_sort=-date&{paging.PARAMETER}=xyz")
    assert second.token == "xyz"
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
