"""Keeps what could not be imported: the file's bytes and the reason, below the data directory, never inside the storage.

`<data>/ssmix2/aside/<facility>/<path>` holds the bytes, `<path>.reason.json` beside them the reason. A file that is
imported later leaves the folder again. Folder and files are readable by their owner only: they hold patient data.
"""

import os
from pathlib import Path

import msgspec


class Aside:
    """The folder of one facility's files that were kept aside."""

    def __init__(self, data: Path, facility: str) -> None:
        self.folder = data / "ssmix2" / "aside" / facility

    def keep(self, path: str, data: bytes, *, segment: str | None, reason: str) -> None:
        """Keep a file and why; a repeated keep replaces both."""
        target = self._target(path)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(target, data)
        _write(_reason(target), msgspec.json.encode({"path": path, "segment": segment, "reason": reason}))

    def release(self, path: str) -> None:
        """Forget a file that was kept aside, if it was."""
        target = self._target(path)
        _reason(target).unlink(missing_ok=True)
        target.unlink(missing_ok=True)

    def _target(self, path: str) -> Path:
        target = self.folder / path
        if ".." in target.parts:
            raise ValueError("a path with .. in it is not kept")
        return target


def _reason(target: Path) -> Path:
    return target.with_name(target.name + ".reason.json")


def _write(target: Path, data: bytes) -> None:
    partial = target.with_name(target.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    partial.replace(target)
