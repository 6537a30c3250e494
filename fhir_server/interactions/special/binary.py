"""Binary: a resource that is what it contains.

https://hl7.org/fhir/R4/binary.html
https://hl7.org/fhir/R4/http.html#binary

Who does not ask for FHIR JSON gets the content itself, and may send it so. Content that a browser could run never runs
with the rights of this server's pages: it is offered for download, and sandboxed where somebody opens it nonetheless.
"""

import base64
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

from fhir_server.exchange import Content, FhirRequest, FhirResponse, Raw, Resource, Version
from fhir_server.interactions.headers import preference
from fhir_server.interactions.serving import Handler, Serving
from fhir_server.interactions.special.byte_range import byte_range
from fhir_server.outcome import invalid
from fhir_server.store.content import Kept, bare, kept_by, referring
from fhir_server.store.repository import Repository
from profiles import json
from profiles.reference import Literal, parse

_JSON_NAMES = frozenset({"application/fhir+json", "application/json", "text/json", "json", "application/fhir json"})
_FHIR_JSON = "application/fhir+json; charset=utf-8"
_UNKNOWN = "application/octet-stream"
_MEDIA_TYPE = re.compile(
    r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(?: ?; ?[A-Za-z0-9_.-]+=(?:[A-Za-z0-9_.:+/-]+|\"[A-Za-z0-9 _.:+/-]*\"))*"
)
_HARMLESS = re.compile(r"image/(?:png|jpeg|gif|webp|bmp|tiff)|audio/.*|video/.*|text/plain|text/csv|application/(?:pdf|dicom|json)")
_SANDBOX = ("Content-Security-Policy", "sandbox; default-src 'none'")
_PIECE = 255 * 1024


def with_content(handlers: Mapping[str, Handler]) -> Mapping[str, Handler]:
    """Give the handlers, those of reading and writing made able to deal with the content of a Binary."""
    given = {code: _giving(handlers[code]) for code in ("read", "vread")}
    taken = {code: _taking(handlers[code]) for code in ("create", "update")}
    return {**handlers, **given, **taken}


def _giving(handler: Handler) -> Handler:
    async def give(request: FhirRequest, repository: Repository, serving: Serving) -> FhirResponse:
        response = await handler(request, repository, serving)
        if request.type != "Binary" or response.status != 200 or response.version is None or "accept" not in request.headers:
            return response  # entries of a batch are FHIR JSON; large content is left out of them
        if wants_json(request.headers["accept"]):
            return response if request.parameters else _as_json(response, response.version, repository)
        return _as_it_is(request, response.version, repository)

    return give


def _taking(handler: Handler) -> Handler:
    async def take(request: FhirRequest, repository: Repository, serving: Serving) -> FhirResponse:
        if request.type != "Binary":
            return await handler(request, repository, serving)
        if isinstance(request.body, Raw):
            response = await _store(request, request.body, repository, serving, handler)
        else:
            response = await handler(request, repository, serving)
        if response.version is not None and preference(request, "return") == "representation":
            return _as_json(response, response.version, repository)
        return response  # large content is not sent back unless it is asked for

    return take


async def _store(request: FhirRequest, raw: Raw, repository: Repository, serving: Serving, handler: Handler) -> FhirResponse:
    """Make a resource of content that came as it is."""
    heading = {"resourceType": "Binary", **({"id": request.id} if request.id is not None else {})}
    described = {**heading, "contentType": raw.content_type, **_security_context(request)}
    small, rest = await _beginning(raw.chunks, repository.inline)
    if rest is None:
        data = {"data": base64.b64encode(small).decode()} if small else {}
        return await handler(replace(request, body={**described, **data}), repository, serving)
    kept = await repository.keep(_joined(small, rest))
    try:
        return await handler(replace(request, body=referring(described, kept)), repository, serving)
    finally:
        await repository.discard(kept)


def wants_json(accept: str) -> bool:
    """Tell whether FHIR's own form is asked for, by the Accept header or by `_format`."""
    return any(each.partition(";")[0].strip().lower() in _JSON_NAMES for each in accept.split(","))


# -- reading ------------------------------------------------------------------------------------------------------------


def _as_json(response: FhirResponse, version: Version, repository: Repository) -> FhirResponse:
    """The resource with its data, which goes piece by piece where it is large."""
    resource, kept = _parts(version)
    if kept is None:
        return response
    before = json.encode(bare(resource)).removesuffix(b"}") + b',"data":"'
    after = b'"}'

    async def pieces() -> AsyncIterator[bytes]:
        yield before
        async for chunk in repository.content(kept):
            yield base64.b64encode(chunk)
        yield after

    length = len(before) + (kept.size + 2) // 3 * 4 + len(after)
    return replace(response, body=None, content=Content(_FHIR_JSON, length, pieces))


def _as_it_is(request: FhirRequest, version: Version, repository: Repository) -> FhirResponse:
    resource, kept = _parts(version)
    inside = b"" if kept is not None else base64.b64decode(resource.get("data", ""))
    size = len(inside) if kept is None else kept.size
    part = None if "if-range" in request.headers else byte_range(request.headers.get("range"), size)  # ETags are weak: none matches
    start, end = part or (0, size)

    async def pieces() -> AsyncIterator[bytes]:
        if kept is None:
            for begin in range(start, end, _PIECE):
                yield inside[begin : min(begin + _PIECE, end)]
            return
        async for chunk in repository.content(kept, start, end):
            yield chunk

    declared = str(resource.get("contentType", ""))
    content_type = declared if _MEDIA_TYPE.fullmatch(declared) else _UNKNOWN
    headers = [("Accept-Ranges", "bytes"), ("Vary", "Accept"), _SANDBOX]
    if not _HARMLESS.fullmatch(content_type.partition(";")[0].strip().lower()):
        headers.append(("Content-Disposition", "attachment"))
    if part is not None:
        headers.append(("Content-Range", f"bytes {start}-{end - 1}/{size}"))
    headers += _context_header(resource)
    return FhirResponse(200 if part is None else 206, None, version, headers=headers, content=Content(content_type, end - start, pieces))


def _parts(version: Version) -> tuple[Resource, Kept | None]:
    assert version.body is not None
    resource: Resource = json.decode(version.body)
    return resource, kept_by(resource)


def _context_header(resource: Resource) -> list[tuple[str, str]]:
    reference = resource.get("securityContext", {}).get("reference", "")
    return [("X-Security-Context", reference)] if isinstance(parse(reference), Literal) and reference.isascii() else []


# -- writing ------------------------------------------------------------------------------------------------------------


def _security_context(request: FhirRequest) -> Resource:
    """The header says what the element `securityContext` says: whose rules hold for the content."""
    header = request.headers.get("x-security-context")
    if header is None:
        return {}
    local = header.strip().removeprefix(f"{request.base}/")
    if not isinstance(parse(local), Literal):
        raise invalid("X-Security-Context is a reference like Patient/123", "http.X-Security-Context", code="value")
    return {"securityContext": {"reference": local}}


async def _beginning(chunks: AsyncIterator[bytes], most: int) -> tuple[bytes, AsyncIterator[bytes] | None]:
    """Read up to a little more than `most` bytes; give them, and what comes after (None: that was all)."""
    found = bytearray()
    async for chunk in chunks:
        found += chunk
        if len(found) > most:
            return bytes(found), chunks
    return bytes(found), None


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk
