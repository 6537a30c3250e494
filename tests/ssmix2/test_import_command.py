"""`tsunagi ssmix2 import` as an operator uses it: alone, beside a running server, twice, interrupted, mistyped."""

import os
import re
import signal
import ssl
import time

import httpx
import pytest

from fhir_server.sandbox.facilities import HOSPITAL_B
from fhir_server.sandbox.hospital import history
from fhir_server.store.mongod import free_port
from mappers.hl7v2.message import parse
from tests.ssmix2.imports import (
    FACILITY,
    bytes_of,
    database_of,
    end_of,
    end_state,
    hospital,
    imported,
    nothing_is_left,
    of_type,
    reported,
    run_import,
    start_import,
    tsunagi,
)

JLAC10 = "http://medis.or.jp/CodeSystem/master-JLAC10-17digits"
PATIENTS = f"urn:oid:1.2.392.100495.20.3.51.1{FACILITY}"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # made once: it takes httpx long


def test_an_import_reports_what_it_did_and_a_second_one_changes_nothing(tmp_path):
    root, data = hospital(tmp_path), tmp_path / "data"
    ended, report = reported(root, data)
    assert ended.status == 0, ended
    assert report["files"] == 60
    assert {state for states in report["kinds"].values() for state in states} == {"imported"}
    assert sum(states["imported"] for states in report["kinds"].values()) == 60
    assert report["resources"]["created"] > 60
    assert report["resources"]["deleted"] == 0
    assert report["refused"] == []
    assert "60 files in" in ended.stdout
    assert "0 refused" in ended.stdout
    nothing_is_left(data)
    with database_of(data) as database:
        before = bytes_of(database)
        assert len(before["resource"]) == report["resources"]["created"]

    ended, again = reported(root, data)
    assert ended.status == 0, ended
    assert {state for states in again["kinds"].values() for state in states} == {"unchanged"}
    assert {change: number for change, number in again["resources"].items() if number} == {"unchanged": again["resources"]["unchanged"]}
    with database_of(data) as database:
        assert bytes_of(database) == before
    nothing_is_left(data)


def values_of_files(number, code):
    """What the files say: collection time and value of one test of one patient, newest first."""
    found = []
    for path, data in history(HOSPITAL_B, 4, 1, 60):
        if f"/{number}/" in path and "/OML-11/" in path:
            message = parse(data)
            collected = message.first("SPM").first(17)[1]
            found += [(collected, obx[5], obx.first(3)[2]) for obx in message.all("OBX") if obx.first(3)[1] == code]
    return sorted(found, reverse=True)


def most_frequent_test():
    """Patient number and code of the test with the most values."""
    counts = {}
    for path, data in history(HOSPITAL_B, 4, 1, 60):
        if "/OML-11/" in path:
            for obx in parse(data).all("OBX"):
                key = (path.split("/")[2], obx.first(3)[1])
                counts[key] = counts.get(key, 0) + (obx[2] == "NM")
    return max(counts, key=counts.get)


def ask(port, path, *parameters):
    answer = httpx.get(f"http://127.0.0.1:{port}/fhir/{path}", params=parameters, timeout=30, verify=NO_TLS)
    assert answer.status_code == 200, answer.text
    return [entry["resource"] for entry in answer.json()["entry"]]


def served(data):
    port = free_port()
    server = tsunagi("serve", "--data", data, "--port", port, "--workers", 1, TSUNAGI_AUTHENTICATION="off")  # who reads is not asked here
    assert "Tsunagi serves" in server.stdout.readline()
    return server, port


def test_an_import_beside_a_running_server_is_found_there_at_once_with_its_japanese_text(tmp_path):
    root, data = hospital(tmp_path), tmp_path / "data"
    server, port = served(data)
    try:
        ended = run_import(root, data)
        assert ended.status == 0, ended
        number, code = most_frequent_test()
        said = values_of_files(number, code)
        assert len(said) > 2
        found = ask(port, "Observation", ("patient.identifier", f"{PATIENTS}|{number}"), ("code", f"{JLAC10}|{code}"), ("_sort", "-date"))
        assert [each["valueQuantity"]["value"] for each in found] == [float(value) for _, value, _ in said]
        assert [re.sub(r"\D", "", each["effectiveDateTime"])[:12] for each in found] == [time[:12] for time, _, _ in said]
        assert {each["code"]["text"] for each in found} == {text for _, _, text in said}
        (patient,) = ask(port, "Patient", ("identifier", f"{PATIENTS}|{number}"))
        pid = next(parse(file) for path, file in history(HOSPITAL_B, 4, 1, 60) if f"/{number}/" in path).first("PID")
        assert {(name["family"], *name["given"]) for name in patient["name"]} == {
            (repetition[1], repetition[2]) for repetition in pid.repetitions(5)
        }
        server.send_signal(signal.SIGTERM)
    finally:
        assert end_of(server, 60).status == 0
    alone = tmp_path / "alone"
    assert run_import(root, alone).status == 0
    assert end_state(alone) == end_state(data)
    nothing_is_left(data)


def test_ctrl_c_ends_with_130_soon_leaves_no_process_and_the_same_command_goes_on(tmp_path):
    root, data = hospital(tmp_path, 8, 400), tmp_path / "data"
    process = start_import(root, data)
    wait_until_some_are_in(data, process)
    started = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)  # as the terminal does
    ended = end_of(process)
    assert ended.status == 130, ended
    assert time.monotonic() - started < 20
    assert "start the same import again" in ended.stderr
    assert "Traceback" not in ended.stderr
    nothing_is_left(data)
    with database_of(data) as database:
        assert 0 < imported(database) < 400
    ended, report = reported(root, data)
    assert ended.status == 0
    states = {state: sum(kind.get(state, 0) for kind in report["kinds"].values()) for state in ("imported", "unchanged")}
    assert states["imported"] + states["unchanged"] == 400
    assert min(states.values()) > 0
    assert len(of_type(end_state(data), "Provenance")) == 400


def wait_until_some_are_in(data, process, least=5):
    from fhir_server.store.embedded import attach

    deadline = time.monotonic() + 60
    while not (data / "mongodb").is_dir() or attach(data / "mongodb") is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with database_of(data) as database:
        while imported(database) < least:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.mark.parametrize("code", ["17", "3710000017x", "５５１００００００１", "3790000017"[:9], ""])
def test_a_wrong_facility_is_one_clear_line(tmp_path, code):
    ended = run_import(tmp_path, tmp_path / "data", facility=code)
    assert ended.status == 2
    assert ended.stderr.count("\n") == 1
    assert "--facility takes the 10 digits" in ended.stderr
    assert not (tmp_path / "data").exists()


def test_a_missing_directory_is_one_clear_line(tmp_path):
    ended = run_import(tmp_path / "missing", tmp_path / "data")
    assert ended.status == 2
    assert ended.stderr == f"tsunagi: {tmp_path / 'missing'} is no directory\n"
    assert not (tmp_path / "data").exists()


def test_an_unreachable_place_for_the_report_is_told_before_the_work(tmp_path):
    ended = run_import(hospital(tmp_path, 1, 3), tmp_path / "data", "--report", tmp_path / "missing" / "report.json")
    assert ended.status == 2
    assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "data").exists()


def test_an_empty_storage_is_imported_in_peace(tmp_path, mongodb_uri, database_name):
    (tmp_path / "empty").mkdir()
    ended, report = reported(tmp_path / "empty", tmp_path / "data", TSUNAGI_MONGODB_URI=mongodb_uri, TSUNAGI_DATABASE=database_name)
    assert ended.status == 0
    assert report["files"] == 0
