"""What reaches the server without being a proper HTTP request is answered with an OperationOutcome."""

import asyncio
import json

import pytest
import uvicorn

from fhir_server.command import connection


class Transport(asyncio.Transport):
    """The wire's other end, in memory."""

    def __init__(self):
        super().__init__()
        self.sent = b""
        self.closed = False

    def get_extra_info(self, name, default=None):
        return default

    def write(self, data):
        self.sent += data

    def close(self):
        self.closed = True

    def is_closing(self):
        return self.closed


async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
async def wire():
    config = uvicorn.Config(app, http=connection.Connection, log_config=None)
    config.load()
    transport = Transport()
    made = connection.Connection(config, uvicorn.server.ServerState(), {})
    made.connection_made(transport)
    yield made, transport
    made.connection_lost(None)


def outcome(transport):
    head, _, body = transport.sent.partition(b"\r\n\r\n")
    assert transport.closed
    assert b"content-type: application/fhir+json" in head
    return int(head.split()[1]), json.loads(body)["issue"][0]


async def test_a_proper_request_is_served(wire):
    made, transport = wire
    made.data_received(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    await asyncio.sleep(0.01)
    assert transport.sent.startswith(b"HTTP/1.1 204")
    assert not transport.closed


async def test_what_is_no_http_is_refused(wire):
    made, transport = wire
    made.data_received(b"SSH-2.0-x\r\n\r\n")
    status, issue = outcome(transport)
    assert status == 400
    assert issue["code"] == "structure"


async def test_an_address_that_is_not_percent_encoded_is_refused_with_advice(wire):
    made, transport = wire
    made.data_received("GET /fhir/Patient?name=佐藤 HTTP/1.1\r\nhost: x\r\n\r\n".encode())
    status, issue = outcome(transport)
    assert status == 400
    assert "percent-encoded" in issue["diagnostics"]
    assert "佐藤" not in transport.sent.decode()


async def test_an_address_that_is_too_long_is_refused(wire):
    made, transport = wire
    made.data_received(b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n")
    status, issue = outcome(transport)
    assert status == 414
    assert issue["code"] == "too-long"


async def test_headers_without_an_end_are_refused(wire):
    made, transport = wire
    made.data_received(b"GET / HTTP/1.1\r\nx: ")
    for _ in range(70):
        if not transport.closed:
            made.data_received(b"a" * 1024)
    status, issue = outcome(transport)
    assert status == 431
    assert issue["code"] == "too-long"


async def test_a_head_that_never_comes_does_not_keep_the_connection(monkeypatch):
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.05)
    config = uvicorn.Config(app, http=connection.Connection, log_config=None)
    config.load()
    for sent in (b"", b"GET / HTT"):
        transport = Transport()
        made = connection.Connection(config, uvicorn.server.ServerState(), {})
        made.connection_made(transport)
        if sent:
            made.data_received(sent)
        await asyncio.sleep(0.2)
        assert transport.closed
        made.connection_lost(None)
