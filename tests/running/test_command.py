"""The `tsunagi` command: it teaches, it is quick, and it fails in one line."""

import subprocess
import sys
import time

import pytest

from fhir_server.__main__ import main


def run(*words, **environment):
    return subprocess.run(
        [sys.executable, "-m", "fhir_server", *words], check=False, capture_output=True, text=True, timeout=60, **environment
    )


def test_help_teaches_with_examples():
    done = run("--help")
    assert done.returncode == 0
    assert "tsunagi demo" in done.stdout
    assert "tsunagi ssmix2 import DIR --facility" in done.stdout
    assert "架空病院" in done.stdout


def test_help_loads_no_server():
    code = "import sys; sys.argv = ['tsunagi', '--help']\nimport fhir_server.__main__ as m\ntry: m.main()\nexcept SystemExit: pass\n"
    code += "print([name for name in ('pymongo', 'uvicorn', 'fastapi', 'msgspec') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60)
    assert done.stdout.endswith("[]\n")


def test_help_answers_at_once():
    times = []
    for _ in range(3):
        started = time.monotonic()
        run("--help")
        times.append(time.monotonic() - started)
    assert min(times) < 1.0  # generous for a busy machine; 0.1 s is usual


def test_the_version_is_told():
    assert run("--version").stdout.startswith("tsunagi 0.")


@pytest.mark.parametrize("command", ["serve", "demo", "facility", "user", "client", "cert", "session", "ssmix2", "settings", "openapi"])
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert f"usage: tsunagi {command}" in capsys.readouterr().out


def test_a_wrong_setting_is_one_line_and_status_2(capsys, monkeypatch):
    monkeypatch.setenv("TSUNAGI_PORT", "http")
    assert main(["settings"]) == 2
    assert capsys.readouterr().err == "tsunagi: setting port (TSUNAGI_PORT): expected 1-65535\n"


def test_a_wrong_argument_is_one_line_and_status_2(capsys):
    assert main(["serve", "--port", "none"]) == 2
    assert capsys.readouterr().err == "tsunagi: setting port (command line): expected 1-65535\n"


def test_the_settings_in_force_are_shown_without_secrets(capsys, monkeypatch):
    monkeypatch.setenv("TSUNAGI_MONGODB_URI", "mongodb://me:hidden@db/")
    assert main(["settings"]) == 0
    out = capsys.readouterr().out
    assert "mongodb_uri = (set)" in out
    assert "hidden" not in out


def test_the_demo_never_resets_a_database_of_somebody_else(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("TSUNAGI_MONGODB_URI", "mongodb://db/")
    assert main(["demo", "--reset", "--data", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("tsunagi: --reset removes the demo's own database only")
