"""JSON Patch and FHIRPath Patch by themselves: what they make of a resource, and what they refuse."""

from decimal import Decimal

import pytest

from fhir_server.interactions import fhirpath_patch, json_patch
from fhir_server.outcome import FhirError
from profiles import json
from profiles.definitions import r4
from tests.shared import SHARED, needs_shared


def suite(name):
    path = SHARED / "data/suites/patch" / name if SHARED else None
    return json.decode(path.read_bytes()) if path else []


@needs_shared
@pytest.mark.parametrize("case", suite("json-patch.json"), ids=lambda case: case["comment"])
def test_the_suite_of_json_patch_is_passed(case):
    if "error" in case:
        with pytest.raises(FhirError):
            json_patch.patched(case["doc"], case["patch"])
    else:
        assert json_patch.patched(case["doc"], case["patch"]) == case["expected"]


@needs_shared
@pytest.mark.parametrize("case", suite("fhir-patch.json"), ids=lambda case: case["name"])
def test_the_suite_of_fhirpath_patch_is_passed(case):
    assert fhirpath_patch.patched(case["input"], case["diff"], r4()) == case["output"]


@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [
        ({"a": 1, "b": 2}, [{"op": "replace", "path": "/a", "value": 3}], '{"a":3,"b":2}'),
        ({"a": [1, 2]}, [{"op": "add", "path": "/a/-", "value": 3}], '{"a":[1,2,3]}'),
        ({"a": [1, 2]}, [{"op": "remove", "path": "/a/0"}], '{"a":[2]}'),
        ({"a": [1, 2, 3]}, [{"op": "move", "from": "/a/0", "path": "/a/2"}], '{"a":[2,3,1]}'),
        ({"a": {"b": 1}}, [{"op": "copy", "from": "/a", "path": "/c"}, {"op": "remove", "path": "/a/b"}], '{"a":{},"c":{"b":1}}'),
        ({"a": Decimal("1.00")}, [{"op": "test", "path": "/a", "value": 1}, {"op": "move", "from": "/a", "path": "/b"}], '{"b":1.00}'),
        ({"~/": 1}, [{"op": "test", "path": "/~0~1", "value": 1}, {"op": "remove", "path": "/~0~1"}], "{}"),
        ({"": 1}, [{"op": "replace", "path": "/", "value": 2}], '{"":2}'),
        ({"a": 1}, [{"op": "replace", "path": "", "value": {"b": 2}}], '{"b":2}'),
    ],
)
def test_json_patch_keeps_decimals_and_the_order_of_keys(before, patch, after):
    assert json.encode(json_patch.patched(before, patch)).decode() == after


@pytest.mark.parametrize(
    ("patch", "status"),
    [
        ({"op": "add"}, 400),
        ([1], 400),
        ([{"path": "/a"}], 400),
        ([{"op": "merge", "path": "/a"}], 400),
        ([{"op": ["add"], "path": "/a"}], 400),
        ([{"op": "add", "path": "/a"}], 400),
        ([{"op": "add", "path": "a", "value": 1}], 400),
        ([{"op": "add", "path": "/~2", "value": 1}], 400),
        ([{"op": "add", "path": 1, "value": 1}], 400),
        ([{"op": "move", "from": "/a", "path": "/a/b"}], 400),
        ([{"op": "remove", "path": ""}], 400),
        ([{"op": "test", "path": "/a", "value": 0}] * 1001, 400),
        ([{"op": "remove", "path": "/none"}], 409),
        ([{"op": "replace", "path": "/a/07", "value": 1}], 409),
        ([{"op": "replace", "path": "/a/-", "value": 1}], 409),
        ([{"op": "add", "path": "/a/4", "value": 1}], 409),
        ([{"op": "add", "path": "/n/x", "value": 1}], 409),
        ([{"op": "test", "path": "/n", "value": True}], 409),
        ([{"op": "test", "path": "/a", "value": [1, 2]}], 409),
        ([{"op": "copy", "from": "/long", "path": "/b"}] * 5, 413),
    ],
)
def test_s45_a_json_patch_that_cannot_be_applied_says_which_operation(patch, status):
    document = {"a": [1, 2, 3], "n": 1, "long": "x" * 4_000_000}
    with pytest.raises(FhirError) as failure:
        json_patch.patched(document, patch)
    assert failure.value.status == status
    assert failure.value.issues[0].expression[0].startswith("http.body")


def operation(type, path, **parts):
    given = [{"name": "type", "valueCode": type}, {"name": "path", "valueString": path}]
    for name, value in parts.items():
        key = {"name": "valueString", "index": "valueInteger", "source": "valueInteger", "destination": "valueInteger"}.get(name)
        given.append({"name": name, **(value if key is None else {key: value})})
    return {"name": "operation", "part": given}


def parameters(*operations):
    return {"resourceType": "Parameters", "parameter": list(operations)}


EXTENSION = {"url": "http://example.org/x", "valueString": "y"}


@pytest.mark.parametrize(
    ("before", "asked", "after"),
    [
        ({}, operation("add", "Patient", name="deceased", value={"valueBoolean": True}), {"deceasedBoolean": True}),
        (
            {"deceasedBoolean": True, "active": True},
            operation("replace", "Patient.deceased", value={"valueDateTime": "2026"}),
            {"deceasedDateTime": "2026", "active": True},
        ),
        (
            {"birthDate": "2000"},
            operation("add", "Patient.birthDate", name="extension", value={"valueExtension": EXTENSION}),
            {"birthDate": "2000", "_birthDate": {"extension": [EXTENSION]}},
        ),
        ({"birthDate": "2000", "_birthDate": {"id": "x"}}, operation("delete", "Patient.birthDate"), {}),
        (
            {"name": [{"given": ["a", "b"], "_given": [None, {"id": "x"}]}]},
            operation("move", "Patient.name[0].given", source=1, destination=0),
            {"name": [{"given": ["b", "a"], "_given": [{"id": "x"}, None]}]},
        ),
        (
            {"name": [{"given": ["a", "b"], "_given": [None, {"id": "x"}]}]},
            operation("delete", "Patient.name.given[0]"),
            {"name": [{"given": ["b"], "_given": [{"id": "x"}]}]},
        ),
        (
            {"name": [{"use": "usual", "family": "a"}, {"use": "official", "family": "b"}]},
            operation("replace", "Patient.name.where(use = 'official').family", value={"valueString": "c"}),
            {"name": [{"use": "usual", "family": "a"}, {"use": "official", "family": "c"}]},
        ),
        (
            {"name": [{"family": "a"}]},
            operation("insert", "Patient.name", index=0, value={"valueHumanName": {"family": "b"}}),
            {"name": [{"family": "b"}, {"family": "a"}]},
        ),
        ({}, operation("insert", "Patient.name", index=0, value={"valueHumanName": {"family": "b"}}), {"name": [{"family": "b"}]}),
        ({}, operation("delete", "Patient.birthDate"), {}),
        (
            {},
            operation(
                "add",
                "Patient",
                name="contact",
                value={
                    "part": [
                        {"name": "name", "valueHumanName": {"text": "x"}},
                        {"name": "telecom", "valueContactPoint": {"value": "1"}},
                        {"name": "telecom", "valueContactPoint": {"value": "2"}},
                    ]
                },
            ),
            {"contact": [{"name": {"text": "x"}, "telecom": [{"value": "1"}, {"value": "2"}]}]},
        ),
        (
            {"contained": [{"resourceType": "Observation", "id": "o"}]},
            operation("add", "Patient.contained[0]", name="value", value={"valueInteger": 3}),
            {"contained": [{"resourceType": "Observation", "id": "o", "valueInteger": 3}]},
        ),
    ],
)
def test_a_fhirpath_patch_changes_primitives_choices_and_lists(before, asked, after):
    found = fhirpath_patch.patched({"resourceType": "Patient", **before}, parameters(asked), r4())
    assert found == {"resourceType": "Patient", **after}
    assert [key for key in found if not key.startswith("_")] == ["resourceType", *(key for key in after if not key.startswith("_"))]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"name": "other"}, 400),
        ({"name": "operation"}, 400),
        ({"name": "operation", "part": [{"name": "type", "valueCode": "add"}]}, 400),
        ({"name": "operation", "part": [{"name": "type", "valueCode": "add"}] * 2}, 400),
        (operation("merge", "Patient"), 400),
        (operation("delete", "Patient.("), 400),
        (operation("delete", "Patient.colour"), 400),
        (operation("delete", "Patient"), 400),
        (operation("delete", "Patient.name.count()"), 400),
        (operation("add", "Patient", name="colour", value={"valueString": "x"}), 400),
        (operation("add", "Patient", name="deceased", value={"valueString": "x"}), 400),
        (operation("add", "Patient", name="birthDate", value={"valueDate": "2000", "valueString": "x"}), 400),
        (operation("move", "Patient.birthDate", source=0, destination=0), 400),
        (operation("add", "Patient", name="birthDate", value={"valueDate": "2000"}), 409),
        (operation("replace", "Patient.gender", value={"valueCode": "male"}), 409),
        (operation("delete", "Patient.name"), 409),
        (operation("replace", "Patient.name", value={"valueHumanName": {"text": "x"}}), 409),
        (operation("insert", "Patient.name", index=3, value={"valueHumanName": {"text": "x"}}), 409),
        (operation("move", "Patient.name", source=0, destination=2), 409),
        (operation("move", "Patient.name", source=-1, destination=0), 409),
    ],
)
def test_a_fhirpath_patch_that_cannot_be_applied_says_which_operation(asked, status):
    resource = {"resourceType": "Patient", "birthDate": "2000", "name": [{"text": "a"}, {"text": "b"}]}
    with pytest.raises(FhirError) as failure:
        fhirpath_patch.patched(resource, parameters(asked), r4())
    assert failure.value.status == status
    assert failure.value.issues[0].expression == ("Parameters.parameter[0]",)
