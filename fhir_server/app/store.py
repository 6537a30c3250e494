"""The store as the settings want it: connected, and its indexes seen by the operator."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fhir_server.app.definitions import parameters
from fhir_server.exchange import Resource
from fhir_server.search.entries import entries
from fhir_server.search.expression import Entries
from fhir_server.search.fingerprint import fingerprint
from fhir_server.settings import Settings
from fhir_server.store.mongo import Limits, Mongo
from fhir_server.store.upkeep import Upkeep
from profiles.definitions import r4


async def connect(settings: Settings, mongodb_uri: str) -> Mongo:
    """Connect to MongoDB. Raises Unsuitable."""
    return await Mongo.connect(
        mongodb_uri,
        settings.database,
        Limits(
            settings.query_time,
            settings.chain_limit,
            codes=settings.codes_limit,
            scanned=settings.text_limit,
            inline=settings.binary_inline * 1024,
        ),
        _index(settings),
    )


@asynccontextmanager
async def open_upkeep(settings: Settings, mongodb_uri: str) -> AsyncIterator[Upkeep]:
    """Give the operator's view of the store's indexes."""
    mongo = await connect(settings, mongodb_uri)
    try:
        yield upkeep(settings, mongo)
    finally:
        await mongo.close()


def upkeep(settings: Settings, mongo: Mongo) -> Upkeep:
    """Give the view of the indexes of an open store."""
    digest = fingerprint(r4().search_parameters, settings.timezone, settings.base_url or "")
    return Upkeep(mongo, digest, _index(settings))


def _index(settings: Settings) -> Callable[[Resource], Entries]:
    found_by = parameters().at(settings.base)
    return lambda resource: entries(resource, found_by, settings.zone)
