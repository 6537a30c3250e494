"""ADT-12, ADT-22 and ADT-52: visits, and stays that end equal whatever came first."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappers.mapping import MessageError, complete
from tests.mappers.synthetic import DOCTOR, mapped, resources, warnings


def pv1(place, *, admitted="", discharged="", doctor=DOCTOR, admitter="", disposition="", department="", patient_class="I"):
    fields = [""] * 45
    values = {1: "0001", 2: patient_class, 3: place, 7: doctor, 10: department, 17: admitter, 36: disposition, 44: admitted, 45: discharged}
    for number, value in values.items():
        fields[number - 1] = value
    return "PV1|" + "|".join(fields).rstrip("|")


def admission(time, *, event="", flag="1", place="32^302^1^^^N", order="999999999999999"):
    return mapped(
        "ADT-22", pv1(place, admitted=time, admitter="220^入院^花子^^^^^^^L^^^^^I"), day=time[:8], event=event, flag=flag, order=order
    )


def discharge(time, *, event="", flag="1", place="32^302^1^^^N", admitted="", order="999999999999999"):
    return mapped(
        "ADT-52", pv1(place, admitted=admitted, discharged=time, disposition="01"), day=time[:8], event=event, flag=flag, order=order
    )


def after(*said):
    """Give the stored Encounters after these messages, in the order of their starts and ends."""
    stored: dict[str, dict] = {}
    for message in said:
        for entry in complete(message, list(stored.values())).bundle["entry"]:
            url = entry["request"]["url"]
            if not url.startswith("Encounter/"):
                continue
            if entry["request"]["method"] == "DELETE":
                del stored[url]
            else:
                stored[url] = {**entry["resource"], "meta": {**entry["resource"]["meta"], "versionId": "1", "lastUpdated": "x"}}
    return {url: {key: value for key, value in each.items() if key != "meta"} for url, each in sorted(stored.items())}


def spans(*said):
    return sorted(
        (each["period"].get("start", "")[:10], each["period"].get("end", "")[:10], each["status"]) for each in after(*said).values()
    )


def test_a_reception_is_an_ambulatory_encounter_of_its_department():
    result = mapped("ADT-12", pv1("01^^^^^C", admitted="20240510085900", department="01", patient_class="O"))
    found, place = resources(result, "Encounter")[0], resources(result, "Location")[0]
    assert (found["status"], found["class"]["code"]) == ("arrived", "AMB")
    assert found["period"] == {"start": "2024-05-10T08:59:00+09:00"}
    assert found["serviceType"]["coding"][0]["code"] == "01"
    assert found["location"][0]["location"] == {"reference": f"Location/{place['id']}"}
    assert found["participant"][0]["individual"]["display"] == "医師 一郎"


def test_a_reception_sent_as_an_admission_is_read_with_a_warning():
    segment = pv1("01^^^^^C", admitted="20240510085900", patient_class="O")
    result = mapped("ADT-12", segment, event="ADT^A01^ADT_A01")
    assert [field for field, _ in warnings(result)] == ["MSH-9"]
    assert resources(result, "Encounter") == resources(mapped("ADT-12", segment), "Encounter")


def test_two_departments_of_one_day_are_two_visits():
    first, second = (
        mapped("ADT-12", pv1(f"{code}^^^^^C", admitted="20240510085900", department=code, patient_class="O")) for code in ("01", "10")
    )
    assert first.home[0] != second.home[0]


def test_a_discharge_closes_the_stay_that_the_admission_opened():
    assert spans(admission("20240601100000")) == [("2024-06-01", "", "in-progress")]
    assert spans(admission("20240601100000"), discharge("20240610100000")) == [("2024-06-01", "2024-06-10", "finished")]


def test_a_stay_says_where_and_with_whom_it_began_and_ended():
    (stay,) = after(admission("20240601100000"), discharge("20240610100000", place="41^460^2^^^N")).values()
    assert [place["period"] for place in stay["location"]] == [{"start": "2024-06-01T10:00:00+09:00"}, {"end": "2024-06-10T10:00:00+09:00"}]
    assert [each["type"][0]["coding"][0]["code"] for each in stay["participant"]] == ["ATND", "ADM"]
    assert stay["hospitalization"]["dischargeDisposition"]["coding"][0]["code"] == "01"
    assert [each["system"].rpartition(":")[2] for each in stay["identifier"]] == ["admission-document", "discharge-document"]


def test_a_discharge_that_comes_first_waits_for_its_admission():
    early = discharge("20240610100000")
    assert spans(early) == [("", "2024-06-10", "finished")]
    assert after(early, admission("20240601100000")) == after(admission("20240601100000"), early)


def test_saying_it_again_changes_nothing():
    first, last = admission("20240601100000"), discharge("20240610100000")
    once = after(first, last)
    assert after(first, last, last, first, last) == once
    stored = [{**each, "meta": {"profile": [], "source": "", "versionId": "3"}} for each in once.values()]
    assert stored
    again = complete(first, [{**each, "meta": resources(complete(first, []), "Encounter")[0]["meta"]} for each in once.values()])
    assert not resources(again, "Encounter")


STORY = [
    admission("20240101100000"),
    discharge("20240110100000"),
    admission("20240201100000"),
    discharge("20240210100000"),
    admission("20240301100000"),
]


def test_every_order_of_messages_ends_in_the_same_stays():
    expected = after(*STORY)
    assert [len(expected), *spans(*STORY)] == [
        3,
        ("2024-01-01", "2024-01-10", "finished"),
        ("2024-02-01", "2024-02-10", "finished"),
        ("2024-03-01", "", "in-progress"),
    ]
    assert all(after(*order) == expected for order in permutations(STORY))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_set_of_admissions_and_discharges_ends_equal_in_any_order(data):
    days = data.draw(st.lists(st.integers(1, 28), min_size=1, max_size=5, unique=True))
    said = [
        data.draw(
            st.sampled_from(
                [
                    admission(f"202402{day:02}1000"),
                    discharge(f"202402{day:02}1500"),
                    discharge(f"202402{day:02}", admitted="20240201"),
                    admission(f"202402{day:02}1000", event="ADT^A11^ADT_A09"),
                ]
            )
        )
        for day in days
    ]
    assert after(*data.draw(st.permutations(said))) == after(*said)


def test_an_admission_that_is_stated_belongs_to_no_other():
    first = admission("20240101100000")
    assert spans(first, discharge("20240310", admitted="20240301")) == [
        ("2024-01-01", "", "in-progress"),
        ("2024-03-01", "2024-03-10", "finished"),
    ]
    assert spans(first, discharge("20240110", admitted="202401011000")) == [("2024-01-01", "2024-01-10", "finished")]


def test_a_discharge_on_the_day_of_admission_without_a_time_is_after_it():
    assert spans(admission("20240101100000"), discharge("20240101")) == [("2024-01-01", "2024-01-01", "finished")]


def test_a_cancelled_admission_stays_as_cancelled_and_takes_no_discharge():
    said = (admission("20240601100000"), admission("20240601100000", event="ADT^A11^ADT_A09", flag="0"), discharge("20240610100000"))
    assert spans(*said) == [("", "2024-06-10", "finished"), ("2024-06-01", "", "cancelled")]


def test_a_cancelled_discharge_opens_the_stay_again():
    said = (admission("20240601100000"), discharge("20240610100000"), discharge("20240610100000", event="ADT^A13^ADT_A01", flag="0"))
    assert after(*said) == after(admission("20240601100000"))


def test_a_corrected_time_replaces_what_the_document_said_before():
    said = (admission("20240601100000"), discharge("20240610100000"), admission("20240601113000"))
    (stay,) = after(*said).values()
    assert stay["period"] == {"start": "2024-06-01T11:30:00+09:00", "end": "2024-06-10T10:00:00+09:00"}
    assert after(*said) == after(said[2], said[1])


def test_a_deleted_admission_leaves_the_discharge_alone():
    said = (admission("20240601100000"), discharge("20240610100000"), admission("20240601100000", flag="0"))
    assert after(*said) == after(discharge("20240610100000"))


def test_encounters_that_were_not_made_here_are_left_alone():
    other = {"resourceType": "Encounter", "id": "x", "status": "in-progress", "class": {"code": "IMP"}, "period": {"start": "2024-05-31"}}
    result = complete(discharge("20240610100000"), [other])
    assert [entry["request"]["url"] for entry in result.bundle["entry"] if entry["request"]["url"] == "Encounter/x"] == []


def test_an_inpatient_message_names_whose_stays_it_needs():
    said = admission("20240601100000")
    assert said.stay.patient == f"Patient/{resources(said, 'Patient')[0]['id']}"
    assert complete(said, []).stay is None


def test_a_message_without_pv1_is_refused():
    for kind in ("ADT-12", "ADT-22", "ADT-52"):
        with pytest.raises(MessageError) as caught:
            mapped(kind)
        assert caught.value.segment == "PV1"
