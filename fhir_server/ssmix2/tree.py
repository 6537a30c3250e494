"""Walks an SS-MIX2 standard storage patient by patient, so that memory does not grow with the storage.

`<root>/<id 1-3>/<id 4-6>/<patient id>/<care day or "-">/<kind>/<file>`; a logical document is (patient, care day, kind,
order): its file with flag 1 is current, those with 2 are superseded, those with 0 deleted (SS-MIX2 standard storage 1.2).
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mappers.file_name import FileName, FileNameError, parse


@dataclass(frozen=True, slots=True)
class Found:
    """One file of the storage: its path relative to the root, and its parsed name or why it has none."""

    path: str
    name: FileName | None
    wrong: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """One logical document: the file that is current, if any, and those that no longer are (oldest first)."""

    current: Found | None
    past: tuple[Found, ...]

    @property
    def newest(self) -> Found:
        """The file that says what the document is now."""
        return self.current or self.past[-1]


def count(root: Path) -> int:
    """Count the files below the root."""
    return sum(len(files) for _, _, files in os.walk(root))


def patient_folders(root: Path) -> Iterator[str]:
    """Give the folders of the patients, relative to the root, in order; files that lie above them come as `.`-folders."""
    for first in _folders(root, ""):
        for second in _folders(root, first):
            yield from _folders(root, second)
    if _has_stray_files(root):
        yield "."


def files(root: Path, folder: str) -> Iterator[str]:
    """Give the paths of all files of one patient's folder; of `.`, those that lie outside any patient's folder."""
    if folder == ".":
        yield from _stray_files(root)
        return
    for directory, below, names in os.walk(root / folder):
        below.sort()
        relative = Path(directory).relative_to(root)
        yield from (str(relative / name) for name in sorted(names))


def documents(found: list[Found]) -> list[Document]:
    """Group one patient's well-named files into documents: basic data first, then in the order they were sent."""
    groups: dict[tuple[str, str | None, str, str], list[Found]] = {}
    for file in found:
        if file.name is not None:
            name = file.name
            groups.setdefault((name.patient_id, name.day, name.kind, name.order), []).append(file)
    result = [_document(group) for group in groups.values()]
    return sorted(result, key=_sending_order)


def look_at(path: str) -> Found:
    """Parse the path of a file."""
    try:
        return Found(path, parse(path))
    except FileNameError as error:
        return Found(path, None, str(error))


def _document(group: list[Found]) -> Document:
    group.sort(key=_time)
    valid = [file for file in group if file.name is not None and file.name.flag == "1"]
    current = valid[-1] if valid else None
    return Document(current, tuple(file for file in group if file is not current))


def _time(file: Found) -> str:
    return file.name.time.ljust(18, "0") if file.name is not None else ""


def _sending_order(document: Document) -> tuple[bool, str, str]:
    newest = document.newest
    kind = newest.name.kind if newest.name is not None else ""
    return kind != "ADT-00", _time(newest), newest.path


def _folders(root: Path, relative: str) -> list[str]:
    with os.scandir(root / relative) as entries:
        return sorted(str(Path(relative) / entry.name) for entry in entries if entry.is_dir(follow_symlinks=False))


def _stray_files(root: Path) -> Iterator[str]:
    for depth in ("", "*", "*/*"):
        pattern = f"{depth}/*" if depth else "*"
        yield from (str(path.relative_to(root)) for path in sorted(root.glob(pattern)) if path.is_file())


def _has_stray_files(root: Path) -> bool:
    return next(_stray_files(root), None) is not None
