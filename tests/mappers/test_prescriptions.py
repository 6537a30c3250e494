"""OMP-01: medicines, how much of them, and when."""

from decimal import Decimal

import pytest

from mappers.datatypes import coding_systems
from mappers.mapping import Facility, MessageError
from mappers.segments.rxe_to_medication_request import ORDER_IN_RP, RP_NUMBER
from tests.mappers.synthetic import medicine, prescription, resources, warnings


def request(*segments, **name):
    return resources(prescription(*(segments or medicine()), **name), "MedicationRequest")[0]


def identifiers(found):
    return {each["system"]: each["value"] for each in found["identifier"]}


def dosage(**segments):
    return request(*medicine(**segments))["dosageInstruction"][0]


def test_a_medicine_says_what_who_when_and_how_much():
    found = request()
    assert found["medicationCodeableConcept"]["coding"] == [
        {"system": coding_systems.HOT9, "code": "100795402", "display": "ボルタレン錠２５ｍｇ"}
    ]
    assert (found["status"], found["intent"], found["authoredOn"]) == ("active", "order", "2024-05-10T10:15:00+09:00")
    assert found["requester"]["display"] == "医師 一郎"
    assert [category["coding"][0]["code"] for category in found["category"]] == ["O", "OHP"]
    assert found["dispenseRequest"]["quantity"] == {
        "value": Decimal(15),
        "unit": "錠",
        "system": coding_systems.MEDICATION_UNIT,
        "code": "TAB",
    }
    assert found["dispenseRequest"]["expectedSupplyDuration"] == {
        "value": Decimal(5),
        "unit": "日",
        "system": coding_systems.UCUM,
        "code": "d",
    }
    rate = found["dosageInstruction"][0]["doseAndRate"][0]
    assert rate["doseQuantity"]["value"] == Decimal(1)
    assert rate["rateRatio"]["numerator"]["code"] == "TAB"
    assert rate["rateRatio"]["denominator"] == {"value": Decimal(1), "unit": "日", "system": coding_systems.UCUM, "code": "d"}


def test_the_usage_code_gives_the_times_of_day():
    found = dosage()
    assert found["timing"]["code"]["coding"][0] == {
        "system": coding_systems.USAGE,
        "code": "1013044400000000",
        "display": "内服・経口・１日３回朝昼夕食後",
    }
    assert found["timing"]["repeat"]["when"] == ["PCM", "PCD", "PCV"]
    assert found["timing"]["repeat"]["boundsDuration"]["value"] == Decimal(5)
    assert found["text"] == "内服・経口・１日３回朝昼夕食後"
    assert found["method"]["coding"] == [{"system": coding_systems.USAGE_DETAIL, "code": "10"}]
    assert found["route"]["coding"][0]["code"] == "PO"
    assert found["extension"][0]["valuePeriod"] == {"start": "2024-05-10"}


def test_a_usage_that_nobody_can_read_keeps_its_code_and_words():
    found = dosage(tq1="TQ1|1||Z99&医師の指示通り&99XYZ|||3^d")
    assert found["timing"]["code"]["coding"][0]["system"] == "urn:tsunagi:3712345678:code:99XYZ"
    assert found["timing"]["repeat"].keys() == {"boundsDuration"}


def test_medicine_on_demand_is_as_needed():
    found = request(*medicine(tq1="TQ1|1||1050110000000000&疼痛時&JAMISDP01||||20240510|||||||10"))
    assert found["dosageInstruction"][0]["asNeededBoolean"] is True
    assert found["dispenseRequest"]["extension"][0]["valueInteger"] == 10


def test_a_supplement_of_the_usage_is_an_additional_instruction():
    found = dosage(tq1="TQ1|1||1013044400000000&１日３回&JAMISDP01~I1100000&隔日&JAMISDP01|||5^d")
    assert found["additionalInstruction"][0]["coding"][0]["system"] == coding_systems.USAGE_ADDITIONAL
    assert found["text"] == "１日３回 隔日"


def test_a_site_is_where_rxr_says():
    assert dosage(rxr="RXR|AP^外用^HL70162|77L^左手^JAMISDP01")["site"]["coding"][0]["system"] == coding_systems.BODY_SITE


@pytest.mark.parametrize(
    ("group", "rp", "place"),
    [("000000000000777_02_003", "2", "3"), ("2", "2", "1"), ("", "1", "1")],
)
def test_rp_and_place_are_read_from_either_form_of_the_group_number(group, rp, place):
    found = identifiers(request(*medicine(group)))
    assert (found[RP_NUMBER], found[ORDER_IN_RP]) == (rp, place)


def test_places_are_counted_within_an_rp():
    result = prescription(*medicine("1"), *medicine("1"), *medicine("2"))
    found = [identifiers(each) for each in resources(result, "MedicationRequest")]
    assert [(each[RP_NUMBER], each[ORDER_IN_RP]) for each in found] == [("1", "1"), ("1", "2"), ("2", "1")]
    assert found[1]["http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier"] == "000000000000777.1.2"


def test_a_hospitals_prescription_number_takes_the_form_that_jp_core_allows():
    assert identifiers(request())["urn:oid:1.2.392.100495.20.3.11.13712345678"] == "20240510-01"
    nowhere = request(facility=Facility("9999999999"))
    assert identifiers(nowhere)["urn:tsunagi:9999999999:prescription-number"] == "20240510-01"


def test_an_ointment_without_a_dose_has_none():
    found = dosage(rxe='RXE||100795402^軟膏^HOT9|""||""|||||1|HON^本^MR9P')
    assert "doseAndRate" not in found


def test_a_dose_without_unit_is_left_out_with_a_warning():
    result = prescription(*medicine(rxe="RXE||100795402^薬^HOT9|二||TAB^錠^MR9P|||||15"))
    assert {field for field, _ in warnings(result)} == {"RXE-3", "RXE-10"}


@pytest.mark.parametrize(("control", "status"), [("NW", "active"), ("CA", "cancelled"), ("DC", "stopped")])
def test_the_order_control_gives_the_status(control, status):
    orc, *rest = medicine()
    assert request(orc.replace("ORC|NW", f"ORC|{control}"), *rest)["status"] == status


def test_a_refill_and_a_supplementary_code_are_kept():
    found = request(*medicine(rxe="RXE||100795402^薬^HOT9|1||TAB^錠^MR9P|||||15|TAB^錠^MR9P|2|||||||||||||||||||1124017F4029^薬^YJ"))
    assert found["dispenseRequest"]["numberOfRepeatsAllowed"] == 2
    assert [coding["system"] for coding in found["medicationCodeableConcept"]["coding"]] == [coding_systems.HOT9, coding_systems.YJ]


def test_an_order_without_time_takes_the_care_day():
    orc, *rest = medicine()
    assert request(orc.replace("20240510101500", ""), *rest)["authoredOn"] == "2024-05-10"


def test_a_prescription_without_medicine_is_refused():
    with pytest.raises(MessageError):
        prescription()
