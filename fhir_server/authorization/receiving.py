"""The body of a request to an OAuth endpoint: a form, or for some endpoints JSON; small, and soon here."""

import asyncio
from typing import Final

from fastapi import Request
from starlette.types import Scope

from fhir_server.auth.oauth.parameters import LONGEST, Parameters, read, read_json
from fhir_server.auth.oauth.refusals import OAuth2Error, invalid_request

FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"
_SECONDS: Final = 30.0


async def received(request: Request, *, json: bool = False) -> Parameters:
    """Receive and read a body. Raises OAuth2Error for what is none."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != FORM and not (json and media == JSON):
        raise invalid_request(f"Content-Type must be {FORM}{' or ' + JSON if json else ''}")
    body = await _body(request)
    return read_json(body) if media == JSON else read(body)


def source_of(scope: Scope) -> str:
    """Give the address of the connection's other end."""
    client = scope.get("client")
    return str(client[0]) if client else ""


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > LONGEST:
                    raise _too_long()
    except TimeoutError:
        raise invalid_request("The body did not arrive in time") from None
    return bytes(body)


def _too_long() -> OAuth2Error:
    error = invalid_request(f"The body is longer than {LONGEST} bytes")
    error.status_code = 413
    return error
