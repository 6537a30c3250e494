"""The embedded default: a private MongoDB that lives and ends with the process that owns its directory.

One process owns the directory and runs mongod in it; others that need the same data at the same time (an import beside
a running server) are its guests. `open_database` finds out which one this process is.
"""

import logging
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self

from pymongo.errors import PyMongoError

from fhir_server.store.mongod import LOOPBACK, REPLICA_SET, Mongod, Options, PortTaken, free_port, wait_for_predecessor
from fhir_server.store.ownership import DirectoryInUse, EmbeddedError, Owner, Ownership, owner_of
from fhir_server.store.replica_set import make_primary

__all__ = ["Database", "DirectoryInUse", "Embedded", "EmbeddedError", "External", "Guest", "Options", "attach", "open_database"]

_READY_SECONDS = 60.0
_LONGEST_PAUSE = 10.0

log = logging.getLogger(__name__)


class Database(Protocol):
    """A MongoDB to work with, whoever runs it. Use it as a context manager; leaving it stops what it started."""

    @property
    def uri(self) -> str:
        """The connection string."""

    def tend(self) -> bool:
        """Keep it running: call this now and then from the thread that opened it. Tells whether it was started again."""

    def leave(self) -> None:
        """Forget it in a forked child, so that it belongs to the parent alone."""

    def stop(self) -> None:
        """Stop what was started."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


@dataclass(frozen=True, slots=True)
class External:
    """A MongoDB that somebody else runs."""

    uri: str

    def tend(self) -> bool:
        """Nothing to do: its operator tends it."""
        return False

    def leave(self) -> None:
        """Nothing to forget."""

    def stop(self) -> None:
        """Nothing was started."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@dataclass(frozen=True, slots=True)
class Guest(External):
    """The embedded MongoDB of another process, which runs it in `directory`."""

    directory: Path

    def tend(self) -> bool:
        """Raise EmbeddedError where the other process has ended: its database went with it, and comes back at another address."""
        owner = owner_of(self.directory)
        if owner is None or (owner.uri and owner.uri != self.uri):
            raise EmbeddedError(f"the process that ran the database in {self.directory} has ended")
        return False


@dataclass(slots=True)
class Embedded:
    """The embedded MongoDB that this process owns. `purpose` is what a refused second owner reads."""

    directory: Path
    purpose: str
    options: Options = field(default_factory=Options)
    _port: int = 0
    _ownership: Ownership | None = None
    _mongod: Mongod | None = None
    _pause: float = 0.0
    _next_attempt: float = 0.0

    @property
    def uri(self) -> str:
        """The connection string, valid until the end of this process."""
        assert self._port, "not started"
        return f"mongodb://{LOOPBACK}:{self._port}/?replicaSet={REPLICA_SET}"

    @property
    def pid(self) -> int | None:
        """The process id of mongod, where it runs."""
        return self._mongod.pid if self._mongod else None

    def start(self) -> Self:
        """Own the directory and run MongoDB in it; return when it accepts writes.

        Raises DirectoryInUse where another process owns it, EmbeddedError where MongoDB cannot run.
        """
        try:
            self.directory = self.directory.resolve()
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._ownership = Ownership(self.directory, self.purpose)
            wait_for_predecessor(self.directory, self.options.stop_seconds)
            self._run()
            self._ownership.announce(self.uri)
        except OSError as failure:
            self.stop()
            raise EmbeddedError(f"{failure.filename or self.directory}: {failure.strerror}") from failure
        except BaseException:
            self.stop()
            raise
        return self

    def tend(self) -> bool:
        """Start mongod again, at the same address, where it has ended; after a pause that doubles where that fails."""
        if self._mongod and self._mongod.ended() is None:
            self._mongod.limit_log()
            return False
        if self._ownership is None or time.monotonic() < self._next_attempt:
            return False
        self._pause = min(_LONGEST_PAUSE, self._pause * 2 or 0.25)
        self._next_attempt = time.monotonic() + self._pause
        log.error("mongod has ended (status %s): starting it again", self._mongod.ended() if self._mongod else "unknown")
        try:
            self._launch(self._port)
        except (PortTaken, EmbeddedError, OSError) as failure:
            log.warning("mongod did not start: %s; trying again in %.1f s", failure, self._pause)
            return False
        self._pause = 0.0
        log.warning("mongod runs again")
        return True

    def leave(self) -> None:
        """Forget it in a forked child: the parent's end alone decides when the directory is free again."""
        if self._ownership:
            self._ownership.release()
        self._ownership = self._mongod = None

    def stop(self) -> None:
        """Stop mongod cleanly and free the directory."""
        mongod, self._mongod = self._mongod, None
        if mongod:
            mongod.stop(self.options.stop_seconds)
        if self._ownership:
            self._ownership.release()
            self._ownership = None

    def __enter__(self) -> Self:
        return self if self._mongod else self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        for _ in range(10):
            self._port = free_port()
            try:
                self._launch(self._port)
            except PortTaken:
                continue
            return
        raise EmbeddedError("no free port was found for the embedded MongoDB")

    def _launch(self, port: int) -> None:
        mongod = self._mongod = Mongod(self.directory, port, self.options)
        try:
            make_primary(port, _READY_SECONDS)
        except PyMongoError as failure:
            mongod.stop(self.options.stop_seconds)
            raise EmbeddedError(f"mongod at port {port} cannot be used: {failure}") from failure


def attach(directory: Path, seconds: float = _READY_SECONDS) -> Guest | None:
    """Give the MongoDB of the directory where another process runs it; wait while that one is still starting it."""
    directory = directory.resolve()
    deadline = time.monotonic() + seconds
    owner: Owner | None
    while (owner := owner_of(directory)) is not None:
        if owner.uri:
            return Guest(owner.uri, directory)
        if time.monotonic() > deadline:
            raise DirectoryInUse(f"{directory} is in use by {owner.purpose} (process {owner.pid}), whose database does not answer")
        time.sleep(0.05)
    return None


def open_database(uri: str | None, directory: Path, purpose: str, options: Options | None = None, *, share: bool = False) -> Database:
    """Give the MongoDB at `uri`, else run the embedded one of the directory.

    With `share` a process that finds another one running it becomes its guest instead of being refused.
    """
    if uri:
        return External(uri)
    for _ in range(3):  # an owner may appear or go between the two questions
        guest = attach(directory) if share else None
        if guest:
            return guest
        try:
            return Embedded(directory, purpose, options or Options()).start()
        except DirectoryInUse:
            if not share:
                raise
    raise DirectoryInUse(f"{directory.resolve()} is in use by another process")
