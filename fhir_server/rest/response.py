"""A FhirResponse as an HTTP response.

https://hl7.org/fhir/R4/http.html#ops
"""

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache

import msgspec

from fhir_server.exchange import FhirRequest, FhirResponse
from fhir_server.interactions.bundle import STORED
from fhir_server.interactions.headers import preference
from fhir_server.outcome import FhirError, Issue, operation_outcome
from fhir_server.rest.media import FHIR_JSON
from profiles import json

_WRITES = frozenset({"create", "update", "patch"})
_ALWAYS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes over the wire."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    chunks: Callable[[], AsyncIterator[bytes]] | None = None


def answer(request: FhirRequest, response: FhirResponse, *, pretty: bool = False) -> Answer:
    """Write the answer to an interaction."""
    headers = [*_ALWAYS, *((name.lower().encode(), value.encode("latin-1")) for name, value in response.headers)]
    version = response.version
    if version is not None:
        headers.append((b"etag", b'W/"%d"' % version.version))
        headers.append((b"last-modified", _http_date(int(version.updated.timestamp()))))
        if response.location:
            headers.append((b"location", f"{request.base}/{version.reference}/_history/{version.version}".encode()))
    content = response.content
    if content is not None:
        headers.append((b"content-type", content.content_type.encode("latin-1")))
        headers.append((b"content-length", b"%d" % content.length))
        return Answer(response.status, headers, b"", content.chunks)
    body = response.body
    if request.interaction in _WRITES and "prefer" in request.headers:
        body = _preferred(preference(request, "return"), body)
    elif request.interaction == "delete" and preference(request, "return") == "OperationOutcome":
        return _complete(200, headers, STORED, pretty=pretty)
    return _complete(response.status, headers, body, pretty=pretty)


@lru_cache(4096)
def _http_date(seconds: int) -> bytes:
    return formatdate(seconds, usegmt=True).encode()


def _preferred(wish: str | None, body: bytes | None) -> bytes | None:
    match wish:
        case "minimal":
            return None
        case "OperationOutcome":
            return STORED
    return body


def failure(error: FhirError, subject: str, *, pretty: bool = False) -> Answer:
    """Write a failure as an OperationOutcome; an issue without an expression points to `subject`."""
    issues = [issue if issue.expression else Issue(issue.code, issue.diagnostics, (subject,), issue.severity) for issue in error.issues]
    headers = [*_ALWAYS, *((name.lower().encode(), value.encode("latin-1")) for name, value in error.headers)]
    return _complete(error.status, headers, json.encode(operation_outcome(issues)), pretty=pretty)


def _complete(status: int, headers: list[tuple[bytes, bytes]], body: bytes | None, *, pretty: bool) -> Answer:
    if status in {204, 304}:
        return Answer(status, headers, b"")
    if body is None:
        headers.append((b"content-length", b"0"))
        return Answer(status, headers, b"")
    if pretty:
        body = msgspec.json.format(body, indent=2)
    headers.append((b"content-type", FHIR_JSON))
    headers.append((b"content-length", b"%d" % len(body)))
    return Answer(status, headers, body)


def messages(given: Answer, request_id: str, *, with_body: bool) -> Iterable[dict[str, object]]:
    """Give the ASGI messages of an answer; what comes in chunks comes after them, and the last of these ends it."""
    headers = [*given.headers, (b"x-request-id", request_id.encode())]
    yield {"type": "http.response.start", "status": given.status, "headers": headers}
    coming = with_body and given.chunks is not None
    yield {"type": "http.response.body", "body": given.body if with_body else b"", "more_body": coming}


async def chunk_messages(given: Answer) -> AsyncIterator[dict[str, object]]:
    """Give the ASGI messages of what is sent piece by piece."""
    assert given.chunks is not None
    async for chunk in given.chunks():
        yield {"type": "http.response.body", "body": chunk, "more_body": True}
    yield {"type": "http.response.body", "body": b"", "more_body": False}
