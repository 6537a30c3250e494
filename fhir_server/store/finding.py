"""Searches: one page in order, and where the next one begins.

https://hl7.org/fhir/R4/search.html#sort

The default order, and that by the type's main date, is the index's own. Any other order is made by MongoDB for what was
found. A page begins after a place, never after a number of resources: it costs the same however deep it is, and what is
written meanwhile shifts nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_server.exchange import Version
from fhir_server.outcome import invalid
from fhir_server.search.controls import Sort
from fhir_server.search.expression import AFTER, EQUALS, HIGH, LOW, TEXT, Expression
from fhir_server.search.paging import Place
from fhir_server.search.query import Query
from fhir_server.store.documents import SERVED, version
from fhir_server.store.failures import told
from fhir_server.store.filter import Filter, all_of
from fhir_server.store.mongo import Mongo
from fhir_server.store.selection import Selection, selection

_IN_SPANS = ("date", "number", "quantity")


@dataclass(frozen=True, slots=True)
class Page:
    """Versions in order, the place after which the next page begins (None: this is the last), the total where known."""

    versions: tuple[Version, ...]
    after: Place | None = None
    total: int | None = None


async def find(mongo: Mongo, query: Query, expression: Expression) -> Page:
    """Find a page of the query's type; `expression` is the query's, permitted and resolved."""
    types = (query.type,)
    total = None
    if query.total in ("accurate", "estimate") or query.count == 0:
        total = await _total(mongo, selection(expression, types))
    if query.count == 0:
        return Page((), None, total)
    newest_first = _natural(query.sort)
    shown = _Shown.of(query)
    with told():
        if newest_first is not None:
            found = await _in_order(mongo, query, expression, shown, newest_first=newest_first)
        else:
            found = await _sorted(mongo, query, expression, shown)
    found = [document for document in found if document["_id"] not in shown.keys]
    more = len(found) > query.count
    if query.total is None and query.after is None and not more:
        total = len(found)
    page = found[: query.count]
    return Page(tuple(version(document) for document in page), shown.with_page(page, len(query.sort)) if more else None, total)


@dataclass(frozen=True, slots=True)
class _Shown:
    """Where the last page ended: the values it was sorted by, the place, and the keys shown that stand at that place.

    As Query.after: (values..., place, "id,id").
    """

    type: str
    values: Place = ()
    place: int | None = None
    keys: frozenset[str] = frozenset()

    @classmethod
    def of(cls, query: Query) -> "_Shown":
        """Read what a query says of the page before."""
        if query.after is None:
            return cls(query.type)
        count = 0 if _natural(query.sort) is not None else len(query.sort)
        match query.after:
            case (*values, int(place), str(ids)) if len(values) == count:
                return cls(query.type, tuple(values), place, frozenset(f"{query.type}/{id}" for id in ids.split(",")))
        raise invalid("This page does not belong to this search; start again from its first page", query.type, code="value")

    def with_page(self, page: Sequence[Mapping[str, Any]], count: int) -> Place:
        """Say where this page ends."""
        last = page[-1]
        ids = {document["_id"].partition("/")[2] for document in page if document["o"] == last["o"]}
        if last["o"] == self.place:
            ids |= {key.partition("/")[2] for key in self.keys}
        values = (last[name] for name in _names(count) if name in last)
        return (*values, last["o"], ",".join(sorted(ids)))


async def _total(mongo: Mongo, chosen: Selection) -> int:
    with told():
        return await mongo.resource.count_documents(chosen.filter, maxTimeMS=mongo.limits.milliseconds, **chosen.options)


def _natural(sort: Sequence[Sort]) -> bool | None:
    """Tell whether the index has this order: True newest first, False oldest first, None neither."""
    match sort:
        case ():
            return True
        case (Sort(main=True, descending=descending),):
            return descending
    return None


async def _in_order(mongo: Mongo, query: Query, expression: Expression, shown: _Shown, *, newest_first: bool) -> list[dict[str, Any]]:
    beyond = None if shown.place is None else {"$lte" if newest_first else "$gte": shown.place}
    chosen = selection(expression, (query.type,), beyond)
    limit = query.count + 1 + len(shown.keys)
    cursor = mongo.resource.find(
        chosen.filter,
        SERVED,
        sort=[("o", -1 if newest_first else 1)],
        limit=limit,
        batch_size=limit + 1,
        hint=chosen.hint,
        max_time_ms=mongo.limits.milliseconds,
    )
    return await cursor.to_list()


# -- any other order ----------------------------------------------------------------------------------------------------


async def _sorted(mongo: Mongo, query: Query, expression: Expression, shown: _Shown) -> list[dict[str, Any]]:
    chosen = selection(expression, (query.type,))
    names = _names(len(query.sort))
    keys = dict(zip(names, map(_key, query.sort), strict=True))
    missing = {f"{name}_missing": {"$cond": [{"$eq": [f"${name}", None]}, 1, 0]} for name in names}
    sorting: dict[str, int] = {}
    for name, key in zip(names, query.sort, strict=True):
        sorting |= {f"{name}_missing": 1, name: -1 if key.descending else 1}
    pipeline: list[dict[str, Any]] = [{"$match": chosen.filter}, {"$set": keys}, {"$set": missing}]
    if shown.place is not None:
        pipeline.append({"$match": _beyond(shown, query.sort)})
    served = {**SERVED, **dict.fromkeys(names, 1)}
    pipeline += [{"$sort": {**sorting, "o": -1}}, {"$limit": query.count + 1 + len(shown.keys)}, {"$project": served}]
    cursor = await mongo.resource.aggregate(pipeline, maxTimeMS=mongo.limits.milliseconds, allowDiskUse=True, **chosen.options)
    return await cursor.to_list()


def _names(count: int) -> list[str]:
    return [f"sort{number}" for number in range(count)]


def _key(sort: Sort) -> Mapping[str, Any] | str:
    """What a resource is sorted by: its least value, or its greatest where the order is descending."""
    if sort.parameter == "_id":
        return "$_id"
    least = "$max" if sort.descending else "$min"
    if sort.type in _IN_SPANS:
        of_parameter = {"$filter": {"input": "$s", "cond": {"$eq": ["$$this.k", {"$literal": sort.parameter}]}}}
        return {least: {"$map": {"input": of_parameter, "in": "$$this.a"}}}
    if sort.type == "string":  # names go by their kana, before those that have none
        return {"$ifNull": [{least: _between("$x", sort.parameter, LOW, EQUALS)}, {least: _between("$x", sort.parameter, EQUALS, HIGH)}]}
    return {least: _between("$e", sort.parameter, EQUALS, HIGH)}


def _between(field: str, parameter: str, begin: str, end: str) -> Mapping[str, Any]:
    assert TEXT < begin < end < AFTER
    limits = [{"$gte": ["$$this", {"$literal": parameter + begin}]}, {"$lt": ["$$this", {"$literal": parameter + end}]}]
    return {"$filter": {"input": field, "cond": {"$and": limits}}}


def _beyond(shown: _Shown, sort: Sequence[Sort]) -> Filter:
    """What comes after: greater in a key, and equal in all before it. What has no value comes last."""
    ways: list[Filter] = []
    equal: list[Filter] = []
    for name, key, value in zip(_names(len(sort)), sort, shown.values, strict=True):
        none = {f"{name}_missing": 1}
        if value is not None:
            ways.append(all_of([*equal, {"$or": [{name: {"$lt" if key.descending else "$gt": value}}, none]}]))
        equal.append(none if value is None else {name: value})
    ways.append(all_of([*equal, {"o": {"$lte": shown.place}}]))
    return {"$or": ways}
