"""What an operator does with the indexes: see how they are, and rebuild what resources are found by.

MongoDB's own indexes are few and the same for every type (indexes.py). What they hold are the entries that the search
parameters found in each resource when it was written. Other definitions, or another time zone, find others: the store
remembers under which ones its entries were made, and `rebuild` makes those of every resource anew.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pymongo import ReplaceOne
from pymongo.errors import OperationFailure

from fhir_server.exchange import Resource
from fhir_server.search.expression import Entries
from fhir_server.store.custody import of_readers
from fhir_server.store.documents import MADE_BY_DELETE, Prepared, document, kept_place
from fhir_server.store.failures import told
from fhir_server.store.indexes import COLLECTIONS, Index
from fhir_server.store.mongo import Mongo
from profiles.json import decode

_ENTRIES, _REBUILD = "entries", "rebuild"  # documents of the collection `state`
_AT_ONCE, _HEAVIEST = 500, 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """One index: its keys as MongoDB names them, its size in bytes, and `ready`, `building` or `missing`."""

    collection: str
    name: str
    keys: str
    size: int
    state: str


@dataclass(frozen=True, slots=True)
class Status:
    """All indexes; `documents` by collection; `entries` is `current`, `outdated` or `unknown`."""

    indexes: tuple[IndexStatus, ...]
    documents: Mapping[str, int]
    entries: str


@dataclass(frozen=True, slots=True)
class Done:
    """How far a rebuild is: resources seen and those of which the entries changed, of about `total`."""

    seen: int
    changed: int
    total: int


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Works on the whole store, past every permit: for the operator's commands only.

    `digest` names the definitions in force, `gather` finds a resource's entries by them.
    """

    mongo: Mongo
    digest: str
    gather: Callable[[Resource], Entries]

    async def entries(self) -> str:
        """Tell whether the stored entries were made by the definitions in force; an empty store takes them on."""
        with told():
            known = await self._state.find_one({"_id": _ENTRIES})
            if known is None and await self.mongo.resource.find_one({}, {"_id": 1}) is None:
                await self._remember()
                return "current"
        return "unknown" if known is None else "current" if known["digest"] == self.digest else "outdated"

    async def status(self) -> Status:
        """Give the state of every index, and of the entries in them."""
        found: list[IndexStatus] = []
        documents: dict[str, int] = {}
        for name, indexes in COLLECTIONS.items():
            with told():
                documents[name] = await self.mongo.database[name].estimated_document_count()
                found += await self._indexes(name, indexes)
        return Status(tuple(found), documents, await self.entries())

    async def _indexes(self, name: str, wanted: tuple[Index, ...]) -> list[IndexStatus]:
        try:
            stats: Mapping[str, Any] = await self.mongo.database.command("collStats", name)
        except OperationFailure:
            stats = {}
        sizes, building = stats.get("indexSizes", {}), set(stats.get("indexBuilds", ()))
        keys = {"_id_": "_id"} | {index.name: ", ".join(key if way > 0 else f"-{key}" for key, way in index.keys) for index in wanted}
        return [
            IndexStatus(
                name, each, keys[each], sizes.get(each, 0), "building" if each in building else "ready" if each in sizes else "missing"
            )
            for each in keys
        ]

    async def rebuild(self) -> AsyncIterator[Done]:
        """Make the entries of every resource anew, telling from time to time how far it is.

        It may be ended at any time and goes on from there; what others write meanwhile is left to them.
        """
        with told():
            total = await self.mongo.resource.estimated_document_count()
            begun = await self._state.find_one({"_id": _REBUILD})
        fresh = begun is None or begun["digest"] != self.digest
        last, done = ("", Done(0, 0, total)) if begun is None or fresh else (begun["last"], Done(begun["seen"], begun["changed"], total))
        while True:
            with told():
                stored = await self._next(last)
                if not stored:
                    break
                changed = await self._replace(stored)
                last = stored[-1]["_id"]
                done = Done(done.seen + len(stored), done.changed + changed, max(total, done.seen + len(stored)))
                state = {"digest": self.digest, "last": last, "seen": done.seen, "changed": done.changed}
                await self._state.replace_one({"_id": _REBUILD}, state, upsert=True)
            yield done
        with told():
            await self._remember()
            await self._state.delete_one({"_id": _REBUILD})

    async def _next(self, last: str) -> list[dict[str, Any]]:
        """The resources after this key: many small ones, or few large ones."""
        stored: list[dict[str, Any]] = []
        octets = 0
        async with self.mongo.resource.find({"_id": {"$gt": last}}, sort=[("_id", 1)], limit=_AT_ONCE) as cursor:
            async for document in cursor:
                stored.append(document)
                octets += len(document.get("b", b""))
                if octets > _HEAVIEST:
                    break
        return stored

    async def _replace(self, stored: list[dict[str, Any]]) -> int:
        pairs = [(old, self._anew(old)) for old in stored if old["m"] != MADE_BY_DELETE]
        writes = [ReplaceOne[dict[str, Any]]({"_id": old["_id"], "v": old["v"]}, new) for old, new in pairs if new != old]
        if not writes:
            return 0
        return (await self.mongo.resource.bulk_write(writes, ordered=False)).modified_count

    def _anew(self, old: dict[str, Any]) -> dict[str, Any]:
        resource: Resource = decode(old["b"])
        type, _, id = old["_id"].partition("/")
        found = self.gather(resource)
        prepared = Prepared(type, id, resource, found)
        place = kept_place(found.date, old["o"])
        return document(prepared, old["b"], version=old["v"], updated=old["u"], method=old["m"], place=place, custody=of_readers(old))

    async def _remember(self) -> None:
        await self._state.replace_one({"_id": _ENTRIES}, {"digest": self.digest}, upsert=True)

    @property
    def _state(self) -> Any:
        return self.mongo.database["state"]
