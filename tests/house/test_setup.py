"""`make setup` mends what was interrupted or moved, and `make demo` leaves no process behind.

The package index is not asked here: a Python that only writes down what it is asked for stands for the real one. What really
gets installed is seen by whoever runs the tests, since `make test` installed it.
"""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.shared import REPOSITORY

PYTHON = """\
#!/bin/sh
case "$*" in
    *"-m venv "*) mkdir -p .venv/bin && cp "$0" .venv/bin/python; echo venv >>asked ;;
    *"-m pip install"*) echo pip >>asked; [ ! -e "$PWD/no-network" ] ;;
    --version) echo Python 3.11.0 ;;
esac
"""

SERVER = """\
#!/bin/sh
trap 'echo stopped >>asked; exit 0' INT TERM
echo "$@" >>asked
while :; do sleep 0.05; done
"""


@pytest.fixture
def clone(tmp_path) -> Path:
    """Make a folder with the Makefile and what `make setup` reads."""
    clone = tmp_path / "clone"
    (clone / ".ci").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "requirements.lock", ".ci/setup"):
        shutil.copy(REPOSITORY / name, clone / name)
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    return clone


def make(clone: Path, *words: str) -> tuple[int, list[str]]:
    """Run make; give its status and what was asked of Python."""
    asked = clone / "asked"
    asked.unlink(missing_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    environment["PYTHON"] = str(clone.parent / "python")
    status = subprocess.run(["make", *words], cwd=clone, env=environment, capture_output=True, check=False, timeout=60).returncode
    return status, asked.read_text().split() if asked.exists() else []


def test_setup_installs_once(clone):
    assert make(clone, "setup") == (0, ["venv", "pip", "pip"])
    assert make(clone, "setup") == (0, [])


def test_setup_installs_again_into_the_same_environment_when_the_lock_changes(clone):
    make(clone, "setup")
    later = time.time() + 10
    os.utime(clone / "requirements.lock", (later, later))
    assert make(clone, "setup") == (0, ["pip", "pip"])


def test_an_interrupted_setup_is_begun_anew(clone):
    (clone / "no-network").touch()
    status, _ = make(clone, "setup")
    assert status != 0
    (clone / "no-network").unlink()
    assert make(clone, "setup") == (0, ["venv", "pip", "pip"])


def test_an_environment_without_pip_is_made_anew(clone):
    make(clone, "setup")
    (clone / ".venv/.ready").unlink()
    (clone / ".venv/bin/python").unlink()
    assert make(clone, "setup") == (0, ["venv", "pip", "pip"])


def test_a_clone_that_was_moved_is_set_up_anew(clone):
    make(clone, "setup")
    moved = clone.rename(clone.with_name("moved"))
    assert make(moved, "setup") == (0, ["venv", "pip", "pip"])
    assert make(moved, "setup") == (0, [])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "kill"])
def test_ending_make_demo_ends_the_server(clone, number):
    make(clone, "setup")
    server = clone / ".venv/bin/tsunagi"
    server.write_text(SERVER)
    server.chmod(0o755)
    asked = clone / "asked"
    asked.unlink()
    group = subprocess.Popen(["make", "demo", "ARGS=--port 9000"], cwd=clone, start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: asked.exists() and asked.read_text() == "demo --port 9000\n")
        os.killpg(group.pid, number) if number == signal.SIGINT else group.send_signal(number)
        group.wait(timeout=10)
        wait_until(lambda: "stopped" in asked.read_text())
        wait_until(lambda: not alive(group.pid))
    finally:
        if alive(group.pid):
            os.killpg(group.pid, signal.SIGKILL)


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
