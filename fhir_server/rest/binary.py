"""What is different about a Binary on the wire: its content may come and go as it is.

https://hl7.org/fhir/R4/http.html#binary
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping

from starlette.types import Receive, Scope

from fhir_server.exchange import Raw
from fhir_server.interactions.special.binary import wants_json
from fhir_server.outcome import FhirError, Issue, invalid
from fhir_server.rest.media import require_acceptable, too_long

_PATH = "/Binary/"
_READS = frozenset({"GET", "HEAD"})
_OF_READS = ("range", "if-range")
_FHIR = frozenset({"application/fhir+json", "application/json", "text/json", "application/fhir+xml"})
_LONGEST_TYPE = 200


class Disconnected(Exception):  # noqa: N818 - it is no defect
    """The client went away before its request was complete."""


def may_be_content(scope: Scope) -> bool:
    """Tell whether the address may be one whose answer is no FHIR JSON."""
    return scope["method"] in _READS and _PATH in scope["path"]


def meant_for_reading(headers: Mapping[str, str], format: str | None) -> dict[str, str]:
    """Give the headers that decide in which form a Binary is answered; raises FhirError (406) where that is FHIR XML."""
    accept = format or headers.get("accept") or "*/*"
    if "fhir+xml" in accept.replace(" ", "+") and not wants_json(accept):
        require_acceptable(headers.get("accept"), format)
    return {"accept": accept, **{name: headers[name] for name in _OF_READS if name in headers}}


def meant_for_writing(headers: Mapping[str, str]) -> dict[str, str]:
    """Give the headers that say something of the content that is sent."""
    name = "x-security-context"
    return {name: headers[name]} if name in headers else {}


def raw_type(content_type: str | None) -> str | None:
    """Give the media type of a body that is content; None where it is a resource, which JSON always is.

    Raises FhirError (400) for what cannot be kept as a media type.
    """
    if content_type is None or content_type.partition(";")[0].strip().lower() in _FHIR:
        return None
    if "/" not in content_type or len(content_type) > _LONGEST_TYPE or not content_type.isascii() or not content_type.isprintable():
        raise invalid("Content-Type is no media type", "http.Content-Type", code="value")
    return " ".join(content_type.split())


def raw(content_type: str, headers: Mapping[str, str], receive: Receive, *, limit: int, seconds: float) -> Raw:
    """Give a body as it comes. Raises FhirError: 413 where it says to be longer than `limit` bytes, 415 where it is packed.

    Reading it raises FhirError (413, 408) too, and Disconnected.
    """
    if headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        issue = Issue("not-supported", "Send the content of a Binary without content encoding", ("http.Content-Encoding",))
        raise FhirError(issue, status=415)
    length = headers.get("content-length", "")
    if length.isdigit() and (len(length) > 15 or int(length) > limit):
        raise too_long(limit)
    return Raw(content_type, _pieces(receive, limit, seconds))


async def _pieces(receive: Receive, limit: int, seconds: float) -> AsyncIterator[bytes]:
    ends, size = time.monotonic() + seconds, 0
    while True:
        try:
            message = await asyncio.wait_for(receive(), max(ends - time.monotonic(), 0.001))
        except TimeoutError:
            raise FhirError(Issue("timeout", "The body did not arrive in time", ("http.body",)), status=408) from None
        if message["type"] == "http.disconnect":
            raise Disconnected
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size > limit:
            raise too_long(limit)
        if piece:
            yield piece
        if not message.get("more_body", False):
            return
