"""One HTTP connection, with the limits that uvicorn leaves out: how long a request's head may be, and take.

https://www.rfc-editor.org/rfc/rfc6585#section-5 (431)

Over TLS it tells the application by which certificate the client proved itself: https://asgi.readthedocs.io/en/latest/specs/tls.html
"""

import asyncio
import ssl
import sys
from typing import Any

import msgspec
from httptools import HttpParserInvalidURLError
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from fhir_server.outcome import Issue, operation_outcome

HEAD_LIMIT = 64 * 1024  # bytes of request line and headers; a search longer than that belongs into POST _search
HEAD_SECONDS = 30.0
LAST_CHANCE_SECONDS = 0.5
_TLS_VERSIONS = {"TLSv1.2": 0x0303, "TLSv1.3": 0x0304}


class _Joined:
    """The transport, which sends the head of an answer and the beginning of its body at once.

    uvicorn writes them one after the other: that is a second system call here, and wakes the client once in vain.
    """

    __slots__ = ("_head", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop, self._head = transport, loop, b""

    def write(self, data: bytes) -> None:
        """Keep a head until its body comes, but no longer than this turn of the event loop."""
        if self._head:
            data, self._head = self._head + data, b""
        elif data.startswith(b"HTTP/1.1 "):
            self._head = data
            self._loop.call_soon(self._flush)
            return
        self._transport.write(data)

    def close(self) -> None:
        """Close it when everything is sent."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._head:
            data, self._head = self._head, b""
            self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Connection(HttpToolsProtocol):
    """uvicorn's connection; a head that is too long, too slow or no HTTP ends it with an OperationOutcome."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self.transport = _Joined(transport, self.loop)  # type: ignore[assignment]
        self._extensions = _extensions(transport)
        self._length = 0
        self._in_head = True
        self._asked = False
        self._patience: asyncio.TimerHandle | None = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._heed()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what belongs to an unfinished head."""
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._length += len(data)
            if self._length > HEAD_LIMIT:
                self._refuse(431, "too-long", f"The request line and headers are longer than {HEAD_LIMIT} bytes")
            elif self._patience is None:
                self._patience = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def on_message_begin(self) -> None:
        """Note that a head begins."""
        self._in_head = True
        self._length = 0
        super().on_message_begin()
        if self._extensions is not None:
            self.scope["extensions"] = self._extensions

    def on_headers_complete(self) -> None:
        """Note that the head is there."""
        self._in_head = False
        self._asked = True
        self._heed()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP; uvicorn calls it while it handles the parser's error."""
        if len(getattr(self, "url", b"")) > HEAD_LIMIT:
            self._refuse(414, "too-long", f"The address is longer than {HEAD_LIMIT} bytes; POST to _search takes more")
        elif isinstance(sys.exc_info()[1], HttpParserInvalidURLError):
            self._refuse(400, "structure", "The address holds characters that must be percent-encoded (curl: -G --data-urlencode)")
        else:
            self._refuse(400, "structure", msg)

    def shutdown(self) -> None:
        """Finish when the server stops: a connection that has just been accepted may still bring its request."""
        if not self._asked:
            self.loop.call_later(LAST_CHANCE_SECONDS, super().shutdown)
        else:
            super().shutdown()

    def _give_up(self) -> None:
        self._patience = None
        if self._in_head and not self.transport.is_closing():
            self.transport.close()

    def _heed(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _refuse(self, status: int, code: str, diagnostics: str) -> None:
        body = msgspec.json.encode(operation_outcome([Issue(code, diagnostics)]))
        head = b"content-type: application/fhir+json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()


def _extensions(transport: asyncio.Transport) -> dict[str, Any] | None:
    """Give ASGI's extensions of a TLS connection, the same for all its requests; the client's chain is its certificate alone."""
    tls = transport.get_extra_info("ssl_object")
    if tls is None:
        return None
    certificate = tls.getpeercert(binary_form=True)
    chain = [ssl.DER_cert_to_PEM_cert(certificate)] if certificate else []
    version = _TLS_VERSIONS.get(tls.version() or "")
    known = {"server_cert": None, "client_cert_chain": chain, "client_cert_name": None, "client_cert_error": None}
    return {"tls": {**known, "tls_version": version, "cipher_suite": None}}


def protocol() -> Any:
    """Give the class in the type that uvicorn's Config wants."""
    return Connection
