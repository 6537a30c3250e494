"""What happened to many resources, newest first: history of a type, of several, of everything.

https://hl7.org/fhir/R4/http.html#history

Three places hold it: the current versions and the deletions of `resource`, and the superseded versions of `history`. Each
has an index in the order of time, and a page is the newest of the three merged. A page begins after (time, reference,
version), so that it costs the same however deep it is. A version that is superseded between two reads is met twice, never
missed, because the superseded ones are read last.

To see what happened to a type is to read and to search it: both must be permitted. A limited permit sees a version only where it sees the resource as it is now; what a superseded version would have been
found by is not known any more. Deletions, and the past of what is deleted, are nobody's then.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fhir_server.exchange import Version
from fhir_server.search.expression import EVERYTHING, NOTHING, And, Expression
from fhir_server.store.documents import SERVED, milliseconds, version
from fhir_server.store.failures import told
from fhir_server.store.filter import Filter, condition
from fhir_server.store.finding import Page
from fhir_server.store.indexes import BY_DELETION, BY_TIME
from fhir_server.store.mongo import Mongo
from fhir_server.store.permit import Permit

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAST = {**SERVED, "r": 1}


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a history that is asked for.

    `since`: made then or later. `low` and `high`: current at some moment between them. `among`: only these resources
    (`Type/id`). `after`: below this milliseconds, reference and version.
    """

    count: int
    since: datetime | None = None
    low: datetime | None = None
    high: datetime | None = None
    among: tuple[str, ...] | None = None
    after: tuple[int, str, int] | None = None


async def past(mongo: Mongo, permit: Permit, types: Sequence[str], span: Span) -> Page:
    """Give one page of what happened to the resources of these types, within the permit."""
    types = [type for type in types if NOTHING not in (permit.covers("read", type), permit.covers("search-type", type))]
    if not types:
        return Page((), None, 0)
    reading, searching = (permit.narrow(interaction, types, EVERYTHING) for interaction in ("read", "search-type"))
    limit = reading if reading == searching else And((reading, searching))
    visible = None if limit == EVERYTHING else limit
    with told():
        current, deleted = await asyncio.gather(_current(mongo, types, span, visible), _deleted(mongo, types, span, visible))
        found = [*current, *deleted, *await _superseded(mongo, types, span, visible)]
    versions = _newest({(each.reference, each.version): each for each in map(version, found)}.values())
    page = tuple(versions[: span.count])
    more = len(versions) > span.count
    total = len(versions) if span.after is None and not more else None
    return Page(page, _place(page[-1]) if more and page else None, total)


def _newest(versions: Iterable[Version]) -> list[Version]:
    return sorted(versions, key=lambda each: (each.updated, each.reference, each.version), reverse=True)


def _place(last: Version) -> tuple[int, str, int]:
    return milliseconds(last.updated), last.reference, last.version


async def _current(mongo: Mongo, types: Sequence[str], span: Span, visible: Expression | None) -> list[dict[str, Any]]:
    asked = {"t": {"$in": list(types)}, **_within(span, "_id")}
    if visible is not None:
        asked = {"$and": [asked, condition(visible, types)]}
    return await _in_order(mongo, asked, span, BY_TIME)


async def _deleted(mongo: Mongo, types: Sequence[str], span: Span, visible: Expression | None) -> list[dict[str, Any]]:
    if visible is not None:
        return []
    return await _in_order(mongo, {"d": {"$in": list(types)}, **_within(span, "_id")}, span, BY_DELETION)


async def _in_order(mongo: Mongo, asked: Filter, span: Span, hint: str) -> list[dict[str, Any]]:
    cursor = mongo.resource.find(
        asked,
        SERVED,
        sort=[("u", -1), ("_id", -1)],
        limit=span.count + 1,
        hint=hint if span.among is None else None,
        allow_disk_use=True,
        max_time_ms=mongo.limits.milliseconds,
    )
    return await cursor.to_list()


async def _superseded(mongo: Mongo, types: Sequence[str], span: Span, visible: Expression | None) -> list[dict[str, Any]]:
    pipeline: list[dict[str, Any]] = [
        {"$match": {"t": {"$in": list(types)}, **_within(span, "r")}},
        {"$sort": {"u": -1, "r": -1, "v": -1}},
        {"$project": _PAST},
    ]
    if visible is not None:
        pipeline += _where_visible(condition(visible, types))
    if span.low is not None:
        pipeline += _still_current(span.low)
    pipeline += [{"$limit": span.count + 1}, {"$project": _PAST}]
    options: dict[str, Any] = {"hint": BY_TIME} if span.among is None else {}
    cursor = await mongo.history.aggregate(pipeline, maxTimeMS=mongo.limits.milliseconds, allowDiskUse=True, **options)
    return await cursor.to_list()


def _where_visible(limit: Filter) -> list[dict[str, Any]]:
    now = {"from": "resource", "localField": "r", "foreignField": "_id", "as": "now"}
    return [{"$lookup": {**now, "pipeline": [{"$match": limit}, {"$project": {"_id": 1}}]}}, {"$match": {"now": {"$ne": []}}}]


def _still_current(low: datetime) -> list[dict[str, Any]]:
    """Leave out what another version had taken the place of before."""
    only_time = [{"$project": {"_id": 0, "u": 1}}]
    following = {"$concat": ["$r", "/", {"$toString": {"$add": ["$v", 1]}}]}
    return [
        {"$set": {"next": following}},
        {"$lookup": {"from": "history", "localField": "next", "foreignField": "_id", "as": "next", "pipeline": only_time}},
        {"$lookup": {"from": "resource", "localField": "r", "foreignField": "_id", "as": "current", "pipeline": only_time}},
        {"$set": {"until": {"$ifNull": [{"$first": "$next.u"}, {"$first": "$current.u"}]}}},
        {"$match": {"$or": [{"u": {"$gte": low}}, {"until": {"$gt": low}}]}},
    ]


def _within(span: Span, reference: str) -> Filter:
    """What the time, the list and the page before leave; `reference` is the field that holds `Type/id`."""
    time: dict[str, Any] = {}
    if span.since is not None:
        time["$gte"] = span.since
    if span.high is not None:
        time["$lte"] = span.high
    found: Filter = {}
    if span.after is not None:
        last, key, number = span.after
        moment = _EPOCH + timedelta(milliseconds=last)
        time["$lte"] = min(time.get("$lte", moment), moment)
        found["$or"] = [{"u": {"$lt": moment}}, {reference: {"$lt": key}}, {reference: key, "v": {"$lt": number}}]
    if time:
        found["u"] = time
    if span.among is not None:
        found[reference] = {"$in": list(span.among)}
    return found
