"""OML-11: specimens, orders, reports and results."""

from decimal import Decimal

import pytest

from mappers.datatypes import coding_systems
from mappers.mapping import MessageError
from tests.mappers.synthetic import OBR, ORC, SPM, lab, mapped, observation, resources, warnings

TP = "OBX|1|NM|3A010000002327101^総蛋白^JC10^10222^ＴＰ^99X03||7.20|g/dL^g/dL^ISO+|6.7-8.3|H|||F|||202405100910"


def test_a_result_says_what_when_how_much_and_in_which_specimen():
    result = lab(TP)
    found, specimen = observation(TP), resources(result, "Specimen")[0]
    assert [coding["code"] for coding in found["code"]["coding"]] == ["3A010000002327101", "10222"]
    assert found["code"]["text"] == "総蛋白"
    assert found["valueQuantity"] == {"value": Decimal("7.20"), "unit": "g/dL", "system": coding_systems.UCUM, "code": "g/dL"}
    assert str(found["valueQuantity"]["value"]) == "7.20"
    assert found["effectiveDateTime"] == "2024-05-10T09:10:00+09:00"
    assert found["issued"] == "2024-05-10T15:50:00+09:00"
    assert found["interpretation"][0]["coding"][0]["code"] == "H"
    assert found["identifier"][0]["value"] == "000000000000801_3_023_3A010000002327101"
    assert found["specimen"] == {"reference": f"Specimen/{specimen['id']}"}
    assert specimen["collection"] == {"collectedDateTime": "2024-05-10T09:00:00+09:00"}
    assert specimen["type"]["coding"][0]["display"] == "血清"


def test_a_report_holds_its_results_and_answers_its_order():
    result = lab(TP, TP.replace("3A010000002327101", "3A015000002327101"))
    report, request = resources(result, "DiagnosticReport")[0], resources(result, "ServiceRequest")[0]
    assert [each["reference"] for each in report["result"]] == [f"Observation/{each['id']}" for each in resources(result, "Observation")]
    assert report["basedOn"] == [{"reference": f"ServiceRequest/{request['id']}"}]
    assert report["code"]["coding"][0]["code"] == "11502-2"
    assert report["code"]["coding"][1] == {"system": "urn:tsunagi:hl7v2:JC10", "code": "3", "display": "生化学的検査"}
    assert report["issued"] == "2024-05-10T15:50:00+09:00"
    assert (request["status"], request["intent"], request["requester"]["display"]) == ("completed", "order", "医師 一郎")


@pytest.mark.parametrize(
    ("obx", "key", "value"),
    [
        ("OBX|1|ST|1A010^蛋白^99X01||(1+)||||||F", "valueString", "(1+)"),
        ("OBX|1|ST|1A010^蛋白^99X01||陰性||||||F", "valueString", "陰性"),
        (
            "OBX|1|ST|1A010^CRP^99X01||< 0.05|mg/dL^mg/dL^ISO+|||||F",
            "valueQuantity",
            {"value": Decimal("0.05"), "comparator": "<", "unit": "mg/dL", "system": coding_systems.UCUM, "code": "mg/dL"},
        ),
        ("OBX|1|ST|1A010^CRP^99X01||0.3以下||||||F", "valueQuantity", {"value": Decimal("0.3"), "comparator": "<="}),
        ("OBX|1|ST|1A010^型^99X01||12||||||F", "valueString", "12"),
        ("OBX|1|NM|1A010^CRP^99X01||＜0.5||||||F", "valueQuantity", {"value": Decimal("0.5"), "comparator": "<"}),
        ("OBX|1|ST|1A010^菌^99X01||一行目~二行目||||||F", "valueString", "一行目\n二行目"),
        ("OBX|1|ST|1A010^比^99X01||a^b&c||||||F", "valueString", "a^b&c"),
        (
            "OBX|1|CWE|1A010^蛋白^99X01||1+^(1+)^99X09||||||F",
            "valueCodeableConcept",
            {"coding": [{"system": "urn:tsunagi:3712345678:code:99X09", "code": "1+", "display": "(1+)"}], "text": "(1+)"},
        ),
        ("OBX|1|NM|1A010^TP^99X01||検体不足||||||F", "valueString", "検体不足"),
        ("OBX|1|SN|1A010^比^99X01||^1^:^40||||||F", "valueString", "^1^:^40"),
    ],
)
def test_a_value_becomes_what_its_type_and_its_words_say(obx, key, value):
    found = observation(obx)
    assert found[key] == value
    assert len([each for each in found if each.startswith("value")]) == 1


def test_a_number_that_is_none_is_kept_as_text_with_a_warning():
    assert [field for field, _ in warnings(lab("OBX|1|NM|1A010^TP^99X01||検体不足||||||F"))] == ["OBX-5"]


def test_an_empty_result_says_that_it_is_absent():
    found = observation("OBX|1|NM|1A010^TP^99X01||||||||P")
    assert found["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert found["status"] == "preliminary"


@pytest.mark.parametrize(
    ("code", "status"), [("F", "final"), ("P", "preliminary"), ("C", "corrected"), ("X", "cancelled"), ("D", "entered-in-error")]
)
def test_a_results_status_is_the_one_that_was_sent(code, status):
    assert observation(TP.replace("|||F|", f"|||{code}|"))["status"] == status


def test_a_missing_status_is_final_with_a_warning():
    result = lab("OBX|1|NM|1A010^TP^99X01||7")
    assert resources(result, "Observation")[0]["status"] == "final"
    assert [field for field, _ in warnings(result)] == ["OBX-11"]


def test_a_flag_of_no_known_table_is_kept_as_text():
    assert observation(TP.replace("|H|", "|要確認|"))["interpretation"] == [{"text": "要確認"}]


def test_an_effective_time_is_found_wherever_it_stands():
    bare = "OBX|1|NM|1A010^TP^99X01||7||||||F"
    assert observation(bare)["effectiveDateTime"] == "2024-05-10T09:00:00+09:00"
    without = mapped("OML-11", "SPM|1|S1||023^血清^JC10", OBR, ORC, bare)
    assert resources(without, "Observation")[0]["effectiveDateTime"] == "2024-05-10T09:00:00+09:00"
    nothing = mapped("OML-11", "SPM|1|S1||023^血清^JC10", "OBR|1|801||3^生化学^JC10", bare)
    assert resources(nothing, "Observation")[0]["effectiveDateTime"] == "2024-05-10"


def test_comments_stay_with_what_they_comment():
    result = mapped("OML-11", SPM, OBR, ORC, "NTE|1||溶血あり", TP, "NTE|1||再検済")
    assert resources(result, "DiagnosticReport")[0]["conclusion"] == "溶血あり"
    assert resources(result, "Observation")[0]["note"] == [{"text": "再検済"}]


def test_the_same_test_twice_gives_two_observations():
    first, second = resources(lab(TP, TP), "Observation")
    assert first["id"] != second["id"]


def test_a_sub_id_is_part_of_the_identity():
    first, second = resources(lab(TP.replace("99X03||", "99X03|1|"), TP.replace("99X03||", "99X03|2|")), "Observation")
    assert first["identifier"][0]["value"].endswith("_1")
    assert second["identifier"][0]["value"].endswith("_2")


def test_observations_of_the_specimen_itself_are_kept_without_a_report():
    result = mapped("OML-11", SPM, "OBX|1|ST|9Z999^検体の性状^99X01||乳び||||||F", OBR, ORC, TP)
    loose, reported = resources(result, "Observation")
    assert "basedOn" not in loose
    assert len(resources(result, "DiagnosticReport")[0]["result"]) == 1
    assert loose["specimen"] == reported["specimen"]


def test_a_result_notice_without_specimen_is_refused():
    with pytest.raises(MessageError) as caught:
        mapped("OML-11", OBR, TP)
    assert caught.value.segment == "SPM"


def test_an_obx_without_a_code_is_left_out_with_a_warning():
    result = lab("OBX|1|NM|||7||||||F", TP)
    assert len(resources(result, "Observation")) == 1
    assert "OBX-3" in {field for field, _ in warnings(result)}
