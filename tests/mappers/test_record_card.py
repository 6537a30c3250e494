"""ADT-00: what a hospital's record card says of a patient."""

from decimal import Decimal

import pytest

from mappers.datatypes import coding_systems
from tests.mappers.synthetic import HOSPITAL, PATIENT, PID, mapped, record_card, resources, warnings

NK1 = "NK1|1|繋木^守^^^^^L^I~ツナギ^マモル^^^^^L^P|FTH^父^HL70063|^^^^760-0017^JPN^H^香川県高松市番町|^PRN^PH^^^^^^^^^087-111-1111|087-222-2222|||||||試験商事^D"
IN1 = "IN1|1|C0^国民健康保険^JHSD0001|370015|高松市（試験）||||||１２３|４５６|20230401|20250331||||SEL^本人^HL70063"


def patient(*segments, **name):
    return resources(record_card(*segments, **name), "Patient")[0]


def test_a_patient_is_known_by_the_hospitals_number_and_both_ways_of_writing_the_name():
    found = patient()
    assert found["identifier"] == [{"system": "urn:oid:1.2.392.100495.20.3.51.13712345678", "value": PATIENT}]
    assert [name["text"] for name in found["name"]] == ["繋木 結", "ツナギ ユイ"]
    assert (found["gender"], found["birthDate"]) == ("female", "1960-02-29")
    assert found["address"][0]["postalCode"] == "760-0017"
    assert found["telecom"] == [{"system": "phone", "value": "087-000-0000", "use": "home"}]
    assert found["meta"] == {
        "source": "http://jpfhir.jp/ssmix2std/SS-MIX2_1.20_h/13712345678",
        "profile": ["http://jpfhir.jp/fhir/core/StructureDefinition/JP_Patient"],
    }


def test_the_next_of_kin_becomes_a_contact():
    contact = patient(NK1)["contact"][0]
    assert contact["relationship"][0]["coding"][0] == {
        "system": "http://terminology.hl7.org/CodeSystem/v2-0063",
        "code": "FTH",
        "display": "父",
    }
    assert contact["name"]["text"] == "繋木 守"
    assert [point["use"] for point in contact["telecom"]] == ["home", "work"]
    assert contact["organization"] == {"display": "試験商事"}


@pytest.mark.parametrize(("indicator", "count"), [("Y", 1), ("N", 0)])
def test_a_disability_is_told_only_where_there_is_one(indicator, count):
    assert len(patient(f"DB1|1|PT||{indicator}").get("extension", [])) == count


def test_unknown_sex_and_impossible_birth_date_are_left_out_with_a_warning():
    result = record_card(pid=PID.replace("|19600229|F|", "|19600230|X|"))
    found = resources(result, "Patient")[0]
    assert not found.keys() & {"gender", "birthDate"}
    assert {field for field, _ in warnings(result)} == {"PID-7", "PID-8"}


def test_a_name_whose_representation_code_is_misplaced_is_read_with_a_warning():
    result = record_card(pid=PID.replace("結^^^^^L^I", "結^^^^L^I"))
    assert resources(result, "Patient")[0]["name"][0]["extension"][0]["valueCode"] == "IDE"
    assert [field for field, _ in warnings(result)] == ["PID-5"]


def test_an_insurance_is_a_coverage_with_its_insurer():
    result = record_card(IN1)
    coverage, insurer = resources(result, "Coverage")[0], resources(result, "Organization")[1]
    assert insurer["identifier"] == [{"system": "http://jpfhir.jp/fhir/core/mhlw/IdSystem/InsurerNumber", "value": "370015"}]
    assert coverage["payor"] == [{"reference": f"Organization/{insurer['id']}", "display": "高松市（試験）"}]
    assert coverage["identifier"][0]["value"] == "370015:１２３:４５６:"
    assert coverage["subscriberId"] == "１２３:４５６"
    assert coverage["period"] == {"start": "2023-04-01", "end": "2025-03-31"}
    assert coverage["relationship"]["coding"][0]["code"] == "SEL"


def test_symbol_number_and_branch_may_come_as_repetitions():
    coverage = resources(record_card("IN1|1|C0^国民健康保険^JHSD0001|687993|||||||123~1234567~０１|ある団体|20240101"), "Coverage")[0]
    assert coverage["identifier"][0]["value"] == "687993:123:1234567:01"
    assert [extension["valueString"] for extension in coverage["extension"]] == ["123", "1234567", "０１"]
    assert coverage["dependent"] == "01"


def test_public_expense_without_symbol_has_no_member_identifier():
    coverage = resources(record_card("IN1|1|20^措置入院^JHSD0001|20348354|||||||||20240810|みらい"), "Coverage")[0]
    assert "identifier" not in coverage
    assert coverage["period"] == {"start": "2024-08-10"}


def test_an_allergy_keeps_category_and_code():
    food, odd = resources(
        record_card("AL1|1|FA^食物アレルギー^HL70127|J9FA21180000^ピーナッツ^J-FAGY", "AL1|2|MA|9^その他^99XYZ"), "AllergyIntolerance"
    )
    assert food["category"] == ["food"]
    assert food["code"]["coding"][0]["system"].endswith("JP_JfagyFoodAllergen_CS")
    assert food["clinicalStatus"]["coding"][0]["code"] == "active"
    assert "category" not in odd


def test_height_is_a_body_measurement_and_a_blood_type_a_common_observation():
    height, blood = resources(
        record_card(
            "OBX|1|NM|9N001000000000001^身長^JC10||152.30|cm^cm^ISO+|||||F",
            "OBX|2|CWE|5H010000001999911^血液型-ABO式^JC10||A^A^JSHR002||||||F",
        ),
        "Observation",
    )
    assert height["valueQuantity"] == {"value": Decimal("152.30"), "unit": "cm", "system": coding_systems.UCUM, "code": "cm"}
    assert [category["coding"][0]["code"] for category in height["category"]] == ["body-measurement", "height"]
    assert height["meta"]["profile"] == ["http://jpfhir.jp/fhir/core/StructureDefinition/JP_Observation_BodyMeasurement"]
    assert blood["meta"]["profile"] == ["http://jpfhir.jp/fhir/core/StructureDefinition/JP_Observation_Common"]
    assert blood["valueCodeableConcept"]["text"] == "A"


def test_measurements_are_dated_by_the_record_cards_last_change():
    found = resources(record_card("OBX|1|NM|9N001000000000001^身長^JC10||152|cm^cm^ISO+|||||F", "EVN||20240501090000"), "Observation")[0]
    assert found["effectiveDateTime"] == "2024-05-01T09:00:00+09:00"


def test_a_deleted_patient_stays_but_is_no_longer_active():
    result = mapped("ADT-00", "PV1|0001|O", event="ADT^A23^ADT_A21", flag="0")
    found = resources(result, "Patient")[0]
    assert found["active"] is False
    assert result.home[0] == f"Patient/{found['id']}"


def test_the_hospital_is_an_organization_read_off_its_code():
    organization = resources(record_card(), "Organization")[0]
    assert organization["identifier"] == [
        {"system": "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no", "value": HOSPITAL.code}
    ]
    assert organization["extension"][0]["valueCoding"]["code"] == "37"
    assert organization["extension"][2]["valueIdentifier"]["value"] == "2345678"
    assert organization["name"] == "繋ぎ試験病院"
