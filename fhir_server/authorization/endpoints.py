"""The OAuth endpoints over HTTP.

https://www.rfc-editor.org/rfc/rfc6749#section-3
https://hl7.org/fhir/smart-app-launch/STU2.2/

/auth/authorize judges the request and sends the person to the login page; /auth/token, /auth/introspect, /auth/revoke and
/auth/launch are for programs. What they answer is decided in fhir_server.auth.oauth, which knows no HTTP.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from fhir_server.auth.oauth.client_authentication import Presented
from fhir_server.auth.oauth.discovery import openid_configuration, server_metadata, smart_configuration
from fhir_server.auth.oauth.parameters import Parameters, read
from fhir_server.auth.oauth.refusals import OAuth2Error
from fhir_server.auth.oauth.server import AuthorizationServer
from fhir_server.auth.throttle import Throttle
from fhir_server.authorization.cross_origin import EVERYWHERE, Origins
from fhir_server.authorization.receiving import received, source_of
from fhir_server.authorization.refused import failed, refused, refused_on_page
from fhir_server.outcome import FhirError

_NEVER_STORED: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_A_WHILE: Final = {"Cache-Control": "public, max-age=300", **EVERYWHERE}
_MINUTE: Final = 60

ErrorPage = Callable[[Request, str], Response]


@dataclass(frozen=True, slots=True)
class Rates:
    """How often one address may call in a minute."""

    authorize: int = 120
    token: int = 600
    introspect: int = 1200
    launch: int = 300


@dataclass(frozen=True, slots=True)
class OAuth:
    """What the endpoints need.

    `types` are the resource types served. `certificate` gives the thumbprint of the certificate that a connection proves, only
    if it is good now, and may raise FhirError; None where there are no client certificates. `source` names the address that
    asks. `error_page` shows a person, in place of a plain page, why a request cannot go back to its app.
    """

    server: AuthorizationServer
    throttle: Throttle
    types: Iterable[str] = ()
    certificate: Callable[[Scope], str | None] | None = None
    source: Callable[[Scope], str] = source_of
    error_page: ErrorPage = refused_on_page
    rates: Rates = field(default_factory=Rates)

    def presented(self, request: Request, parameters: Parameters) -> Presented:
        """Put together what a client sent."""
        certificate = self.certificate(request.scope) if self.certificate is not None else None
        return Presented(parameters.once(), request.headers.get("authorization"), certificate, self.source(request.scope))


Work = Callable[[OAuth, Presented], Awaitable[Mapping[str, Any] | None]]


def add_oauth(app: FastAPI, oauth: Callable[[], OAuth | None]) -> None:
    """Add the routes; `oauth` gives None before start."""
    origins = Origins(lambda: _origins(oauth))
    _add_discovery(app, oauth)
    _add_authorize(app, oauth)
    _add_program(app, "token", oauth, lambda known, sent: known.server.token(sent), origins)
    _add_program(app, "revoke", oauth, _revoke, origins)
    _add_program(app, "introspect", oauth, lambda known, sent: known.server.introspect(sent), None)
    _add_program(app, "launch", oauth, _launch, None, json=True)


def _add_discovery(app: FastAPI, oauth: Callable[[], OAuth | None]) -> None:
    @app.get("/fhir/.well-known/smart-configuration", include_in_schema=False)
    async def smart() -> Response:
        return _document(oauth(), smart_configuration)

    @app.get("/.well-known/oauth-authorization-server", include_in_schema=False)
    async def metadata() -> Response:
        return _document(oauth(), server_metadata)

    @app.get("/.well-known/openid-configuration", include_in_schema=False)
    async def openid() -> Response:
        return _document(oauth(), openid_configuration)

    @app.get("/auth/jwks", include_in_schema=False)
    async def jwks() -> Response:
        known = oauth()
        if known is None:
            return _starting()
        try:
            return JSONResponse(await known.server.keys.jwks(), headers=_A_WHILE)
        except FhirError as failure:
            return failed(failure)


def _document(known: OAuth | None, document: Callable[..., Mapping[str, Any]]) -> Response:
    if known is None:
        return _starting()
    content = document(known.server.addresses, known.types, certificates=known.certificate is not None)
    return JSONResponse(content, headers=_A_WHILE)


def _add_authorize(app: FastAPI, oauth: Callable[[], OAuth | None]) -> None:
    @app.api_route("/auth/authorize", methods=["GET", "POST"], include_in_schema=False)
    async def authorize(request: Request) -> Response:
        known = oauth()
        if known is None:
            return _starting()
        try:
            await known.throttle.allow("authorize", known.source(request.scope), known.rates.authorize, _MINUTE)
            asked = await _asked(request)
            begun = await known.server.requests.begin(asked)
        except OAuth2Error as error:
            return _returned(known, request, error)
        except FhirError as failure:
            return failed(failure)
        except ClientDisconnect:
            return Response(status_code=400)
        return _redirect(f"{known.server.addresses.issuer}/auth/login?authorization={begun.id}")


async def _asked(request: Request) -> Parameters:
    if request.method == "POST":
        return await received(request)
    return read(request.scope["query_string"])


def _returned(known: OAuth, request: Request, error: OAuth2Error) -> Response:
    if error.redirect_uri:
        return _redirect(known.server.requests.returned(error))
    return known.error_page(request, str(error.description))


def _redirect(address: str) -> Response:
    return RedirectResponse(address, status_code=303, headers={**_NEVER_STORED, "Referrer-Policy": "no-referrer"})


def _add_program(
    app: FastAPI, name: str, oauth: Callable[[], OAuth | None], work: Work, origins: Origins | None, *, json: bool = False
) -> None:
    path = f"/auth/{name}"

    @app.post(path, include_in_schema=False)
    async def endpoint(request: Request) -> Response:
        known = oauth()
        if known is None:
            return _starting()
        shared = await origins.headers(request.headers.get("origin")) if origins is not None else {}
        response = await _answered(known, name, request, work, json=json)
        response.headers.update({**_NEVER_STORED, **shared})
        return response

    if origins is not None:

        @app.options(path, include_in_schema=False)
        async def preflight(request: Request) -> Response:
            return Response(status_code=204, headers=dict(await origins.preflight(request.headers.get("origin"))))


async def _answered(known: OAuth, name: str, request: Request, work: Work, *, json: bool) -> Response:
    try:
        await known.throttle.allow(name, known.source(request.scope), _rate(known.rates, name), _MINUTE)
        sent = known.presented(request, await received(request, json=json))
        answer = await work(known, sent)
    except OAuth2Error as error:
        return refused(error)
    except FhirError as failure:
        return failed(failure)
    except ClientDisconnect:
        return Response(status_code=400)
    return Response(status_code=200) if answer is None else JSONResponse(answer)


def _rate(rates: Rates, name: str) -> int:
    return {"token": rates.token, "revoke": rates.token, "introspect": rates.introspect, "launch": rates.launch}[name]


async def _revoke(known: OAuth, sent: Presented) -> None:
    await known.server.revoke(sent)


async def _launch(known: OAuth, sent: Presented) -> Mapping[str, Any]:
    return {"launch": await known.server.launch(sent)}


async def _origins(oauth: Callable[[], OAuth | None]) -> frozenset[str]:
    known = oauth()
    return await known.server.origins() if known is not None else frozenset()


def _starting() -> Response:
    return JSONResponse({"error": "temporarily_unavailable"}, status_code=503, headers={"Retry-After": "2", **_NEVER_STORED})
