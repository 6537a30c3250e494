"""The token of a page: the place after which it begins, bound to the query that it belongs to.

https://hl7.org/fhir/R4/http.html#paging

A place is what the last resource of the previous page was sorted by, so a page costs the same however deep it is, and
what is written meanwhile shifts nothing. The token holds a digest of type and parameters: of another search, or
changed on the way, it is refused. The digest has no key; it guards against mistakes, and a place grants nothing.
"""

import base64
import binascii
import json
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, TypeAlias

from fhir_server.outcome import invalid

PARAMETER = "_after"
Place: TypeAlias = tuple[str | int | float | None, ...]

_DIGEST = 12
_LONGEST_TOKEN = 4096
_MOST_KEYS = 16
_INT64 = 2**63


def encode(place: Place, type: str, understood: Iterable[tuple[str, str]]) -> str:
    """Write a place as a token for the search that the type and the understood parameters are."""
    payload = json.dumps(place, ensure_ascii=False, separators=(",", ":")).encode()
    return _written(_digest(payload, type, understood) + payload)


def decode(token: str, type: str, understood: Iterable[tuple[str, str]]) -> Place:
    """Read a token. Raises FhirError (400) for one that was not made for this search."""
    if len(token) > _LONGEST_TOKEN:
        raise _refused(type)
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _refused(type) from None
    payload = raw[_DIGEST:]
    if raw[:_DIGEST] != _digest(payload, type, understood) or token != _written(raw):
        raise _refused(type)
    try:
        keys = json.loads(payload)
    except (ValueError, RecursionError):
        raise _refused(type) from None
    if not isinstance(keys, list) or len(keys) > _MOST_KEYS or not all(map(_is_key, keys)):
        raise _refused(type)
    return tuple(keys)


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _digest(payload: bytes, type: str, understood: Iterable[tuple[str, str]]) -> bytes:
    """The size of a page may change from page to page; everything else may not."""
    search = json.dumps([type, [pair for pair in understood if pair[0] not in ("_count", PARAMETER)]]).encode()
    return blake2b(search + b"\0" + payload, digest_size=_DIGEST).digest()


def _is_key(key: Any) -> bool:
    if isinstance(key, str):
        return "\0" not in key and is_encodable(key)
    if isinstance(key, int):
        return -_INT64 <= key < _INT64 and not isinstance(key, bool)
    return key is None or isinstance(key, float)


def is_encodable(text: str) -> bool:
    """Tell whether the text can be written as UTF-8: no half of a surrogate pair is in it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refused(type: str) -> Exception:
    return invalid("This page does not belong to this search; start again from its first page", f"{type}?{PARAMETER}", code="value")
