"""Media types: what the server reads, and whether the client takes what it writes.

https://hl7.org/fhir/R4/http.html#mime-type
"""

import re
import zlib
from functools import lru_cache

from fhir_server.outcome import FhirError, Issue, invalid

FHIR_JSON = b"application/fhir+json; charset=utf-8"
FORM = "application/x-www-form-urlencoded"
JSON_PATCH = "application/json-patch+json"
_JSON = frozenset({"application/fhir+json", "application/json", "text/json"})
_ACCEPTED = _JSON | {"*/*", "application/*", "text/html"}
_FORMATS = _JSON | {"json", "application/fhir json"}  # an unescaped + of a query is a space
_FHIR_VERSION = re.compile(r"fhirversion\s*=\s*\"?(?!4\.0)")
_NO_QUALITY = re.compile(r"q\s*=\s*0(?:\.0*)?\s*$")


def require_json(content_type: str | None) -> None:
    """Raise FhirError (415) for a body that is not FHIR JSON in UTF-8; no Content-Type at all counts as JSON."""
    if content_type is not None and not _is_json(content_type):
        raise FhirError(Issue("not-supported", "Send the resource as application/fhir+json in UTF-8", ("http.Content-Type",)), status=415)


def require_patch(content_type: str | None) -> None:
    """Raise FhirError (415) for a patch that is neither a JSON Patch nor FHIR JSON."""
    name = (content_type or "").partition(";")[0].strip().lower()
    if name != JSON_PATCH and content_type is not None and not _is_json(content_type):
        text = f"Send a JSON Patch as {JSON_PATCH}, or a FHIRPath Patch as application/fhir+json; XML Patch is not supported"
        accepted = ("Accept-Patch", f"{JSON_PATCH}, application/fhir+json")
        raise FhirError(Issue("not-supported", text, ("http.Content-Type",)), status=415, headers=(accepted,))


@lru_cache(256)
def _is_json(content_type: str) -> bool:
    name, _, rest = content_type.lower().partition(";")
    charset = re.search(r"charset\s*=\s*\"?([^\s\";]+)", rest)
    return name.strip() in _JSON and (charset is None or charset[1] in {"utf-8", "utf8"}) and not _FHIR_VERSION.search(rest)


def require_form(content_type: str | None) -> None:
    """Raise FhirError (415) for a search body that is no form."""
    if content_type is not None and content_type.partition(";")[0].strip().lower() != FORM:
        raise FhirError(Issue("not-supported", f"Send the search parameters as {FORM}", ("http.Content-Type",)), status=415)


def require_acceptable(accept: str | None, format: str | None) -> None:
    """Raise FhirError (406) where the client takes no JSON; the parameter `_format` goes before the Accept header."""
    if format is not None:
        acceptable, where = format.partition(";")[0].strip().lower() in _FORMATS, "http._format"
    else:
        acceptable, where = accept is None or _accepts_json(accept), "http.Accept"
    if not acceptable:
        raise FhirError(Issue("not-supported", "The server answers with application/fhir+json of FHIR 4.0 only", (where,)), status=406)


@lru_cache(256)
def _accepts_json(accept: str) -> bool:
    return not accept.strip() or any(map(_is_accepted, accept.lower().split(",")))


def _is_accepted(media_range: str) -> bool:
    name, _, rest = media_range.partition(";")
    return name.strip() in _ACCEPTED and not _NO_QUALITY.search(rest) and not _FHIR_VERSION.search(rest)


def unpacked(body: bytes, encoding: str | None, limit: int) -> bytes:
    """Undo the Content-Encoding of a body; raises FhirError: 415 for an unknown one, 413 beyond `limit` bytes."""
    if encoding is None or encoding.strip().lower() in {"", "identity"}:
        return body
    if encoding.strip().lower() != "gzip":
        raise FhirError(Issue("not-supported", "The only content encoding taken is gzip", ("http.Content-Encoding",)), status=415)
    unzip = zlib.decompressobj(31)
    try:
        plain = unzip.decompress(body, limit + 1)
    except zlib.error:
        raise invalid("The body is not gzip", "http.Content-Encoding") from None
    if len(plain) > limit:
        raise too_long(limit)
    if not unzip.eof:
        raise invalid("The gzip of the body ends too early", "http.Content-Encoding")
    return plain


def too_long(limit: int) -> FhirError:
    """The body exceeds the limit in bytes (413)."""
    return FhirError(Issue("too-long", f"The body is longer than {limit} bytes", ("http.body",)))
