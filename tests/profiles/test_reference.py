"""References are told apart by how they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.reference import Conditional, Contained, Literal, Urn, parse


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("Patient/1", Literal("Patient", "1")),
        ("Patient/1/_history/3", Literal("Patient", "1", "3")),
        ("https://example.org/fhir/Patient/a-b.c", Literal("Patient", "a-b.c", None, "https://example.org/fhir/")),
        ("http://example.org/Patient/1/_history/2", Literal("Patient", "1", "2", "http://example.org/")),
        ("Patient/1#part", Literal("Patient", "1")),
        ("#p1", Contained("p1")),
        ("#", Contained("")),
        ("urn:uuid:c757873d-ec9a-4326-a141-556f43239520", Urn("urn:uuid:c757873d-ec9a-4326-a141-556f43239520")),
        ("urn:oid:1.2.3", Urn("urn:oid:1.2.3")),
        ("Patient?identifier=a|b", Conditional("Patient", "identifier=a|b")),
        ("http://example.org/page.html", None),
        ("Patient/a_b", None),
        ("patient/1", None),
        ("", None),
        ("Patient/1/", None),
    ],
)
def test_a_reference_says_what_it_refers_to(text, parsed):
    assert parse(text) == parsed


def test_a_literal_reference_can_be_written_without_its_server():
    parsed = parse("https://example.org/fhir/Patient/1/_history/2")
    assert isinstance(parsed, Literal)
    assert parsed.relative == "Patient/1"


@given(st.text(max_size=60))
def test_any_text_can_be_judged(text):
    parse(text)
