"""The application of one worker: what is below the FHIR base goes straight to the endpoint, everything else through FastAPI."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from starlette.types import Receive, Scope, Send

from fhir_server import observability
from fhir_server.app.definitions import openapi
from fhir_server.app.doors import Doors, add_doors, comes_from, open_doors
from fhir_server.auth.authenticator import unauthenticated
from fhir_server.authorization.certificate_guard import CertificateGuard
from fhir_server.rest.cors import Cors
from fhir_server.rest.endpoint import FhirEndpoint
from fhir_server.rest.health import Readiness, add_health, add_metrics
from fhir_server.rest.request import Asked
from fhir_server.rest.request import Limits as RequestLimits
from fhir_server.rest.swagger import add_swagger
from fhir_server.service import LOCAL, Requester
from fhir_server.settings import Settings

if TYPE_CHECKING:
    from fhir_server.app import Registry

PREFIX = "/fhir"
_DISCOVERY = f"{PREFIX}/.well-known/smart-configuration"
_MEGABYTE = 1024 * 1024
_HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")

Opener = Callable[[], AbstractAsyncContextManager["Registry"]]


class Application:
    """Answers requests while its lifespan lasts; `registry` is there then.

    Administration that has a port of its own (NETWORK.md L08) is an application of its own: neither knows a route of the other.
    Which one is asked is told by the port of the connection's own socket, which nothing that is sent can change (S52, S53).
    """

    def __init__(self, settings: Settings, opened: Opener) -> None:
        self._settings = settings
        self._opened = opened
        self._endpoint: FhirEndpoint | None = None
        self._secure = settings.base.startswith("https://")
        required = settings.tls_client_certificates == "required"
        self._guarded = CertificateGuard(self._answer, lambda: self.registry.identity.pki if self.registry else None, required=required)
        self.registry: Registry | None = None
        self.readiness: Readiness | None = None
        self.outer = _bare("Tsunagi", lifespan=self._lifespan)
        self.administration = _bare("Tsunagi administration") if settings.admin_port else self.outer
        for each in {self.outer, self.administration}:
            add_health(each, lambda: self.readiness)
        add_metrics(self.outer, observability.exposition, comes_from(settings.metrics_networks))
        add_swagger(self.outer, lambda: openapi(PREFIX.removeprefix("/")))
        self._doors: Doors | None = None
        add_doors(self.outer, self.administration, settings, lambda: self._doors, self._identify_request)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or live through the lifespan."""
        await self._guarded(scope, receive, self._with_hsts(send) if self._secure and scope["type"] == "http" else send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if self._administers(scope):
                await self.administration(scope, receive, send)
                return
            path: str = scope["path"]
            below = path.startswith(PREFIX) and (len(path) == len(PREFIX) or path[len(PREFIX)] == "/")
            if self._endpoint is not None and below and path != _DISCOVERY:
                await self._endpoint(scope, receive, send)
                return
        await self.outer(scope, receive, send)

    def _administers(self, scope: Scope) -> bool:
        """Tell whether the connection came in at the port that only administration answers at."""
        local = scope.get("server")
        return self._settings.admin_port > 0 and local is not None and local[1] == self._settings.admin_port

    def stopping(self) -> None:
        """Say from now on that this process wants no more work; what it accepted is still answered."""
        if self.readiness is not None:
            self.readiness.stopping = True

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        async with self._opened() as registry, registry.identity.watched(), registry.network.settled():
            self.registry = registry
            self._doors = open_doors(self._settings, registry)
            self.readiness = Readiness(registry.mongo.ping)
            self._endpoint = FhirEndpoint(
                registry.service,
                self._identify if self._settings.authentication == "required" else _everybody,
                prefix=PREFIX,
                base=self._settings.base_url.rstrip("/") if self._settings.base_url else None,
                limits=RequestLimits(self._settings.body_limit * _MEGABYTE, binary=self._settings.binary_limit * _MEGABYTE),
                record=observability.record,
                cors=Cors(self._settings.origins) if self._settings.origins else None,
            )
            yield
            self.stopping()

    async def _identify(self, asked: Asked) -> Requester:
        return await self._requester(asked.headers.get("authorization"), asked.scope)

    async def _identify_request(self, request: Request) -> Requester:
        return await self._requester(request.headers.get("authorization"), request.scope)

    async def _requester(self, authorization: str | None, scope: Scope) -> Requester:
        """Tell who asks; a certificate that the connection shows must be of the same one."""
        assert self.registry is not None
        identity = self.registry.identity
        presented = identity.pki.binding.presented(scope) if self._settings.shows_certificates else None
        requester = await identity.authenticator.requester(authorization, presented.thumbprint if presented is not None else None)
        if presented is not None and not presented.is_of(requester):
            raise unauthenticated("The client certificate of this connection is somebody else's than the access token", "invalid_token")
        return requester

    def _with_hsts(self, send: Send) -> Send:
        """Have browsers never come without TLS again: https://www.rfc-editor.org/rfc/rfc6797."""

        async def sending(message: object) -> None:
            if message["type"] == "http.response.start":  # type: ignore[index] # an ASGI message
                message["headers"] = [*message.get("headers", ()), _HSTS]  # type: ignore[index,attr-defined]
            await send(message)  # type: ignore[arg-type]

        return sending


def _bare(title: str, **options: Any) -> FastAPI:
    return FastAPI(title=title, openapi_url=None, docs_url=None, redoc_url=None, **options)


async def _everybody(_: Asked) -> Requester:
    """Without authentication (a setting for measuring and tests, at a loopback address) everybody is the operator."""
    return LOCAL
