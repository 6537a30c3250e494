"""Refuses requests whose connection shows a certificate that does not count, or none where one is required (F051, F101).

https://asgi.readthedocs.io/en/latest/specs/main.html
It stands before everything else. TLS of the server itself has then refused strangers already, but not the revoked; behind a
proxy nothing has been refused yet. What leads to a certificate stays open: the page for enrolling, revocation lists, authorities.
"""

from collections.abc import Callable
from typing import Final

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from fhir_server.auth.certificates.binding import Refused
from fhir_server.auth.certificates.pki import Pki
from fhir_server.outcome import FhirError, Issue, operation_outcome

OPEN: Final = ("/pki/enrol", "/pki/crl", "/pki/ca", "/health/live", "/health/ready", "/auth/static")


class CertificateGuard:
    """Stands before an application; `pki` gives None before the start."""

    def __init__(self, app: ASGIApp, pki: Callable[[], Pki | None], *, required: bool) -> None:
        self._app = app
        self._pki = pki
        self._required = required

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or refuse it."""
        if scope["type"] == "http":
            failure = await self._failure(scope)
            if failure is not None:
                await _refuse(failure, send)
                return
        await self._app(scope, receive, send)

    async def _failure(self, scope: Scope) -> FhirError | None:
        if _is_open(scope["path"]):
            return None
        pki = self._pki()
        if pki is None:
            return FhirError(Issue("transient", "The server is starting")) if self._required else None
        try:
            shown = await _shown(pki, scope)
        except FhirError as failure:
            return failure
        if shown or not self._required:
            return None
        return FhirError(Issue("security", "A client certificate of this network is required; /pki/enrol gives one to who was invited"))


async def _shown(pki: Pki, scope: Scope) -> bool:
    """Tell whether a good certificate is shown; one that another process has just issued is asked for in the database."""
    try:
        return pki.binding.presented(scope) is not None
    except Refused as refused:
        if refused.reason != "unknown":
            raise
    await pki.register.refresh()
    return pki.binding.presented(scope) is not None


def _is_open(path: str) -> bool:
    return any(path == each or path.startswith(f"{each}/") for each in OPEN)


async def _refuse(failure: FhirError, send: Send) -> None:
    body = msgspec.json.encode(operation_outcome(failure.issues))
    headers = [(b"content-type", b"application/fhir+json"), (b"content-length", b"%d" % len(body)), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": failure.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
