"""The composition root: the only package that knows every part.

`preload` is for the process that forks workers, `create_app` for each worker, `open_service` and `open_registry` for whoever works inside
the process without HTTP, such as the SS-MIX2 import and the operator's commands.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from fhir_server.app.application import Application
from fhir_server.app.definitions import openapi, parameters, preload, statement, validator
from fhir_server.app.identity import Identity, compose
from fhir_server.app.network import Network, open_network
from fhir_server.app.store import connect, open_upkeep, upkeep
from fhir_server.auth.certificates.authority import stored_authorities
from fhir_server.interactions.handlers import HANDLERS
from fhir_server.interactions.serving import Serving
from fhir_server.interactions.special.binary import with_content
from fhir_server.interactions.statement import requirements, served
from fhir_server.operations.perform import perform
from fhir_server.search.limits import Limits
from fhir_server.search.paging import Tokens
from fhir_server.service import Service
from fhir_server.settings import Settings
from fhir_server.store.mongo import Mongo, Unsuitable
from fhir_server.store.records import Shelf
from fhir_server.store.secrets import kept_secret
from profiles.definitions import r4

__all__ = [
    "Application", "Registry", "Unsuitable", "client_authorities", "create_app", "open_registry", "open_service", "open_upkeep", "openapi", "preload",
]  # fmt: skip

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Registry:
    """What commands administer with: the one door to the resources, and everything that knows who asks."""

    service: Service
    identity: Identity
    mongo: Mongo
    network: Network


@asynccontextmanager
async def open_service(settings: Settings, mongodb_uri: str) -> AsyncIterator[Service]:
    """Give the service on its database; both are closed in the end."""
    async with open_registry(settings, mongodb_uri, start=False) as registry:
        yield registry.service


@asynccontextmanager
async def open_registry(settings: Settings, mongodb_uri: str, *, start: bool = True) -> AsyncIterator[Registry]:
    """Give service and identity on their database; without `start` nobody can be told apart yet, nor let in."""
    mongo = await connect(settings, mongodb_uri)
    try:
        await _look_after(settings, mongo)
        identity = await compose(settings, mongo)
        if start:
            await identity.start()
        service, network = await open_network(settings, mongo, identity, await _serving_of(settings, mongo))
        async with network.log.kept():
            yield Registry(service, identity, mongo, network)
    finally:
        await mongo.close()


def create_app(settings: Settings, mongodb_uri: str) -> Application:
    """Make the application of one worker; it connects to MongoDB when the ASGI server starts its lifespan."""
    return Application(settings, lambda: open_registry(settings, mongodb_uri))


async def client_authorities(settings: Settings, mongodb_uri: str) -> bytes:
    """Give the network's own certificate authorities as PEM, empty where there are none yet."""
    mongo = await connect(settings, mongodb_uri)
    try:
        return await stored_authorities(Shelf(mongo.database))
    finally:
        await mongo.close()


async def _look_after(settings: Settings, mongo: Mongo) -> None:
    if await upkeep(settings, mongo).entries() != "current":
        log.warning("what is stored is found by entries of other definitions or another time zone: `tsunagi index rebuild` renews them")
    if swept := await mongo.files.sweep():
        log.warning("files of Binary that no version refers to were deleted: %d; a process had ended while it stored them", swept)


async def _serving_of(settings: Settings, mongo: Mongo) -> Serving:
    secret = settings.paging_key.encode() if settings.paging_key else await kept_secret(mongo.database, "paging")
    return _serving(settings, Tokens(secret, settings.paging_time * 60))


def _serving(settings: Settings, tokens: Tokens) -> Serving:
    return Serving(
        definitions=r4(),
        parameters=parameters().at(settings.base),
        validator=validator(),
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
        statement=partial(
            statement, cors=bool(settings.origins), issuer=settings.issuer if settings.authentication == "required" else None
        ),
        handlers={**with_content(HANDLERS), "operation": perform},
        tokens=tokens,
        strict=settings.handling == "strict",
        entries=settings.bundle_limit,
        deletions=settings.delete_limit,
    )
