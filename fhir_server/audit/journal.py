"""A journal beside the database: events are on this machine's disk before anybody is answered, and in the database moments later.

docs/decisions/0021-audit.md

One file a process, written and synchronised once for all events of a moment, from its beginning again whenever the database has
everything: it never grows. Each entry is authenticated and counts on from the one before. What a process could not bring to
the database before it ended, the next one of this machine brings there, as the same chain.
"""

import asyncio
import fcntl
import hmac
import os
import struct
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from fhir_server.audit.event import Event

CAPACITY: Final = 8 * 1024 * 1024
_HEAD: Final = struct.Struct(">IQ32s")
_DURABLY: Final = getattr(os, "RWF_DSYNC", 0)  # Linux: written and synchronised in one call
_SUFFIX: Final = ".journal"

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Event])


class Entry(NamedTuple):
    """What was written at one moment: the number of its last event in the chain, and the events."""

    last: int
    events: list[Event]


class Journal:
    """The journal of one chain. It is locked as long as its process lives."""

    def __init__(self, directory: Path, chain: str, key: bytes, capacity: int = CAPACITY) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = directory / f"{chain}{_SUFFIX}"
        self._key, self._chain, self._capacity = key, chain.encode(), capacity
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(self._file, bytes(capacity))  # later writes change no size, so that a sync is one write of data
        os.fsync(self._file)
        _sync_directory(directory)
        self._position = 0
        self._thread = ThreadPoolExecutor(1, "audit-journal")

    def entry(self, events: Sequence[Event], last: int) -> bytes:
        """Pack an entry; `last` is the number of its last event."""
        content = _encoder.encode(list(events))
        return _HEAD.pack(len(content), last, _mac(self._key, self._chain, last, content)) + content

    def has_room(self, entry: bytes) -> bool:
        """Tell whether the entry fits behind the others; else the database must have those first (`rewind`)."""
        return self._position + len(entry) <= self._capacity

    async def append(self, entry: bytes) -> None:
        """Write an entry: it is on the disk when this returns. Raises OSError."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._write, entry)

    def rewind(self) -> None:
        """Begin again: the database has everything."""
        self._position = 0

    def close(self, *, done: bool) -> None:
        """Close the file, and remove it where the database has everything."""
        self._thread.shutdown()
        if done:
            self.path.unlink(missing_ok=True)
        os.close(self._file)

    def _write(self, entry: bytes) -> None:
        written = os.pwritev(self._file, [entry], self._position, _DURABLY)
        if written != len(entry):
            raise OSError("the journal could not be written whole")
        if not _DURABLY:
            os.fsync(self._file)
        self._position += written


@dataclass(frozen=True, slots=True)
class Left:
    """A journal whose process has ended; it is locked until `close`."""

    path: Path
    chain: str
    file: int

    def entries(self, keys: Sequence[bytes]) -> Iterator[Entry]:
        """Give the entries that are whole and count on from each other, and stop at the first that is not: nobody was answered for it."""
        content, position, before = self.path.read_bytes(), 0, None
        while position + _HEAD.size <= len(content):
            length, last, mac = _HEAD.unpack_from(content, position)
            packed = content[position + _HEAD.size : position + _HEAD.size + length]
            if not length or not any(hmac.compare_digest(mac, _mac(key, self.chain.encode(), last, packed)) for key in keys):
                return
            events = _decoder.decode(packed)
            if before is not None and last != before + len(events):
                return
            yield Entry(last, events)
            position, before = position + _HEAD.size + length, last

    def close(self, *, done: bool) -> None:
        """Unlock it, and remove it where the database has everything."""
        if done:
            self.path.unlink(missing_ok=True)
        os.close(self.file)


def left_behind(directory: Path) -> Iterator[Left]:
    """Give the journals in the directory whose processes have ended, each locked."""
    for path in sorted(directory.glob(f"*{_SUFFIX}")):
        try:
            file = os.open(path, os.O_RDWR)
        except FileNotFoundError:  # another process was faster
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            continue
        if os.fstat(file).st_nlink:  # not removed by who had it just now
            yield Left(path, path.name.removesuffix(_SUFFIX), file)
        else:
            os.close(file)


def _mac(key: bytes, chain: bytes, last: int, content: bytes) -> bytes:
    return hmac.digest(key, b"journal " + chain + last.to_bytes(8) + content, "sha256")


def _sync_directory(directory: Path) -> None:
    file = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
