"""The sample storages beside the repository: every file of the mapped kinds, and what it means."""

import importlib
import json
from collections import Counter
from decimal import Decimal
from functools import cache

import pytest

from mappers import file_name
from mappers.hl7v2.message import MessageError, parse
from mappers.hl7v2.strict import judge
from mappers.mapping import KINDS, Facility, complete, map_message
from profiles.definitions import r4
from profiles.validator import Validator
from terminology.service import r4 as terminology
from tests.shared import SHARED, needs_shared

pytestmark = needs_shared

HOSPITAL = "hospital/3710000017"
RAW = "hospital-raw/3710000017"
GUIDELINE = "guideline"


def samples(root):
    assert SHARED is not None
    folder = SHARED / "ssmix2" / "samples" / root
    return sorted((path.relative_to(folder), path) for path in folder.rglob("*") if path.is_file())


@cache
def mapped(root, facility="3710000017"):
    """Give name and mapping of every file of the mapped kinds, and what was refused."""
    found, refused = {}, {}
    for relative, path in samples(root):
        try:
            name = file_name.parse(relative)
            if name.kind in KINDS:
                found[name] = map_message(parse(path.read_bytes()), name, Facility(facility))
        except (MessageError, file_name.FileNameError) as error:
            refused[path.name] = str(error)
    return found, refused


def written(root):
    """Give everything that importing in the order of 発生日時 writes, by URL."""
    store = {}
    for _, message in sorted(mapped(root)[0].items(), key=lambda item: item[0].time):
        encounters = [
            each
            for url, each in store.items()
            if url.startswith("Encounter/") and message.stay and each["subject"]["reference"] == message.stay.patient
        ]
        for entry in complete(message, encounters).bundle["entry"]:
            url = entry["request"]["url"]
            if entry["request"]["method"] == "DELETE":
                store.pop(url, None)
            elif "ifNoneMatch" not in entry["request"] or url not in store:
                store[url] = entry["resource"]
    return store


def of_type(store, type):
    return [resource for resource in store.values() if resource["resourceType"] == type]


def test_every_file_of_the_hospital_is_mapped_without_warnings_about_values():
    found, refused = mapped(HOSPITAL)
    assert refused == {}
    assert Counter(name.kind for name in found) == {
        "ADT-00": 18,
        "ADT-12": 61,
        "ADT-22": 5,
        "ADT-52": 5,
        "PPR-01": 56,
        "OMP-01": 56,
        "OML-11": 70,
    }
    assert [issue for message in found.values() for issue in message.issues if issue.severity == "warning"] == []


def test_every_segment_of_the_hospital_becomes_a_resource():
    segments = Counter(
        line[:3]
        for relative, path in samples(HOSPITAL)
        if file_name.parse(relative).kind in KINDS
        for line in path.read_bytes().split(b"\r")
    )
    counts = Counter(url.partition("/")[0] for url in written(HOSPITAL))
    assert counts["Observation"] == segments[b"OBX"]
    assert counts["DiagnosticReport"] == counts["ServiceRequest"] == segments[b"OBR"]
    assert counts["Specimen"] == segments[b"SPM"]
    assert counts["MedicationRequest"] == segments[b"RXE"]
    assert counts["Condition"] == segments[b"PRB"]
    assert counts["Coverage"] == segments[b"IN1"]
    assert counts["AllergyIntolerance"] == 18  # AL1 of ADT-00 only: prescriptions repeat them
    assert (counts["Patient"], counts["Encounter"]) == (18, 61 + 5)


def test_a_result_is_found_with_its_exact_value_and_japanese_text():
    observations = of_type(written(HOSPITAL), "Observation")
    sugar = [
        each
        for each in observations
        if each["code"]["coding"][0]["code"] == "3D046000001906202" and each["effectiveDateTime"] == "2024-06-18T12:06:00+09:00"
    ]
    assert [each["valueQuantity"]["value"] for each in sugar] == [Decimal("7.4")]
    assert {each["code"]["text"] for each in observations} >= {"HbA1c(NGSP)", "ヘモグロビン", "白血球数", "アルブミン"}


def test_all_stays_of_the_hospital_are_finished():
    stays = [each for each in of_type(written(HOSPITAL), "Encounter") if each["class"]["code"] == "IMP"]
    assert [(each["status"], len(each["identifier"]), each["period"].keys()) for each in stays] == [("finished", 2, {"start", "end"})] * 5


def test_the_careless_hospital_says_the_same_with_warnings():
    careful, careless = mapped(HOSPITAL)[0], mapped(RAW)[0]
    assert careless
    for name, message in careless.items():
        assert message.bundle == careful[name].bundle
        assert message.stay == careful[name].stay
        fields = {issue.field for issue in message.issues if issue.severity == "warning"}
        assert fields >= {"", "PID-5"}
        assert ("MSH-9" in fields) == (name.kind == "ADT-12")


def test_of_the_guideline_only_what_contradicts_itself_is_refused():
    found, refused = mapped(GUIDELINE)
    assert Counter(name.kind for name in found) == {"ADT-00": 1, "ADT-22": 1, "ADT-52": 1, "OMP-01": 1}
    assert {name.split("_")[2]: text for name, text in refused.items()} == {
        "OMP-11": "misplaced file: the folder's データ種別 is not that of the file name",
        "PPR-01": "the patient number (PID-3) is not that of the folder and file name",
        "OML-11": "the patient number (PID-3) is not that of the folder and file name",
    }


def test_the_guidelines_prescription_is_the_worked_example():
    (message,) = (message for name, message in mapped(GUIDELINE)[0].items() if name.kind == "OMP-01")
    requests = [entry["resource"] for entry in message.bundle["entry"] if entry["resource"]["resourceType"] == "MedicationRequest"]
    assert [each["medicationCodeableConcept"]["text"] for each in requests] == [
        "ダーゼン錠（５mg)",
        "パンスポリンＴ錠（１００mg)",
        "アレピアチン１０倍散",
    ]
    assert [[identifier["value"] for identifier in each["identifier"][:2]] for each in requests] == [["1", "1"], ["1", "2"], ["2", "1"]]


def test_the_guidelines_admission_and_discharge_are_one_stay():
    (stay,) = of_type(written(GUIDELINE), "Encounter")
    assert stay["period"] == {"start": "2011-11-20T16:00:00+09:00", "end": "2011-12-20T12:00:00+09:00"}


def test_a_cancelled_admission_of_the_edge_cases_is_cancelled():
    (stay,) = of_type(written("edge-cases/standard"), "Encounter")
    assert stay["status"] == "cancelled"


@pytest.mark.parametrize("root", [HOSPITAL, GUIDELINE, "edge-cases/standard"])
def test_everything_written_is_valid_r4(root):
    validator = Validator(r4(), terminology())
    faults = [issue for resource in written(root).values() for issue in validator.validate(resource)]
    assert faults == []


def test_an_independent_judge_agrees():
    models = {}
    for resource in written(HOSPITAL).values():
        type = resource["resourceType"]
        if type not in models:
            models[type] = getattr(importlib.import_module(f"fhir.resources.R4B.{type.lower()}"), type)
        models[type].model_validate(json.loads(json.dumps(resource, default=float)))


def test_the_strict_judge_accepts_a_file_of_each_kind():
    seen = set()
    for relative, path in samples(HOSPITAL):
        kind = file_name.parse(relative).kind
        if kind in KINDS - seen:
            seen.add(kind)
            assert judge(parse(path.read_bytes())) == ()
    assert seen == KINDS
