"""The indexes of the store: two of the resources, one of their history.

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

# Search parameters whose entries the patient-led index holds. One patient's resources of a type are few hundred, so it
# need not tell every parameter apart: these are the ones asked beside the patient most.
LEADING = ("code", "category", "type", "class", "vaccine-code")

_NAMESPACE_EXISTS = 48
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
)
HISTORY = (Index("by_resource", (("r", 1), ("v", -1))),)


async def ensure(database: AsyncDatabase[dict[str, Any]], name: str, indexes: Sequence[Index]) -> None:
    """Make the collection and its indexes, all compressed by zstd, unless they are there; several processes may do so at once."""
    try:
        await database.create_collection(
            name, check_exists=False, storageEngine=_COMPRESSED, indexOptionDefaults={"storageEngine": _COMPRESSED}
        )
    except OperationFailure as problem:
        if problem.code != _NAMESPACE_EXISTS:
            raise
    for index in indexes:
        await database[name].create_index(list(index.keys), name=index.name, **index.options)
