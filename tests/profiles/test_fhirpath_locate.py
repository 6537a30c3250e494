"""A path leads to the JSON where its values lie."""

from functools import reduce

import pytest

from profiles import json
from profiles.definitions import r4
from profiles.fhirpath import FhirPathError, evaluate, locate, places
from tests.profiles.test_fhirpath_evaluate import PATIENT, URL
from tests.shared import SHARED, needs_shared


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        ("Patient", [()]),
        ("$this", [()]),
        ("%resource.active", [("active",)]),
        ("Patient.name", [("name", 0), ("name", 1)]),
        ("name[1].family", [("name", 1, "family")]),
        ("Patient.name.where(use = 'old').family", [("name", 1, "family")]),
        ("name.where(given.exists()).given.last()", [("name", 0, "given", 1)]),
        ("name.skip(1)", [("name", 1)]),
        ("name.take(1).given.tail()", [("name", 0, "given", 1)]),
        ("name.first().single()", [("name", 0)]),
        ("name[%resource.multipleBirth - 1]", [("name", 1)]),
        ("multipleBirth", [("multipleBirthInteger",)]),
        ("multipleBirth.ofType(integer)", [("multipleBirthInteger",)]),
        ("multipleBirth as boolean", []),
        (f"name.given.extension('{URL}').value", [("name", 0, "_given", 1, "extension", 0, "valueCode")]),
        (f"gender.extension('{URL}')", [("_gender", "extension", 0)]),
        ("contained.where(id = 'o').name", [("contained", 0, "name")]),
        ("Patient.photo", []),
        ("Observation.code", []),
        ("name[7]", []),
        ("name[-1]", []),
    ],
)
def test_a_path_gives_keys_and_indexes(expression, paths):
    assert locate(expression, PATIENT, r4()) == paths


@pytest.mark.parametrize(
    "expression",
    [
        "name.count()",
        "'x'",
        "name | contact",
        "name.nothing",
        "Patient.multipleBirthInteger",
        "name.exists()",
        "name.children()",
        "name.select(family)",
        "",
        "a b",
    ],
)
def test_what_computes_or_does_not_exist_has_no_place(expression):
    with pytest.raises(FhirPathError):
        locate(expression, PATIENT, r4())


def test_a_place_tells_type_and_value():
    [place] = places("name[1].use", PATIENT, r4())
    assert (place.path, place.type, place.value) == (("name", 1, "use"), "code", "old")


@needs_shared
def test_what_is_located_is_what_evaluation_gives():
    assert SHARED is not None
    patient = json.decode((SHARED / "data/suites/fhirpath/patient-example.json").read_bytes())
    for expression in (
        "name.given",
        "telecom.where(use = 'work').value",
        "contact.name.family",
        "deceased",
        "identifier.period.start",
        "link",
    ):
        values = [reduce(lambda held, key: held[key], path, patient) for path in locate(expression, patient, r4())]
        assert values == [value for _, value in evaluate(expression, patient, r4())]
