"""Imports a whole standard storage with several processes, each working on a few patients at a time.

The parent counts the files, deals out the patients' folders and adds up the results; the workers read, map and write.
It forks before any event loop or thread exists in it, so that the definitions are loaded once.
"""

import logging
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Protocol, cast

from fhir_server.ssmix2.report import FileResult, Report
from fhir_server.ssmix2.tree import count, patient_folders

log = logging.getLogger(__name__)

SECONDS_BETWEEN_TENDING = 0.5
SECONDS_TO_LEAVE = 10.0
PATIENTS_AT_ONCE = 8  # per worker: enough to overlap its own work with the database's


class ImportFailed(Exception):  # noqa: N818 - it is the import's end, not a fault of the program
    """The import as a whole cannot go on; the text says why in one line."""


class Progress(Protocol):
    """Shows how far an import has come."""

    def start(self, total: int) -> None:
        """Begin with this many files ahead."""

    def advance(self, result: FileResult) -> None:
        """One file more is done."""

    def stop(self) -> None:
        """Nothing comes any more."""


Work = Callable[[Connection], None]
"""A worker's life: receives folders until None; for each sends lists of FileResult and, when done, an empty list."""


def run(root: Path, work: Work, workers: int, progress: Progress, tend: Callable[[], object] = lambda: None) -> Report:
    """Import every file below `root` with this many worker processes, and report.

    `tend` is called now and then, to look after what the import stands on. Raises ImportFailed where a worker died or the
    database stayed away, KeyboardInterrupt on Ctrl-C; either way the same import may simply be started again.
    """
    started = time.monotonic()
    total = count(root)
    crew = _Crew(work, workers)
    report = Report()
    progress.start(total)
    try:
        for result in crew.results(patient_folders(root), tend):
            report.add(result)
            progress.advance(result)
    finally:
        progress.stop()
        crew.end()
    report.seconds = time.monotonic() - started
    return report


class _Crew:
    """The worker processes and their pipes."""

    def __init__(self, work: Work, workers: int) -> None:
        context = multiprocessing.get_context("fork")
        self.processes: dict[Connection, ForkProcess] = {}
        for _ in range(workers):
            ours, theirs = context.Pipe()
            process = context.Process(target=_worker, args=(work, theirs, [ours, *self.processes]), daemon=True)
            process.start()
            theirs.close()
            self.processes[ours] = process

    def results(self, folders: Iterator[str], tend: Callable[[], object]) -> Iterator[FileResult]:
        """Deal out the folders, a few to each worker, and give the results as they come."""
        busy = dict.fromkeys(self.processes, 0)
        for pipe in self.processes:
            while busy[pipe] < PATIENTS_AT_ONCE and self._send_next(pipe, folders):
                busy[pipe] += 1
        while any(busy.values()):
            tend()
            for ready in wait([pipe for pipe in busy if busy[pipe]], timeout=SECONDS_BETWEEN_TENDING):
                pipe = cast("Connection", ready)
                answer = self._receive(pipe)
                yield from answer
                if not answer and not self._send_next(pipe, folders):
                    busy[pipe] -= 1

    def end(self) -> None:
        """Dismiss the workers; those that do not go are ended."""
        for pipe in self.processes:
            try:
                pipe.send(None)
            except OSError:  # it is gone already
                continue
        deadline = time.monotonic() + SECONDS_TO_LEAVE
        for process in self.processes.values():
            process.join(timeout=max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()

    def _receive(self, pipe: Connection) -> list[FileResult]:
        try:
            answer = pipe.recv()
        except (EOFError, OSError):  # at the end of a message, or in the middle of one
            raise self._dead(pipe) from None
        if isinstance(answer, str):
            raise ImportFailed(answer)
        return list(answer)

    def _send_next(self, pipe: Connection, folders: Iterator[str]) -> bool:
        try:
            folder = next(folders, None)
        except OSError as error:
            raise ImportFailed(f"the storage cannot be listed: {error.strerror}") from None
        if folder is None:
            return False
        try:
            pipe.send(folder)
        except OSError:
            raise self._dead(pipe) from None
        return True

    def _dead(self, pipe: Connection) -> ImportFailed:
        process = self.processes[pipe]
        process.join(timeout=5)
        return ImportFailed(f"a worker process ended unexpectedly (exit code {process.exitcode}); start the import again")


def _worker(work: Work, pipe: Connection, of_others: list[Connection]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)  # without its parent it ends at once: what it had not committed is not lost
    for other in of_others:  # inherited by fork; held open they would hide the parent's end
        other.close()
    try:
        work(pipe)
    except ImportFailed as failure:
        pipe.send(str(failure))
    except Exception as failure:
        log.exception("an import process failed")
        pipe.send(f"a worker process failed ({type(failure).__name__}); the log says more")
