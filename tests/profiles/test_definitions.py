"""The definitions of R4 are all there, and their shapes say what JSON may hold."""

import pytest

from profiles.definitions import r4

DEFINITIONS = r4()
SHAPES = DEFINITIONS.shapes


def test_all_resource_types_of_r4_are_known():
    assert len(DEFINITIONS.resource_types) == 146
    assert "Patient" in DEFINITIONS.resource_types
    assert not {"Resource", "DomainResource", "Element", "HumanName"} & set(DEFINITIONS.resource_types)


def test_every_shape_of_every_type_can_be_made():
    waiting, seen = [*DEFINITIONS.resource_types], set()
    while waiting:
        key = waiting.pop()
        if key not in seen:
            seen.add(key)
            waiting += [each.key for each in SHAPES[key].properties.values() if not each.primitive]
    assert len(seen) > 650


def test_a_choice_is_written_out_with_its_types():
    shape = SHAPES["Observation"]
    assert shape.choices["value"]["Quantity"].name == "valueQuantity"
    assert shape.properties["valueDateTime"].type == "dateTime"
    assert "value" not in shape.properties
    assert shape.required == {"status": ("status",), "code": ("code",)}


def test_an_element_that_is_defined_elsewhere_has_the_shape_of_there():
    assert SHAPES["Observation.component"].properties["referenceRange"].key == "Observation.referenceRange"


def test_the_id_of_a_resource_is_an_id_and_that_of_an_element_a_string():
    assert SHAPES["Patient"].properties["id"].type == "id"
    assert SHAPES["HumanName"].properties["id"].type == "string"
    assert SHAPES["Extension"].properties["url"].type == "uri"


def test_a_reference_knows_its_targets_and_a_code_its_value_set():
    assert SHAPES["Observation"].properties["encounter"].targets == {"Encounter"}
    assert SHAPES["Observation"].properties["focus"].targets == frozenset()
    assert SHAPES["Observation"].properties["status"].binding == "http://hl7.org/fhir/ValueSet/observation-status"


def test_types_know_what_they_specialise():
    assert SHAPES.is_a("Age", "Quantity")
    assert SHAPES.is_a("Patient", "Resource")
    assert not SHAPES.is_a("Quantity", "Age")
    assert not SHAPES.is_a("Observation.component", "Quantity")


def test_the_patient_compartment_names_the_parameters_that_lead_to_the_patient():
    assert DEFINITIONS.compartment("Patient")["Observation"] == ("subject", "performer")
    with pytest.raises(KeyError):
        DEFINITIONS.compartment("Nobody")


def test_a_whole_structure_definition_can_be_read():
    structure = DEFINITIONS.structure("Patient")
    assert structure is not None
    assert structure["url"] == "http://hl7.org/fhir/StructureDefinition/Patient"
    assert DEFINITIONS.structure("Nothing") is None


def test_search_parameters_without_a_base_are_passed_over():
    ids = {each["id"] for each in DEFINITIONS.search_parameters}
    assert len(ids) == 1390
    assert all(each["base"] for each in DEFINITIONS.search_parameters)
    assert "codesystem-extensions-CodeSystem-author" not in ids


def test_a_correction_of_the_network_takes_the_place_of_the_official_search_parameter():
    [corrected] = [each for each in DEFINITIONS.search_parameters if each["id"] == "patient-extensions-Patient-mothersMaidenName"]
    assert "patient-mothersMaidenName" in corrected["expression"]
    assert "Corrected." in corrected["description"]


def test_operations_are_there():
    assert {"everything", "validate"} <= {each["code"] for each in DEFINITIONS.operations}
