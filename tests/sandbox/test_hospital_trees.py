"""Hospitals as SS-MIX2 trees: their size, their files' names, their sameness."""

import hashlib
import re
import tracemalloc
from collections import Counter
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_server.sandbox.facilities import CLINIC_A, FACILITIES, HOSPITAL_B, PHARMACY_C
from fhir_server.sandbox.hospital import FILES_PER_PATIENT, history, write_tree
from fhir_server.sandbox.messages import EVENTS
from fhir_server.sandbox.network import attending
from fhir_server.sandbox.patients import TODAY

NAME = re.compile(r"(\d{10})_(\d{8}|-)_([A-Z]{3}-\d\d)_(\d{15})_(\d{17})_([0-9A-Z]{2,3}|-)_([012])")


def tree_hash(directory):
    total = hashlib.sha256()
    for path in sorted(p for p in directory.rglob("*") if p.is_file()):
        total.update(str(path.relative_to(directory)).encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def test_the_same_seed_writes_the_same_bytes_and_writing_again_changes_nothing(tmp_path):
    first = write_tree(tmp_path / "first", HOSPITAL_B, 20, 7)
    again = write_tree(tmp_path / "again", HOSPITAL_B, 20, 7)
    assert first == again
    assert tree_hash(tmp_path / "first") == tree_hash(tmp_path / "again")
    write_tree(tmp_path / "first", HOSPITAL_B, 20, 7)
    assert tree_hash(tmp_path / "first") == tree_hash(tmp_path / "again")


def test_the_trees_of_today_are_those_of_every_machine_and_every_release():
    total = hashlib.sha256()
    for path, data in history(HOSPITAL_B, 20, 7, revisions=True):
        total.update(path.encode() + b"\0" + data)
    assert total.hexdigest() == "3dde9d4eec43f83361ba1eb7c7effc75d5441ef42b5159ed1b72cf56c1d50e2d"


def test_another_seed_makes_other_people():
    paths = [{path for path, _ in history(HOSPITAL_B, 30, seed)} for seed in (1, 2)]
    assert paths[0] != paths[1]


def test_a_tree_lies_below_the_facilitys_code_and_the_count_is_true(tmp_path):
    seen = []
    count = write_tree(tmp_path, CLINIC_A, 20, 3, progress=seen.append)
    assert [p.name for p in tmp_path.iterdir()] == [CLINIC_A.code]
    assert sum(p.is_file() for p in tmp_path.rglob("*")) == count == seen[-1]


def test_the_demo_hospital_of_sixty_patients_has_about_a_thousand_files():
    files = [path for path, _ in history(HOSPITAL_B, 60, 1)]
    assert len(files) == 60 * FILES_PER_PATIENT == 1020


@settings(max_examples=60, deadline=None)
@given(
    facility=st.sampled_from(FACILITIES),
    patients=st.integers(1, 40),
    seed=st.integers(0, 2**40),
    files=st.none() | st.integers(0, 1500),
    revisions=st.booleans(),
)
def test_any_hospital_has_exactly_the_files_asked_for_under_names_that_agree(facility, patients, seed, files, revisions):
    paths = []
    for path, data in history(facility, patients, seed, files, revisions=revisions):
        first, second, patient, day, kind, name = path.split("/")
        match = NAME.fullmatch(name)
        assert match, name
        assert match.group(1, 2, 3) == (patient, day, kind)
        assert (first, second) == (patient[:3], patient[3:6])
        assert (day == "-") == (kind in ("ADT-00", "PPR-01"))
        assert datetime.strptime(match[5], "%Y%m%d%H%M%S%f").date() <= TODAY
        text = data.decode("iso2022_jp")
        assert text.startswith("MSH|^~\\&|")
        assert text.endswith("\r")
        assert "\n" not in text
        assert f"|{EVENTS[kind]}|" in text
        paths.append(path)
    assert len(paths) == (patients * FILES_PER_PATIENT if files is None else files)
    assert len(set(paths)) == len(paths)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**40), files=st.integers(200, 3000))
def test_a_life_is_never_shorter_than_its_history(seed, files):
    births = {}
    for path, data in history(HOSPITAL_B, files // 250, seed, files):
        patient, day = path.split("/")[2:4]
        births.setdefault(patient, data.decode("iso2022_jp").split("\rPID|")[1].split("|")[6])
        assert day == "-" or births[patient] < day <= f"{TODAY:%Y%m%d}"


@pytest.mark.parametrize("facility", FACILITIES, ids=lambda f: f.name)
def test_the_fixtures_patients_come_first(facility):
    numbers = list(dict.fromkeys(path.split("/")[2] for path, _ in history(facility, 20, 5)))
    expected = [number for number, _ in attending(facility)]
    assert numbers[: len(expected)] == expected
    assert len(numbers) == 20


def test_a_clinic_admits_nobody_and_a_pharmacy_only_dispenses():
    assert {path.split("/")[4] for path, _ in history(CLINIC_A, 60, 1)} == {"ADT-00", "ADT-12", "PPR-01", "OMP-01", "OML-11"}
    assert {path.split("/")[4] for path, _ in history(PHARMACY_C, 60, 1)} == {"ADT-00", "OMP-01"}
    assert {path.split("/")[4] for path, _ in history(HOSPITAL_B, 60, 1)} == set(EVENTS)


def test_every_admission_ends_with_a_discharge_of_the_same_stay():
    open_stays = {}
    for path, data in history(HOSPITAL_B, 200, 9):
        patient, _, kind = path.split("/")[2:5]
        if kind == "ADT-22":
            assert patient not in open_stays
            open_stays[patient] = _pv1(data)
        elif kind == "ADT-52":
            admitted, discharged = open_stays.pop(patient), _pv1(data)
            assert admitted[44] == discharged[44] < discharged[45]
            assert admitted[3] == discharged[3]
    assert not open_stays


def _pv1(data):
    return next(segment for segment in data.decode("iso2022_jp").split("\r") if segment.startswith("PV1")).split("|")


def test_without_revisions_every_file_is_current_and_with_them_each_document_has_one_current_version_at_most():
    assert all(path.endswith("_1") for path, _ in history(HOSPITAL_B, 60, 1))
    documents = {}
    for path, _ in history(HOSPITAL_B, 200, 1, revisions=True):
        match = NAME.fullmatch(path.rpartition("/")[2])
        documents.setdefault(match.group(1, 2, 3, 4), []).append((match[5], match[7]))
    flags = Counter("".join(flag for _, flag in sorted(versions)) for versions in documents.values())
    assert set(flags) == {"1", "21", "00"}
    assert min(flags.values()) >= 3


def test_a_cancelled_prescription_ends_with_its_cancellation():
    for path, data in history(HOSPITAL_B, 200, 1, revisions=True):
        if path.endswith("_0"):
            orc = [segment for segment in data.decode("iso2022_jp").split("\r") if segment.startswith("ORC")]
            last = orc[-1].split("|")[1]
    assert last == "CA"


def test_asking_for_more_files_than_the_patients_can_have_makes_more_patients():
    files = list(history(HOSPITAL_B, 1, 1, 2000))
    assert len(files) == 2000
    assert len({path.split("/")[2] for path, _ in files}) == 8


def test_histories_are_recent_and_reach_back_for_years_when_long():
    days = sorted(path.split("/")[3] for path, _ in history(HOSPITAL_B, 10, 1, 2000))
    dated = [date.fromisoformat(f"{d[:4]}-{d[4:6]}-{d[6:]}") for d in days if d != "-"]
    assert TODAY - dated[-1] < timedelta(days=90)
    assert TODAY - dated[0] > timedelta(days=5 * 365)


def test_memory_does_not_grow_with_the_hospital():
    def peak(files):
        tracemalloc.start()
        for _ in history(HOSPITAL_B, files // 30, 1, files):
            pass
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(300)
    assert peak(2500) < 1.5 * peak(500) + 200_000
