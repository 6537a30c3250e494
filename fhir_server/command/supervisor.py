"""The parent of the worker processes: starts them, starts those again that end by themselves, and stops them.

It forks before it has a thread or an event loop, after everything large has been loaded: the workers share that memory.
Signals are never delivered to it but fetched (sigtimedwait), so nothing is ever interrupted halfway. One that was ignored
when the process started (nohup, a script's background job) stays ignored.
"""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from fhir_server import observability
from fhir_server.command.memory import settle
from fhir_server.store.embedded import Database
from fhir_server.store.tether import tether

Work = Callable[[int, Callable[[], None]], None]
"""What worker number `n` does until SIGTERM; it calls the function as soon as it serves."""

_WATCHED = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}
_LONGEST_PAUSE = 10.0
_STEADY_SECONDS = 30.0  # a worker that lived that long failed for a new reason
_MARGIN_SECONDS = 5.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Worker:
    number: int
    pid: int = 0
    started: float = 0.0
    pause: float = 0.0
    due: float = 0.0


class Supervisor:
    """Runs `number` workers over one database until a signal ends it."""

    def __init__(self, work: Work, number: int, database: Database, stop_seconds: float) -> None:
        self._work = work
        self._workers = [_Worker(each) for each in range(number)]
        self._database = database
        self._stop_seconds = stop_seconds
        self._end = {each for each in _WATCHED - {signal.SIGCHLD} if signal.getsignal(each) is not signal.SIG_IGN}

    def run(self, on_ready: Callable[[], None]) -> None:
        """Serve; call `on_ready` when all workers do. Returns after SIGTERM, SIGINT or SIGHUP and an orderly stop."""
        settle()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
        self._news, self._tell = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            self._watch(on_ready)
        finally:
            self._stop()
            os.close(self._news)
            os.close(self._tell)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _watch(self, on_ready: Callable[[], None]) -> None:
        waiting_for = len(self._workers)
        while True:
            for worker in self._workers:
                self._tend(worker)
            if self._database.tend():
                observability.restarted("mongod")
            if waiting_for > 0:
                waiting_for -= self._serving()
                if waiting_for <= 0:
                    on_ready()
            arrived = signal.sigtimedwait(_WATCHED, 0.05 if waiting_for > 0 else 0.5)
            if arrived and arrived.si_signo in self._end:
                log.info("stopping: %s", signal.Signals(arrived.si_signo).name)
                return

    def _tend(self, worker: _Worker) -> None:
        now = time.monotonic()
        status = _ended(worker)
        if status is not None:
            worker.pause = 0.0 if now - worker.started > _STEADY_SECONDS else min(_LONGEST_PAUSE, worker.pause * 2 or 0.25)
            worker.due = now + worker.pause
            observability.restarted("worker")
            log.error("worker %d ended (status %d): starting it again in %.2f s", worker.number, status, worker.pause)
        if not worker.pid and now >= worker.due:
            worker.started = now
            worker.pid = self._fork(worker.number)

    def _serving(self) -> int:
        try:
            return len(os.read(self._news, 4096))
        except BlockingIOError:
            return 0

    def _fork(self, number: int) -> int:
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        pid = os.fork()
        if pid:
            return pid
        status = 1
        try:  # nothing of the parent's stack may be unwound here: it would stop the parent's database
            status = self._live(number, parent)
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        except BaseException:
            log.exception("worker %d failed", number)
        finally:
            os._exit(status)

    def _live(self, number: int, parent: int) -> int:
        self._database.leave()
        for each in _WATCHED:
            signal.signal(each, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
        tether(parent)
        self._work(number, self._tell_ready)
        return 0

    def _tell_ready(self) -> None:
        os.write(self._tell, b".")

    def _stop(self) -> None:
        """Ask the workers to finish; after the time they get, or at a second signal, end them."""
        self._send(signal.SIGTERM)
        deadline = time.monotonic() + self._stop_seconds + _MARGIN_SECONDS
        while any(worker.pid and _ended(worker) is None for worker in self._workers):
            arrived = signal.sigtimedwait(_WATCHED, 0.1)
            if time.monotonic() > deadline or (arrived and arrived.si_signo in self._end):
                log.warning("ending the workers that have not finished")
                self._send(signal.SIGKILL)
                deadline = float("inf")

    def _send(self, number: signal.Signals) -> None:
        for worker in self._workers:
            if worker.pid:
                os.kill(worker.pid, number)


def _ended(worker: _Worker) -> int | None:
    """Give the status of a worker that has ended, once; negative where a signal ended it."""
    if not worker.pid:
        return None
    pid, status = os.waitpid(worker.pid, os.WNOHANG)
    if not pid:
        return None
    worker.pid = 0
    return os.waitstatus_to_exitcode(status)
