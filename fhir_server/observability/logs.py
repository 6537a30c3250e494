"""Logs as one JSON object a line on standard error.

    {"time":"2026-04-01T09:00:00.123+09:00","level":"info","logger":"...","event":"...","process":4711,...}

Only the fields of `FIELDS` are taken from a record's `extra`. A failure is told by its class and the places it passed
through, never by its text: that may repeat what was sent.
"""

import logging
import sys
import threading
import time
import traceback
from contextlib import nullcontext
from datetime import datetime
from types import TracebackType
from typing import Any, TextIO

import msgspec

FIELDS = ("request", "interaction", "type", "status", "ms", "port", "worker", "count", "seconds")

REQUESTS = "fhir_server.requests"
_OURS = "fhir_server"
_LONGEST_EVENT = 400
_LEVELS = {logging.DEBUG: "debug", logging.INFO: "info", logging.WARNING: "warning", logging.ERROR: "error", logging.CRITICAL: "error"}
_encode = msgspec.json.Encoder().encode


class JsonLines(logging.Handler):
    """Writes records, and entries that come as they are, to a stream."""

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__()
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            self.write(_entry(record))
        except Exception:  # noqa: BLE001 - a log that cannot be written must not stop the service
            self.handleError(record)

    def write(self, entry: dict[str, Any]) -> None:
        """Write one entry in one piece."""
        line = _encode(entry).decode() + "\n"
        with self.lock or nullcontext():
            stream = self._stream or sys.stderr  # looked up each time: it may have been redirected
            stream.write(line)
            stream.flush()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say nothing: logging's own report would repeat the record's values."""


def configure(level: str = "info", stream: TextIO | None = None, *, requests: bool = True) -> JsonLines:
    """Send every log of this process, and every uncaught failure, through JsonLines; `requests`: a line for each."""
    handler = JsonLines(stream)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in ("pymongo", "asyncio", "uvicorn.error"):  # their debug messages hold commands and addresses
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    logging.getLogger(REQUESTS).setLevel(logging.NOTSET if requests else logging.CRITICAL)
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda failure: _uncaught(failure.exc_type, failure.exc_value, failure.exc_traceback)
    return handler


def now() -> str:
    """Give the present time with milliseconds and the offset of the local zone."""
    return datetime.fromtimestamp(time.time()).astimezone().isoformat(timespec="milliseconds")


def _entry(record: logging.LogRecord) -> dict[str, Any]:
    time_ = datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")
    level = _LEVELS.get(record.levelno, record.levelname.lower())
    entry = {"time": time_, "level": level, "logger": record.name, "event": _event(record), "process": record.process}
    entry |= {name: value for name in FIELDS if (value := getattr(record, name, None)) is not None}
    if record.exc_info and record.exc_info[0]:
        entry |= failure_fields(record.exc_info[0], record.exc_info[2])
    return entry


def _event(record: logging.LogRecord) -> str:
    text = record.getMessage()
    if not record.name.startswith(_OURS):  # the lines after the first hold a library's view of our values
        text = text.partition("\n")[0]
    return text[:_LONGEST_EVENT]


def failure_fields(kind: type[BaseException], passed: TracebackType | None) -> dict[str, Any]:
    """Tell a failure without its text: its class and where it came from, innermost place last."""
    frames = traceback.extract_tb(passed)[-12:]
    return {
        "failure": kind.__qualname__,
        "places": [f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _uncaught(kind: type[BaseException], value: BaseException | None, passed: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    logging.getLogger(f"{_OURS}.process").critical("uncaught failure", exc_info=(kind, value or kind(), passed))
