"""The composition root: the only module that knows every part.

`preload` is for the process that forks workers, `create_app` for each worker, `open_service` for whoever works inside
the process without HTTP, such as the SS-MIX2 import.
"""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from fhir_server import observability
from fhir_server.interactions.handlers import HANDLERS
from fhir_server.interactions.serving import Serving
from fhir_server.interactions.special.binary import with_content
from fhir_server.interactions.statement import full, normative, requirements, served, terminology
from fhir_server.operations.perform import operations, perform
from fhir_server.rest.cors import Cors
from fhir_server.rest.endpoint import FhirEndpoint
from fhir_server.rest.health import Readiness, add_health
from fhir_server.rest.openapi import DEFAULT_BASE, document, invocation
from fhir_server.rest.request import Limits as RequestLimits
from fhir_server.rest.swagger import add_swagger
from fhir_server.search.entries import entries
from fhir_server.search.fingerprint import fingerprint
from fhir_server.search.limits import Limits
from fhir_server.search.paging import Tokens
from fhir_server.search.parameters import Parameters
from fhir_server.service import Service
from fhir_server.settings import Settings
from fhir_server.store.mongo import Limits as StoreLimits
from fhir_server.store.mongo import Mongo, Unsuitable
from fhir_server.store.repository import Repository
from fhir_server.store.secrets import kept_secret
from fhir_server.store.upkeep import Upkeep
from profiles import json
from profiles.definitions import r4
from profiles.validator import Validator
from terminology.service import r4 as r4_terminology

__all__ = ["Application", "Unsuitable", "create_app", "open_service", "open_upkeep", "openapi", "preload"]

PREFIX = "/fhir"
log = logging.getLogger(__name__)
_MEGABYTE = 1024 * 1024


def preload() -> None:
    """Load the definitions, so that processes forked from this one share them."""
    _validator()
    _statement("full")


@asynccontextmanager
async def open_service(settings: Settings, mongodb_uri: str) -> AsyncIterator[Service]:
    """Give the service on its database; both are closed in the end."""
    async with _open(settings, mongodb_uri) as (service, _):
        yield service


def create_app(settings: Settings, mongodb_uri: str) -> ASGIApp:
    """Make the application of one worker; it connects to MongoDB when the ASGI server starts its lifespan."""
    return Application(settings, lambda: _open(settings, mongodb_uri))


Opener = Callable[[], AbstractAsyncContextManager[tuple[Service, Mongo]]]


class Application:
    """Sends what is below the FHIR base straight to the endpoint, and everything else through FastAPI."""

    def __init__(self, settings: Settings, opened: Opener) -> None:
        self._settings = settings
        self._opened = opened
        self._endpoint: FhirEndpoint | None = None
        self.readiness: Readiness | None = None
        self.outer = FastAPI(title="Tsunagi", lifespan=self._lifespan, openapi_url=None, docs_url=None, redoc_url=None)
        add_health(self.outer, lambda: self.readiness, observability.exposition)
        add_swagger(self.outer, lambda: openapi(PREFIX.removeprefix("/")))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or live through the lifespan."""
        if scope["type"] == "http" and self._endpoint is not None:
            path: str = scope["path"]
            if path.startswith(PREFIX) and (len(path) == len(PREFIX) or path[len(PREFIX)] == "/"):
                await self._endpoint(scope, receive, send)
                return
        await self.outer(scope, receive, send)

    def stopping(self) -> None:
        """Say from now on that this process wants no more work; what it accepted is still answered."""
        if self.readiness is not None:
            self.readiness.stopping = True

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        async with self._opened() as (service, mongo):
            self.readiness = Readiness(mongo.ping)
            self._endpoint = FhirEndpoint(
                service,
                prefix=PREFIX,
                base=self._settings.base_url.rstrip("/") if self._settings.base_url else None,
                limits=RequestLimits(self._settings.body_limit * _MEGABYTE, binary=self._settings.binary_limit * _MEGABYTE),
                record=observability.record,
                cors=Cors(self._settings.origins) if self._settings.origins else None,
            )
            yield
            self.stopping()


@asynccontextmanager
async def _open(settings: Settings, mongodb_uri: str) -> AsyncIterator[tuple[Service, Mongo]]:
    mongo = await _connect(settings, mongodb_uri)
    try:
        if await _upkeep(settings, mongo).entries() != "current":
            log.warning("what is stored is found by entries of other definitions or another time zone: `tsunagi index rebuild` renews them")
        if swept := await mongo.files.sweep():
            log.warning("files of Binary that no version refers to were deleted: %d; a process had ended while it stored them", swept)
        secret = settings.paging_key.encode() if settings.paging_key else await kept_secret(mongo.database, "paging")
        yield Service(_serving(settings, Tokens(secret, settings.paging_time * 60)), partial(Repository, mongo)), mongo
    finally:
        await mongo.close()


def _serving(settings: Settings, tokens: Tokens) -> Serving:
    return Serving(
        definitions=r4(),
        parameters=_parameters().at(settings.base),
        validator=_validator(),
        zone=settings.zone,
        limits=Limits(
            count=settings.count_default,
            most=settings.count_limit,
            chain=settings.chain_depth,
            includes=settings.include_limit,
            rounds=settings.include_rounds,
            near=settings.near_distance,
        ),
        served=served(requirements(r4())),
        statement=partial(_statement, cors=bool(settings.origins)),
        handlers={**with_content(HANDLERS), "operation": perform},
        tokens=tokens,
        strict=settings.handling == "strict",
        entries=settings.bundle_limit,
        deletions=settings.delete_limit,
    )


@asynccontextmanager
async def open_upkeep(settings: Settings, mongodb_uri: str) -> AsyncIterator[Upkeep]:
    """Give the operator's view of the store's indexes."""
    mongo = await _connect(settings, mongodb_uri)
    try:
        yield _upkeep(settings, mongo)
    finally:
        await mongo.close()


def _upkeep(settings: Settings, mongo: Mongo) -> Upkeep:
    digest = fingerprint(r4().search_parameters, settings.timezone, settings.base_url or "")
    return Upkeep(mongo, digest, lambda resource: entries(resource, _parameters().at(settings.base), settings.zone))


async def _connect(settings: Settings, mongodb_uri: str) -> Mongo:
    return await Mongo.connect(
        mongodb_uri,
        settings.database,
        StoreLimits(
            settings.query_time,
            settings.chain_limit,
            codes=settings.codes_limit,
            scanned=settings.text_limit,
            inline=settings.binary_inline * 1024,
        ),
    )


def openapi(base: str = DEFAULT_BASE) -> bytes:
    """Give the OpenAPI document of a server at this address; `openapi/openapi.json` holds that of the default one."""
    return document(
        served(requirements(r4())),
        _parameters(),
        _version(),
        base,
        invocation.paths(each for known in operations(r4()).values() for each in known),
    )


@cache
def _parameters() -> Parameters:
    return Parameters(r4())


@cache
def _validator() -> Validator:
    return Validator(r4(), r4_terminology())


@cache
def _statement(mode: str, *, cors: bool = False) -> bytes:
    if mode == "terminology":
        return json.encode(terminology(requirements(r4()), _version(), r4_terminology().code_systems))
    statement = full(requirements(r4()), _parameters(), _version(), cors=cors)
    return json.encode(normative(statement) if mode == "normative" else statement)


def _version() -> str:
    try:
        return version("tsunagi")
    except PackageNotFoundError:
        return "0"
