"""Reads by id: those of one moment become one query."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection

from fhir_server.search.expression import EVERYTHING, Expression
from fhir_server.store.coalesce import Coalescer
from fhir_server.store.documents import SERVED
from fhir_server.store.failures import told
from fhir_server.store.filter import limit

LANES, MOST = 2, 64
_FEW = 8


@dataclass(frozen=True, slots=True)
class Wanted:
    """A document wanted by its key, if it exists and the permit's expression holds for it."""

    key: str
    permit: Expression = EVERYTHING


class Reads:
    """Current documents by key, served as `documents.SERVED`."""

    def __init__(self, collection: AsyncCollection[dict[str, Any]], milliseconds: int) -> None:
        self._collection, self._milliseconds = collection, milliseconds
        self._together: Coalescer[Wanted, dict[str, Any] | None] = Coalescer(self._fetch, lanes=LANES, most=MOST)

    async def one(self, key: str, permit: Expression = EVERYTHING) -> dict[str, Any] | None:
        """Give the document, None where there is none that the permit shows."""
        return await self._together(Wanted(key, permit))

    async def several(self, keys: Sequence[str], permit: Expression = EVERYTHING) -> dict[str, dict[str, Any]]:
        """Give the documents that exist and that the permit shows, by key."""
        with told():
            permitted = [limit(permit, _types(keys))] if permit != EVERYTHING else []
            asked = {"_id": {"$in": list(keys)}, **({"$and": permitted} if permitted else {})}
            cursor = self._collection.find(asked, SERVED, max_time_ms=self._milliseconds)
            return {document["_id"]: document for document in await cursor.to_list()}

    async def together(self, keys: Sequence[str], permit: Expression = EVERYTHING) -> dict[str, dict[str, Any]]:
        """Give what `several` gives; where the keys are few they share a query with what others read at this moment."""
        if len(keys) > _FEW:
            return await self.several(keys, permit)
        found = await asyncio.gather(*(self.one(key, permit) for key in keys))
        return {key: document for key, document in zip(keys, found, strict=True) if document is not None}

    async def _fetch(self, items: Sequence[Wanted]) -> Sequence[dict[str, Any] | Exception | None]:
        """One query per permit; the requests of one moment mostly share it."""
        groups: dict[int, tuple[Expression, set[str]]] = {}
        for item in items:
            groups.setdefault(id(item.permit), (item.permit, set()))[1].add(item.key)
        found = {group: await self.several(list(keys), permit) for group, (permit, keys) in groups.items()}
        return [found[id(item.permit)].get(item.key) for item in items]


def _types(keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({key.partition("/")[0] for key in keys}))
