"""The newest resources of each code, grouped in the database.

https://hl7.org/fhir/R4/observation-operation-lastn.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fhir_server.outcome import FhirError, Issue
from fhir_server.search.expression import EQUALS, HIGH
from fhir_server.store.failures import told
from fhir_server.store.mongo import Mongo
from fhir_server.store.selection import Selection

_CODE = "code"


@dataclass(frozen=True, slots=True)
class Coded:
    """The newest of the resources that have exactly these codings ("system|code", none: text only).

    `references` are pairs of the place in the order and `Type/id`, newest first.
    """

    codings: tuple[str, ...]
    references: tuple[tuple[int, str], ...]


async def latest(mongo: Mongo, chosen: Selection, each: int, most: int) -> list[Coded]:
    """Give for each set of codings its `each` newest resources; of those without any coding the `most` newest.

    Raises FhirError (too-costly) where there are more than `most` sets.
    """
    head = _CODE + EQUALS
    inside = {
        "$and": [
            {"$gte": ["$$this", {"$literal": head}]},
            {"$lt": ["$$this", {"$literal": _CODE + HIGH}]},
            {"$gte": [{"$indexOfCP": ["$$this", "|"]}, 0]},
        ]
    }
    newest = {"sortBy": {"o": -1, "_id": 1}, "output": ["$o", "$_id"]}
    pipeline: list[dict[str, Any]] = [
        {"$match": chosen.filter},
        {"$project": {"o": 1, "k": {"$filter": {"input": "$e", "cond": inside}}}},
        {"$group": {"_id": {"k": "$k"}, "newest": {"$topN": {"n": {"$cond": [{"$eq": ["$k", []]}, most + 1, each]}, **newest}}}},
        {"$limit": most + 1},
    ]
    with told():
        cursor = await mongo.resource.aggregate(pipeline, maxTimeMS=mongo.limits.milliseconds, **chosen.options)
        found = await cursor.to_list()
    if len(found) > most or any(len(group["newest"]) > most for group in found if not group["_id"]["k"]):
        raise FhirError(Issue("too-costly", f"The search finds more than {most} different codes; ask for a patient, category or code"))
    return [Coded(_codings(group["_id"]["k"]), tuple((place, key) for place, key in group["newest"])) for group in found]


def _codings(entries: Sequence[str]) -> tuple[str, ...]:
    return tuple(entry.removeprefix(_CODE + EQUALS) for entry in entries)
