"""The processes that serve: they share the connections, are started again, and finish what they accepted."""

import json
import os
import signal
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from fhir_server.store.mongod import free_port

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # made once: it takes httpx long
SERVICE = Path(__file__).with_name("small_service.py")


class Service:
    """A started service and everything it said."""

    def __init__(self, data, workers=2, port=None, admin_port=None):
        self.port = port or free_port()
        self.data = data
        self.log = data.parent / f"{data.name}.log"
        self.process = subprocess.Popen(
            [sys.executable, SERVICE, str(self.port), data, str(workers), *([str(admin_port)] if admin_port else [])],
            stdout=subprocess.PIPE,
            stderr=self.log.open("w"),
            start_new_session=True,
            text=True,
        )

    def ready(self):
        assert self.process.stdout.readline() == "ready\n", self.log.read_text()
        return self

    def get(self, path, **options):
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=20, verify=NO_TLS, **options)

    def eventually(self, path):
        deadline = time.monotonic() + 30
        while True:
            try:
                return self.get(path)
            except httpx.TransportError:
                assert time.monotonic() < deadline
                time.sleep(0.1)

    def workers(self, least=2):
        deadline = time.monotonic() + 20
        found = set()
        while len(found) < least and time.monotonic() < deadline:
            found.add(int(self.get("/pid").text))
        return found

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(30)


@contextmanager
def running(data, workers=2):
    service = Service(data, workers)
    try:
        yield service.ready()
    finally:
        if service.process.poll() is None:
            service.stop(signal.SIGTERM)
        service.process.stdout.close()
        assert left_of(data) == []


def left_of(data, seconds=20):
    """The processes that still have to do with the directory."""
    deadline = time.monotonic() + seconds
    while True:
        left = []
        for each in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = each.read_bytes().split(b"\0")
            except OSError:
                continue
            if any(word in {os.fsencode(data), os.fsencode(data / "mongodb")} for word in words):
                left.append(words)
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.1)


def test_connections_are_spread_over_all_workers_and_metrics_are_summed(tmp_path):
    with running(tmp_path / "data", workers=3) as service:
        assert len(service.workers(3)) == 3
        text = service.get("/metrics").text
        counted = next(line for line in text.splitlines() if line.startswith("tsunagi_requests_total{"))
        assert 'interaction="read"' in counted
        assert float(counted.rpartition(" ")[2]) >= 3
    assert list((tmp_path / "data" / "metrics").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_an_orderly_stop_is_a_success_and_leaves_no_process(tmp_path, number):
    with running(tmp_path / "data", workers=1) as service:
        assert service.stop(number) == 0


def test_ctrl_c_of_the_terminal_reaches_all_processes_and_still_stops_in_order(tmp_path):
    with running(tmp_path / "data") as service:
        service.get("/write")
        os.killpg(service.process.pid, signal.SIGINT)
        assert service.process.wait(30) == 0


def test_a_request_in_progress_is_finished_before_the_stop(tmp_path):
    with running(tmp_path / "data", workers=1) as service, ThreadPoolExecutor(4) as pool:
        slow = [pool.submit(service.get, "/slow") for _ in range(4)]
        time.sleep(0.7)
        assert service.stop() == 0
        assert [each.result(10).status_code for each in slow] == [200] * 4


def test_a_worker_that_ends_by_itself_is_started_again(tmp_path):
    with running(tmp_path / "data", workers=1) as service:
        before = service.workers(1)
        with pytest.raises(httpx.TransportError):
            service.get("/crash")
        after = {int(service.eventually("/pid").text)}
        assert before != after
        assert 'tsunagi_restarts_total{process="worker"} 1.0' in service.get("/metrics").text
        assert "worker 0 ended (status 9)" in service.log.read_text()


def test_the_service_recovers_from_the_kill_of_mongod_without_loss(tmp_path):
    with running(tmp_path / "data") as service:
        service.get("/write")
        owner = json.loads((tmp_path / "data" / "mongodb" / "owner.json").read_text())
        assert owner["purpose"] == "a small service"
        os.kill(int((tmp_path / "data" / "mongodb" / "mongod.lock").read_text()), signal.SIGKILL)
        assert service.eventually("/count").text == "1"
        service.get("/write")
        assert service.get("/count").text == "2"


def test_the_kill_of_the_parent_ends_all_and_the_next_start_recovers(tmp_path):
    with running(tmp_path / "data") as service:
        service.get("/write")
        service.stop(signal.SIGKILL)
        with running(tmp_path / "data") as following:
            assert following.get("/count").text == "1"


def test_a_port_in_use_is_one_clear_line(tmp_path):
    with running(tmp_path / "first", workers=1) as service:
        second = Service(tmp_path / "second", workers=1, port=service.port)
        assert second.process.wait(30) == 2
        assert second.log.read_text() == f"port {service.port} of 127.0.0.1 is in use by another program; choose another with --port\n"
        second.process.stdout.close()


def test_a_second_server_of_the_same_data_is_refused_in_one_line(tmp_path):
    with running(tmp_path / "data", workers=1) as service:
        second = Service(tmp_path / "data", workers=1)
        assert second.process.wait(30) == 2
        refusal = second.log.read_text()
        assert f"is in use by a small service (process {service.process.pid}" in refusal
        assert refusal.count("\n") == 1
        second.process.stdout.close()


def test_an_interrupt_while_it_starts_leaves_no_process(tmp_path):
    for wait in (0.3, 0.8, 1.2, 1.6):
        service = Service(tmp_path / "data", workers=2)
        time.sleep(wait)
        os.killpg(service.process.pid, signal.SIGINT)
        service.process.wait(30)
        service.process.stdout.close()
        assert left_of(tmp_path / "data") == []


def test_signals_ignored_at_the_start_stay_ignored_as_under_nohup(tmp_path):
    ignored = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGHUP)}
    try:
        service = Service(tmp_path / "data", workers=1)
    finally:
        for number, handler in ignored.items():
            signal.signal(number, handler)
    service.ready()
    for number in ignored:
        os.killpg(service.process.pid, number)
    assert service.eventually("/count").text == "0"
    assert service.stop(signal.SIGTERM) == 0
    service.process.stdout.close()
    assert left_of(tmp_path / "data") == []
