"""Pages in an order that an index has: newest first, by the main date, by the time of the last change.

The place `o` of a resource is nearly unique: a page that ends among equal ones says which of them it has shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from fhir_server.outcome import FhirError, invalid
from fhir_server.search.controls import Sort
from fhir_server.search.entries import UPDATED
from fhir_server.search.expression import And, Expression, OfType, Spans
from fhir_server.search.paging import Place
from fhir_server.search.query import Query
from fhir_server.store.documents import SERVED, UNDATED, milliseconds
from fhir_server.store.filter import Filter, all_of
from fhir_server.store.indexes import BY_TIME
from fhir_server.store.mongo import Mongo
from fhir_server.store.selection import conjuncts
from fhir_server.store.ways import ways

Found: TypeAlias = tuple[Sequence[Mapping[str, Any]], Place | None]
"""The documents of a page, and where the next one begins; None where there is none."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = 253_402_300_799_999  # the end of the year 9999
_DATED, _MIXED, _TAIL = 0, 1, 2


def refused(query: Query) -> FhirError:
    """The place is none of this order."""
    return invalid("This page does not belong to this search; start again from its first page", query.type or "Bundle", code="value")


@dataclass(frozen=True, slots=True)
class Shown:
    """Where the last page ended, and the keys that it has shown there."""

    place: int | None = None
    keys: frozenset[str] = frozenset()

    def told(self, page: Sequence[Mapping[str, Any]]) -> tuple[int, str]:
        """Say where this page ends, which begins after this place: as a place of Query.after."""
        end = page[-1]["o"]
        keys = {document["_id"] for document in page if document["o"] == end}
        return end, ",".join(sorted(keys | self.keys if end == self.place else keys))


def shown(place: int, keys: str) -> Shown:
    """Read what `Shown.told` said."""
    return Shown(place, frozenset(keys.split(",")) if keys else frozenset())


async def newest_first(mongo: Mongo, query: Query, expression: Expression) -> Found:
    """Give a page in the default order."""
    before = Shown()
    match query.after:
        case None:
            pass
        case (int(place), str(keys)):
            before = shown(place, keys)
        case _:
            raise refused(query)
    found = await _read(mongo, query, expression, before, query.count, newest=True)
    page = found[: query.count]
    return page, before.told(page) if len(found) > query.count else None


async def by_main_date(mongo: Mongo, query: Query, expression: Expression) -> Found:
    """Give a page in the order of the main date; what has none comes last.

    The index holds it among the others, where it was written. It is left out as soon as the first one is met, and
    follows when all others are shown: as long as everything has a date, that costs nothing.
    """
    newest = query.sort[0].descending
    stage, before = _DATED, Shown()
    match query.after:
        case None:
            pass
        case (int(stage), int(place), str(keys)) if _DATED <= stage <= _TAIL:
            before = shown(place, keys)
        case (int(stage),) if stage == _TAIL:
            pass
        case _:
            raise refused(query)
    page: list[dict[str, Any]] = []
    if stage != _TAIL:
        found = await _read(mongo, query, expression, before, query.count, newest=newest, dated=True if stage == _MIXED else None)
        if stage == _DATED and any(document["o"] & UNDATED for document in found):
            stage = _MIXED
            found = await _read(mongo, query, expression, before, query.count, newest=newest, dated=True)
        page = found[: query.count]
        if len(found) > query.count:
            return page, (stage, *before.told(page))
        if stage == _DATED:
            return page, None
        before = Shown()
    rest = await _read(mongo, query, expression, before, query.count - len(page), newest=newest, dated=False)
    tail = rest[: query.count - len(page)]
    if len(rest) == len(tail):
        return [*page, *tail], None
    return [*page, *tail], (_TAIL, *before.told(tail)) if tail else (_TAIL,)


async def _read(
    mongo: Mongo, query: Query, expression: Expression, before: Shown, count: int, *, newest: bool, dated: bool | None = None
) -> list[dict[str, Any]]:
    """Read one document more than wanted from the index in its order; `dated` asks for those with a main date, or without."""
    place: Filter = {} if before.place is None else {"$lte" if newest else "$gte": before.place}
    if dated is not None:
        place["$bitsAllClear" if dated else "$bitsAllSet"] = UNDATED
    chosen = ways(expression, query.types, place or None)
    limit = count + 1 + len(before.keys)
    cursor = mongo.resource.find(
        chosen.filter,
        SERVED,
        sort=[("o", -1 if newest else 1)],
        limit=limit,
        batch_size=limit + 1,
        hint=chosen.hint,
        allow_disk_use=True,
        max_time_ms=mongo.limits.milliseconds,
    )
    return [document for document in await cursor.to_list() if document["_id"] not in before.keys]


# -- by the time of the last change --------------------------------------------------------------------------------------


async def by_time(mongo: Mongo, query: Query, expression: Expression, key: Sort) -> Found:
    """Give a page in the order of meta.lastUpdated: places are unique, a time and a key."""
    asked, moments = _moments(expression)
    direction, beyond = (-1, "$lt") if key.descending else (1, "$gt")
    match query.after:
        case None:
            later: list[Filter] = [{}]
        case (int(moment), str(last)) if abs(moment) <= _LATEST:
            at = _EPOCH + timedelta(milliseconds=moment)
            later = [{"u": at, "_id": {beyond: last}}, {"u": {beyond: at}}]  # one after the other: each is a range of the index
        case _:
            raise refused(query)
    chosen = ways(asked, query.types)
    alone = all(isinstance(part, OfType) for part in conjuncts(asked))
    found: list[dict[str, Any]] = []
    for part in later:
        cursor = mongo.resource.find(
            all_of([chosen.filter, *moments, part]),
            SERVED,
            sort=[("_id", direction)] if "_id" in part else [("u", direction), ("_id", direction)],
            limit=query.count + 1 - len(found),
            batch_size=query.count + 2,
            hint=BY_TIME if alone else chosen.hint,
            allow_disk_use=True,
            max_time_ms=mongo.limits.milliseconds,
        )
        found += await cursor.to_list()
        if len(found) > query.count:
            break
    page = found[: query.count]
    return page, (milliseconds(page[-1]["u"]), page[-1]["_id"]) if len(found) > query.count else None


def _moments(expression: Expression) -> tuple[Expression, list[Filter]]:
    """Take out what is asked of _lastUpdated, as bounds of the index in its order."""
    rest: list[Expression] = []
    moments: list[Filter] = []
    for part in conjuncts(expression):
        bounds = _bounds(part) if isinstance(part, Spans) and part.parameter == UPDATED else None
        if bounds is None:
            rest.append(part)
        else:
            moments.append({"u": {operator: _EPOCH + timedelta(milliseconds=bound) for operator, bound in bounds.items()}})
    return And(tuple(rest)), moments


def _bounds(asked: Spans) -> dict[str, float] | None:
    """An instant is one millisecond, so that spans and the moments in them are the same."""
    low, high = (min(max(bound, -62_135_596_800_000), _LATEST) for bound in (asked.low, asked.high))
    match asked.prefix:
        case "eq" | "ap":
            return {"$gte": low, "$lte": high}
        case "gt" | "sa":
            return {"$gt": high}
        case "lt" | "eb":
            return {"$lt": low}
        case "ge":
            return {"$gte": low}
        case "le":
            return {"$lte": high}
    return None
