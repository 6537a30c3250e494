"""What is wrong with a resource is named with its place, and never repeated."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles import json
from profiles.definitions import r4
from profiles.validator import Validator
from profiles.validator.validate import MAX_ISSUES
from terminology.service import r4 as terminology

VALIDATOR = Validator(r4(), terminology())

PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "meta": {"versionId": "1", "lastUpdated": "2024-05-01T10:00:00.000+09:00"},
    "extension": [{"url": "http://example.org/race", "valueCode": "x"}],
    "identifier": [{"system": "urn:oid:1.2.392.100495.20.3.51.11310000001", "value": "0000000123"}],
    "active": True,
    "name": [{"use": "official", "family": "佐藤", "given": ["花子"], "_given": [{"extension": [{"url": "u", "valueCode": "IDE"}]}]}],
    "gender": "female",
    "birthDate": "1970-02-28",
    "_birthDate": {
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime", "valueDateTime": "1970-02-28T01:00:00Z"}]
    },
    "deceasedBoolean": False,
    "managingOrganization": {"reference": "#o"},
    "contained": [{"resourceType": "Organization", "id": "o", "name": "病院"}],
}

OBSERVATION = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"text": "AST"},
    "subject": {"reference": "Patient/p1"},
    "component": [{"code": {"text": "a"}, "referenceRange": [{"text": "1-2"}]}],
}


def issues(resource):
    return VALIDATOR.validate(resource)


def changed(resource, **changes):
    """A copy with properties replaced; None takes one away."""
    copy = {**deepcopy(resource), **changes}
    return {name: value for name, value in copy.items() if value is not None}


@pytest.mark.parametrize("resource", [PATIENT, OBSERVATION])
def test_a_valid_resource_has_no_issues(resource):
    assert issues(resource) == []


WRONG = [
    ("an unknown element", changed(PATIENT, nickname="x"), "structure", "Patient"),
    ("an unknown element inside", changed(PATIENT, name=[{"surname": "x"}]), "structure", "Patient.name[0]"),
    ("an unknown element with underscore", changed(PATIENT, _name=[{"id": "x"}]), "structure", "Patient"),
    ("a missing element", changed(OBSERVATION, status=None), "required", "Observation.status"),
    ("a missing element inside", changed(OBSERVATION, component=[{"valueString": "x"}]), "required", "Observation.component[0].code"),
    ("one where many are", changed(PATIENT, name={"family": "x"}), "structure", "Patient.name"),
    ("many where one is", changed(PATIENT, gender=["female"]), "structure", "Patient.gender"),
    ("many objects where one is", changed(OBSERVATION, code=[{"text": "x"}]), "structure", "Observation.code"),
    ("an empty array", changed(PATIENT, name=[]), "structure", "Patient.name"),
    ("an empty array of primitives", changed(PATIENT, name=[{"given": []}]), "structure", "Patient.name[0].given"),
    ("an empty object", changed(PATIENT, maritalStatus={}), "structure", "Patient.maritalStatus"),
    ("an empty string", changed(PATIENT, name=[{"family": ""}]), "value", "Patient.name[0].family"),
    ("a null", {**PATIENT, "gender": None}, "structure", "Patient.gender"),
    ("a null object", {**PATIENT, "maritalStatus": None}, "structure", "Patient.maritalStatus"),
    ("a null in an array of objects", changed(PATIENT, name=[None]), "structure", "Patient.name[0]"),
    ("a null without extension", changed(PATIENT, name=[{"given": ["a", None]}]), "structure", "Patient.name[0].given[1]"),
    ("a string for a boolean", changed(PATIENT, active="true"), "structure", "Patient.active"),
    ("a number for a string", changed(PATIENT, name=[{"family": 5}]), "structure", "Patient.name[0].family"),
    ("a string for an object", changed(OBSERVATION, code="AST"), "structure", "Observation.code"),
    ("a primitive in an array of objects", changed(PATIENT, name=["x"]), "structure", "Patient.name[0]"),
    ("a day that does not exist", changed(PATIENT, birthDate="1970-02-30"), "value", "Patient.birthDate"),
    ("a date and time without zone", changed(OBSERVATION, effectiveDateTime="2024-05-01T10:00:00"), "value", "Observation.effective"),
    ("a bad id", changed(PATIENT, id="a_b"), "value", "Patient.id"),
    ("a code that is none", changed(PATIENT, gender="woman"), "code-invalid", "Patient.gender"),
    ("two types of a choice", changed(PATIENT, deceasedDateTime="2024"), "structure", "Patient.deceased"),
    ("a choice's type that is not offered", changed(OBSERVATION, valueCode="x"), "structure", "Observation"),
    ("an extension without url", changed(PATIENT, extension=[{"valueCode": "x"}]), "required", "Patient.extension[0].url"),
    ("an extension without content", changed(PATIENT, extension=[{"url": "u"}]), "structure", "Patient.extension[0]"),
    (
        "an extension with both",
        changed(PATIENT, extension=[{"url": "u", "valueCode": "x", "extension": [{"url": "v", "valueCode": "x"}]}]),
        "structure",
        "Patient.extension[0]",
    ),
    ("a value beside an underscore value", changed(PATIENT, _birthDate={"value": "x"}), "structure", "Patient.birthDate"),
    ("an underscore that is no object", changed(PATIENT, _birthDate="x"), "structure", "Patient.birthDate"),
    (
        "underscores that are no array",
        changed(PATIENT, name=[{"given": ["a"], "_given": {"id": "x"}}]),
        "structure",
        "Patient.name[0].given",
    ),
    (
        "underscores of another length",
        changed(PATIENT, name=[{"given": ["a", "b"], "_given": [{"id": "x"}]}]),
        "structure",
        "Patient.name[0].given",
    ),
    ("underscores of null", changed(PATIENT, name=[{"given": ["a"], "_given": [None]}]), "structure", "Patient.name[0].given"),
    ("a contained resource without type", changed(PATIENT, contained=[{"id": "o"}]), "required", "Patient.contained[0].resourceType"),
    (
        "a contained resource with an error",
        changed(PATIENT, contained=[{"resourceType": "Organization", "id": "o", "active": 1}]),
        "structure",
        "Patient.contained[0].active",
    ),
    (
        "a contained resource that contains",
        changed(
            PATIENT,
            contained=[{"resourceType": "Organization", "id": "o", "contained": [{"resourceType": "Basic", "code": {"text": "x"}}]}],
        ),
        "structure",
        "Patient.contained[0].contained",
    ),
    ("a contained resource that is not there", changed(PATIENT, contained=None), "invalid", "Patient.managingOrganization.reference"),
    (
        "a reference to a type that is none",
        changed(OBSERVATION, subject={"reference": "Person1/x"}),
        "invalid",
        "Observation.subject.reference",
    ),
    (
        "a reference to an unknown type",
        changed(OBSERVATION, subject={"reference": "Hospital/x"}),
        "invalid",
        "Observation.subject.reference",
    ),
    ("a reference with spaces", changed(OBSERVATION, subject={"reference": "Patient/ 1"}), "invalid", "Observation.subject.reference"),
    (
        "a narrative with a script",
        changed(PATIENT, text={"status": "generated", "div": "<div><script>x</script></div>"}),
        "invalid",
        "Patient.text.div",
    ),
    ("an element with nothing but an id", changed(OBSERVATION, code={"id": "a"}), "structure", "Observation.code"),
    (
        "a fraction for a whole number",
        {"resourceType": "Appointment", "status": "booked", "priority": 1.5, "participant": [{"status": "accepted"}]},
        "value",
        "Appointment.priority",
    ),
]


@pytest.mark.parametrize(("resource", "code", "expression"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_an_error_is_found_at_its_place(resource, code, expression):
    found = issues(resource)
    assert (code, (expression,)) in {(issue.code, issue.expression) for issue in found if issue.severity == "error"}
    assert len(found) <= 2


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        ([], "structure"),
        ("Patient", "structure"),
        (None, "structure"),
        (1, "structure"),
        ({}, "required"),
        ({"id": "a"}, "required"),
        ({"resourceType": "Hospital"}, "value"),
        ({"resourceType": "DomainResource"}, "value"),
        ({"resourceType": "HumanName", "family": "x"}, "value"),
        ({"resourceType": 5}, "value"),
        ({"resourceType": ["Patient"]}, "value"),
        ({"resourceType": {"a": 1}}, "value"),
    ],
)
def test_what_is_no_resource_is_said_to_be_none(resource, code):
    assert [issue.code for issue in issues(resource)] == [code]


def test_all_errors_are_told_up_to_a_number():
    many = changed(PATIENT, name=[{"family": ""}] * (MAX_ISSUES + 50), gender="x")
    assert len(issues(many)) == MAX_ISSUES
    few = changed(PATIENT, name=[{"family": ""}] * 3, gender="x")
    assert len(issues(few)) == 4


def test_the_resources_of_a_bundle_are_validated_each_with_its_own_contained_ones():
    bad = changed(PATIENT, contained=None, gender="x")
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PATIENT}, {"resource": bad}]}
    places = {issue.expression[0] for issue in issues(bundle)}
    assert places == {"Bundle.entry[1].resource.gender", "Bundle.entry[1].resource.managingOrganization.reference"}


def test_a_primitive_that_has_only_an_extension_counts_as_present():
    absent = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}
    assert issues(changed(OBSERVATION, status=None, _status=absent)) == []
    assert issues(changed(PATIENT, birthDate=None)) == []
    assert issues(changed(PATIENT, name=[{"given": [None, "b"], "_given": [absent, None]}])) == []
    assert issues(changed(PATIENT, name=[{"_given": [absent]}])) == []
    assert issues(changed(PATIENT, _deceasedBoolean=absent)) == []


def test_a_required_concept_needs_one_coding_of_its_value_set():
    status = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    condition = {"resourceType": "Condition", "subject": {"reference": "Patient/p"}}
    assert issues({**condition, "clinicalStatus": {"coding": [{"code": "本院"}, {"system": status, "code": "active"}]}}) == []
    for concept in (
        {"text": "active"},
        {"coding": [{"system": status, "code": "x"}]},
        {"coding": [{"system": "urn:other", "code": "active"}]},
    ):
        [issue] = issues({**condition, "clinicalStatus": concept})
        assert (issue.code, issue.expression) == ("code-invalid", ("Condition.clinicalStatus",))


def test_a_required_code_of_a_system_that_is_not_here_is_taken():
    assert issues(changed(PATIENT, photo=[{"contentType": "image/jpeg", "language": "ja"}])) == []
    assert [issue.code for issue in issues(changed(PATIENT, photo=[{"contentType": "jpeg"}]))] == ["code-invalid"]


def test_a_reference_to_a_type_that_is_not_meant_is_only_a_warning():
    [issue] = issues(changed(OBSERVATION, encounter={"reference": "Patient/p"}))
    assert (issue.severity, issue.expression) == ("warning", ("Observation.encounter.reference",))
    for reference in ("Group/g", "https://example.org/fhir/Device/1", "urn:uuid:x", "Patient?identifier=1", "http://example.org/x"):
        assert issues(changed(OBSERVATION, subject={"reference": reference})) == []


SECRET = "佐藤花子1970"


def test_diagnostics_never_repeat_what_was_sent():
    for name in PATIENT:
        for value in (SECRET, [SECRET], {SECRET: SECRET}, [{"reference": SECRET, "family": [SECRET]}], {"coding": [{"code": SECRET}]}):
            for issue in issues({**PATIENT, name: value}):
                assert SECRET not in issue.diagnostics
                assert SECRET not in "".join(issue.expression)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=5) | st.sampled_from(["Patient", "#o", "Patient/1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["url", "extension", "valueCode", "coding", "reference", "id", "resourceType", "_id", "code"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(st.sampled_from([*PATIENT, "_gender", "_name", "link", "photo"]), JSON),
    st.sampled_from(["Patient", "Bundle", "Parameters"]),
)
def test_any_json_object_can_be_judged(resource, type):
    for issue in issues({**resource, "resourceType": type}):
        assert issue.diagnostics
        assert issue.expression


def test_deep_extensions_are_judged_to_their_end():
    inner = {"url": "u", "valueCode": ""}
    for _ in range(45):
        inner = {"url": "u", "extension": [inner]}
    patient = json.decode(json.encode(changed(PATIENT, extension=[inner])))
    assert [issue.code for issue in issues(patient)] == ["value"]
