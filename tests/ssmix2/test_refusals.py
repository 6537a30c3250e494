"""Bad files in a good hospital: each is refused with a reason and kept aside, the others go on, nobody is named."""

import os
from collections import Counter

import pytest

from fhir_server.sandbox import bad
from fhir_server.sandbox.facilities import HOSPITAL_B
from fhir_server.sandbox.hospital import history
from fhir_server.ssmix2.aside import Aside
from mappers.hl7v2.message import parse
from tests.ssmix2.imports import FACILITY, counted, hospital, kept_aside, reported, state_of

REFUSED, CARELESS = bad.refused(), bad.careless()


@pytest.fixture
def root(tmp_path):
    return hospital(tmp_path, 3, 40)


def put(root, *faulty):
    for file in faulty:
        (root / file.name).parent.mkdir(parents=True, exist_ok=True)
        (root / file.name).write_bytes(file.data)


def personal_data():
    """What identifies the patients of the hospital, but for their numbers in paths: names, kana, streets, birth days."""
    words = set()
    for _, data in history(HOSPITAL_B, 3, 1, 40):
        pid = parse(data).first("PID")
        for field in (5, 7, 11, 13):
            words |= {part for part in pid[field].replace("^", " ").replace("~", " ").split() if len(part) > 1}
            words |= {part for repetition in pid.repetitions(field) for part in str(repetition).replace("^", " ").split() if len(part) > 1}
    return {word for word in words if not word.isascii() or (word.isdigit() and len(word) >= 7)}


async def test_every_bad_file_is_refused_with_a_reason_and_every_good_one_imported(root, bring_in, stored, tmp_path):
    await bring_in(root)
    good = state_of(stored)
    stored["resource"].delete_many({})
    put(root, *REFUSED)
    report = await bring_in(root)
    assert counted(report) == {"imported": 40, "refused": len(REFUSED)}
    assert {each.path for each in report.refused} == {file.name for file in REFUSED}
    assert all(each.reason and "unexpected" not in each.reason for each in report.refused)
    assert state_of(stored) == good
    kept = kept_aside(tmp_path / "data")
    folder = Aside(tmp_path / "data", FACILITY).folder
    assert {name: (folder / name).read_bytes() for name in kept} == {file.name: file.data for file in REFUSED}
    for each in report.refused:
        assert kept[each.path] == {"path": each.path, "segment": each.segment, "reason": each.reason}


async def test_a_wrong_patient_is_told_by_the_field_that_shows_it(root, bring_in):
    wrong = next(file for file in REFUSED if "PID-3" in file.reason)
    put(root, wrong)
    (refused,) = (await bring_in(root)).refused
    assert refused.segment == "PID-3"
    assert refused.kind == "ADT-12"


async def test_careless_files_are_imported_and_noticed(root, bring_in):
    put(root, *CARELESS)
    report = await bring_in(root)
    assert counted(report) == {"imported": 40 + len(CARELESS)}
    assert report.warnings.total() >= 5  # a segment of the house's own is information only


async def test_a_corrected_file_leaves_the_aside_folder(root, bring_in, tmp_path):
    truncated = next(file for file in REFUSED if file.reason == "truncated before PID")
    put(root, truncated)
    await bring_in(root)
    assert list(kept_aside(tmp_path / "data")) == [truncated.name]
    good = next(data for path, data in history(HOSPITAL_B, 1, 0) if "/ADT-12/" in path)
    (root / truncated.name).write_bytes(good)
    report = await bring_in(root)
    assert counted(report) == {"imported": 1, "unchanged": 40}
    assert [each for each in Aside(tmp_path / "data", FACILITY).folder.rglob("*") if each.is_file()] == []


async def test_what_was_refused_is_refused_again_and_changes_nothing(root, bring_in, stored, tmp_path):
    put(root, *REFUSED)
    first = await bring_in(root)
    before, kept = state_of(stored), kept_aside(tmp_path / "data")
    second = await bring_in(root)
    assert counted(second) == {"refused": len(REFUSED), "unchanged": 40}
    assert {each.path: each.reason for each in first.refused} == {each.path: each.reason for each in second.refused}
    assert (state_of(stored), kept_aside(tmp_path / "data")) == (before, kept)


async def test_links_pipes_and_names_in_other_encodings_are_refused_and_hinder_nobody(root, bring_in, tmp_path):
    inside = root / next(file.name for file in REFUSED).rpartition("/")[0]
    inside.mkdir(parents=True, exist_ok=True)
    good = next(each for each in root.rglob("*_ADT-12_*_1") if each.is_file())
    name = good.name.replace("9" * 15, "0" * 15)
    (good.parent / name).symlink_to(good)
    (root / "link").symlink_to(tmp_path)
    os.mkfifo(root / "pipe")
    (inside / os.fsdecode("検査メモ.txt".encode("shift_jis"))).write_text("x")
    (inside / "a\n\x1b[2Jb").write_text("x")
    report = await bring_in(root)
    assert counted(report) == {"imported": 40, "refused": 5}
    reasons = Counter(each.reason for each in report.refused)
    assert reasons["is a symbolic link, which is not followed"] == 2
    assert reasons["is not a regular file"] == 1
    assert all(each.path.encode().isascii() or each.path.isprintable() for each in report.refused)
    assert len(kept_aside(tmp_path / "data")) == 5


async def test_unknown_bytes_never_stop_an_import(root, bring_in):
    good = sorted(each for each in root.rglob("*_1") if each.is_file())
    for number, file in enumerate(good[:20]):
        data = file.read_bytes()
        at = len(data) * (number + 1) // 22
        file.write_bytes(data[:at] + bytes([0, 27, 255, 124, 126, 94][number % 6 :]) + data[at + 7 :])
    report = await bring_in(root)
    assert report.total == 40
    assert report.count("imported", "refused") == 40
    assert not [each.reason for each in report.refused if "unexpected" in str(each.reason)]


async def test_strict_lets_hl7apy_judge_and_refuses_what_it_finds_wrong(root, bring_in):
    for diagnoses in root.rglob("*_PPR-01_*"):  # SS-MIX2 gives PRB-10 more components than HL7 v2.5 knows
        diagnoses.unlink()
    good = (await bring_in(root, strict=True)).count("imported")
    assert good == sum(each.is_file() for each in root.rglob("*"))
    path, data = next(file for file in history(HOSPITAL_B, 1, 0) if "/ADT-12/" in file[0])
    wrong = bad.Faulty(path.replace("9" * 15, "1" * 15), data.replace(b"^ADT_A01", b"^ADT_A01^X"), "MSH-9 has four components")
    put(root, wrong)
    report = await bring_in(root, strict=True)
    assert counted(report) == {"refused": 1, "unchanged": good}
    assert str(report.refused[0].reason).startswith("not strictly HL7 v2.5: ")
    assert counted(await bring_in(root)) == {"imported": 1, "unchanged": good}


def test_the_command_says_what_was_refused_names_nobody_and_ends_with_1(root, tmp_path, mongodb_uri, database_name):
    put(root, *REFUSED, *CARELESS)
    ended, report = reported(root, tmp_path / "data", TSUNAGI_MONGODB_URI=mongodb_uri, TSUNAGI_DATABASE=database_name)
    assert ended.status == 1
    assert {each["path"] for each in report["refused"]} == {file.name for file in REFUSED}
    assert f"{len(REFUSED)} refused" in ended.stdout
    assert report["kinds"]["ADT-12"]["imported"] >= len(CARELESS)
    said = ended.stdout + ended.stderr + str([(each["segment"], each["reason"]) for each in report["refused"]]) + str(report["warnings"])
    for file in REFUSED:
        said = said.replace(file.name, "")
    assert [word for word in personal_data() if word in said] == []
    assert "Traceback" not in ended.stderr
