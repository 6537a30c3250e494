"""An HTTP request as a FhirRequest.

https://hl7.org/fhir/R4/http.html
"""

import asyncio
import re
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.types import Receive, Scope

from fhir_server.exchange import FhirRequest
from fhir_server.interactions.address import pairs, segments
from fhir_server.interactions.table import Route, Served, route
from fhir_server.outcome import FhirError, Issue, invalid
from fhir_server.rest import binary
from fhir_server.rest.binary import Disconnected
from fhir_server.rest.media import require_acceptable, require_form, require_json, require_patch, too_long, unpacked
from profiles import json

_MEANT_FOR_FHIR = ("if-match", "if-none-match", "if-none-exist", "if-modified-since", "prefer")
_OF_THE_ANSWER = frozenset({"_format", "_pretty"})
_HOST = re.compile(r"[A-Za-z0-9.\-]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?")
_WITH_RESOURCE = frozenset({"create", "update", "transaction"})
_SAFE = frozenset({"GET", "HEAD"})
_SEARCHES = frozenset({"search-type", "search-system"})


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may cost: bytes of a body (`binary`: of the content of a Binary), and seconds until it has arrived."""

    body: int
    seconds: float = 300.0
    binary: int = 0

    @property
    def of_binary(self) -> "Limits":
        """The limits of a Binary in FHIR JSON: in base64 four bytes are three of its content."""
        return replace(self, body=max(self.body, self.binary * 4 // 3 + 65_536))


@dataclass(slots=True)
class Asked:
    """A request while it is taken apart: what is known of it stays known when the rest fails."""

    scope: Scope
    headers: Mapping[str, str]
    route: Route | None = None
    pretty: bool = False
    format: str | None = None

    @property
    def subject(self) -> str:
        """What an issue points to when it cannot be more exact: the type of resource that was meant."""
        if self.route is None:
            return "Resource"
        return self.route.type or ("CapabilityStatement" if self.route.code == "capabilities" else "Bundle")


def headers_of(scope: Scope) -> dict[str, str]:
    """Give the headers by lower-case name; a repeated one is joined by commas."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


async def fhir_request(asked: Asked, receive: Receive, served: Served, *, prefix: str, base: str | None, limits: Limits) -> FhirRequest:
    """Take the request apart; raises FhirError for what cannot be understood, Disconnected where the client left.

    `prefix` is the path of the base; `base` its public address, or None to go by the Host header.
    """
    scope, headers = asked.scope, asked.headers
    parameters = _parameters(scope, asked)
    method = scope["method"]
    asked.route = found = route("GET" if method == "HEAD" else method, segments(_path(scope)[len(prefix) :]), served)
    meant = {name: headers[name] for name in _MEANT_FOR_FHIR if name in headers}
    body: Any = None
    content_type = None
    if found.type == "Binary":
        limits, content_type = _of_binary(asked, found, meant, limits)
    if content_type is not None:
        body = binary.raw(content_type, headers, receive, limit=limits.binary, seconds=limits.seconds)
    elif found.code in _WITH_RESOURCE:
        require_json(headers.get("content-type"))
        body = _resource(unpacked(await _body(asked, receive, limits), headers.get("content-encoding"), limits.body), asked)
    elif found.code == "patch":
        require_patch(headers.get("content-type"))
        body = _resource(unpacked(await _body(asked, receive, limits), headers.get("content-encoding"), limits.body), asked)
    elif found.code == "operation" and method == "POST":
        if data := unpacked(await _body(asked, receive, limits), headers.get("content-encoding"), limits.body):
            require_json(headers.get("content-type"))
            body = _resource(data, asked)
    elif found.code in _SEARCHES and method == "POST":
        require_form(headers.get("content-type"))
        form = unpacked(await _body(asked, receive, limits), headers.get("content-encoding"), limits.body)
        parameters += _answer_parameters(pairs(_text(form, "http.body")), asked)
    code = found.code
    if code == "transaction" and isinstance(body, dict) and body.get("type") == "batch":
        code = "batch"
        asked.route = Route(code)
    if "if-none-exist" in meant:
        meant["if-none-exist"] = _text(meant["if-none-exist"].encode("latin-1"), "http.If-None-Exist")
    address = base or _base(scope, headers, prefix)
    return FhirRequest(
        code,
        found.type,
        found.id,
        found.version,
        parameters,
        body,
        meant,
        address,
        operation=found.operation,
        by_get=method in _SAFE,
        compartment=found.compartment,
    )


def _of_binary(asked: Asked, found: Route, meant: dict[str, str], limits: Limits) -> tuple[Limits, str | None]:
    """Give the limits of a request about a Binary, and the media type of its body where that is content."""
    headers = asked.headers
    if found.code in {"read", "vread"}:
        meant |= binary.meant_for_reading(headers, asked.format)
    elif binary.may_be_content(asked.scope):
        require_acceptable(headers.get("accept"), asked.format)
    if found.code not in {"create", "update"}:
        return limits, None
    meant |= binary.meant_for_writing(headers)
    return limits.of_binary, binary.raw_type(headers.get("content-type"))


def _path(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.partition(b"?")[0].decode("latin-1")


def _parameters(scope: Scope, asked: Asked) -> list[tuple[str, str]]:
    query: bytes = scope["query_string"]
    if not query:
        if not binary.may_be_content(scope):
            require_acceptable(asked.headers.get("accept"), None)
        return []
    return _answer_parameters(pairs(_text(query, "http.query")), asked)


def _answer_parameters(found: list[tuple[str, str]], asked: Asked) -> list[tuple[str, str]]:
    """Take out the parameters that only say how to write the answer."""
    format = None
    if not _OF_THE_ANSWER.isdisjoint(name for name, _ in found):
        format = next((value for name, value in found if name == "_format"), None)
        asked.pretty = any(name == "_pretty" and value == "true" for name, value in found)
        found = [pair for pair in found if pair[0] not in _OF_THE_ANSWER]
    asked.format = format
    if not binary.may_be_content(asked.scope):
        require_acceptable(asked.headers.get("accept"), format)
    return found


def _text(data: bytes, where: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise invalid("The text is not UTF-8", where) from None


def _resource(data: bytes, asked: Asked) -> Any:
    if not data.strip():
        raise invalid("The body is empty; a resource is needed", asked.subject, code="structure")
    try:
        return json.decode(data)
    except json.JsonError as error:
        raise invalid(error.diagnostics, asked.subject, code="structure") from None


async def _body(asked: Asked, receive: Receive, limits: Limits) -> bytes:
    length = asked.headers.get("content-length")
    if length is not None and length.isdigit() and (len(length) > 15 or int(length) > limits.body):
        raise too_long(limits.body)
    try:
        async with asyncio.timeout(limits.seconds):
            return await _received(receive, limits.body)
    except TimeoutError:
        raise FhirError(Issue("timeout", "The body did not arrive in time", ("http.body",)), status=408) from None


async def _received(receive: Receive, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message: MutableMapping[str, Any] = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise too_long(limit)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _base(scope: Scope, headers: Mapping[str, str], prefix: str) -> str:
    host = headers.get("host")
    if host is None or not _HOST.fullmatch(host):
        server: Sequence[Any] | None = scope.get("server")
        if host is not None or not server:
            raise invalid("The Host header is missing or malformed", "http.Host")
        host = f"{server[0]}:{server[1]}" if server[1] else str(server[0])
    return f"{scope['scheme']}://{host}{prefix}"
