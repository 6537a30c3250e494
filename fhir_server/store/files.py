"""Content that is too large for a document, in MongoDB's GridFS.

https://www.mongodb.com/docs/manual/core/gridfs/
https://hl7.org/fhir/R4/binary.html

A file is stored before the version that refers to it, and is pending until that version is. What fails in between takes
its file back; what a crash leaves is swept later. A file belongs to one resource, so that no version of another one can
lose it; versions of one resource with the same content share it. docs/decisions/0015-operations-and-files.md
"""

import base64
import hashlib
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from fhir_server.exchange import Resource, Version
from fhir_server.outcome import FhirError, Issue
from fhir_server.store.content import Kept, kept_by, referring
from fhir_server.store.failures import told
from fhir_server.store.writing import Create, Put, Write
from profiles.json import decode

CHUNK = 4 * 255 * 1024
"""Bytes of a stored chunk; a multiple of three, so that each is base64 by itself."""

_AT_ONCE = 4  # chunks in one insert
_FORGOTTEN = timedelta(hours=1)
BINARY = "Binary/"


@dataclass(frozen=True, slots=True)
class Taken:
    """A pending file that a write refers to; `made` tells that it was stored for this write."""

    file: str
    made: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """Writes whose content lies where it belongs, and by their number the files that are theirs once they are done."""

    writes: list[Write]
    taken: Mapping[int, Taken]


class Files:
    """The files of one database. Content of at most `inline` bytes stays in its resource."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]], inline: int) -> None:
        self.inline = inline
        self._files: AsyncCollection[dict[str, Any]] = database["binary.files"]
        self._chunks: AsyncCollection[dict[str, Any]] = database["binary.chunks"]
        self._resource: AsyncCollection[dict[str, Any]] = database["resource"]
        self._history: AsyncCollection[dict[str, Any]] = database["history"]

    async def keep(self, content: AsyncIterator[bytes]) -> Kept:
        """Store content as it comes; the file is pending, and nobody's. Nothing is left of it where this raises."""
        file, digest, size, number = uuid.uuid4().hex, hashlib.sha256(), 0, 0
        try:
            with told():
                await self._files.insert_one(_heading(file))
                async for batch in _batches(content):
                    for chunk in batch:
                        digest.update(chunk)
                        size += len(chunk)
                    documents = [{"files_id": file, "n": number + n, "data": chunk} for n, chunk in enumerate(batch)]
                    await self._chunks.insert_many(documents)
                    number += len(batch)
                await self._files.update_one({"_id": file}, {"$set": {"length": size, "metadata.sha256": digest.digest()}})
        except BaseException:
            with suppress(FhirError):
                await self.discard([file])
            raise
        return Kept(file, size, digest.digest())

    async def discard(self, files: Sequence[str]) -> None:
        """Take back files that are still pending."""
        if files:
            with told():
                pending = self._files.find({"_id": {"$in": list(files)}, "metadata.pending": True}, {"_id": 1})
                found = [document["_id"] async for document in pending]
                await self._chunks.delete_many({"files_id": {"$in": found}})
                await self._files.delete_many({"_id": {"$in": found}})

    async def settle(self, writes: Sequence[Write]) -> Settled:
        """Put the content of each Binary where it belongs.

        Raises FhirError (422) where one refers to a file that is not its own; its content has to be sent then.
        """
        settled = list(writes)
        taken: dict[int, Taken] = {}
        try:
            for number, write in enumerate(writes):
                if isinstance(write, Create | Put) and write.key.startswith(BINARY):
                    settled[number] = await self._settled(write, number, taken)
        except BaseException:
            with suppress(FhirError):
                await self.give_back(taken.values())
            raise
        return Settled(settled, taken)

    async def done(self, settled: Settled, versions: Sequence[Version]) -> None:
        """Say what became of the writes: the files of the versions that were stored stay."""
        stored = {number for number, version in enumerate(versions) if version.change != "unchanged"}
        await self._confirm([each.file for number, each in settled.taken.items() if number in stored])
        await self.give_back([each for number, each in settled.taken.items() if number not in stored])

    async def give_back(self, taken: Iterable[Taken]) -> None:
        """Take back the files of writes that were certainly not done; one that came from outside is nobody's again."""
        each = list(taken)
        await self.discard([one.file for one in each if one.made])
        outside = [one.file for one in each if not one.made]
        if outside:
            with told():
                await self._files.update_many({"_id": {"$in": outside}, "metadata.pending": True}, {"$unset": {"metadata.resource": ""}})

    async def read(self, kept: Kept, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Give the bytes from `start` up to before `end`, chunk by chunk."""
        end = kept.size if end is None else end
        asked = {"files_id": kept.file, "n": {"$gte": start // CHUNK, "$lte": max(end - 1, 0) // CHUNK}}
        with told():
            async with self._chunks.find(asked, {"n": 1, "data": 1}, sort=[("n", 1)], batch_size=_AT_ONCE) as cursor:
                async for document in cursor:
                    begin = document["n"] * CHUNK
                    yield bytes(document["data"][max(start - begin, 0) : end - begin])

    async def sweep(self) -> int:
        """Delete what a crash left pending for longer than an hour, unless a version refers to it; tell how many."""
        before = datetime.now(UTC) - _FORGOTTEN
        with told():
            pending = self._files.find({"metadata.pending": True, "uploadDate": {"$lt": before}}, {"_id": 1, "metadata.resource": 1})
            found = [(document["_id"], document["metadata"].get("resource")) async for document in pending]
        needed = [file for file, key in found if key is not None and await self._refers(key, file)]
        await self._confirm(needed)
        left = [file for file, _ in found if file not in needed]
        await self.discard(left)
        return len(left)

    # -- one write ------------------------------------------------------------------------------------------------------

    async def _settled(self, write: Create | Put, number: int, taken: dict[int, Taken]) -> Create | Put:
        resource = write.prepared.resource
        kept = kept_by(resource)
        if kept is None:
            content = _large(resource, self.inline)
            if content is None:
                return write
            kept = await self.keep(_pieces(content))
            taken[number] = Taken(kept.file, made=True)
            await self._claim(kept.file, write.key)
        elif "data" in resource:
            raise _foreign()
        elif not await self._is_own(kept.file, write.key):
            await self._claim(kept.file, write.key)
            taken[number] = Taken(kept.file, made=False)
        current = await self._current(write.key) if isinstance(write, Put) else None
        if current is not None and kept.same_content(current) and number in taken:
            await self.give_back([taken.pop(number)])
            kept = current
        return replace(write, prepared=replace(write.prepared, resource=referring(resource, kept)))

    async def _confirm(self, files: Sequence[str]) -> None:
        if files:
            with told():
                await self._files.update_many({"_id": {"$in": list(files)}}, {"$unset": {"metadata.pending": ""}})

    async def _is_own(self, file: str, key: str) -> bool:
        with told():
            owned = {"_id": file, "metadata.resource": key, "metadata.pending": None}
            return await self._files.find_one(owned, {"_id": 1}) is not None

    async def _claim(self, file: str, key: str) -> None:
        with told():
            free = {"_id": file, "metadata.pending": True, "metadata.resource": None, "length": {"$ne": None}}
            done = await self._files.update_one(free, {"$set": {"metadata.resource": key}})
        if done.matched_count != 1:
            raise _foreign()

    async def _current(self, key: str) -> Kept | None:
        with told():
            document = await self._resource.find_one({"_id": key}, {"b": 1})
        return kept_by(decode(document["b"])) if document is not None and "b" in document else None

    async def _refers(self, key: str, file: str) -> bool:
        with told():
            bodies = [document.get("b", b"") async for document in self._history.find({"r": key}, {"b": 1})]
            current = await self._resource.find_one({"_id": key}, {"b": 1})
        return any(file.encode() in body for body in (*bodies, (current or {}).get("b", b"")))


def _heading(file: str) -> dict[str, Any]:
    return {"_id": file, "length": None, "chunkSize": CHUNK, "uploadDate": datetime.now(UTC), "metadata": {"pending": True}}


def _large(resource: Resource, inline: int) -> bytes | None:
    """The content of a Binary that has more of it than stays inside."""
    data = resource.get("data")
    if not isinstance(data, str) or len(data) * 3 // 4 <= inline:
        return None
    content = base64.b64decode(data)
    return content if len(content) > inline else None


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), CHUNK):
        yield content[start : start + CHUNK]


async def _batches(content: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    """Cut what comes into chunks, a few at a time."""
    buffer = bytearray()
    async for piece in content:
        buffer += piece
        while len(buffer) >= _AT_ONCE * CHUNK:
            yield _cut(buffer[: _AT_ONCE * CHUNK])
            del buffer[: _AT_ONCE * CHUNK]
    if buffer:
        yield _cut(buffer)


def _cut(data: bytearray) -> list[bytes]:
    return [bytes(data[start : start + CHUNK]) for start in range(0, len(data), CHUNK)]


def _foreign() -> FhirError:
    diagnostics = "The Binary came without its content, and what it refers to is not its own; send it with data"
    return FhirError(Issue("business-rule", diagnostics, ("Binary.data",)))
