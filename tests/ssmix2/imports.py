"""Imports as an operator starts them: a hospital of a few patients, the command as a process of its own, what it left."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bson import json_util
from pymongo import MongoClient

from fhir_server.sandbox.facilities import HOSPITAL_B
from fhir_server.sandbox.hospital import write_tree
from fhir_server.settings import Settings
from fhir_server.ssmix2.aside import Aside
from fhir_server.ssmix2.report import Report
from fhir_server.store.embedded import Embedded, Options, attach
from fhir_server.store.ownership import owner_of

FACILITY = HOSPITAL_B.code
SMALL = Options(cache_megabytes=256, oplog_megabytes=16)
SECONDS = 120.0


def hospital(directory, patients=4, files=60, seed=1, **more):
    """Write a hospital and give its root folder."""
    assert write_tree(directory, HOSPITAL_B, patients, seed, files, **more) == files
    return directory / FACILITY


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TSUNAGI_")}
    return {**kept, "TSUNAGI_MONGODB_CACHE": "256", "TSUNAGI_MONGODB_OPLOG": "16", **more}


def tsunagi(*words, **more):
    """Start the command in a process group of its own, as a shell does."""
    return subprocess.Popen(
        [sys.executable, "-m", "fhir_server", *map(str, words)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=environment(**more),
    )


def start_import(root, data, *words, facility=FACILITY, **more):
    return tsunagi("ssmix2", "import", root, "--facility", facility, "--data", data, *words, **more)


@dataclass(frozen=True)
class Ended:
    status: int
    stdout: str
    stderr: str


def end_of(process, seconds=SECONDS):
    try:
        stdout, stderr = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return Ended(process.returncode, stdout, stderr)


def run_import(root, data, *words, **more):
    return end_of(start_import(root, data, *words, **more))


def reported(root, data, *words, **more):
    """Import with --report; give how it ended and the report."""
    path = data.parent / "report.json"
    path.unlink(missing_ok=True)
    ended = run_import(root, data, "--report", path, *words, **more)
    assert path.exists(), ended
    return ended, json.loads(path.read_text())


@contextmanager
def database_of(data):
    """The database of a data directory, beside whoever runs it or alone."""
    guest = attach(data / "mongodb")
    with guest or Embedded(data / "mongodb", "a test looks", SMALL) as running, MongoClient(running.uri) as client:
        yield client[Settings().database]


def bytes_of(database):
    """Everything that is stored, byte for byte."""
    return {
        name: {document["_id"]: json_util.dumps(document, sort_keys=True) for document in database[name].find()}
        for name in ("resource", "history")
    }


def state_of(database):
    """Every current resource without version and time: what an import has to end in, however it came about."""
    state = {}
    for document in database["resource"].find({"m": {"$ne": "DELETE"}}):
        resource = json.loads(document["b"])
        resource["meta"] = {key: value for key, value in resource["meta"].items() if key not in {"versionId", "lastUpdated"}}
        assert document["_id"] == f"{resource['resourceType']}/{resource['id']}"
        state[document["_id"]] = resource
    return state


def end_state(data):
    with database_of(data) as database:
        return state_of(database)


def of_type(state, type):
    return [resource for resource in state.values() if resource["resourceType"] == type]


def imported(database):
    """How many documents are in: each has a Provenance."""
    return database["resource"].count_documents({"t": "Provenance"})


def processes_of(data, seconds=10.0):
    """The processes that still have to do with a data directory, after a while of waiting for their end."""
    deadline = time.monotonic() + seconds
    names = {os.fsencode(data), os.fsencode(data / "mongodb")}
    while True:
        left = [int(each.name) for each in Path("/proc").glob("[0-9]*") if names & set(words_of(each.name))]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.1)


def words_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def children_of(pid):
    """The living children of a process."""
    found = []
    for each in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = each.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(each.parent.name))
    return found


def nothing_is_left(data):
    assert processes_of(data) == []
    assert owner_of(data / "mongodb") is None


def kept_aside(data, facility=FACILITY):
    """What lies in the aside folder: path and reason."""
    folder = Aside(data, facility).folder
    return {
        str(path.relative_to(folder)).removesuffix(".reason.json"): json.loads(path.read_text()) for path in folder.rglob("*.reason.json")
    }


def counted(report: Report):
    return {state: report.count(state) for _, state in sorted(report.files)}
