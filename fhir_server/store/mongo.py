"""The connection to MongoDB, and the two collections.

Every process opens one. Reads see what was acknowledged before, by whichever process: they go to the primary. Every
write is acknowledged by the majority and the journal.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, Self, TypeAlias

import pymongo
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient, ReadPreference, WriteConcern
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConfigurationError, InvalidURI, OperationFailure, PyMongoError, ServerSelectionTimeoutError
from pymongo.read_concern import ReadConcern

from fhir_server.exchange import Resource
from fhir_server.search.expression import Entries
from fhir_server.store.building import Building
from fhir_server.store.documents import Ties
from fhir_server.store.files import Files
from fhir_server.store.indexes import COLLECTIONS, ensure
from fhir_server.store.reading import Reads
from fhir_server.store.sending import Inserts, Replacements
from fhir_server.store.sharing import Sharing
from fhir_server.store.turns import Turns

Document: TypeAlias = dict[str, Any]

OLDEST = (6, 0)
_SETUP_SECONDS = 120.0
_DURABLE = WriteConcern(w="majority", j=True, wtimeout=15_000)
_CODEC: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)


class Unsuitable(Exception):  # noqa: N818 - an outcome, told to the operator
    """The MongoDB cannot be used; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may cost.

    `milliseconds` is what the database may take for one query; `related` how many resources a chained parameter or
    _has may lead over, `codes` how many codes a value set may have, `scanned` how many resources _text and _content may
    look through; `pool` how many connections this process opens at most; `inline` how many bytes a Binary may have to stay
    in its document.
    """

    milliseconds: int = 10_000
    related: int = 1_000
    codes: int = 2_000
    scanned: int = 10_000
    pool: int = 50
    inline: int = 256 * 1024


@dataclass(frozen=True, slots=True)
class Mongo:
    """An open connection: the collections, and what the requests of this process share."""

    client: AsyncMongoClient[Document]
    database: AsyncDatabase[Document]
    resource: AsyncCollection[Document]
    history: AsyncCollection[Document]
    limits: Limits
    reads: Reads
    inserts: Inserts
    replacements: Replacements
    files: Files
    sharing: Sharing
    index: Callable[[Resource], Entries] | None = None
    ties: Ties = field(default_factory=Ties)
    building: tuple[Building, ...] = ()
    turns: Turns = field(default_factory=Turns)

    @classmethod
    async def connect(
        cls, uri: str, database: str, limits: Limits | None = None, index: Callable[[Resource], Entries] | None = None
    ) -> Self:
        """Connect, check that the server will do, and make collections and indexes where they are missing.

        `index` finds the entries of a resource, where the store itself adds to what a client sent.

        Raises Unsuitable with a text for the operator.
        """
        limits = limits or Limits()
        client = _client(uri, limits)
        try:
            await _check(client)
            opened = client.get_database(
                database,
                codec_options=_CODEC,
                read_preference=ReadPreference.PRIMARY,
                write_concern=_DURABLE,
                read_concern=ReadConcern("local"),
            )
            with pymongo.timeout(_SETUP_SECONDS):
                missing = {name: await ensure(opened, name, indexes) for name, indexes in COLLECTIONS.items()}
                sharing = Sharing(opened, limits.milliseconds)
                await sharing.ensure()
        except BaseException:
            await client.close()
            raise
        resource, history = opened["resource"], opened["history"]
        reads = Reads(resource, limits.milliseconds)
        building = tuple(Building(opened, name, indexes) for name, indexes in missing.items() if indexes)
        replacements, files = Replacements(resource, history), Files(opened, limits.inline)
        inserts = Inserts(resource)
        return cls(client, opened, resource, history, limits, reads, inserts, replacements, files, sharing, index, building=building)

    async def close(self) -> None:
        """End the connections."""
        for each in self.building:
            await each.stop()
        await self.client.close()

    async def ping(self) -> None:
        """Ask the primary for a sign of life; raises the driver's error where there is none."""
        await self.client.admin.command("ping")


def _client(uri: str, limits: Limits) -> AsyncMongoClient[Document]:
    try:
        return AsyncMongoClient(
            uri,
            appname="tsunagi",
            uuidRepresentation="standard",
            maxPoolSize=limits.pool,
            retryWrites=True,
            retryReads=True,
            serverSelectionTimeoutMS=10_000,
            connectTimeoutMS=5_000,
            socketTimeoutMS=max(30_000, 2 * limits.milliseconds),
            waitQueueTimeoutMS=10_000,
        )
    except (InvalidURI, ConfigurationError, ValueError) as problem:
        raise Unsuitable(f"The connection string of MongoDB cannot be used: {problem}") from None


async def _check(client: AsyncMongoClient[Document]) -> None:
    """Raise Unsuitable unless this is MongoDB 6 or newer with transactions."""
    try:
        hello: Mapping[str, Any] = await client.admin.command("hello")
        version = tuple((await client.server_info())["versionArray"][:2])
    except ServerSelectionTimeoutError as problem:
        raise Unsuitable("MongoDB is not reachable, or has no primary") from problem
    except OperationFailure as problem:
        raise Unsuitable(
            f"MongoDB refuses: {problem.details.get('codeName', problem.code) if problem.details else problem.code}"
        ) from problem
    except PyMongoError as problem:
        raise Unsuitable(f"MongoDB does not answer: {type(problem).__name__}") from problem
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise Unsuitable(
            "MongoDB runs alone; transactions need a replica set (one node is enough) or a sharded cluster. "
            "Start mongod with --replSet and call rs.initiate() once."
        )
    if version < OLDEST:
        raise Unsuitable(f"MongoDB {version[0]}.{version[1]} is too old; {OLDEST[0]}.{OLDEST[1]} or newer is needed")
