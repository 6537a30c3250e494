"""Parameters that others stand for: not stored, and found all the same."""

from fhir_server.search.entries import entries
from fhir_server.search.standing import standing
from profiles.primitives import TOKYO
from tests.search.judge import answers, parameters

PRESSURE = {
    "resourceType": "Observation",
    "id": "pressure",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
    "component": [
        {"code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]}, "valueQuantity": {"value": 142, "unit": "mmHg"}},
        {"code": {"coding": [{"system": "http://loinc.org", "code": "8462-4"}]}, "valueQuantity": {"value": 91, "unit": "mmHg"}},
    ],
}


def test_who_has_the_paths_of_others_is_stood_for_by_them():
    paths = {"a": frozenset("x"), "b": frozenset("y"), "both": frozenset("xy"), "again": frozenset("x"), "more": frozenset("xyz")}
    assert standing(paths) == {"again": ("a",), "both": ("a", "b")}


def test_only_what_is_stored_stands_for_others():
    paths = {"a": frozenset("x"), "b": frozenset("y"), "c": frozenset("z"), "ab": frozenset("xy"), "abc": frozenset("xyz")}
    assert standing(paths) == {"ab": ("a", "b"), "abc": ("a", "b", "c")}


def test_a_combined_parameter_finds_what_its_parts_find():
    for found in (
        "combo-code=85354-9",
        "combo-code=8480-6",
        "combo-value-quantity=gt140",
        "combo-code-value-quantity=8480-6$gt140",
        "combo-code:not=718-7",
        "combo-code:missing=false",
        "combo-data-absent-reason:missing=true",
    ):
        assert answers(f"Observation?{found}", PRESSURE), found
    for not_found in (
        "combo-code=718-7",
        "combo-code-value-quantity=8462-4$gt140",
        "combo-code:not=8480-6",
        "combo-code:not=85354-9",
        "combo-code:missing=true",
        "combo-data-absent-reason:missing=false",
    ):
        assert not answers(f"Observation?{not_found}", PRESSURE), not_found


def test_it_has_no_entries_of_its_own():
    stored = entries(PRESSURE, parameters(), TOKYO)
    assert not [entry for entry in stored.entries if entry.startswith("combo-")]
    assert {group.parameter for group in stored.groups} == {"component-code-value-quantity"}
    assert parameters().of("Patient")["phonetic"].stands_for == ("name",)
