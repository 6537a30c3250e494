"""Walks an SS-MIX2 standard storage patient by patient, so that memory does not grow with the storage.

`<root>/<id 1-3>/<id 4-6>/<patient id>/<care day or "-">/<kind>/<file>`; a logical document is (patient, care day, kind,
order): its file with flag 1 is current, those with 2 are superseded, those with 0 deleted (SS-MIX2 standard storage 1.2).
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from mappers.file_name import FileName, FileNameError, parse

FOLDERS = 5
"""How many folders a file lies in."""


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
    """Give the paths of all files of one patient's folder; of `.`, those that lie outside any patient's folder.

    A link to a folder is not followed, and a folder that cannot be listed holds nobody knows what: both are given like
    files, so that they are refused and not passed over in silence.
    """
    if folder == ".":
        yield from _stray_files(root)
        return
    unlisted: list[str] = []
    for directory, below, names in os.walk(root / folder, onerror=lambda error: unlisted.append(error.filename)):
        below.sort()
        links = [name for name in below if os.path.islink(f"{directory}/{name}")]  # noqa: PTH114 - for every folder of a storage
        relative = Path(directory).relative_to(root)
        yield from (str(relative / name) for name in sorted([*names, *links]))
    yield from (str(Path(folder).relative_to(root)) for folder in unlisted)


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
    """Parse the path of a file; it has to lie where the standard storage wants it.

    A file that lies higher or lower may belong to another storage, whose patient numbers mean other people.
    """
    if path.count("/") != FOLDERS:
        return Found(path, None, "misplaced file: not in 患者ID先頭3桁/4-6桁/患者ID/診療日/データ種別 below the root folder")
    try:
        return Found(path, parse(path))
    except FileNameError as error:
        return Found(path, None, str(error))


def shown(path: str) -> str:
    """Give a path as text that can be encoded and printed: names may be Shift_JIS, or hold control characters."""
    text = os.fsencode(path).decode(errors="backslashreplace")
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


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
    above = _folders(root, "")
    for folder in chain([""], above, (below for first in above for below in _folders(root, first))):
        with os.scandir(root / folder) as entries:
            yield from sorted(str(Path(folder) / entry.name) for entry in entries if not entry.is_dir(follow_symlinks=False))


def _has_stray_files(root: Path) -> bool:
    return next(_stray_files(root), None) is not None
