"""S46: a path inside an archive can lead out of the folder that it is unpacked into."""

import ast
from pathlib import Path

import pytest

from tests.shared import REPOSITORY

PACKAGES = ("fhir_server", "mappers", "profiles", "terminology")
UNPACKING = {"tarfile", "zipfile", "zipimport"}
SOURCES = [path for package in PACKAGES for path in sorted((REPOSITORY / package).rglob("*.py"))]


def unpacks(path: Path) -> set[str]:
    """The means of unpacking an archive that a module imports or calls."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {name.name.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {(node.module or "").partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & {"unpack_archive", "extractall"}
    return imported & UNPACKING | called


def test_s46_nothing_here_unpacks_an_archive_so_no_path_in_one_leads_anywhere():
    assert len(SOURCES) > 200
    assert {path.relative_to(REPOSITORY).as_posix(): found for path in SOURCES if (found := unpacks(path))} == {}


@pytest.mark.parametrize("source", ["import tarfile", "from zipfile import ZipFile", "import shutil\nshutil.unpack_archive('x')"])
def test_s46_the_search_for_archives_finds_them(tmp_path, source):
    module = tmp_path / "module.py"
    module.write_text(source)
    assert unpacks(module)
