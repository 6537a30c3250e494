"""The public keys of clients: registered by value, or fetched from the address they registered.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html#registering-a-client-communicating-public-keys

The address comes from the registration and never from a request. What is there is fetched without following it anywhere
else, in a few seconds and kilobytes at most, and not more than once a minute for a kid that is not known.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, RSAKey

from fhir_server.auth.clients import Client
from fhir_server.auth.fetching import Unavailable, fetch

Key = RSAKey | ECKey

_KEPT_SECONDS: Final = 600.0
_PAUSE_SECONDS: Final = 60.0
_MOST_KEYS: Final = 100
_LEAST_BITS: Final = 2048
_MOST_BITS: Final = 8192


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
            fetched.keys, fetched.problem = _keys(await fetch(uri, self._transport)), None
        except Unavailable as problem:
            fetched.keys, fetched.problem = [], f"jwks_uri: {problem}"


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
