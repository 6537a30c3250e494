"""`tsunagi demo` on a hospital of a few patients: interrupted, run again, asked, and begun anew."""

import os
import re
import shlex
import signal
import subprocess
import sys

import httpx

from fhir_server.store.mongod import free_port
from tests.running.test_serving import NO_TLS, left_of

SMALL = """
import sys
from fhir_server.command import demo
demo.PATIENTS, demo.FILES = 12, 160
from fhir_server.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


class Demo:
    """A running demo; `until` reads what it prints."""

    def __init__(self, directory, *words):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TSUNAGI_")}
        self.errors = (directory.parent / "errors").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-c", SMALL, "demo", "--port", str(free_port()), "--data", str(directory), "--workers", "1", *words],
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            start_new_session=True,
            env=environment | {"TSUNAGI_MONGODB_CACHE": "256", "TSUNAGI_MONGODB_OPLOG": "16"},
        )

    def until(self, text):
        said = ""
        for line in self.process.stdout:
            said += line
            if text in line:
                return said
        self.errors.seek(0)
        raise AssertionError(said + self.errors.read())

    def interrupt(self):
        os.killpg(self.process.pid, signal.SIGINT)  # as the terminal does
        status = self.process.wait(60)
        self.process.stdout.close()
        self.errors.close()
        return status


def ask(command):
    """Ask what the printed curl command asks."""
    words = shlex.split(command)
    parameters = [tuple(words[at + 1].split("=", 1)) for at, word in enumerate(words) if word == "--data-urlencode"]
    return httpx.get(words[2], params=parameters, timeout=20, verify=NO_TLS).json()


def test_the_demo_can_be_interrupted_and_run_again_and_its_requests_answer(tmp_path):
    directory = tmp_path / "demo"
    interrupted = Demo(directory)
    interrupted.until("Importing it")
    assert interrupted.interrupt() == 130
    assert left_of(directory) == []

    again = Demo(directory)
    said = again.until("3. ")
    said += "".join(again.process.stdout.readline() for _ in range(2))
    commands = re.findall(r"^ +(curl .*)$", said, re.MULTILINE)
    patients, values, prescriptions = map(ask, commands)
    assert patients["entry"][0]["resource"]["resourceType"] == "Patient"
    dates = [entry["resource"]["effectiveDateTime"] for entry in values["entry"]]
    assert dates
    assert dates == sorted(dates, reverse=True)
    assert prescriptions["entry"][0]["resource"]["resourceType"] == "MedicationRequest"
    assert again.interrupt() == 0
    assert left_of(directory) == []

    third = Demo(directory)
    assert "Importing" not in third.until("3. ")
    assert third.interrupt() == 0

    anew = Demo(directory, "--reset")
    assert "Importing" in anew.until("3. ")
    assert anew.interrupt() == 0
    assert left_of(directory) == []
