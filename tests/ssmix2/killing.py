"""Kills in the middle of an import, and what has to be true afterwards. Used by the short tests and by the marathon."""

import json
import os
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from fhir_server.store.embedded import attach
from fhir_server.store.mongod import free_port
from tests.ssmix2.imports import children_of, database_of, end_of, end_state, imported, nothing_is_left, start_import, tsunagi, words_of

VICTIMS = ("import", "worker", "server", "mongod")


def wait_for_database(data, process, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not (data / "mongodb").is_dir() or attach(data / "mongodb") is None:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "no database appeared"
        time.sleep(0.05)


def wait_until_in(data, process, least, seconds=60.0):
    """Wait until so many documents are stored, or the import has ended before."""
    deadline = time.monotonic() + seconds
    wait_for_database(data, process)
    with database_of(data) as database:
        while imported(database) < least and process.poll() is None:
            assert time.monotonic() < deadline, f"{imported(database)} documents are in"
            time.sleep(0.02)


def workers_of(process):
    """The import's worker processes: forks of it, which have its command line."""
    own = words_of(process.pid)
    return [pid for pid in children_of(process.pid) if words_of(pid) == own]


def mongod_of(data):
    """The process id of the data's mongod, if it runs."""
    lock = data / "mongodb" / "mongod.lock"
    text = lock.read_text().strip() if lock.exists() else ""
    return [int(text)] if text and os.fsencode(data / "mongodb") in words_of(text) else []


@contextmanager
def server_beside(data, wanted):
    """A running server of the same data, where one is wanted; a killed one stays dead."""
    if not wanted:
        yield None
        return
    server = tsunagi("serve", "--data", data, "--port", free_port(), "--workers", 1)
    try:
        assert "Tsunagi serves" in server.stdout.readline()
        yield server
    finally:
        if server.poll() is None:
            server.terminate()
        end_of(server, 60)


def kill(victim, process, server, data):
    """Kill one process without warning."""
    match victim:
        case "import":
            process.kill()
        case "worker":
            for pid in workers_of(process)[:1]:
                os.kill(pid, signal.SIGKILL)
        case "server":
            server.kill()
        case "mongod":
            for pid in mongod_of(data):
                os.kill(pid, signal.SIGKILL)


def interrupted_import(root, data, victim, *, beside, least=None, seconds=0.0):
    """Start an import, kill the victim when so many documents are in, or after some seconds. Give the import's end."""
    with server_beside(data, beside or victim == "server") as server:
        process = start_import(root, data)
        try:
            if least is None:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(seconds)
            else:
                wait_until_in(data, process, least)
            kill(victim, process, server, data)
            return end_of(process)
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()


def equals_undisturbed(root, data, expected):
    """Import once more, undisturbed; everything has to be as if nothing had happened."""
    nothing_is_left(data)
    ended = end_of(start_import(root, data))
    assert ended.status == 0, ended
    state = end_state(data)
    assert set(state) == set(expected)
    different = [key for key in expected if json.dumps(state[key]) != json.dumps(expected[key])]
    assert different == []
    nothing_is_left(data)


def undisturbed(root, data: Path):
    """The state in which an import ends that nobody disturbs, and how many seconds it took."""
    started = time.monotonic()
    ended = end_of(start_import(root, data))
    seconds = time.monotonic() - started
    assert ended.status == 0, ended
    return end_state(data), seconds
