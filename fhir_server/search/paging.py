"""The token of a page: the place after which it begins, sealed for the search that it belongs to.

https://hl7.org/fhir/R4/http.html#paging

A place is what the last resource of the previous page was sorted by, so a page costs the same however deep it is, and
what is written meanwhile shifts nothing. It may hold a name or an id, and it goes through logs and histories of
browsers: so it is encrypted and authenticated (AES-GCM-SIV, RFC 8452), bound to purpose and parameters, and it ends.
Whoever holds one may ask for the page, no more: rights are judged anew on every page. docs/decisions/0014-result-parameters.md
"""

import base64
import binascii
import json
import os
import time
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any, TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from fhir_server.outcome import FhirError, invalid

PARAMETER = "_after"
Place: TypeAlias = tuple[str | int | float | None, ...]
Pairs: TypeAlias = Iterable[tuple[str, str]]

DAY = 24 * 3600
_NONCE, _TAG, _EXPIRY = 12, 16, 6
_LONGEST_TOKEN = 4096
_MOST_KEYS = 16
_INT64 = 2**63


class Tokens:
    """Writes and reads the tokens of one key; every process that serves the same data has the same one.

    `secret` is any text or bytes that cannot be guessed; tokens are valid for `seconds` by `clock` (seconds since 1970).
    """

    def __init__(self, secret: bytes, seconds: int = DAY, clock: Callable[[], float] = time.time) -> None:
        self._cipher = AESGCMSIV(blake2b(secret, digest_size=32, person=b"tsunagi page").digest())
        self._seconds, self._clock = seconds, clock

    def encode(self, place: Place, purpose: str, understood: Pairs) -> str:
        """Write a place as a token for what is asked: `purpose` (the address below the base) and the understood parameters."""
        expiry = int(self._clock()) + self._seconds
        payload = expiry.to_bytes(_EXPIRY) + json.dumps(place, ensure_ascii=False, separators=(",", ":")).encode()
        nonce = os.urandom(_NONCE)
        return _written(nonce + self._cipher.encrypt(nonce, payload, _bound(purpose, understood)))

    def decode(self, token: str, purpose: str, understood: Pairs) -> Place:
        """Read a token. Raises FhirError: 400 for one that was not made for this search, 410 for one that has expired."""
        raw = _read(token) if len(token) <= _LONGEST_TOKEN else b""
        try:
            if len(raw) < _NONCE + _TAG + _EXPIRY:
                raise _refused(purpose)
            payload = self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], _bound(purpose, understood))
        except InvalidTag:
            raise _refused(purpose) from None
        if int.from_bytes(payload[:_EXPIRY]) < self._clock():
            raise invalid(
                f"This page is older than {_duration(self._seconds)} and has expired; start again from the first page",
                f"{purpose}?{PARAMETER}",
                code="value",
                status=410,
            )
        keys = json.loads(payload[_EXPIRY:])
        if not isinstance(keys, list) or len(keys) > _MOST_KEYS or not all(map(_is_key, keys)):
            raise _refused(purpose)
        return tuple(keys)


def _read(token: str) -> bytes:
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
    return raw if token == _written(raw) else b""


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bound(purpose: str, understood: Pairs) -> bytes:
    """The size of a page may change from page to page; everything else may not."""
    return json.dumps([purpose, [pair for pair in understood if pair[0] not in ("_count", PARAMETER)]]).encode()


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


def _duration(seconds: int) -> str:
    return f"{seconds // 3600} h" if seconds >= 3600 else f"{seconds} s"


def _refused(purpose: str) -> FhirError:
    return invalid("This page does not belong to this search; start again from its first page", f"{purpose}?{PARAMETER}", code="value")
