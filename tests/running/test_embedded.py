"""The embedded MongoDB: it starts, survives, refuses and goes."""

import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pymongo import MongoClient, WriteConcern

from fhir_server.store.embedded import DirectoryInUse, Embedded, EmbeddedError, External, Guest, Options, attach, open_database
from fhir_server.store.mongod import Mongod, free_port

SMALL = Options(cache_megabytes=256, oplog_megabytes=16)

OWNER = """
import sys, time
from pathlib import Path
from fhir_server.store.embedded import Embedded, Options
with Embedded(Path(sys.argv[1]), "the first owner", Options(256, 16)) as database:
    print(database.pid, database.uri, flush=True)
    time.sleep(60)
"""


def write(uri: str, number: int) -> None:
    with MongoClient(uri, serverSelectionTimeoutMS=10_000) as client:
        client.x.get_collection("y", write_concern=WriteConcern("majority", j=True)).insert_one({"_id": number})


def numbers(uri: str) -> set[int]:
    with MongoClient(uri, serverSelectionTimeoutMS=10_000) as client:
        return {document["_id"] for document in client.x.y.find()}


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ends(pid: int, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not runs(pid)


def other_owner(directory: Path) -> tuple[subprocess.Popen[str], int, str]:
    process = subprocess.Popen([sys.executable, "-c", OWNER, str(directory)], stdout=subprocess.PIPE, text=True)
    pid, uri = process.stdout.readline().split()
    return process, int(pid), uri


def test_data_survive_an_orderly_stop_and_a_new_port(tmp_path):
    with Embedded(tmp_path, "a test", SMALL) as first:
        write(first.uri, 1)
        pid, uri = first.pid, first.uri
    assert not runs(pid)
    with Embedded(tmp_path, "a test", SMALL) as second:
        assert second.uri != uri
        write(second.uri, 2)
        assert numbers(second.uri) == {1, 2}
    assert not runs(second.pid or 0)


def test_only_this_machine_and_this_user_can_reach_it(tmp_path):
    with Embedded(tmp_path / "new", "a test", SMALL) as database, MongoClient(database.uri) as client:
        net = client.admin.command("getCmdLineOpts")["parsed"]["net"]
        assert net["bindIp"] == "127.0.0.1"
        assert net["unixDomainSocket"] == {"enabled": False}
        assert net["compression"] == {"compressors": "disabled"}
        assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_a_killed_mongod_is_started_again_at_the_same_address_without_loss(tmp_path):
    with Embedded(tmp_path, "a test", SMALL) as database:
        write(database.uri, 1)
        killed = database.pid
        os.kill(killed, signal.SIGKILL)
        assert ends(killed)
        deadline = time.monotonic() + 30
        while database.pid == killed and time.monotonic() < deadline:
            database.tend()
            time.sleep(0.05)
        assert database.pid != killed
        write(database.uri, 2)
        assert numbers(database.uri) == {1, 2}


def test_a_killed_owner_takes_mongod_with_it_and_the_next_owner_finds_all(tmp_path):
    owner, pid, uri = other_owner(tmp_path)
    write(uri, 1)
    owner.kill()
    owner.wait()
    with Embedded(tmp_path, "the next owner", SMALL) as database:  # at once: mongod may still be ending
        assert numbers(database.uri) == {1}
    assert ends(pid)


def test_a_second_owner_is_refused_and_told_who_the_first_is(tmp_path):
    owner, pid, _ = other_owner(tmp_path)
    try:
        with pytest.raises(DirectoryInUse) as refusal:
            Embedded(tmp_path, "a second", SMALL).start()
        assert str(tmp_path) in str(refusal.value)
        assert f"the first owner (process {owner.pid}, since " in str(refusal.value)
        assert "\n" not in str(refusal.value)
    finally:
        owner.terminate()
        owner.wait()
    assert ends(pid)


def test_a_guest_uses_the_owners_database_and_leaves_it_running(tmp_path):
    with Embedded(tmp_path, "a test", SMALL) as owner:
        with open_database(None, tmp_path, "an import", SMALL, share=True) as guest:
            assert isinstance(guest, Guest)
            assert guest.uri == owner.uri
            write(guest.uri, 1)
        assert numbers(owner.uri) == {1}
    assert attach(tmp_path) is None


def test_without_an_owner_the_one_who_would_share_becomes_the_owner(tmp_path):
    with open_database(None, tmp_path, "an import", SMALL, share=True) as database:
        assert isinstance(database, Embedded)


def test_a_given_address_is_used_as_it_is(tmp_path):
    assert open_database("mongodb://db.example/?replicaSet=r", tmp_path, "a test") == External("mongodb://db.example/?replicaSet=r")
    assert list(tmp_path.iterdir()) == []


def test_a_forked_child_does_not_hold_the_directory(tmp_path):
    database = Embedded(tmp_path, "a test", SMALL).start()
    child = os.fork()
    if child == 0:
        database.leave()
        time.sleep(30)
        os._exit(0)
    try:
        time.sleep(0.2)
        database.stop()
        with Embedded(tmp_path, "the next", SMALL) as following:
            assert following.pid
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_mongod_that_nobody_owns_any_more_is_asked_to_end(tmp_path):
    orphan = Mongod(tmp_path, free_port(), SMALL)
    with Embedded(tmp_path, "a test", SMALL) as database:
        assert orphan.ended() == 0
        assert database.pid != orphan.pid
    orphan.stop(1)


def test_a_large_log_is_put_aside_while_mongod_runs(tmp_path):
    with Embedded(tmp_path, "a test", SMALL) as database:
        with (tmp_path / "mongod.log").open("a") as log:
            log.write(" " * 17_000_000)
        database.tend()
        deadline = time.monotonic() + 10
        while not (tmp_path / "mongod.log").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert (tmp_path / "mongod.log").stat().st_size < 1_000_000
        assert (tmp_path / "mongod.log.1").stat().st_size > 17_000_000


def test_another_platform_is_told_the_setting_to_use(tmp_path, monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(EmbeddedError, match="riscv64: set TSUNAGI_MONGODB_URI"):
        Embedded(tmp_path, "a test", SMALL).start()
    monkeypatch.undo()
    assert attach(tmp_path) is None  # the directory is free again


def test_a_missing_binary_names_the_extra_that_brings_it(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EmbeddedError, match=r"tsunagi\[embedded\].*TSUNAGI_MONGODB_URI"):
        Embedded(tmp_path, "a test", SMALL).start()


def test_a_mongod_that_cannot_start_says_why_in_one_line(tmp_path):
    (tmp_path / "storage.bson").write_text("not a database")
    with pytest.raises(EmbeddedError, match=r"mongod ended with status .* at its start") as failure:
        Embedded(tmp_path, "a test", SMALL).start()
    assert "\n" not in str(failure.value)
    assert "Unable to read the storage engine metadata file" in str(failure.value)


def test_a_directory_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedError, match="file"):
        Embedded(tmp_path / "file" / "data", "a test", SMALL).start()
