"""The sample storages beside the repository, imported."""

from pathlib import Path

from fhir_server.ssmix2.aside import Aside
from tests.shared import SHARED, needs_shared
from tests.ssmix2.imports import bytes_of, counted, kept_aside, of_type, reported, state_of

pytestmark = needs_shared

SAMPLES = (SHARED or Path()) / "ssmix2" / "samples"
HBA1C = "3D046000001906202"


def number_of(patient):
    return patient["identifier"][0]["value"]


def test_the_sample_hospital_is_imported_without_refusal_and_its_values_are_stored(tmp_path, mongodb_uri, database_name, stored):
    other = {"TSUNAGI_MONGODB_URI": mongodb_uri, "TSUNAGI_DATABASE": database_name}
    ended, report = reported(SAMPLES / "hospital" / "3710000017", tmp_path / "data", **other)
    assert ended.status == 0, ended
    assert report["refused"] == []
    assert report["warnings"] == {}
    kinds = {kind: sum(states.values()) for kind, states in report["kinds"].items()}
    assert {kind: kinds[kind] for kind in ("ADT-00", "ADT-12", "ADT-22", "ADT-52", "PPR-01", "OMP-01", "OML-11")} == {
        "ADT-00": 18, "ADT-12": 61, "ADT-22": 5, "ADT-52": 5, "PPR-01": 56, "OMP-01": 56, "OML-11": 70,
    }  # fmt: skip
    assert report["kinds"]["OMP-02"].keys() == {"unmapped"}
    state = state_of(stored)
    assert len(of_type(state, "Patient")) == 18
    sugar = [
        each
        for each in of_type(state, "Observation")
        if each["code"]["coding"][0]["code"] == HBA1C and each["effectiveDateTime"] == "2024-06-18T12:06:00+09:00"
    ]
    assert [(each["valueQuantity"]["value"], each["code"]["text"]) for each in sugar] == [(7.4, "HbA1c(NGSP)")]

    before = bytes_of(stored)
    ended, again = reported(SAMPLES / "hospital" / "3710000017", tmp_path / "data", **other)
    assert ended.status == 0
    assert again["resources"] == {"created": 0, "updated": 0, "unchanged": again["resources"]["unchanged"], "deleted": 0}
    assert {state for states in again["kinds"].values() for state in states} == {"unchanged", "unmapped"}
    assert bytes_of(stored) == before


async def test_the_careless_hospital_gives_the_same_resources_with_warnings(bring_in, stored):
    await bring_in(SAMPLES / "hospital" / "3710000017")
    careful = state_of(stored)
    stored["resource"].delete_many({})
    report = await bring_in(SAMPLES / "hospital-raw" / "3710000017")
    assert report.refused == []
    assert report.warnings
    careless = state_of(stored)
    assert careless
    types = {key.partition("/")[0] for key in careless}
    assert {"Patient", "Encounter", "Observation"} <= types
    same = [key for key in careless if careful.get(key) == careless[key] or key.startswith("Provenance/")]
    assert set(careless) - set(same) == set()


async def test_of_the_guideline_what_contradicts_itself_is_refused_and_kept_aside(bring_in, stored, tmp_path):
    root = SAMPLES / "guideline"
    report = await bring_in(root, "9999999999")
    refused = {each.path.split("/")[-1].split("_")[2]: each for each in report.refused}
    assert {kind: (each.segment, each.reason) for kind, each in refused.items()} == {
        "OMP-11": (None, "misplaced file: the folder's データ種別 is not that of the file name"),
        "PPR-01": ("PID-3", "the patient number (PID-3) is not that of the folder and file name"),
        "OML-11": ("PID-3", "the patient number (PID-3) is not that of the folder and file name"),
    }
    folder = Aside(tmp_path / "data", "9999999999").folder
    kept = kept_aside(tmp_path / "data", "9999999999")
    assert set(kept) == {each.path for each in report.refused}
    for path, reason in kept.items():
        assert (folder / path).read_bytes() == (root / path).read_bytes()
        assert reason["path"] == path
    assert counted(report)["imported"] == 4
    state = state_of(stored)
    assert [each["medicationCodeableConcept"]["text"] for each in of_type(state, "MedicationRequest")]
    (stay,) = of_type(state, "Encounter")
    assert stay["period"] == {"start": "2011-11-20T16:00:00+09:00", "end": "2011-12-20T12:00:00+09:00"}


def test_the_guideline_ends_with_1_at_the_command_line(tmp_path, mongodb_uri, database_name):
    other = {"TSUNAGI_MONGODB_URI": mongodb_uri, "TSUNAGI_DATABASE": database_name}
    ended, report = reported(SAMPLES / "guideline", tmp_path / "data", facility="3710000025", **other)
    assert ended.status == 1
    assert len(report["refused"]) == 3
    assert all(each["path"] in ended.stdout for each in report["refused"])


async def test_the_edge_cases_end_in_the_state_that_their_flags_say(bring_in, stored):
    report = await bring_in(SAMPLES / "edge-cases" / "standard")
    assert report.refused == []
    state = state_of(stored)
    assert sorted(number_of(each) for each in of_type(state, "Patient")) == ["0000012345", "123456"]
    (stay,) = of_type(state, "Encounter")
    assert stay["status"] == "cancelled"
    orders = {each["entity"][0]["what"]["identifier"]["value"].rpartition("/")[2] for each in of_type(state, "Provenance")}
    assert {name for name in orders if "_OMP-01_" in name} == {"0000012345_20240510_OMP-01_000000000000777_20240510113000456_01_1"}
    before = bytes_of(stored)
    again = await bring_in(SAMPLES / "edge-cases" / "standard")
    assert set(counted(again)) == {"past", "unchanged"}
    assert bytes_of(stored) == before
