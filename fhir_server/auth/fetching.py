"""JSON documents that others publish (keys, discovery): fetched without trusting the other side.

The address is always one that an operator or a registration names, never a request's. It is fetched without following it anywhere else,
in a few seconds and kilobytes at most, by https, or by http on this machine itself.
"""

import asyncio
import ipaddress
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import msgspec

_SECONDS: Final = 5.0
_LONGEST: Final = 256 * 1024


class Unavailable(Exception):  # noqa: N818 - an outcome, told to the client's developer
    """What is published cannot be fetched; the text says why, and nothing of what was there."""


async def fetch(uri: str, transport: httpx.AsyncBaseTransport | None = None) -> Mapping[str, Any]:
    """Give the JSON object at this address. Raises Unavailable."""
    if not is_fetchable(uri):
        raise Unavailable("the address must begin with https://")
    try:
        async with asyncio.timeout(_SECONDS), httpx.AsyncClient(follow_redirects=False, transport=transport, trust_env=False) as client:
            return msgspec.json.decode(await _received(client, uri), type=dict[str, Any])
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError, ValueError, RecursionError):
        raise Unavailable(f"there is no JSON at the address within {_SECONDS:.0f} seconds") from None


def is_fetchable(uri: str) -> bool:
    """Tell whether something may be fetched from there: https, or http on this machine itself, and no user or password in it."""
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
            raise Unavailable(f"the address answers with status {response.status_code}; redirects are not followed")
        async for part in response.aiter_raw():
            body += part
            if len(body) > _LONGEST:
                raise Unavailable(f"the address gives more than {_LONGEST} bytes")
    return bytes(body)
