"""Small documents beside the resources: accounts, clients, certificates, grants, sessions.

Whatever the server remembers of who asks is kept here, so that all its processes share it. A record is a msgspec.Struct
with an `id`; one with `expires` is absent from that moment on by the server's clock, and MongoDB removes it later. Changes
are compare-and-swap: of two that happen at once, the second sees what the first left.
"""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from fhir_server.outcome import FhirError, Issue
from fhir_server.store.failures import told

_ATTEMPTS = 50
_REVISION = "_n"
_EXPIRES = "expires"
_NATIVE = (datetime, bytes)


class Identified(Protocol):
    """A record: it has an id, unique among its kind."""

    @property
    def id(self) -> str:
        """The id."""


R = TypeVar("R", bound=Identified)


def now() -> datetime:
    """Tell the time, in UTC."""
    return datetime.now(UTC)


class Records(Generic[R]):
    """The records of one kind. Every method raises FhirError (503) where the database is away."""

    def __init__(
        self, collection: AsyncCollection[dict[str, Any]], type: type[R], milliseconds: int, clock: Callable[[], datetime]
    ) -> None:
        self._collection = collection
        self._type = type
        self._milliseconds = milliseconds
        self._clock = clock

    async def get(self, id: str) -> R | None:
        """Give the record, None where there is none or its time is over."""
        with told():
            found = await self._collection.find_one({"_id": id}, max_time_ms=self._milliseconds)
        return self._alive(found)

    async def add(self, record: R) -> bool:
        """Store a new record; False where the id, or a value that must be unique, is taken by one whose time is not over."""
        try:
            with told():
                await self._collection.insert_one(_document(record))
        except DuplicateKeyError:
            return await self._instead_of_expired(record)
        return True

    async def put(self, record: R) -> None:
        """Store a record, in the place of one with its id."""
        with told():
            await self._collection.replace_one({"_id": record.id}, _document(record), upsert=True)

    async def change(self, id: str, change: Callable[[R], R | None]) -> R | None:
        """Replace a record by what `change` makes of it, atomically; None where there is none, or `change` gives None.

        `change` may be called again with what another process has stored meanwhile: it must do nothing else.
        """
        for attempt in range(_ATTEMPTS):
            with told():
                found = await self._collection.find_one({"_id": id}, max_time_ms=self._milliseconds)
            record = self._alive(found)
            changed = change(record) if record is not None else None
            if found is None or changed is None:
                return None
            with told():
                done = await self._collection.replace_one(
                    {"_id": id, _REVISION: found[_REVISION]}, _document(changed, found[_REVISION] + 1)
                )
            if done.matched_count:
                return changed
            await asyncio.sleep(random.random() * 0.002 * attempt)
        raise FhirError(Issue("transient", "Others change the same record all the time; try again"))

    async def take(self, id: str) -> R | None:
        """Remove a record and give it: of several that take it at once, one gets it."""
        with told():
            return self._alive(await self._collection.find_one_and_delete({"_id": id}))

    async def remove(self, id: str) -> bool:
        """Remove a record; tells whether there was one."""
        with told():
            return (await self._collection.delete_one({"_id": id})).deleted_count > 0

    async def find(self, limit: int = 1000, /, **equal: object) -> list[R]:
        """Give the records whose fields equal these values (of a list: one of its items), in the order of their ids."""
        with told():
            cursor = self._collection.find(dict(equal), sort=[("_id", 1)], limit=limit, max_time_ms=self._milliseconds)
            return [record for each in await cursor.to_list() if (record := self._alive(each)) is not None]

    async def remove_all(self, **equal: object) -> int:
        """Remove the records whose fields equal these values; tells how many."""
        with told():
            return (await self._collection.delete_many(dict(equal))).deleted_count

    async def count_up(self, id: str, field: str, most: int | None = None) -> int | None:
        """Count a record's number up by one and give it; None where there is no record, or the number is `most` already."""
        limit: Mapping[str, Any] = {} if most is None else {field: {"$lt": most}}
        with told():
            found = await self._collection.find_one_and_update(
                {"_id": id, **limit}, {"$inc": {field: 1, _REVISION: 1}}, projection={field: 1}, return_document=True
            )
        return None if found is None else int(found[field])

    async def _instead_of_expired(self, record: R) -> bool:
        with told():
            await self._collection.delete_one({"_id": record.id, _EXPIRES: {"$lte": self._clock()}})
            try:
                await self._collection.insert_one(_document(record))
            except DuplicateKeyError:
                return False
        return True

    def _alive(self, found: Mapping[str, Any] | None) -> R | None:
        if found is None or (found.get(_EXPIRES) is not None and found[_EXPIRES] <= self._clock()):
            return None
        fields = {name: value for name, value in found.items() if name not in ("_id", _REVISION)}
        return msgspec.convert({"id": found["_id"], **fields}, self._type)


def _document(record: Any, revision: int = 0) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(record, builtin_types=_NATIVE)
    id = fields.pop("id")
    return {"_id": id, **fields, _REVISION: revision}


@dataclass(frozen=True, slots=True)
class Kind(Generic[R]):
    """A kind of record: its collection, its fields that are searched, those among them that are unique."""

    name: str
    type: type[R]
    found_by: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()


class Shelf:
    """Opens the records of a database; `clock` is what `expires` is compared with."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]], milliseconds: int = 10_000, clock: Callable[[], datetime] = now) -> None:
        self._database = database
        self._milliseconds = milliseconds
        self.clock = clock

    def records(self, kind: Kind[R]) -> Records[R]:
        """Give the records of this kind."""
        return Records(self._database[kind.name], kind.type, self._milliseconds, self.clock)

    async def ensure(self, kinds: Sequence[Kind[Any]]) -> None:
        """Make the indexes of these kinds where they are missing."""
        with told():
            for kind in kinds:
                collection = self._database[kind.name]
                for field in kind.found_by:
                    await collection.create_index(
                        [(field, 1)], name=f"by_{field}", unique=field in kind.unique, sparse=field in kind.unique
                    )
                if _EXPIRES in kind.type.__struct_fields__:
                    await collection.create_index([(_EXPIRES, 1)], name="by_expiry", expireAfterSeconds=0)
