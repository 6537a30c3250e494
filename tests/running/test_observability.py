"""Logs and metrics: structured, and without personal data."""

import asyncio
import io
import json
import logging
import sys
import time
import warnings

import pytest

from fhir_server import observability
from fhir_server.observability import logs

NAME = "見本花子"


@pytest.fixture
def written():
    """What is logged during the test; `written()` gives the entries."""
    root, hook = logging.getLogger(), sys.excepthook
    before = root.handlers[:], root.level
    stream = io.StringIO()
    observability.configure("info", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:], sys.excepthook = before[0], hook
    root.setLevel(before[1])
    logging.captureWarnings(False)


def test_an_answered_interaction_is_one_line(written):
    observability.record("search-type", "Observation", 200, 0.01234, "r-1")
    (entry,) = written()
    time_ = entry.pop("time")
    assert len(time_) == len("2026-04-01T09:00:00.123+09:00")
    assert entry.pop("process") > 0
    assert entry == {
        "level": "info",
        "logger": "fhir_server.requests",
        "event": "answered",
        "request": "r-1",
        "interaction": "search-type",
        "type": "Observation",
        "status": 200,
        "ms": 12.34,
    }


def test_the_time_is_that_of_the_local_zone_with_its_offset(written, clock):
    observability.record("read", "Patient", 200, 0.01)
    logging.getLogger("fhir_server.x").warning("something")
    assert [entry["time"] for entry in written()] == ["2026-04-01T09:00:00.000+09:00"] * 2


def test_the_lines_of_requests_can_be_left_out():
    stream = io.StringIO()
    handler = observability.configure("info", stream, requests=False)
    observability.record("read", "Patient", 200, 0.01)
    assert stream.getvalue() == ""
    logging.getLogger().removeHandler(handler)
    logging.getLogger(logs.REQUESTS).setLevel(logging.NOTSET)


def test_a_failure_is_told_without_its_text(written):
    try:
        raise ValueError(f"no such patient: {NAME}")
    except ValueError:
        logging.getLogger("fhir_server.service").exception("unexpected failure", extra={"request": "r-2", "patient": NAME})
    (entry,) = written()
    assert NAME not in json.dumps(entry, ensure_ascii=False)
    assert entry["failure"] == "ValueError"
    assert entry["request"] == "r-2"
    assert "test_a_failure_is_told_without_its_text" in entry["places"][-1]


async def test_a_failure_that_nobody_awaited_is_told_without_its_text(written):
    async def fail():
        raise ValueError(NAME)

    task = asyncio.ensure_future(fail())
    await asyncio.sleep(0.01)
    del task
    entries = written()
    assert entries
    assert all(NAME not in json.dumps(entry, ensure_ascii=False) for entry in entries)


def test_the_later_lines_of_a_librarys_message_are_left_out(written):
    logging.getLogger("uvicorn.error").error("Exception in ASGI application\nValueError: %s", NAME)
    (entry,) = written()
    assert entry["event"] == "Exception in ASGI application"


def test_warnings_and_uncaught_failures_go_the_same_way(written):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("beware", stacklevel=1)
    sys.excepthook(KeyError, KeyError(NAME), None)
    first, second = written()
    assert first["level"] == "warning"
    assert second["event"] == "uncaught failure"
    assert second["failure"] == "KeyError"
    assert NAME not in json.dumps([first, second], ensure_ascii=False)


def test_the_drivers_commands_are_never_logged(written):
    observability.configure("debug", io.StringIO())
    assert not logging.getLogger("pymongo.command").isEnabledFor(logging.DEBUG)


def test_metrics_count_by_interaction_type_and_status():
    before = _samples()
    observability.record("history-instance", "Patient", 410, 0.2)
    after = _samples()
    for name in (
        'tsunagi_requests_total{interaction="history-instance",status="410",type="Patient"}',
        'tsunagi_request_seconds_bucket{interaction="history-instance",le="0.2"}',
    ):
        assert after[name] == before.get(name, 0) + 1


def _samples():
    body, content_type = observability.exposition()
    assert content_type.startswith("text/plain")
    lines = (line.rpartition(" ") for line in body.decode().splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def test_recording_costs_little(written):
    observability.record("read", "Patient", 200, 0.01, "r")
    started = time.process_time()
    for _ in range(2000):
        observability.record("read", "Patient", 200, 0.01, "r")
    assert (time.process_time() - started) / 2000 < 0.0005  # generous: it is some 15 µs
