"""One line and one count for each interaction."""

import logging
import os

from fhir_server.observability import logs, metrics

_log = logging.getLogger(logs.REQUESTS)


def record(interaction: str | None, type: str | None, status: int, seconds: float, request: str | None = None) -> None:
    """Count an answered interaction, and log it where the logger `fhir_server.requests` is enabled for INFO.

    `interaction` and `type` are codes that this server knows (None where the request names none), never text that a
    client made up: each new value is a new series of numbers. `request` is the request's own id.
    """
    metrics.count(interaction or "", type or "", status, seconds)
    if _log.isEnabledFor(logging.INFO):
        _write(interaction, type, status, seconds, request)


def _write(interaction: str | None, type: str | None, status: int, seconds: float, request: str | None) -> None:
    entry = {
        "time": logs.now(),
        "level": "info",
        "logger": _log.name,
        "event": "answered",
        "process": os.getpid(),
        "request": request,
        "interaction": interaction,
        "type": type,
        "status": status,
        "ms": round(seconds * 1000, 2),
    }
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logs.JsonLines):  # a third of the time that a LogRecord takes
            handler.write(entry)
            return
    _log.info("answered", extra={name: entry[name] for name in logs.FIELDS if name in entry})
