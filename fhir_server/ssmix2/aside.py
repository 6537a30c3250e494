"""Keeps what could not be imported: the file's bytes and the reason, below the data directory, never inside the storage.

`<data>/ssmix2/aside/<facility>/<path>` holds the bytes, `<path>.reason.json` beside them the reason. A file that is
imported later leaves the folder again. Folder and files are readable by their owner only: they hold patient data.
"""

import hashlib
import os
from pathlib import Path

import msgspec

from fhir_server.ssmix2.tree import shown

_LONGEST_NAME = 200  # bytes; most file systems hold 255, and the reason's name is longer


class Aside:
    """The folder of one facility's files that were kept aside."""

    def __init__(self, data: Path, facility: str) -> None:
        self._door = data / "ssmix2" / "aside"
        self.folder = self._door / facility

    def keep(self, path: str, data: bytes | None, *, segment: str | None, reason: str) -> None:
        """Keep a file (None: its bytes cannot be had) and why; a repeated keep replaces both."""
        target = self._target(path)
        self._door.mkdir(parents=True, exist_ok=True, mode=0o700)  # closed for others: folders are named after patients
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if data is None:
            target.unlink(missing_ok=True)
        else:
            _write(target, data)
        _write(_reason(target), msgspec.json.encode({"path": shown(path), "segment": segment, "reason": reason}))

    def release(self, path: str) -> None:
        """Forget a file that was kept aside, if it was."""
        target = self._target(path)
        _reason(target).unlink(missing_ok=True)
        target.unlink(missing_ok=True)

    def _target(self, path: str) -> Path:
        target = self.folder / path
        if ".." in target.parts:
            raise ValueError("a path with .. in it is not kept")
        if len(os.fsencode(target.name)) > _LONGEST_NAME:
            return target.with_name(hashlib.sha256(os.fsencode(target.name)).hexdigest())
        return target


def _reason(target: Path) -> Path:
    return target.with_name(target.name + ".reason.json")


def _write(target: Path, data: bytes) -> None:
    partial = target.with_name(target.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    partial.replace(target)
