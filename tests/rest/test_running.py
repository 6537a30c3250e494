"""The server around the interactions: health, metrics, logs, and a database that goes away."""

import asyncio
import io
import json
import logging
from urllib.parse import urlsplit

import httpx
import pytest

from fhir_server.app import create_app
from fhir_server.observability import configure
from fhir_server.settings import Settings
from tests.rest.served import issue_of, observation, patient

ROOT = "http://tsunagi.example"


async def test_health_says_live_and_ready(client, application):
    assert (await client.get(f"{ROOT}/health/live")).status_code == 200
    assert (await client.get(f"{ROOT}/health/ready")).json() == {"status": "ready"}
    application.stopping()
    stopping = await client.get(f"{ROOT}/health/ready")
    assert (stopping.status_code, stopping.json()["reason"]) == (503, "stopping")
    assert (await client.get(f"{ROOT}/health/live")).status_code == 200


async def test_metrics_are_for_the_machine_itself_and_not_through_a_proxy(client, application):
    elsewhere = httpx.ASGITransport(application, client=("192.0.2.7", 4711))
    async with httpx.AsyncClient(transport=elsewhere) as other:
        assert (await other.get(f"{ROOT}/metrics")).text == (await other.get(f"{ROOT}/nothing")).text
    assert (await client.get(f"{ROOT}/metrics", headers={"X-Forwarded-For": "192.0.2.7"})).status_code == 404
    assert (await client.get(f"{ROOT}/metrics")).status_code == 200


async def test_metrics_count_interactions_by_code(client):
    await client.put("/Patient/p1", json=patient(id="p1"))
    text = (await client.get(f"{ROOT}/metrics")).text
    assert 'interaction="update"' in text
    assert "p1" not in text


async def test_an_answer_carries_the_id_of_its_request(client):
    given = await client.get("/metadata", headers={"X-Request-Id": "4bf92f3577b34da6a3ce929d0e0e4736"})
    assert given.headers["X-Request-Id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    for personal in ("0000012345", "takamatsu-jiro"):  # a patient's number, a name: they would stand in the log
        refused = await client.get("/metadata", headers={"X-Request-Id": personal})
        assert refused.headers["X-Request-Id"] != personal
    made = await client.get("/metadata", headers={"X-Request-Id": "not\tone of ours"})
    assert len(made.headers["X-Request-Id"]) == 36


@pytest.fixture
def log():
    """Everything that is logged, as text."""
    root = logging.getLogger()
    logging.getLogger("httpx").setLevel(logging.WARNING)  # the client's own lines are not the server's
    before = root.handlers[:], root.level
    stream = io.StringIO()
    configure("info", stream)
    yield stream
    root.handlers[:], _ = before
    root.setLevel(before[1])


async def test_f34_l_no_log_line_holds_personal_data(client, log):
    await client.put("/Patient/secret-id", json=patient(id="secret-id"))
    await client.get("/Patient", params={"name": "讃岐", "birthdate": "1984-03-02"})
    await client.get("/Patient", params={"identifier": "urn:oid:1.2.392.100495.20.3.51.13710000017|0099887766"})
    await client.get("/Patient", params={"nickname": "花子", "birthdate": "0099887766"})
    await client.post("/Patient/_search", data={"name": "花子"})
    await client.post("/Patient", json=patient(gender="花子"))
    await client.post("/Patient", content='{"name":"讃岐"'.encode())
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"resource": patient(), "request": {"method": "POST", "url": "Patient"}}],
    }
    await client.post("", json=bundle)
    await client.post("/Observation", json=observation("Patient/secret-id"))
    await client.get("/Patient/secret-id/_history")
    await client.delete("/Patient/secret-id")
    await client.get("/花子/0099887766")
    lines = log.getvalue().splitlines()
    assert len(lines) >= 12
    for line in lines:
        entry = json.loads(line)
        assert {"time", "level", "event"} <= entry.keys()
        for personal in ("讃岐", "花子", "0099887766", "1984", "secret-id", "13710000017"):
            assert personal not in line


async def test_an_unexpected_failure_is_told_without_its_text(client, application, log):
    async def broken(*_):
        raise RuntimeError("讃岐 花子")

    service = application._endpoint.service
    service._handlers = {**service._handlers, "read": broken}
    response = await client.get("/Patient/p1")
    assert response.status_code == 500
    assert issue_of(response)["code"] == "exception"
    assert "讃岐" not in response.text
    assert "讃岐" not in log.getvalue()
    assert "RuntimeError" in log.getvalue()


class Line:
    """A line to MongoDB that can be cut."""

    def __init__(self, uri: str) -> None:
        self.target = urlsplit(uri)
        self.writers: set[asyncio.StreamWriter] = set()

    async def open(self) -> str:
        self.server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        port = self.server.sockets[0].getsockname()[1]
        return f"mongodb://127.0.0.1:{port}/?directConnection=true"

    async def cut(self) -> None:
        self.server.close()
        for writer in list(self.writers):
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self.target.hostname, self.target.port)
        self.writers |= {writer, back}
        await asyncio.gather(_pump(reader, back), _pump(there, writer), return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def test_without_its_database_the_server_says_so_and_asks_to_come_back(mongodb_uri, database_name):
    line = Line(mongodb_uri)
    app = create_app(Settings(authentication="off", database=database_name), await line.open())
    async with (
        app.outer.router.lifespan_context(app.outer),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"{ROOT}/fhir", timeout=60) as client,
    ):
        assert (await client.put("/Patient/p1", json=patient(id="p1"))).status_code == 201
        await line.cut()
        responses = await asyncio.gather(
            client.get("/Patient/p1"), client.get("/Patient"), client.post("/Patient", json=patient()), client.get(f"{ROOT}/health/ready")
        )
        for response in responses[:3]:
            assert response.status_code == 503
            assert issue_of(response)["code"] in {"transient", "timeout"}
            assert response.headers["Retry-After"]
        assert responses[3].status_code == 503
        assert (await client.get(f"{ROOT}/health/live")).status_code == 200
        assert (await client.get("/metadata")).status_code == 200
