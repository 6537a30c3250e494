"""Every module is small, says what it is, and has a name that says it too."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.shared import REPOSITORY

PACKAGES = ("terminology", "profiles", "mappers", "fhir_server")
WISH = 300
LIMIT = 500

LONG: dict[str, str] = {}
"""Modules over 300 lines, each with the reason why it reads better in one piece. Over 500 there is no reason."""

VAGUE_MODULES = {"base", "common", "core", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}
VAGUE_CLASSES = re.compile(r"(Manager|Helper|Helpers|Util|Utils|Impl|Processor)$")


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (REPOSITORY / folder).rglob("*.py"))


def name(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def public(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node


every_module = pytest.mark.parametrize("path", modules(*PACKAGES, "bench"), ids=name)
every_file = pytest.mark.parametrize("path", modules(*PACKAGES, "bench", "tests"), ids=name)


@every_file
def test_a_module_fits_the_mind(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LIMIT, f"{name(path)} has {lines} lines: find what it does twice, or the second thing it does"
    assert lines <= WISH or name(path) in LONG, f"{name(path)} has {lines} lines: divide it, or give LONG the reason why not"


def test_every_exception_from_the_size_is_still_needed():
    needed = {name(path) for path in modules(*PACKAGES, "bench", "tests") if len(path.read_text(encoding="utf-8").splitlines()) > WISH}
    assert set(LONG) <= needed


@every_module
def test_a_module_says_first_what_it_is(path):
    assert ast.get_docstring(tree(path)), f"{name(path)} has no docstring"


@pytest.mark.parametrize("path", modules(*PACKAGES), ids=name)
def test_what_is_public_has_a_docstring(path):
    silent = [node.name for node in public(tree(path).body) if not ast.get_docstring(node)]
    assert not silent, f"{name(path)}: {', '.join(silent)}"


@every_module
def test_no_name_says_nothing(path):
    words = {part.removesuffix(".py") for part in path.relative_to(REPOSITORY).parts}
    assert not words & VAGUE_MODULES, "what is it for? Name it after that"
    vague = [node.name for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef) and VAGUE_CLASSES.search(node.name)]
    assert not vague, f"{name(path)}: {', '.join(vague)}"
