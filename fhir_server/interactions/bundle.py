"""Bundles that are answered, joined from stored bytes: a resource is never decoded only to be sent.

https://hl7.org/fhir/R4/bundle.html
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from http import HTTPStatus
from urllib.parse import quote

from fhir_server.exchange import FhirResponse, Version
from fhir_server.outcome import FhirError, Issue, operation_outcome
from profiles import json

STORED = json.encode(operation_outcome([Issue("informational", "What was asked for is done", severity="information")]))

_PHRASES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


def instant(moment: datetime) -> str:
    """Give a UTC time as a FHIR instant."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def joined(type: str, entries: Sequence[bytes], *, total: int | None = None, links: Iterable[tuple[str, str]] = ()) -> bytes:
    """Give a Bundle of this type; `links` are (relation, url)."""
    parts = [b'{"resourceType":"Bundle","type":"%b"' % type.encode()]
    if total is not None:
        parts.append(b',"total":%d' % total)
    linked = [{"relation": relation, "url": url} for relation, url in links]
    if linked:
        parts.append(b',"link":' + json.encode(linked))
    if entries:
        parts += (b',"entry":[', b",".join(entries), b"]")
    parts.append(b"}")
    return b"".join(parts)


def found(base: bytes, version: Version, mode: bytes) -> bytes:
    """Give an entry of a searchset; `mode` is match or include."""
    assert version.body is not None
    return b'{"fullUrl":"%b/%b","resource":%b,"search":{"mode":"%b"}}' % (base, version.reference.encode(), version.body, mode)


def remarks(outcome: dict[str, object]) -> bytes:
    """Give an entry of a searchset that carries an OperationOutcome about the search itself."""
    return b'{"resource":%b,"search":{"mode":"outcome"}}' % json.encode(outcome)


def past(base: bytes, version: Version) -> bytes:
    """Give an entry of a history: what was asked then, and what came of it."""
    reference = version.reference.encode()
    method = version.method.encode()
    status = b"204" if version.body is None else b"201" if version.version == 1 or method == b"POST" else b"200"
    url = version.type.encode() if method == b"POST" else reference
    resource = b"" if version.body is None else b'"resource":%b,' % version.body
    return (
        b'{"fullUrl":"%b/%b",%b"request":{"method":"%b","url":"%b"},"response":{"status":"%b","etag":"W/\\"%d\\"","lastModified":"%b"}}'
        % (
            base,
            reference,
            resource,
            method,
            url,
            status,
            version.version,
            instant(version.updated).encode(),
        )
    )


def written(versions: Sequence[Version], wish: str | None) -> bytes:
    """Give the response entry of a write, with as much as Prefer (`wish`) asks for.

    Of a conditional delete there may be several versions, or none: then the entry only says that it is done.
    """
    outcome = b',"outcome":%b' % STORED if wish == "OperationOutcome" else b""
    if len(versions) != 1 or not versions[0].version:
        return b'{"response":{"status":"204 No Content"%b}}' % outcome
    (version,) = versions
    resource = b'"resource":%b,' % version.body if wish == "representation" and version.body is not None else b""
    return b'{%b"response":{"status":"%b","location":"%b/_history/%d","etag":"W/\\"%d\\"","lastModified":"%b"%b}}' % (
        resource,
        _status(version),
        version.reference.encode(),
        version.version,
        version.version,
        instant(version.updated).encode(),
        outcome,
    )


def _status(version: Version) -> bytes:
    if version.body is None and version.method == "DELETE":  # deleted now, or already; else it is there and may not be read
        return b"204 No Content"
    return b"201 Created" if version.change == "created" else b"200 OK"


def answered(response: FhirResponse, wish: str | None) -> bytes:
    """Give the response entry of an interaction that was performed on its own."""
    if response.versions or response.status == HTTPStatus.NO_CONTENT:
        return written(response.versions, wish)
    resource = b'"resource":%b,' % response.body if response.body is not None else b""
    version = response.version
    stamps = b"" if version is None else b',"etag":"W/\\"%d\\"","lastModified":"%b"' % (version.version, instant(version.updated).encode())
    return b'{%b"response":{"status":"%b"%b}}' % (resource, _PHRASES[response.status].encode(), stamps)


def failed(failure: FhirError) -> bytes:
    """Give the response entry of an interaction that failed."""
    outcome = json.encode(operation_outcome(failure.issues))
    return b'{"response":{"status":"%b","outcome":%b}}' % (_PHRASES[failure.status].encode(), outcome)


def query_string(pairs: Iterable[tuple[str, str]]) -> str:
    """Give (name, value) pairs as a query, readable where that is safe."""
    return "&".join(f"{quote(name, safe=':._')}={quote(value, safe=':/,.$|!~()')}" for name, value in pairs)
