"""The audit log as MongoDB keeps it: batches of events, and the anchors that are signed over them. Nothing in it is ever changed.

    audit         _id  "chain/000000000012"     e  keys that a batch is found by, and "" (by_key)
                  a, z time of its first and last event (ms since 1970)     k  number of the newest anchor when it was written
                  q    number of its last event in the chain
                  b    the events, packed       p, h, m  hash of the batch before, its own, and its authentication
    audit_anchor  _id  1, 2, ...                b  the anchor, packed        s  signature

docs/decisions/0021-audit.md
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import bson
import pymongo
from bson.codec_options import CodecOptions
from bson.int64 import Int64
from bson.raw_bson import RawBSONDocument
from pymongo import ReadPreference
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern

from fhir_server.store.failures import told
from fhir_server.store.indexes import Index, ensure

BY_KEY: Final = "by_key"
INDEXES: Final = (Index(BY_KEY, (("e", 1), ("z", 1))),)
START: Final = "#"
"""The key of the first batch of a chain."""

_RAW: Final = CodecOptions(document_class=RawBSONDocument)
PATIENCE: Final = 4.0
"""Seconds after which a write is given up."""
_AT_ONCE: Final = 50
_FIELDS: Final = ("_id", "a", "z", "k", "q", "e", "b", "p", "h", "m")


class Taken(Exception):  # noqa: N818 - it is the store's state
    """Another batch is stored in the place of this one: a chain has one writer."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch of a chain: `number` counts from 1, `first` and `last` are the times of its events in ms since 1970.

    `through` is the number of its last event in the chain, `anchor` that of the newest anchor when it was written.
    """

    chain: str
    number: int
    first: int
    last: int
    anchor: int
    through: int
    keys: tuple[str, ...]
    content: bytes
    previous: bytes
    hash: bytes
    mac: bytes

    @property
    def id(self) -> str:
        """The key of its document; in its order the batches of a chain follow each other."""
        return f"{self.chain}/{self.number:012d}"


class Sealed(NamedTuple):
    """An anchor as it is stored: its number, its packed content, the signature over that."""

    number: int
    content: bytes
    signature: bytes


class AuditStore:
    """Appends and reads batches and anchors. Every method raises FhirError (503) where the database is away."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]], milliseconds: int = 10_000, patience: float = PATIENCE) -> None:
        self._database = database
        self._batches, self._anchors = database["audit"], database["audit_anchor"]
        certain: dict[str, Any] = {"read_concern": ReadConcern("majority"), "read_preference": ReadPreference.PRIMARY}
        self._certain = database.get_collection("audit", **certain)
        self._certain_anchors = database.get_collection("audit_anchor", **certain)
        self._raw: AsyncCollection[Any] = database.get_collection("audit", codec_options=_RAW)
        self._milliseconds = milliseconds
        self._patience = patience

    async def ensure(self) -> None:
        """Make the collections and the index where they are missing."""
        with told():
            await ensure(self._database, "audit", INDEXES)
            await ensure(self._database, "audit_anchor", ())

    async def append(self, batch: Batch) -> None:
        """Store a batch: when this returns, the majority has it in the journal. Gives up after four seconds.

        The same batch may be sent again where nobody knows what became of it. Raises Taken where another one is in its place.
        """
        try:
            with told(), pymongo.timeout(self._patience):
                await self._batches.insert_one(_document(batch))
        except DuplicateKeyError:
            if (last := await self.last(batch.chain)) is None or (last.number, last.hash) != (batch.number, batch.hash):
                raise Taken from None

    async def batch(self, chain: str, number: int) -> Batch | None:
        """Give one batch."""
        with told():
            found = await self._batches.find_one({"_id": f"{chain}/{number:012d}"}, max_time_ms=self._milliseconds)
        return None if found is None else _batch(found)

    async def found(self, keys: Sequence[Sequence[str]], low: int | None, high: int | None, *, newest: bool = True) -> AsyncIterator[Batch]:
        """Give the batches that have one key of each sequence and end in the span of time, in the order of their ends."""
        asked, hint = condition(keys, low, high)
        with told():
            cursor = self._batches.find(
                asked, sort=[("z", -1 if newest else 1)], hint=hint, batch_size=_AT_ONCE, max_time_ms=self._milliseconds
            )
            async with cursor:
                async for each in cursor:
                    yield _batch(each)

    async def explain(self, keys: Sequence[Sequence[str]], low: int | None, high: int | None) -> Mapping[str, Any]:
        """Tell how MongoDB finds them."""
        asked, hint = condition(keys, low, high)
        cursor = self._batches.find(asked, sort=[("z", -1)], hint=hint)
        return await cursor.explain()

    async def last(self, chain: str) -> Batch | None:
        """Give the last batch of a chain that the majority has."""
        with told():
            found = await self._certain.find_one(_of(chain), sort=[("_id", -1)], max_time_ms=self._milliseconds)
        return None if found is None else _batch(found)

    async def first(self, chain: str) -> Batch | None:
        """Give the first batch of a chain that is still there."""
        with told():
            found = await self._batches.find_one(_of(chain), sort=[("_id", 1)], max_time_ms=self._milliseconds)
        return None if found is None else _batch(found)

    async def started(self, since: int) -> list[str]:
        """Give the chains whose first batch ends at this time or later."""
        with told():
            cursor = self._certain.find({"e": START, "z": {"$gte": since}}, {"_id": 1}, hint=BY_KEY, max_time_ms=self._milliseconds)
            return sorted([str(each["_id"]).partition("/")[0] async for each in cursor])

    async def chains(self) -> list[str]:
        """Give every chain of which there is a batch."""
        found: list[str] = []
        with told():
            while True:
                after = {"_id": {"$gt": f"{found[-1]}0" if found else ""}}  # "0" comes after "/"
                next = await self._batches.find_one(after, {"_id": 1}, sort=[("_id", 1)], max_time_ms=self._milliseconds)
                if next is None:
                    return found
                found.append(str(next["_id"]).partition("/")[0])

    async def all(self, chain: str | None = None) -> AsyncIterator[tuple[str, Batch | None]]:
        """Give the batches of a chain, or of all, with the key of each; None in the place of what was not written like this."""
        with told():
            cursor = self._raw.find(_of(chain) if chain is not None else {}, sort=[("_id", 1)], batch_size=_AT_ONCE)
            async with cursor:
                async for each in cursor:
                    yield _judged(each)

    async def count(self) -> int:
        """Give about how many batches there are."""
        with told():
            return await self._batches.estimated_document_count()

    async def remove(self, chain: str, through: int) -> int:
        """Remove the oldest batches of a chain up to this number, oldest first; tells how many."""
        removed = 0
        with told():
            while True:
                oldest = self._batches.find({"_id": {"$gte": f"{chain}/", "$lte": f"{chain}/{through:012d}"}}, {"_id": 1}, limit=1000)
                ids = [each["_id"] for each in await oldest.sort("_id", 1).to_list()]
                if not ids:
                    return removed
                removed += (await self._batches.delete_many({"_id": {"$gte": ids[0], "$lte": ids[-1]}})).deleted_count

    # -- anchors --------------------------------------------------------------------------------------------------------

    async def add_anchor(self, anchor: Sealed) -> bool:
        """Store an anchor; False where another process has written one of its number."""
        try:
            with told(), pymongo.timeout(self._patience):
                await self._anchors.insert_one({"_id": anchor.number, "b": anchor.content, "s": anchor.signature})
        except DuplicateKeyError:
            return False
        return True

    async def newest_anchor(self) -> Sealed | None:
        """Give the anchor of the highest number."""
        with told():
            found = await self._certain_anchors.find_one(sort=[("_id", -1)], max_time_ms=self._milliseconds)
        return None if found is None else _anchor(found)

    async def anchors(self) -> AsyncIterator[tuple[str, Sealed | None]]:
        """Give the anchors by number; None in the place of what is none."""
        with told():
            cursor = self._anchors.find(sort=[("_id", 1)], batch_size=1000)
            async with cursor:
                async for each in cursor:
                    yield str(each["_id"]), _anchor(each) if _is_anchor(each) else None

    async def remove_anchors(self, through: int) -> int:
        """Remove the anchors up to this number; tells how many."""
        with told():
            return (await self._anchors.delete_many({"_id": {"$lte": through}})).deleted_count


def condition(keys: Sequence[Sequence[str]], low: int | None, high: int | None) -> tuple[dict[str, Any], str]:
    """Make the filter of batches that have one key of each sequence; by_key finds them by the first."""
    every = [{"e": one[0] if len(one) == 1 else {"$in": list(one)}} for one in keys or ([""],)]
    bounds = {name: value for name, value in (("$gte", low), ("$lte", high)) if value is not None}
    moments = [{"z": bounds}] if bounds else []
    return {"$and": [*every, *moments]}, BY_KEY


def _of(chain: str) -> dict[str, Any]:
    return {"_id": {"$gte": f"{chain}/", "$lt": f"{chain}0"}}


def _document(batch: Batch) -> dict[str, Any]:
    return {
        "_id": batch.id,
        "a": batch.first,
        "z": batch.last,
        "k": batch.anchor,
        "q": batch.through,
        "e": list(batch.keys),
        "b": batch.content,
        "p": batch.previous,
        "h": batch.hash,
        "m": batch.mac,
    }


def _batch(document: Mapping[str, Any]) -> Batch:
    chain, _, number = document["_id"].partition("/")
    keys = tuple(document["e"])
    return Batch(
        chain,
        int(number),
        int(document["a"]),  # what BSON calls Int64 is no int to everybody
        int(document["z"]),
        int(document["k"]),
        int(document["q"]),
        keys,
        document["b"],
        document["p"],
        document["h"],
        document["m"],
    )


def _judged(raw: RawBSONDocument) -> tuple[str, Batch | None]:
    """Read a document and write it again: another byte, field or type in it shows."""
    try:
        document = bson.decode(raw.raw)
        batch = _batch(document)
        same = tuple(document) == _FIELDS and all(map(_is_plain, document.values())) and bson.encode(_document(batch)) == raw.raw
    except Exception:  # noqa: BLE001 - whatever somebody has made of it
        return str(raw.get("_id")), None
    return str(document["_id"]), batch if same else None


def _is_plain(value: object) -> bool:
    """Tell whether it is of a type that is written: BSON has more, which look the same."""
    return type(value) in (str, bytes, int, Int64) or (isinstance(value, list) and all(type(each) is str for each in value))


def _anchor(document: Mapping[str, Any]) -> Sealed:
    return Sealed(document["_id"], document["b"], document["s"])


def _is_anchor(document: Mapping[str, Any]) -> bool:
    types = {"_id": int, "b": bytes, "s": bytes}
    return tuple(document) == tuple(types) and all(isinstance(document[name], type) for name, type in types.items())
