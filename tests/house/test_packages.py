"""Vendored definitions are what their publisher gave out, and they travel with the installed product."""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.shared import REPOSITORY

PACKAGES = ("terminology", "profiles", "mappers", "fhir_server")
FOLDERS = ("terminology/packages", "profiles/packages")
DATA = sorted(path for folder in FOLDERS for path in (REPOSITORY / folder).iterdir() if path.is_dir())
DATA += [REPOSITORY / "fhir_server/rest/swagger_ui", REPOSITORY / "fhir_server/authorization/viewer_fhirclient"]
SUMMED = [path for path in DATA if (path / "SHA256SUMS").exists()]


def name(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def sums(folder: Path) -> dict[str, str]:
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return {file.lstrip("*"): digest for digest, file in (line.split(maxsplit=1) for line in lines if line)}


def test_definitions_are_vendored():
    assert SUMMED


@pytest.mark.parametrize("folder", DATA, ids=name)
def test_a_package_says_where_it_comes_from(folder):
    text = (folder / "README.md").read_text(encoding="utf-8").lower()
    assert all(word in text for word in ("source", "version", "licen"))


@pytest.mark.parametrize("folder", SUMMED, ids=name)
def test_a_vendored_file_is_unchanged(folder):
    expected = sums(folder)
    assert expected.keys() == {path.name for path in folder.iterdir()} - {"SHA256SUMS", "README.md"}
    actual = {file: hashlib.sha256((folder / file).read_bytes()).hexdigest() for file in expected}
    assert actual == expected


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> set[str]:
    """Build the wheel from a copy, offline, and list what is in it."""
    copy = tmp_path_factory.mktemp("wheel")
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / file, copy)
    for package in PACKAGES:
        shutil.copytree(REPOSITORY / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    build = "import setuptools.build_meta as build; build.build_wheel('dist')"
    subprocess.run([sys.executable, "-c", build], cwd=copy, check=True, capture_output=True, timeout=120)
    [path] = (copy / "dist").glob("*.whl")
    return set(zipfile.ZipFile(path).namelist())


def test_everything_the_server_needs_is_in_the_wheel(wheel):
    files = {name(path) for package in PACKAGES for path in (REPOSITORY / package).rglob("*") if path.is_file()}
    assert not {file for file in files if "__pycache__" not in file} - wheel


def test_the_wheel_holds_no_tests_and_no_benchmarks(wheel):
    tops = {entry.split("/")[0] for entry in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)
