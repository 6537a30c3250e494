"""Say on the documents of a patient who may read them, after her consents have changed.

It may be done at any time and any number of times: until it is done, every query asks the consents themselves (access.grant).
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from pymongo import UpdateOne

from fhir_server.search.expression import EQUALS
from fhir_server.store.custody import BARRED, NETWORK, READER, SHARED_BY_NETWORK, whose
from fhir_server.store.failures import told
from fhir_server.store.indexes import BY_PATIENT, BY_SUBJECT
from fhir_server.store.mongo import Mongo
from fhir_server.store.sharing import Shared
from fhir_server.store.whose import custody_of

_OURS = [(name + EQUALS, name + chr(ord(EQUALS) + 1)) for name in (READER, BARRED)]
_AT_ONCE = 500


async def rewrite(mongo: Mongo, patient: str) -> int:
    """Bring the documents that tell of a patient up to date; tells how many were not."""
    shared = await mongo.sharing.of(patient)
    changed = 0
    with told():
        pipeline: list[dict[str, Any]] = [{"$match": {"p": patient, "f": {"$exists": True}}}, {"$group": {"_id": "$f"}}]
        custodians = [each["_id"] async for each in await mongo.resource.aggregate(pipeline, hint=BY_PATIENT)]
        for custodian in custodians:
            wanted, types = _entries(shared, custodian), {"t": {"$in": sorted(SHARED_BY_NETWORK)}}
            if custodian != NETWORK:
                changed += await _of_custodian(mongo, patient, {"f": custodian}, wanted)
                continue
            changed += await _of_custodian(mongo, patient, {"f": custodian, **types}, wanted)
            changed += await _of_custodian(mongo, patient, {"f": custodian, "$nor": [types]}, ())
        changed += await _of_several(mongo, patient)
    return changed


def _entries(shared: Shared | None, custodian: str) -> list[str]:
    if shared is None:
        return []
    readers = [READER + EQUALS + each for each in sorted(shared.readers.get(custodian, ()))]
    return readers + [BARRED + EQUALS + each for each in sorted(shared.barred)]


async def _of_custodian(mongo: Mongo, patient: str, kept: Mapping[str, Any], wanted: Sequence[str]) -> int:
    """The patient's own documents, in portions: a long update would hold up whoever writes."""
    changed = 0
    asked = {"p": patient, **kept, "w": {"$exists": False}, "$or": _differing(wanted)}
    while True:
        portion = await mongo.resource.find(asked, {"_id": 1}, limit=_AT_ONCE, hint=BY_PATIENT).to_list()
        if not portion:
            return changed
        keys = [each["_id"] for each in portion]
        done = await mongo.resource.update_many({"_id": {"$in": keys}, **asked}, _replacing(wanted))
        changed += done.modified_count
        if len(portion) < _AT_ONCE:
            return changed
        await asyncio.sleep(0)


async def _of_several(mongo: Mongo, patient: str) -> int:
    """What tells of several patients, or of one otherwise than by its lead parameter: each by itself."""
    documents = await mongo.resource.find({"w": patient}, {"f": 1, "p": 1, "w": 1, "v": 1}, hint=BY_SUBJECT).to_list()
    writes = [await _of_one(mongo, document) for document in documents]
    return (await mongo.resource.bulk_write(writes, ordered=False)).modified_count if writes else 0


async def _of_one(mongo: Mongo, document: Mapping[str, Any]) -> UpdateOne:
    custody = await custody_of(mongo, document.get("f"), whose(document), document["_id"])
    wanted = [READER + EQUALS + each for each in custody.readers] + [BARRED + EQUALS + each for each in custody.barred]
    asked = {"_id": document["_id"], "v": document["v"], "$or": _differing(wanted)}
    return UpdateOne(asked, _replacing(wanted))


def _differing(wanted: Sequence[str]) -> list[dict[str, Any]]:
    """Has one that is not wanted, or lacks one that is."""
    found: list[dict[str, Any]] = [{"e": {"$elemMatch": {"$gte": low, "$lt": high, "$nin": list(wanted)}}} for low, high in _OURS]
    return [*found, *([{"e": {"$not": {"$all": list(wanted)}}}] if wanted else [])]


def _replacing(wanted: Sequence[str]) -> list[dict[str, Any]]:
    ours = [{"$and": [{"$gte": ["$$this", low]}, {"$lt": ["$$this", high]}]} for low, high in _OURS]
    others = {"$filter": {"input": {"$ifNull": ["$e", []]}, "cond": {"$not": [{"$or": ours}]}}}
    return [{"$set": {"e": {"$concatArrays": [others, [{"$literal": each} for each in wanted]]}}}]
