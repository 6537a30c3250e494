"""The profiles, tags and security labels that the resources of some types bear, each once.

https://hl7.org/fhir/R4/resource-operation-meta.html
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_server.outcome import FhirError, Issue
from fhir_server.search.expression import EQUALS, HIGH, Expression
from fhir_server.store.failures import told
from fhir_server.store.filter import all_of, condition
from fhir_server.store.indexes import BY_ENTRY
from fhir_server.store.mongo import Mongo

MOST = 1000
_CODES = ("_profile", "_security", "_tag")


@dataclass(frozen=True, slots=True)
class Labels:
    """Profiles as canonicals; security labels and tags as (system, code), either of which may be empty. All sorted."""

    profiles: tuple[str, ...]
    security: tuple[tuple[str, str], ...]
    tags: tuple[tuple[str, str], ...]


async def labels(mongo: Mongo, types: Sequence[str], permitted: Expression) -> Labels:
    """Give the labels in use among the resources of these types that the expression holds for.

    Raises FhirError (too-costly) where they are more than MOST.
    """
    ranges = [{"$gte": code + EQUALS, "$lt": code + HIGH} for code in _CODES]
    one_of = [{"e": {"$elemMatch": each}} for each in ranges]
    inside = {"$or": [{"$and": [{"$gte": ["$$this", each["$gte"]]}, {"$lt": ["$$this", each["$lt"]]}]} for each in ranges]}
    pipeline: list[dict[str, Any]] = [
        {"$match": all_of([{"t": {"$in": list(types)}, "$or": one_of}, condition(permitted, types)])},
        {"$project": {"_id": 0, "e": {"$filter": {"input": "$e", "cond": inside}}}},
        {"$unwind": "$e"},
        {"$group": {"_id": "$e"}},
        {"$limit": 3 * MOST + 1},
    ]
    with told():
        cursor = await mongo.resource.aggregate(pipeline, maxTimeMS=mongo.limits.milliseconds, hint=BY_ENTRY)
        found = [document["_id"] async for document in cursor]
    if len(found) > 3 * MOST:  # a coded one has two or three forms
        raise FhirError(Issue("too-costly", f"More than {MOST} profiles, tags and labels are in use; ask for one type, or one resource"))
    return Labels(tuple(sorted(_values("_profile", found))), _codings("_security", found), _codings("_tag", found))


def _values(code: str, entries: Iterable[str]) -> list[str]:
    return [entry.removeprefix(code + EQUALS) for entry in entries if entry.startswith(code + EQUALS)]


def _codings(code: str, entries: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Of the forms in which a token is stored, the one that has a bar says all."""
    split = (value.partition("|") for value in _values(code, entries))
    return tuple(sorted((system, token) for system, bar, token in split if bar))
