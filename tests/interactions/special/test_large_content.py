"""50 MB, both ways, byte for byte; what is read or sent as it is stays out of memory."""

import base64
import hashlib
import random
import tracemalloc
from collections.abc import AsyncIterator

import pytest

from fhir_server.app import Application
from tests.rest.served import BASE

SIZE = 50 * 1024 * 1024
PIECE = 64 * 1024
FLAT = 24 * 1024 * 1024  # a few chunks, base64 beside them, and the driver's buffers


async def content() -> AsyncIterator[bytes]:
    """The same pseudo-random bytes each time, made as they go."""
    made = random.Random(1)
    for _ in range(SIZE // PIECE):
        yield made.randbytes(PIECE)


async def digest_of(pieces: AsyncIterator[bytes]) -> str:
    found = hashlib.sha256()
    async for piece in pieces:
        found.update(piece)
    return found.hexdigest()


async def asked(application: Application, method: str, path: str, headers: dict[str, str], body: AsyncIterator[bytes] | None = None):
    """Speak ASGI, which neither gathers what is sent nor what is answered: status, headers, bytes, their SHA-256."""
    found, size, start = hashlib.sha256(), 0, {}

    async def receive():
        piece = await anext(body, None) if body is not None else None
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    async def send(message):
        nonlocal size
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            found.update(message["body"])
            size += len(message["body"])

    raw = [(name.lower().encode(), value.encode()) for name, value in {"host": "tsunagi.example", **headers}.items()]
    scope = {"type": "http", "method": method, "path": f"/fhir{path}", "query_string": b"", "scheme": "http", "headers": raw}
    await application(scope, receive, send)
    return start["status"], dict(start["headers"]), size, found.hexdigest()


@pytest.fixture
def peak():
    """The most memory that Python held since, in bytes."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


async def test_fifty_megabytes_sent_as_they_are_come_back_in_both_forms_and_memory_stays_flat(application, peak):
    status, *_ = await asked(application, "PUT", "/Binary/large", {"Content-Type": "application/dicom"}, content())
    assert status == 201
    status, headers, size, digest = await asked(application, "GET", "/Binary/large", {"Accept": "*/*"})
    assert (status, size, headers[b"content-length"]) == (200, SIZE, str(SIZE).encode())
    assert digest == await digest_of(content())
    status, headers, size, _ = await asked(application, "GET", "/Binary/large", {"Accept": "application/fhir+json"})
    assert (status, str(size).encode()) == (200, headers[b"content-length"])
    assert size > SIZE * 4 // 3
    assert peak() < FLAT


async def test_fifty_megabytes_sent_in_base64_come_back_in_both_forms(application, client):
    application._endpoint.limits = type(application._endpoint.limits)(2_000_000, binary=100 * 1024 * 1024)
    sent = b"".join([piece async for piece in content()])
    resource = {"resourceType": "Binary", "id": "large", "contentType": "application/dicom", "data": base64.b64encode(sent).decode()}
    assert (await client.put("/Binary/large", json=resource, timeout=120)).status_code == 201
    read = await client.get(f"{BASE}/Binary/large", timeout=120)
    assert hashlib.sha256(read.content).digest() == hashlib.sha256(sent).digest()
    again = (await client.get("/Binary/large", headers={"Accept": "application/fhir+json"}, timeout=120)).json()
    assert again["data"] == resource["data"]
