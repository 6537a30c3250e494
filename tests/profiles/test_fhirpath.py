"""The FHIRPath of search parameters is understood, all of it."""

import pytest

from profiles.definitions import r4
from profiles.fhirpath import FhirPathError
from profiles.fhirpath import compile as compile_path

DEFINITIONS = r4()
PARAMETERS = DEFINITIONS.search_parameters

# What the official definitions leave without an expression: none of them can be served.
WITHOUT_EXPRESSION = {
    "DomainResource-text",
    "Resource-content",
    "Resource-query",
    "filter",
    "patient-extensions-Patient-age",
    "patient-extensions-Patient-birthOrderBoolean",
}

# They compile, but search an extension that R4 does not define, and nothing says which was meant.
OF_AN_UNDEFINED_EXTENSION = {
    "device-extensions-Device-din": "http://hl7.org/fhir/SearchParameter/device-extensions-Device-din",
    "example-extension": "http://example.org/fhir/StructureDefinition/participation-agreement",
    "questionnaireresponse-extensions-QuestionnaireResponse-item-subject": "http://hl7.org/fhir/StructureDefinition/questionnaireresponse-isSubject",
}


def found(expression, resource):
    return compile_path(expression, DEFINITIONS)(resource)


def test_every_search_parameter_compiles_for_every_type_it_names():
    for parameter in PARAMETERS:
        if parameter["id"] in WITHOUT_EXPRESSION:
            assert "expression" not in parameter
            continue
        evaluate = compile_path(parameter["expression"], DEFINITIONS)
        bases = set(parameter["base"])
        types = DEFINITIONS.resource_types if bases & {"Resource", "DomainResource"} else bases
        for type in types:
            evaluate({"resourceType": type})


def test_every_component_of_a_composite_compiles():
    for parameter in PARAMETERS:
        for component in parameter.get("component", ()):
            path = component["expression"].replace("DateTime", "dateTime")  # so in the definition of code-value-date
            compile_path(path, DEFINITIONS)


def test_the_undefined_extensions_are_those_that_are_known():
    by_id = {each["id"]: each for each in PARAMETERS}
    for id, url in OF_AN_UNDEFINED_EXTENSION.items():
        assert f"'{url}'" in by_id[id]["expression"]


OBSERVATION = {
    "resourceType": "Observation",
    "id": "o",
    "status": "final",
    "subject": {"reference": "Patient/p"},
    "valueQuantity": {"value": 1},
    "component": [
        {"code": {"text": "a"}, "valueQuantity": {"value": 2}},
        {"code": {"text": "b"}, "valueString": "x"},
    ],
}


@pytest.mark.parametrize(
    ("expression", "nodes"),
    [
        ("Observation.status", [("code", "final")]),
        ("Resource.id", [("id", "o")]),
        ("DomainResource.language", []),
        ("Patient.name", []),
        ("status", [("code", "final")]),
        ("Observation.value as Quantity", [("Quantity", {"value": 1})]),
        ("(Observation.value as string)", []),
        ("Observation.value.ofType(Quantity).value", [("decimal", 1)]),
        ("Observation.component.value", [("Quantity", {"value": 2}), ("string", "x")]),
        (
            "(Observation.value as Quantity) | (Observation.component.value as Quantity)",
            [("Quantity", {"value": 1}), ("Quantity", {"value": 2})],
        ),
        ("Observation.component[1].code.text", [("string", "b")]),
        ("Observation.component.first().code.text", [("string", "a")]),
        ("Observation.component[5].code", []),
        ("Observation.component.where(code.text = 'b').value", [("string", "x")]),
        ("Observation.component.where(code.text != 'b' or value.exists().not()).code.text", [("string", "a")]),
        ("Observation.subject.where(resolve() is Patient)", [("Reference", {"reference": "Patient/p"})]),
        ("Observation.subject.where(resolve() is Group)", []),
        ("Observation.focus.empty()", [("boolean", True)]),
        ("Observation.value is Quantity", [("boolean", True)]),
        ("Observation.component.where(%resource.status = 'final').code.text", [("string", "a"), ("string", "b")]),
        ("Observation.component.where($this.code.text = 'a').code.text", [("string", "a")]),
    ],
)
def test_an_expression_gives_values_with_their_types(expression, nodes):
    assert found(expression, OBSERVATION) == nodes


@pytest.mark.parametrize(
    ("patient", "deceased"),
    [
        ({}, False),
        ({"deceasedBoolean": False}, False),
        ({"deceasedBoolean": True}, True),
        ({"deceasedDateTime": "2024-01-01"}, True),
    ],
)
def test_deceased_is_true_for_a_date_and_false_for_nothing(patient, deceased):
    resource = {"resourceType": "Patient", **patient}
    assert found("Patient.deceased.exists() and Patient.deceased != false", resource) == [("boolean", deceased)]
    assert found("Patient.deceased.exists() and Patient.deceased != false", {"resourceType": "Person"}) == []


@pytest.mark.parametrize(
    ("reference", "refers"),
    [
        ({"reference": "Patient/1"}, True),
        ({"reference": "https://example.org/fhir/Patient/1/_history/2"}, True),
        ({"reference": "Group/1"}, False),
        ({"reference": "#p"}, True),
        ({"reference": "#g"}, False),
        ({"reference": "#nowhere"}, False),
        ({"reference": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"}, False),
        ({"reference": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "type": "Patient"}, True),
        ({"type": "Patient", "identifier": {"value": "1"}}, True),
        ({"display": "somebody"}, False),
    ],
)
def test_whom_a_reference_means_is_read_from_the_reference(reference, refers):
    contained = [{"resourceType": "Patient", "id": "p"}, {"resourceType": "Group", "id": "g"}]
    resource = {"resourceType": "Observation", "subject": reference, "contained": contained}
    assert bool(found("Observation.subject.where(resolve() is Patient)", resource)) is refers


def test_the_resource_of_a_bundle_has_its_own_type():
    bundle = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Composition", "id": "c", "title": "t"}}]}
    assert found("Bundle.entry[0].resource", bundle) == [("Composition", bundle["entry"][0]["resource"])]


def test_the_value_of_an_extension_is_found_by_its_url():
    url = "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName"
    patient = {"resourceType": "Patient", "extension": [{"url": "x", "valueString": "no"}, {"url": url, "valueString": "山田"}]}
    assert found(f"Patient.extension('{url}').value.ofType(string)", patient) == [("string", "山田")]
    assert found(f"Patient.where(hasExtension('{url}')).extension.url", patient) == [("uri", "x"), ("uri", url)]


def test_a_name_is_found_by_its_representation():
    url = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
    names = [{"family": family, "extension": [{"url": url, "valueCode": code}]} for family, code in (("佐藤", "IDE"), ("サトウ", "SYL"))]
    expression = f"Patient.name.where(extension('{url}').value = 'SYL').family"
    assert found(expression, {"resourceType": "Patient", "name": names}) == [("string", "サトウ")]


def test_null_in_an_array_of_primitives_is_no_value():
    patient = {"resourceType": "Patient", "name": [{"given": [None, "花子"], "_given": [{"id": "a"}, None]}]}
    assert found("Patient.name.given", patient) == [("string", "花子")]


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "Observation.",
        "Observation.nothing",
        "Observation.value.nothing",
        "Observation.status = ",
        "Observation.repeat(x)",
        "a b",
        "Observation.subject.resolve()",
        "(Observation",
        "#",
    ],
)
def test_what_is_not_understood_fails_when_it_is_compiled(expression):
    with pytest.raises(FhirPathError):
        compile_path(expression, DEFINITIONS)
