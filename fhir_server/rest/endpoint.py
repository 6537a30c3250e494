"""The FHIR base address as one bare ASGI application: nothing stands between the socket and the service.

https://hl7.org/fhir/R4/http.html
https://asgi.readthedocs.io/en/latest/specs/www.html
"""

import logging
import re
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace

from starlette.types import Receive, Scope, Send

from fhir_server.outcome import FhirError, Issue
from fhir_server.rest.binary import Disconnected
from fhir_server.rest.cors import Cors
from fhir_server.rest.purpose import declared
from fhir_server.rest.request import Asked, Limits, fhir_request, headers_of
from fhir_server.rest.response import Answer, answer, chunk_messages, failure, messages
from fhir_server.service import Requester, Service

log = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"[0-9a-fA-F\-]{16,64}")  # UUIDs and trace ids; what may be a name or a patient's number is not logged
_WENT_AWAY = 499  # what others call it in logs; it is never sent
_SAFE = frozenset({"GET", "HEAD"})


Record = Callable[[str | None, str | None, int, float, str | None], None]
"""What metrics and the log may know of a request: interaction, type, status, seconds, the request's id."""

Identify = Callable[[Asked], Awaitable[Requester]]
"""Tells who asks, by the request's headers and connection; raises FhirError (401) where nobody is known to."""

NOBODY = Requester("")
"""Asks what everybody may ask: what this server is."""


class FhirEndpoint:
    """Answers every request below the base; whatever happens, the answer is FHIR."""

    def __init__(
        self,
        service: Service,
        identify: Identify,
        *,
        prefix: str,
        base: str | None,
        limits: Limits,
        record: Record,
        cors: Cors | None = None,
    ) -> None:
        self.service = service
        self.identify = identify
        self.prefix = prefix
        self.base = base
        self.limits = limits
        self.record = record
        self.cors = cors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        started = time.perf_counter()
        asked = Asked(scope, headers_of(scope))
        request_id = _request_id(asked.headers.get("x-request-id"))
        status = _WENT_AWAY
        try:
            preflight = self.cors.preflight(scope["method"], asked.headers) if self.cors is not None else None
            given = preflight or await self._answer(asked, receive, request_id)
            status = given.status
            if self.cors is not None:
                given.headers.extend(self.cors.headers(asked.headers.get("origin")))
            for message in messages(given, request_id, with_body=scope["method"] != "HEAD"):
                await send(message)
            if given.chunks is not None and scope["method"] != "HEAD":
                async for message in chunk_messages(given):
                    await send(message)
        except Disconnected:
            pass
        finally:
            route = asked.route
            code, type = (route.code, route.type) if route is not None else (None, None)
            self.record(code, type, status, time.perf_counter() - started, request_id)

    async def _answer(self, asked: Asked, receive: Receive, request_id: str) -> Answer:
        try:
            requester = NOBODY if self._is_public(asked) else await self.identify(asked)
            served = self.service.serving.served
            request = await fhir_request(asked, receive, served, prefix=self.prefix, base=self.base, limits=self.limits)
            request = replace(request, trace=request_id)
            response = await self.service.perform(request, declared(requester, asked.headers))
            return answer(request, response, pretty=asked.pretty)
        except FhirError as error:
            return failure(error, asked.subject, pretty=asked.pretty)
        except Disconnected:
            raise
        except Exception:
            log.exception("unexpected failure", extra={"request": request_id})
            return failure(_unexpected(request_id), asked.subject)

    def _is_public(self, asked: Asked) -> bool:
        """Tell whether anybody may ask this: what the server is (`/metadata`), and nothing else."""
        return asked.scope["method"] in _SAFE and asked.scope["path"] == f"{self.prefix}/metadata"


def _request_id(given: str | None) -> str:
    return given if given is not None and _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())


def _unexpected(request_id: str) -> FhirError:
    return FhirError(
        Issue("exception", f"The server failed unexpectedly; its log has more under the request id {request_id}", severity="fatal")
    )
