"""The store as the settings want it: connected, and its indexes seen by the operator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fhir_server.app.definitions import parameters
from fhir_server.search.entries import entries
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
    return Upkeep(mongo, digest, lambda resource: entries(resource, parameters().at(settings.base), settings.zone))
