"""Writes of single resources: those of one moment become one insert, or one bulk of replacements.

Each is acknowledged to its own caller only when the majority has it in the journal, and fails alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import ReplaceOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError

from fhir_server.outcome import FhirError, Issue
from fhir_server.store.coalesce import Coalescer
from fhir_server.store.documents import superseded
from fhir_server.store.failures import told

DUPLICATE_KEY = 11000
LANES, MOST, HEAVIEST = 2, 250, 8 * 1024 * 1024


class Outrun(Exception):  # noqa: N818 - the writer begins again
    """Another writer was faster: the resource is not any more what it was when it was read."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """The document `new` in the place of `old`, which must still be the current one."""

    old: Mapping[str, Any]
    new: Mapping[str, Any]


class Inserts:
    """New documents; raises Outrun where the key exists already."""

    def __init__(self, collection: AsyncCollection[dict[str, Any]]) -> None:
        self._collection = collection
        self._together: Coalescer[dict[str, Any], None] = Coalescer(self._send, lanes=LANES, most=MOST, weigh=weight, heaviest=HEAVIEST)

    async def one(self, document: dict[str, Any]) -> None:
        """Insert one document, together with the others of this moment."""
        await self._together(document)

    async def _send(self, documents: Sequence[dict[str, Any]]) -> Sequence[Exception | None]:
        with told():
            try:
                await self._collection.insert_many(documents, ordered=False)
            except BulkWriteError as problem:
                return _own_failures(problem, len(documents))
        return [None] * len(documents)


class Replacements:
    """The next versions of documents; raises Outrun where another writer came first.

    The superseded version is in the history before the new one is current, so that no crash can lose it. Written
    twice it is the same; while it is still current it is not shown.
    """

    def __init__(self, resource: AsyncCollection[dict[str, Any]], history: AsyncCollection[dict[str, Any]]) -> None:
        self._resource, self._history = resource, history
        self._together: Coalescer[Replacement, None] = Coalescer(
            self._send,
            lanes=LANES,
            most=MOST,
            weigh=lambda item: weight(item.new) + weight(item.old),
            heaviest=HEAVIEST,
        )

    async def one(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Replace one document, together with the others of this moment."""
        await self._together(Replacement(old, new))

    async def _send(self, items: Sequence[Replacement]) -> Sequence[Exception | None]:
        with told():
            await self._keep(items)
            try:
                await self._resource.bulk_write([conditional(item) for item in items], ordered=False)
            except BulkWriteError as problem:
                return _own_failures(problem, len(items))
        return [None] * len(items)

    async def _keep(self, items: Sequence[Replacement]) -> None:
        kept = {item["_id"]: item for item in (superseded(item.old) for item in items)}
        try:
            await self._history.insert_many(list(kept.values()), ordered=False)
        except BulkWriteError as problem:
            errors = problem.details["writeErrors"]
            if problem.details["writeConcernErrors"] or any(error["code"] != DUPLICATE_KEY for error in errors):
                raise


def conditional(item: Replacement) -> ReplaceOne[dict[str, Any]]:
    """Replace the very version that was read.

    Where it is not current any more nothing matches, the upsert then fails on the key: so each item of a bulk tells by
    itself that it was outrun.
    """
    return ReplaceOne({"_id": item.old["_id"], "v": item.old["v"]}, dict(item.new), upsert=True)


def weight(document: Mapping[str, Any]) -> int:
    """Give about how many bytes a document has."""
    return 2 * len(document.get("b", b"")) + 500


def _own_failures(problem: BulkWriteError, count: int) -> list[Exception | None]:
    """Give each item of an unordered bulk its own failure; without the majority nothing is acknowledged."""
    if problem.details["writeConcernErrors"]:
        return [FhirError(Issue("transient", "The write was not acknowledged by the majority in time; try again"))] * count
    failures: list[Exception | None] = [None] * count
    for error in problem.details["writeErrors"]:
        failures[error["index"]] = Outrun() if error["code"] == DUPLICATE_KEY else problem
    return failures
