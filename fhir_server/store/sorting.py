"""Pages in any order: what is found is sorted by MongoDB, within the time of one query and on disk where memory ends.

https://hl7.org/fhir/R4/search.html#sort

A resource is sorted by its least value, or by its greatest where the order is descending; what has no value comes last
either way, and equal ones are newest first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_server.search.controls import Sort
from fhir_server.search.expression import AFTER, EQUALS, HIGH, LOW, TEXT, Expression
from fhir_server.search.paging import Place
from fhir_server.search.query import Query
from fhir_server.store.documents import SERVED
from fhir_server.store.filter import Filter, all_of
from fhir_server.store.in_order import Found, Shown, refused, shown
from fhir_server.store.mongo import Mongo
from fhir_server.store.ways import ways

_IN_SPANS = ("date", "number", "quantity")
_LONGEST = 100  # characters of a text that decide, so that a place fits into an address


@dataclass(frozen=True, slots=True)
class _Place:
    """The values that the last page ended at, and among equal ones the place."""

    values: Place
    shown: Shown


async def in_any_order(mongo: Mongo, query: Query, expression: Expression) -> Found:
    """Give a page in the order of the query's keys."""
    before = _before(query)
    chosen = ways(expression, query.types)
    names = _names(len(query.sort))
    keys = {name: _shortened(_key(sort)) for name, sort in zip(names, query.sort, strict=True)}
    missing = {f"{name}_missing": {"$cond": [{"$eq": [f"${name}", None]}, 1, 0]} for name in names}
    sorting: dict[str, int] = {}
    for name, key in zip(names, query.sort, strict=True):
        sorting |= {f"{name}_missing": 1, name: -1 if key.descending else 1}
    pipeline: list[dict[str, Any]] = [{"$match": chosen.filter}, {"$set": keys}, {"$set": missing}]
    if before is not None:
        pipeline.append({"$match": _beyond(before, query.sort)})
    known = before.shown.keys if before is not None else frozenset[str]()
    served = {**SERVED, **dict.fromkeys(names, 1)}
    pipeline += [{"$project": {**served, **dict.fromkeys(missing, 1)}}, {"$sort": {**sorting, "o": -1}}]
    pipeline += [{"$limit": query.count + 1 + len(known)}, {"$project": served}]
    cursor = await mongo.resource.aggregate(pipeline, maxTimeMS=mongo.limits.milliseconds, allowDiskUse=True, **chosen.options)
    found = [document for document in await cursor.to_list() if document["_id"] not in known]
    page = found[: query.count]
    return page, _after(page, names, before) if len(found) > query.count else None


def _before(query: Query) -> _Place | None:
    match query.after:
        case None:
            return None
        case (*values, int(place), str(keys)) if len(values) == len(query.sort):
            return _Place(tuple(values), shown(place, keys))
    raise refused(query)


def _after(page: Sequence[Mapping[str, Any]], names: Sequence[str], before: _Place | None) -> Place:
    """Only those that are equal in every key and in their place can have been shown already."""
    values = tuple(page[-1][name] for name in names)
    equal = [document for document in page if tuple(document[name] for name in names) == values]
    again = before.shown if before is not None and before.values == values else Shown()
    return (*values, *again.told(equal))


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


def _shortened(key: Mapping[str, Any] | str) -> Mapping[str, Any]:
    text = {"$eq": [{"$type": "$$key"}, "string"]}
    return {"$let": {"vars": {"key": key}, "in": {"$cond": [text, {"$substrCP": ["$$key", 0, _LONGEST]}, "$$key"]}}}


def _beyond(before: _Place, sort: Sequence[Sort]) -> Filter:
    """What comes after: greater in a key, and equal in all before it. What has no value comes last."""
    later: list[Filter] = []
    equal: list[Filter] = []
    for name, key, value in zip(_names(len(sort)), sort, before.values, strict=True):
        none = {f"{name}_missing": 1}
        if value is not None:
            later.append(all_of([*equal, {"$or": [{name: {"$lt" if key.descending else "$gt": value}}, none]}]))
        equal.append(none if value is None else {name: value})
    later.append(all_of([*equal, {"o": {"$lte": before.shown.place}}]))
    return {"$or": later}
