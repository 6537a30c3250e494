"""What is tracked names no place of its making, holds no secret, and the tests stay on this machine."""

import ast
import re
import subprocess
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.shared import REPOSITORY

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
CALLERS = {"httpx", "requests", "urllib", "socket", "aiohttp", "http"}
FORBIDDEN = {
    "a path of the place where it was written": r"(?<![\w.*-])/(?:work|root|home/\w+|opt/wheels|tmp/bash)/",
    "a package registry": r"\b(?:pypi|pythonhosted|npmjs|anaconda)\.(?:org|com)\b|--(?:extra-)?index-url|--find-links",
    "a secret": r"-----BEGIN [A-Z ]*PRIVATE KEY|mongodb(?:\+srv)?://[^\s/@{}<>]+:[^\s/@{}<>]+@",
}


@cache
def tracked() -> list[Path]:
    """List the files that git tracks, or all where this is no clone."""
    if not (REPOSITORY / ".git").exists():
        return [path for folder in ("bench", "docs", "fhir_server", "tests") for path in (REPOSITORY / folder).rglob("*") if path.is_file()]
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.split("\0") if name and (path := REPOSITORY / name).is_file()]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_names(what):
    pattern = re.compile(FORBIDDEN[what])
    found = []
    for path in tracked():
        if path == Path(__file__) or path.suffix == ".gz":
            continue
        if what == "a secret" and path.is_relative_to(REPOSITORY / "tests"):
            continue  # the tests that no log shows a password need one
        text = path.read_bytes().decode("utf-8", errors="replace")
        found += [f"{path.relative_to(REPOSITORY)}:{n}" for n, line in enumerate(text.splitlines(), 1) if pattern.search(line)]
    assert not found


def calls_away(path: Path) -> list[int]:
    """Give the lines where a network library is handed an address that is not this machine."""
    lines = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        base = re.split(r"[.(]", ast.unparse(node.func))[0]
        for part in (
            [*node.args, *(keyword.value for keyword in node.keywords)] if base in CALLERS or "urlopen" in ast.unparse(node.func) else []
        ):
            for text in ast.walk(part):
                if isinstance(text, ast.Constant) and isinstance(text.value, str) and re.match("(?:https?|mongodb)://", text.value):
                    host = urlsplit(text.value).hostname
                    lines += [node.lineno] if host and host not in LOOPBACK else []
    return lines


@pytest.mark.parametrize("folder", ["tests", "bench"])
def test_nothing_here_calls_another_machine(folder):
    found = {path.name: lines for path in (REPOSITORY / folder).rglob("*.py") if (lines := calls_away(path))}
    assert not found
