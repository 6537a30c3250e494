"""Indexes that a store with many resources still lacks are built while the server works.

MongoDB builds an index beside all reads and writes. Until it is there a search that needs it scans, as far as the time of a
query reaches, or is answered 503.
https://www.mongodb.com/docs/v6.0/core/index-creation/
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pymongo
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from fhir_server.store.indexes import Index, create

_SECONDS = 24 * 3600.0
_TELL_EVERY = 10.0

log = logging.getLogger(__name__)


class Building:
    """The indexes of one collection that are being built; every process of the server may ask for the same ones."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]], name: str, indexes: Sequence[Index]) -> None:
        self._database, self._name, self._indexes = database, name, tuple(indexes)
        self._task = asyncio.get_running_loop().create_task(self._build())

    async def finished(self) -> None:
        """Wait until all are built."""
        await self._task

    async def stop(self) -> None:
        """Leave the building to MongoDB, which goes on with it."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _build(self) -> None:
        for index in self._indexes:
            log.warning(
                "the index %s of %s is being built; until it is there, searches that need it are slow or refused", index.name, self._name
            )
            telling = asyncio.get_running_loop().create_task(self._tell(index))
            try:
                with pymongo.timeout(_SECONDS):
                    await create(self._database, self._name, index)
            except PyMongoError as problem:
                log.warning("the index %s of %s was not built: %s", index.name, self._name, type(problem).__name__)
                return
            finally:
                telling.cancel()
            log.warning("the index %s of %s is built", index.name, self._name)

    async def _tell(self, index: Index) -> None:
        while True:
            await asyncio.sleep(_TELL_EVERY)
            with suppress(PyMongoError):  # not every user of a database may see its operations
                done = await progress(self._database, self._name)
                if done is not None:
                    log.info("the index %s of %s: %.0f %% built", index.name, self._name, 100 * done)


async def progress(database: AsyncDatabase[dict[str, Any]], name: str) -> float | None:
    """Tell how much of the index building of a collection is done, from 0 to 1; None where none is under way."""
    asked: list[dict[str, Any]] = [
        {"$currentOp": {}},
        {"$match": {"command.createIndexes": name, "command.$db": database.name, "progress": {"$exists": True}}},
    ]
    cursor = await database.client.admin.aggregate(asked)
    found = [operation["progress"] for operation in await cursor.to_list()]
    return max((each["done"] / each["total"] for each in found if each["total"]), default=None)
