"""The indexes of the store: those that searches use, and those that tell what happened in the order of time.

docs/decisions/0005-indexes.md has the figures. Both indexes of `resource` end in `o`, the order of search results, so
that a search reads its first page in order and stops: an equality before the order never sorts. A type without any
entry asked for is found by the entry "" that every resource has.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure

BY_ENTRY, BY_PATIENT, BY_ID = "by_entry", "by_patient", "_id_"
BY_TIME, BY_DELETION = "by_time", "by_deletion"
BY_SUBJECT = "by_subject"

# Search parameters whose entries the patient-led index holds. One patient's resources of a type are few hundred, so it
# need not tell every parameter apart: these are the ones asked beside the patient most.
LEADING = ("code", "category", "type", "class", "vaccine-code")

_NAMESPACE_EXISTS = 48
_QUICK = 20_000  # documents of which an index is made in a second
_COMPRESSED = {"wiredTiger": {"configString": "block_compressor=zstd"}}


@dataclass(frozen=True, slots=True)
class Index:
    """One index of a collection."""

    name: str
    keys: tuple[tuple[str, int], ...]
    options: dict[str, Any] = field(default_factory=dict)


RESOURCE = (
    Index(BY_ENTRY, (("t", 1), ("e", 1), ("o", 1))),
    Index(BY_PATIENT, (("p", 1), ("t", 1), ("c", 1), ("o", 1)), {"partialFilterExpression": {"p": {"$exists": True}}}),
    Index(BY_TIME, (("t", 1), ("u", 1), ("_id", 1))),
    Index(BY_DELETION, (("d", 1), ("u", 1), ("_id", 1)), {"partialFilterExpression": {"d": {"$exists": True}}}),
    Index(BY_SUBJECT, (("w", 1),), {"partialFilterExpression": {"w": {"$exists": True}}}),
)
HISTORY = (Index("by_resource", (("r", 1), ("v", -1))), Index(BY_TIME, (("t", 1), ("u", 1), ("r", 1), ("v", 1))))
GUARD = (Index("unused", (("at", 1),), {"expireAfterSeconds": 3600}),)
FILES = (Index("by_pending", (("metadata.pending", 1), ("uploadDate", 1)), {"partialFilterExpression": {"metadata.pending": True}}),)
CHUNKS = (Index("by_file", (("files_id", 1), ("n", 1)), {"unique": True}),)
COLLECTIONS = {"resource": RESOURCE, "history": HISTORY, "binary.files": FILES, "binary.chunks": CHUNKS, "guard": GUARD}


async def ensure(database: AsyncDatabase[dict[str, Any]], name: str, indexes: Sequence[Index]) -> list[Index]:
    """Make the collection, compressed by zstd, and its indexes unless they are there; several processes may do so at once.

    Gives those that are missing and would take long, because the collection is large.
    """
    try:
        await database.create_collection(
            name, check_exists=False, storageEngine=_COMPRESSED, indexOptionDefaults={"storageEngine": _COMPRESSED}
        )
    except OperationFailure as problem:
        if problem.code != _NAMESPACE_EXISTS:
            raise
    present = await database[name].index_information()
    missing = [index for index in indexes if index.name not in present]
    if missing and await database[name].estimated_document_count() > _QUICK:
        return missing
    for index in indexes:  # one that is there with other keys is refused
        await create(database, name, index)
    return []


async def create(database: AsyncDatabase[dict[str, Any]], name: str, index: Index) -> None:
    """Make one index; return when it is built."""
    await database[name].create_index(list(index.keys), name=index.name, **index.options)
