"""`tsunagi demo` on a hospital of a few patients: interrupted, run again, asked, and begun anew."""

import json
import os
import re
import shlex
import shutil
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


def token(said):
    """Get the token that the printed command gets."""
    words = shlex.split(re.search(r"TOKEN=\$\((curl .*?) \| sed", said)[1])
    form = dict(word.split("=", 1) for word in words if "=" in word)
    return httpx.post(words[-1], data=form, auth=tuple(words[words.index("-u") + 1].split(":")), verify=NO_TLS).json()["access_token"]


def ask(command, token):
    """Ask what the printed curl command asks."""
    words = shlex.split(command.replace("$TOKEN", token))
    parameters = [tuple(words[at + 1].split("=", 1)) for at, word in enumerate(words) if word == "--data-urlencode"]
    name, _, value = words[words.index("-H") + 1].partition(": ")
    return httpx.get(words[2], params=parameters, headers={name: value}, timeout=20, verify=NO_TLS).json()


def ask_in_a_shell(said, command):
    """Ask by what is printed, letter by letter."""
    line = re.search(r"^ *(TOKEN=.*)$", said, re.MULTILINE)[1]
    return json.loads(subprocess.run(["sh", "-c", f"{line}\n{command}"], check=True, capture_output=True, timeout=30).stdout)


def test_the_demo_can_be_interrupted_and_run_again_and_its_requests_answer(tmp_path):
    directory = tmp_path / "demo"
    interrupted = Demo(directory)
    interrupted.until("Importing ")
    assert interrupted.interrupt() == 130
    assert left_of(directory) == []

    again = Demo(directory)
    said = again.until("3. ")
    said += "".join(again.process.stdout.readline() for _ in range(2))
    commands = re.findall(r"^ +(curl .*)$", said, re.MULTILINE)
    tester = token(said)
    patients, values, prescriptions = (ask(command, tester) for command in commands)
    without_a_token = shlex.split(commands[0])[2]
    assert httpx.get(without_a_token, verify=NO_TLS).status_code == 401
    if shutil.which("curl"):
        assert ask_in_a_shell(said, commands[0])["entry"] == patients["entry"]
    golden = [entry["resource"] for entry in patients["entry"] if "link" not in entry["resource"]]
    others = [entry["resource"]["link"] for entry in patients["entry"] if "link" in entry["resource"]]
    assert [link[0]["other"]["reference"] for link in others] == [f"Patient/{golden[0]['id']}"] * 3  # one person at three facilities
    dates = [entry["resource"]["effectiveDateTime"] for entry in values["entry"]]
    assert dates
    assert dates == sorted(dates, reverse=True)
    assert prescriptions["entry"][0]["resource"]["resourceType"] == "MedicationRequest"
    assert again.interrupt() == 0
    assert left_of(directory) == []

    third = Demo(directory)
    said = third.until("3. ")
    assert "Importing" not in said
    assert token(said)
    assert third.interrupt() == 0

    anew = Demo(directory, "--reset")
    assert "Importing" in anew.until("3. ")
    assert anew.interrupt() == 0
    assert left_of(directory) == []
