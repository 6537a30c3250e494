"""Invariants: what is compiled to look-ups says the same as FHIRPath, and what breaks a rule is told with its key."""

import gzip
import random
from collections import defaultdict

import pytest

from profiles import json
from profiles.definitions import r4
from profiles.fhirpath import FhirPathError, predicate
from profiles.fhirpath.grammar import parse
from profiles.validator import Validator
from profiles.validator.conditions import At, NotPlain, condition
from profiles.validator.gates import compares
from profiles.validator.invariants import CORRECTED, NATIVE, of_shape
from profiles.validator.issue import Report
from terminology.service import r4 as terminology
from tests.shared import SHARED, needs_shared

DEFINITIONS = r4()
SHAPES = DEFINITIONS.shapes
VALIDATOR = Validator(DEFINITIONS, terminology())
PER_SHAPE = 40
SEED = 11


def all_shapes():
    """Every shape there is, by its key."""
    seen, waiting = {}, [*SHAPES.resource_types, "Age", "Count", "Distance", "Duration", "Timing", "ElementDefinition"]
    while waiting:
        key = waiting.pop()
        if key not in seen and key != "Resource":
            seen[key] = SHAPES[key]
            waiting += [each.key for each in SHAPES[key].properties.values()]
    return seen


def objects(key, value, root, kept):
    """Collect (object, its resource) by shape."""
    kept[key].append((value, root))
    for name, child in value.items():
        property = SHAPES[key].properties.get(name)
        for each in child if isinstance(child, list) else [child]:
            if property is not None and isinstance(each, dict):
                inner = each["resourceType"] if property.key == "Resource" else property.key
                objects(inner, each, each if property.key == "Resource" else root, kept)


def without_one(value, chance):
    """A copy with one property less."""
    names = [name for name in value if name != "resourceType"]
    return {name: each for name, each in value.items() if name != (chance.choice(names) if names else None)}


@needs_shared
def test_what_is_compiled_says_the_same_as_fhirpath():
    assert SHARED is not None
    kept = defaultdict(list)
    for path in sorted((SHARED / "data/fhir-r4-examples").glob("*.ndjson.gz")):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            if len(line) < 200_000:
                resource = json.decode(line)
                objects(resource["resourceType"], resource, resource, kept)
    chance, compared, broken = random.Random(SEED), 0, set()
    for key, found in kept.items():
        conditions = {each.invariant.key: each for each in of_shape(SHAPES[key], DEFINITIONS)}
        sample = chance.sample(found, min(PER_SHAPE, len(found)))
        sample += [(without_one(value, chance), root) for value, root in sample]
        for invariant in SHAPES[key].invariants:
            if invariant.key in NATIVE:
                continue
            expression = CORRECTED.get(invariant.key, invariant.expression)
            holds, open_passes = predicate(expression, DEFINITIONS), compares(parse(expression))
            for value, root in sample:
                report = Report(root, 100)
                conditions[invariant.key].check(value, (None, key, -1), report)
                try:
                    result = holds(key, value, root, root)
                except FhirPathError:
                    result = True
                expected = result is True or (result is None and (open_passes or not report.issues))
                assert (not report.issues) is expected, (invariant.key, value)
                compared += 1
                broken |= {invariant.key} if report.issues else set()
    assert compared > 5000
    assert len(broken) > 25


def test_most_invariants_need_no_engine():
    plain, asked = 0, 0
    for shape in all_shapes().values():
        for invariant in shape.invariants:
            try:
                condition(parse(CORRECTED.get(invariant.key, invariant.expression)), At(SHAPES, shape))
                plain += 1
            except NotPlain:
                asked += 1
    assert plain > asked


def test_no_invariant_of_r4_is_beyond_the_engine():
    for key, shape in all_shapes().items():
        assert len(of_shape(shape, DEFINITIONS)) >= len([each for each in shape.invariants if each.key not in NATIVE]), key


REFERENCE = {"reference": "Patient/p"}
TEXT = {"text": "x"}
OBSERVATION = {"resourceType": "Observation", "status": "final", "code": TEXT}
ITEM = {"linkId": "1", "type": "string"}
PROBLEM = {"resourceType": "Condition", "subject": REFERENCE}
STATUS = "http://terminology.hl7.org/CodeSystem/condition-"
TASK = {"resourceType": "Task", "status": "draft", "intent": "order"}
ORGANIZATION = {"resourceType": "Organization", "name": "病院"}


def coded(kind, code):
    return {"coding": [{"system": STATUS + kind, "code": code}]}


def questionnaire(**item):
    return {"resourceType": "Questionnaire", "status": "draft", "item": [{**ITEM, **item}]}


def patient(**elements):
    return {"resourceType": "Patient", **elements}


BROKEN = [
    ("cpt-2", patient(telecom=[{"value": "1"}]), "Patient.telecom[0]"),
    ("pat-1", patient(contact=[{"gender": "male"}]), "Patient.contact[0]"),
    ("per-1", patient(identifier=[{"period": {"start": "2024-05-02", "end": "2024-05-01"}}]), "Patient.identifier[0].period"),
    ("per-1", patient(identifier=[{"period": {"start": "2024-05", "end": "2024-04-30"}}]), "Patient.identifier[0].period"),
    ("obs-6", {**OBSERVATION, "valueString": "x", "dataAbsentReason": TEXT}, "Observation"),
    ("obs-3", {**OBSERVATION, "referenceRange": [{"type": TEXT}]}, "Observation.referenceRange[0]"),
    (
        "obs-7",
        {
            **OBSERVATION,
            "code": {"coding": [{"code": "a"}]},
            "valueString": "x",
            "component": [{"code": {"coding": [{"code": "a"}]}, "valueString": "y"}],
        },
        "Observation",
    ),
    ("que-1", questionnaire(type="group"), "Questionnaire.item[0]"),
    ("que-2", {"resourceType": "Questionnaire", "status": "draft", "item": [ITEM, ITEM]}, "Questionnaire"),
    (
        "que-7",
        questionnaire(enableWhen=[{"question": "0", "operator": "exists", "answerString": "x"}]),
        "Questionnaire.item[0].enableWhen[0]",
    ),
    ("que-12", questionnaire(enableWhen=[{"question": "0", "operator": "=", "answerString": "x"}] * 2), "Questionnaire.item[0]"),
    (
        "con-5",
        {**PROBLEM, "clinicalStatus": coded("clinical", "active"), "verificationStatus": coded("ver-status", "entered-in-error")},
        "Condition",
    ),
    ("con-4", {**PROBLEM, "abatementString": "x", "clinicalStatus": coded("clinical", "active")}, "Condition"),
    ("inv-1", {**TASK, "authoredOn": "2024-05-02", "lastModified": "2024-05-01"}, "Task"),
    ("org-3", {**ORGANIZATION, "telecom": [{"system": "phone", "use": "home"}]}, "Organization.telecom[0]"),
    ("org-1", {"resourceType": "Organization", "active": True}, "Organization"),
    ("rng-2", {**OBSERVATION, "valueRange": {"low": {"value": 2}, "high": {"value": 1}}}, "Observation.value"),
    (
        "tim-4",
        {**TASK, "input": [{"type": TEXT, "valueTiming": {"repeat": {"duration": -1, "durationUnit": "h"}}}]},
        "Task.input[0].value.repeat",
    ),
    ("drt-1", {**TASK, "input": [{"type": TEXT, "valueDuration": {"value": 1, "code": "h", "system": "urn:x"}}]}, "Task.input[0].value"),
    ("bdl-1", {"resourceType": "Bundle", "type": "collection", "total": 1}, "Bundle"),
    ("bdl-3", {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": ORGANIZATION}]}, "Bundle.entry[0]"),
    (
        "bdl-4",
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": ORGANIZATION, "response": {"status": "200"}}]},
        "Bundle.entry[0]",
    ),
    ("bdl-5", {"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "urn:uuid:1"}]}, "Bundle.entry[0]"),
    (
        "bdl-7",
        {"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "urn:x:1", "resource": ORGANIZATION}] * 2},
        "Bundle.entry[1].fullUrl",
    ),
    (
        "bdl-8",
        {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"fullUrl": "http://a/Organization/1/_history/1", "resource": ORGANIZATION}],
        },
        "Bundle.entry[0]",
    ),
    (
        "bdl-11",
        {
            "resourceType": "Bundle",
            "type": "document",
            "identifier": {"system": "a", "value": "b"},
            "timestamp": "2024-05-01T00:00:00Z",
            "entry": [{"resource": ORGANIZATION}],
        },
        "Bundle",
    ),
    ("inv-1", {"resourceType": "Parameters", "parameter": [{"name": "a"}]}, "Parameters.parameter[0]"),
    ("dom-3", patient(contained=[{**ORGANIZATION, "id": "o"}]), "Patient.contained[0]"),
    (
        "dom-4",
        patient(contained=[{**ORGANIZATION, "id": "o", "meta": {"versionId": "1"}}], managingOrganization={"reference": "#o"}),
        "Patient.contained[0].meta",
    ),
    (
        "dom-5",
        patient(contained=[{**ORGANIZATION, "id": "o", "meta": {"security": [{"code": "R"}]}}], managingOrganization={"reference": "#o"}),
        "Patient.contained[0].meta",
    ),
]


def test_an_empty_narrative_is_a_warning_as_an_official_example_has_one():
    (found,) = VALIDATOR.validate(patient(text={"status": "generated", "div": "<div> <br/> </div>"}))
    assert (found.severity, found.diagnostics.partition(":")[0], found.expression) == ("warning", "txt-2", ("Patient.text.div",))


@pytest.mark.parametrize(("key", "resource", "expression"), BROKEN, ids=[f"{each[0]} {each[1]['resourceType']}" for each in BROKEN])
def test_a_broken_rule_is_told_with_its_key_and_place(key, resource, expression):
    found = [issue for issue in VALIDATOR.validate(resource) if issue.severity == "error"]
    assert [(issue.diagnostics.partition(":")[0], issue.expression) for issue in found] == [(key, (expression,))]


@pytest.mark.parametrize(
    "resource",
    [
        patient(identifier=[{"period": {"start": "2024-05-02", "end": "2024-05"}}]),
        patient(identifier=[{"period": {"start": "2024-05-02", "end": "2024-05-02T01:00:00Z"}}]),
        patient(identifier=[{"period": {"start": "2024-05-02T10:00:00+09:00", "end": "2024-05-02T02:00:00Z"}}]),
        patient(identifier=[{"period": {"_start": {"extension": [{"url": "u", "valueCode": "x"}]}, "end": "2024"}}]),
        patient(contained=[{**ORGANIZATION, "id": "o", "partOf": {"reference": "#"}}]),
        {**OBSERVATION, "valueRange": {"low": {"value": 2, "unit": "a"}, "high": {"value": 1, "unit": "b"}}},
        {"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": "Patient"}}]},
        {"resourceType": "Bundle", "type": "history", "entry": [{"request": {"method": "GET", "url": "x"}, "response": {"status": "200"}}]},
        {**PROBLEM, "clinicalStatus": coded("clinical", "resolved"), "abatementString": "x"},
    ],
)
def test_what_is_open_or_allowed_passes(resource):
    assert VALIDATOR.validate(resource) == []


def test_a_name_that_is_no_identifier_is_only_a_warning():
    [issue] = VALIDATOR.validate({"resourceType": "Questionnaire", "status": "draft", "name": "with space"})
    assert (issue.severity, issue.diagnostics[:5]) == ("warning", "que-0")


def test_an_id_stands_once_among_the_elements_of_a_resource():
    twice = patient(name=[{"id": "a", "family": "x"}], contact=[{"id": "a", "name": TEXT}])
    assert [issue.expression for issue in VALIDATOR.validate(twice)] == [("Patient.contact[0].id",)]
    inside = {**ORGANIZATION, "id": "o", "identifier": [{"id": "a", "value": "1"}]}
    assert (
        VALIDATOR.validate(patient(name=[{"id": "a", "family": "x"}], contained=[inside], managingOrganization={"reference": "#o"})) == []
    )


def test_the_composition_of_a_document_refers_to_what_is_in_it():
    composition = {
        "resourceType": "Composition",
        "status": "final",
        "type": TEXT,
        "date": "2024",
        "title": "t",
        "author": [{"reference": "Organization/o"}],
    }
    document = {
        "resourceType": "Bundle",
        "type": "document",
        "identifier": {"system": "a", "value": "b"},
        "timestamp": "2024-05-01T00:00:00Z",
    }

    def issues(base, *organizations):
        entries = [{"fullUrl": f"{base}Composition/c", "resource": {**composition, "id": "c"}}]
        entries += [{"fullUrl": f"{base}Organization/o", "resource": {**ORGANIZATION, "id": "o", **each}} for each in organizations]
        return [issue.diagnostics for issue in VALIDATOR.validate({**document, "entry": entries})]

    assert issues("http://a/", {}) == []
    assert issues("http://a/") == ["The Composition refers to a resource that is not in the document"]
    assert issues("http://a/", {"meta": {"versionId": "1"}}, {"meta": {"versionId": "2"}}) == [
        "The Composition refers to several resources"
    ]


def test_a_resource_of_a_search_has_its_id():
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": ORGANIZATION}]}
    assert [issue.expression for issue in VALIDATOR.validate(bundle)] == [("Bundle.entry[0].resource",)]
    bundle["entry"].append({"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "invalid"}]}})
    assert len(VALIDATOR.validate(bundle)) == 1
