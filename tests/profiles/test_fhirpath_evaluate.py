"""What an expression gives, what it may cost, and what is said when it fails."""

import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles.definitions import r4
from profiles.fhirpath import FhirPathError, FhirPathLimitError, evaluate, predicate

URL = "http://example.org/e"
PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "active": True,
    "name": [
        {"use": "official", "family": "佐藤", "given": ["花子", "B"], "_given": [None, {"extension": [{"url": URL, "valueCode": "c"}]}]},
        {"use": "old", "family": "F"},
    ],
    "birthDate": "1970-05",
    "_gender": {"extension": [{"url": URL, "valueString": "unknown"}]},
    "contact": [{"name": {"text": "c"}}],
    "managingOrganization": {"reference": "#o"},
    "contained": [{"resourceType": "Organization", "id": "o", "name": "病院"}],
    "maritalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "code": "M"}]},
    "multipleBirthInteger": 2,
}


def found(expression, resource=PATIENT, **variables):
    return evaluate(expression, resource, r4(), **variables)


@pytest.mark.parametrize(
    ("expression", "nodes"),
    [
        ("Patient.name.family", [("string", "佐藤"), ("string", "F")]),
        ("name[1].use", [("code", "old")]),
        ("multipleBirth", [("integer", 2)]),
        ("multipleBirth + 1", [("integer", 3)]),
        ("multipleBirth / 4", [("decimal", Decimal("0.5"))]),
        ("birthDate", [("date", "1970-05")]),
        ("birthDate + 8 months", [("date", "1971-01")]),
        ("@2024-02-29 + 1 year", [("date", "2025-02-28")]),
        ("@2024-01-31T10:00:00+09:00 + 1 month", [("dateTime", "2024-02-29T10:00:00+09:00")]),
        ("@T23:30 + 1 hour", [("time", "00:30")]),
        ("birthDate < @1970-05-02", []),
        ("birthDate < @1970-06", [("boolean", True)]),
        ("@2024-05-01T10:00:00+09:00 = @2024-05-01T01:00:00Z", [("boolean", True)]),
        ("1 'kg' > 999 'g'", [("boolean", True)]),
        ("1 'kg' + 1 'g'", [("Quantity", {"value": Decimal("1.001"), "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"})]),
        ("3 days", [("Quantity", {"value": Decimal(3), "unit": "days"})]),
        ("140 'mm[Hg]' > 18 'kPa'", [("boolean", True)]),
        ("1 'kg' = 1 'm'", []),
        ("37 'Cel' > 99 '[degF]'", [("boolean", False)]),
        ("37 'Cel' > 98 '[degF]'", [("boolean", True)]),
        ("37 'Cel' + 1 'K'", []),
        ("3 '[tsp_us]' = 1 '[tbs_us]'", [("boolean", True)]),
        ("contact.type().name", [("string", "BackboneElement")]),
        ("contact is BackboneElement", [("boolean", True)]),
        ("gender.exists() and gender.hasValue().not()", [("boolean", True)]),
        (f"gender.extension('{URL}').value", [("string", "unknown")]),
        (f"name.given.extension('{URL}').value", [("code", "c")]),
        ("gender", []),
        ("managingOrganization.resolve().name", [("string", "病院")]),
        ("managingOrganization.resolve() is Organization", [("boolean", True)]),
        ("%resource.id & '-' & %context.id", [("string", "p1-p1")]),
        ("%`vs-administrative-gender`", [("string", "http://hl7.org/fhir/ValueSet/administrative-gender")]),
        ("'male'.memberOf(%`vs-administrative-gender`)", [("boolean", True)]),
        ("text.htmlChecks()", [("boolean", True)]),
        ("maritalStatus.coding.first().subsumes(maritalStatus.coding.first())", [("boolean", True)]),
        ("'ж' in ('ж' | 'x')", [("boolean", True)]),
        ("name.where(use = 'none').family.empty()", [("boolean", True)]),
        ("name.given.combine(name.family).count()", [("integer", 4)]),
        ("nothing.at.all", []),
        ("'\\ud83d\\ude00'", [("string", "😀")]),
        ("2147483647 + 1", []),
    ],
)
def test_an_expression_gives_nodes(expression, nodes):
    assert found(expression) == nodes


def test_a_concept_subsumes_what_is_below_it():
    upper, lower = (
        {"system": "http://hl7.org/fhir/account-status", "code": "active"},
        {"system": "http://hl7.org/fhir/account-status", "code": "inactive"},
    )
    resource = {"resourceType": "Basic", "code": {"coding": [upper, lower]}}
    assert found("code.coding[0].subsumes(code.coding[1])", resource) == [("boolean", False)]
    types = "http://hl7.org/fhir/contract-legalstate"
    resource = {"resourceType": "Basic", "code": {"coding": [{"system": types, "code": "amended"}]}}
    assert found("code.subsumedBy(code.coding.first())", resource) == [("boolean", True)]
    resource = {"resourceType": "Basic", "code": {"coding": [{"system": "urn:unknown", "code": "a"}]}}
    assert found("code.subsumes(code)", resource) == []


def test_variables_are_named_by_the_caller():
    assert found("%threshold > 2 and %who.id = 'x'", threshold=3, who={"resourceType": "Patient", "id": "x"}) == [("boolean", True)]
    assert found("%codes.count()", codes=["a", "b"]) == [("integer", 2)]


def test_a_reference_is_resolved_inside_its_bundle():
    entries = [
        {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Observation", "subject": {"reference": "urn:uuid:2"}}},
        {"fullUrl": "urn:uuid:2", "resource": {"resourceType": "Patient", "id": "p"}},
        {"fullUrl": "http://example.org/fhir/Group/g", "resource": {"resourceType": "Group", "id": "g"}},
    ]
    bundle = {"resourceType": "Bundle", "entry": entries}
    assert found("entry[0].resource.subject.resolve().id", bundle) == [("id", "p")]
    assert found("'Group/g'.resolve().id", bundle) == [("id", "g")]
    assert found("'Group/x'.resolve()", bundle) == []


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "name.",
        "name.where(",
        "name.frobnicate()",
        "name.first(1)",
        "name.substring(1)",
        "name.given.substring(0)",
        "1 + 'a'",
        "(1 | 2) and true",
        "%unknown",
        "name.ofType(Nonsense)",
        "@2024-02-30",
        "'a' 'b'",
        "'\\x'",
        "'\\ud800'",
        "name.matches('(')",
        "$this.$index",
        "'a'.replaceMatches('a', '$9')",
        "and",
        "{",
        "1 is",
        "@T10:00Z",
    ],
)
def test_what_is_no_fhirpath_or_makes_no_sense_fails(expression):
    with pytest.raises(FhirPathError):
        found(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "(1|2|3).repeat($this + 1)",
        "(1|2)" + ".select(1|2|3|4|5|6|7|8|9)" * 60,
        "("
        + "|".join(map(str, range(60)))
        + ").where('aaaaaaaaaaaaaaaaaaaaaaaab'.matches('(a|aa)+$').not()).select((1|2|3).where('aaaaaaaaaaaaaaaaaaaaab'.matches('(a|aa)+$').not()))",
        "'aaaaaaaaaa'" + ".replace('a', 'aaaaaaaaaa')" * 8,
        "'" + "a" * 60 + "b'.matches('(a|aa)+$')",
    ],
)
def test_s57_an_evaluation_without_end_is_stopped(expression):
    began = time.monotonic()
    with pytest.raises(FhirPathLimitError):
        found(expression)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "expression", ["(" * 500 + "1" + ")" * 500, "a" + ".a" * 500, "1" + "+1" * 500, "a[" * 500 + "0" + "]" * 500, "'" * 30_000]
)
def test_s57_a_deep_or_long_expression_is_refused(expression):
    with pytest.raises(FhirPathError):
        found(expression)


@pytest.mark.parametrize("expression", ["9.power(999999999)", "10.exp().exp().exp()", "1000000000.power(1000000.5)", "0.ln()", "1.log(1)"])
def test_a_number_that_cannot_be_told_is_nothing(expression):
    assert found(expression) == []


SECRET = "佐藤花子1970"


@pytest.mark.parametrize(
    "expression",
    ["name.family.toInteger() + 'x'", "name.family + 1", "name.family.decode('hex')", "name.matches(name.family)", "-name.family"],
)
def test_an_error_never_repeats_a_value(expression):
    patient = {"resourceType": "Patient", "name": [{"family": SECRET + "("}]}
    try:
        found(expression, patient)
    except FhirPathError as error:
        assert SECRET not in str(error)
    else:
        assert expression.startswith("name.family.toInteger")


WORDS = [
    "name",
    "given",
    ".",
    "(",
    ")",
    "[",
    "]",
    "1",
    "'a'",
    "=",
    "|",
    "and",
    "where",
    "exists",
    "$this",
    "is",
    "Patient",
    "%resource",
    "-",
    "{}",
    "@2024",
    "first",
    ",",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=12))
def test_any_row_of_words_is_evaluated_or_refused(words):
    try:
        assert isinstance(found(" ".join(words)), list)
    except FhirPathError as error:
        assert str(error)


def test_a_predicate_is_asked_of_any_element():
    holds = predicate("given.exists() or %resource.active", r4())
    assert holds("HumanName", {"given": ["a"]}, PATIENT, PATIENT) is True
    assert holds("HumanName", {"family": "a"}, PATIENT, PATIENT) is True
    assert holds("HumanName", {"family": "a"}, {"resourceType": "Patient", "active": False}, PATIENT) is False
    assert holds("HumanName", {"family": "a"}, {"resourceType": "Patient"}, PATIENT) is None


def test_what_is_not_a_resource_is_refused():
    for thing in ({}, [], "x", None, {"resourceType": 5}):
        with pytest.raises(FhirPathError):
            found("id", thing)
    with pytest.raises(FhirPathError):
        found("id", {"resourceType": "Hospital"})
