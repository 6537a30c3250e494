"""Who runs the database in a directory: at most one process, and everybody can ask which.

The right is an flock on `owner.json`. The kernel gives it back when the owner ends, also after kill -9, so there is no
stale lock to clear away. The file's content only tells who that is and where its database answers.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

_FILE = "owner.json"
_PATIENCE = 1.0  # seconds; whoever only asks who the owner is holds the lock for an instant


class EmbeddedError(Exception):
    """The embedded database cannot run here; the text is one line for the operator."""


class DirectoryInUse(EmbeddedError):  # noqa: N818 - a state, said in the operator's words
    """Another process runs the database of this directory."""


class Owner(msgspec.Struct, frozen=True):
    """What the owner tells about itself. `uri` is None until its database answers."""

    pid: int
    purpose: str
    since: str
    uri: str | None = None


class Ownership:
    """The right to run the database of one directory, held until `release` or the end of the process."""

    def __init__(self, directory: Path, purpose: str) -> None:
        """Take the right; raise DirectoryInUse where a living process has it."""
        self._owner = Owner(os.getpid(), purpose, datetime.now(UTC).astimezone().isoformat(timespec="seconds"))
        self._file: int | None = _locked(directory)
        self.announce(None)

    def announce(self, uri: str | None) -> None:
        """Tell guests where the database answers."""
        assert self._file is not None
        content = msgspec.json.encode(msgspec.structs.replace(self._owner, uri=uri))
        os.pwrite(self._file, content, 0)
        os.ftruncate(self._file, len(content))

    def release(self) -> None:
        """Give the right back; in a forked child, let the parent alone hold it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def owner_of(directory: Path) -> Owner | None:
    """Tell which living process runs the database of the directory."""
    try:
        file = os.open(directory / _FILE, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with _closing(file):
        if _try_lock(file, fcntl.LOCK_SH):
            return None
        return _read(file)


def _locked(directory: Path) -> int:
    file = os.open(directory / _FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + _PATIENCE
    while not _try_lock(file, fcntl.LOCK_EX):
        if time.monotonic() > deadline:
            with _closing(file):
                owner = _read(file)
            raise DirectoryInUse(f"{directory} is in use by {owner.purpose} (process {owner.pid}, since {owner.since})")
        time.sleep(0.05)
    return file


def _try_lock(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(file: int) -> Owner:
    try:
        return msgspec.json.decode(os.pread(file, 4096, 0), type=Owner)
    except msgspec.DecodeError:  # between two writes
        return Owner(0, "another process", "just now")


@contextmanager
def _closing(file: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(file)
