"""Preconditions and preferences that come as headers.

https://hl7.org/fhir/R4/http.html#concurrency
https://hl7.org/fhir/R4/http.html#ops
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from fhir_server.exchange import FhirRequest, Version
from fhir_server.outcome import FhirError, Issue, conflict, invalid

_ETAG = re.compile(r'(?:W/)?"([^"]*)"')
_BARE = re.compile(r"\s*[0-9]+\s*")
_ETAGS = re.compile(r'\s*(?:W/)?"[^"]*"\s*(?:,\s*(?:W/)?"[^"]*"\s*)*')


def required_version(if_match: str | None, type: str) -> int | None:
    """Give the version that If-Match demands, None where there is no such header.

    Raises FhirError: 400 for what is no ETag, 412 for one that this server never gave.
    """
    if if_match is None:
        return None
    etag = _ETAG.fullmatch(if_match.strip())
    if etag is None:
        raise invalid('If-Match has the form W/"3", with the version in it', "http.If-Match", code="value")
    if not (etag[1].isascii() and etag[1].isdigit() and len(etag[1]) < 10):
        raise conflict("The current version is another one than If-Match names", type, status=412)
    return int(etag[1])


def not_modified(request: FhirRequest, version: Version) -> bool:
    """Tell whether the client has this version already, by If-None-Match or else If-Modified-Since."""
    known = request.headers.get("if-none-match")
    if known is not None:
        if known.strip() == "*":
            return True
        if _BARE.fullmatch(known):
            return known.strip() == str(version.version)  # some clients leave the quotes out; a read does no harm by it
        if not _ETAGS.fullmatch(known):
            raise invalid('If-None-Match has the form W/"3", with the version in it', "http.If-None-Match", code="value")
        return str(version.version) in _ETAG.findall(known)
    since = request.headers.get("if-modified-since")
    return since is not None and version.updated.replace(microsecond=0) <= _http_date(since)


def wants_absence(request: FhirRequest) -> bool:
    """Tell whether a write is only wanted where there is nothing yet: `If-None-Match: *` (RFC 9110, 13.1.2)."""
    return request.headers.get("if-none-match", "").strip() == "*"


def _http_date(text: str) -> datetime:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        raise invalid("If-Modified-Since is not an HTTP date", "http.If-Modified-Since", code="value") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def preference(request: FhirRequest, name: str) -> str | None:
    """Give the value of a preference of the Prefer header, e.g. `return` or `handling`."""
    header = request.headers.get("prefer")
    if header is None:
        return None
    for part in re.split(r"[,;]", header):
        key, _, value = part.partition("=")
        if key.strip().lower() == name:
            return value.strip().strip('"')
    return None


def strict(request: FhirRequest, default: bool) -> bool:
    """Tell whether unknown search parameters are an error; `default` decides where the client does not say.

    https://hl7.org/fhir/R4/search.html#errors
    """
    wish = preference(request, "handling")
    return wish == "strict" if wish in {"strict", "lenient"} else default


def refuse_if_none_exist(request: FhirRequest) -> None:
    """Raise for a conditional create: to ignore the condition would make the duplicate it wants to prevent."""
    if "if-none-exist" in request.headers:
        raise FhirError(Issue("not-supported", "Conditional create (If-None-Exist) is not supported", ("http.If-None-Exist",)))
