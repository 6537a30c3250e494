"""The public keys of clients: registered by value, or fetched from the address they registered.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html#registering-a-client-communicating-public-keys

The address comes from the registration and never from a request. What is there is fetched without following it anywhere
else, in a few seconds and kilobytes at most, and not more than once a minute for a kid that is not known.
"""

import asyncio
import ipaddress
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, RSAKey

from fhir_server.auth.clients import Client

Key = RSAKey | ECKey

_KEPT_SECONDS: Final = 600.0
_PAUSE_SECONDS: Final = 60.0
_FETCH_SECONDS: Final = 5.0
_LONGEST: Final = 256 * 1024
_MOST_KEYS: Final = 100
_LEAST_BITS: Final = 2048
_MOST_BITS: Final = 8192


class Unavailable(Exception):  # noqa: N818 - an outcome, told to the client's developer
    """The keys of a client cannot be fetched; the text says why, and nothing of what was there."""


@dataclass(slots=True)
class _Fetched:
    keys: list[Any] = field(default_factory=list)
    problem: str | None = None
    at: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class PublicKeys:
    """Finds the key of a client by its kid; fetched keys are kept for ten minutes in each process."""

    def __init__(self, pulse: Callable[[], float] = time.monotonic, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._pulse = pulse
        self._transport = transport
        self._fetched: dict[str, _Fetched] = {}

    async def find(self, client: Client, kid: str, algorithm: str) -> Key | None:
        """Give the key for signatures with this kid and algorithm; None where the client has no such key. Raises Unavailable."""
        if client.jwks is not None:
            return _chosen(_keys(client.jwks), kid, algorithm)
        if client.jwks_uri is None:
            return None
        fetched = self._fetched.setdefault(client.jwks_uri, _Fetched())
        async with fetched.lock:
            age = self._pulse() - fetched.at
            known = any(isinstance(each, dict) and each.get("kid") == kid for each in fetched.keys)
            if age > _KEPT_SECONDS or (age > _PAUSE_SECONDS and not known):
                await self._renew(client.jwks_uri, fetched)
        if fetched.problem is not None and not fetched.keys:
            raise Unavailable(fetched.problem)
        return _chosen(fetched.keys, kid, algorithm)

    async def _renew(self, uri: str, fetched: _Fetched) -> None:
        """Fetch anew; keys that were fetched before are dropped where that fails: the client may have withdrawn them."""
        fetched.at = self._pulse()
        try:
            fetched.keys, fetched.problem = _keys(await self._fetch(uri)), None
        except Unavailable as problem:
            fetched.keys, fetched.problem = [], str(problem)

    async def _fetch(self, uri: str) -> Mapping[str, Any]:
        if not is_fetchable(uri):
            raise Unavailable("jwks_uri must be an https address")
        try:
            async with asyncio.timeout(_FETCH_SECONDS), httpx.AsyncClient(follow_redirects=False, transport=self._transport) as client:
                body = await _received(client, uri)
            return msgspec.json.decode(body, type=dict[str, Any])
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError, ValueError, RecursionError):
            raise Unavailable("jwks_uri gives no JWK Set within 5 seconds") from None


def is_fetchable(uri: str) -> bool:
    """Tell whether keys may be fetched from there: https, or http on this machine itself, and no user or password in it."""
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.password is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _received(client: httpx.AsyncClient, uri: str) -> bytes:
    body = bytearray()
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}  # packed, a few kilobytes could be gigabytes
    async with client.stream("GET", uri, headers=headers) as response:
        if response.status_code != httpx.codes.OK:
            raise Unavailable(f"jwks_uri answers with status {response.status_code}; redirects are not followed")
        async for part in response.aiter_raw():
            body += part
            if len(body) > _LONGEST:
                raise Unavailable(f"jwks_uri gives more than {_LONGEST} bytes")
    return bytes(body)


def _keys(jwks: Mapping[str, Any]) -> list[Any]:
    keys = jwks.get("keys")
    return keys[:_MOST_KEYS] if isinstance(keys, list) else []


def _chosen(keys: list[Any], kid: str, algorithm: str) -> Key | None:
    """Give the first key that fits. One kid may name an RSA and an EC key: the algorithm tells them apart."""
    kty = "RSA" if algorithm.startswith("RS") else "EC"
    for key in keys:
        if isinstance(key, dict) and key.get("kid") == kid and key.get("kty") == kty and key.get("use", "sig") == "sig":
            found = _imported(key)
            if found is not None:
                return found
    return None


def _imported(key: dict[str, Any]) -> Key | None:
    """Give the public part of a key that is strong enough for its algorithm."""
    try:
        found = JWKRegistry.import_key({name: key[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in key})
        if isinstance(found, RSAKey):
            return found if _LEAST_BITS <= found.public_key.key_size <= _MOST_BITS else None
        return found if isinstance(found, ECKey) and found.curve_name == "P-384" else None
    except (JoseError, ValueError, TypeError, KeyError):
        return None
