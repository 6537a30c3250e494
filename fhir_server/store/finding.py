"""Searches: one page in order, where the next one begins, and how many there are.

https://hl7.org/fhir/R4/search.html#sort
https://hl7.org/fhir/R4/search.html#total

The default order, that by the type's main date and that by `_lastUpdated` are an index's own (in_order.py). Any other order
is made by MongoDB for what was found (sorting.py). A page begins after a place, never after a number of resources: it costs
the same however deep it is, and what is written meanwhile shifts nothing.
"""

from dataclasses import dataclass
from typing import Any

from fhir_server.exchange import Version
from fhir_server.search.controls import Sort
from fhir_server.search.entries import UPDATED
from fhir_server.search.expression import Expression
from fhir_server.search.paging import Place
from fhir_server.search.query import Query
from fhir_server.store import in_order, sorting
from fhir_server.store.documents import version
from fhir_server.store.failures import told
from fhir_server.store.in_order import Found
from fhir_server.store.mongo import Mongo
from fhir_server.store.selection import Selection
from fhir_server.store.ways import ways

COUNTED, SAMPLED = 10_000, 1_000
"""An estimate counts so many resources exactly; beyond, it is the share of them in so large a sample of all."""


@dataclass(frozen=True, slots=True)
class Page:
    """Versions in order, the place after which the next page begins (None: this is the last), the total where known."""

    versions: tuple[Version, ...]
    after: Place | None = None
    total: int | None = None


async def find(mongo: Mongo, query: Query, expression: Expression) -> Page:
    """Find a page of the query's types; `expression` is the query's, permitted and resolved."""
    total = None
    if query.total in ("accurate", "estimate") or query.count == 0:
        total = await _total(mongo, ways(expression, query.types), exact=query.total != "estimate")
    if query.count == 0:
        return Page((), None, total)
    with told():
        found, after = await _ordered(mongo, query, expression)
    if query.total is None and query.after is None and after is None:
        total = len(found)
    return Page(tuple(version(document) for document in found), after, total)


async def _ordered(mongo: Mongo, query: Query, expression: Expression) -> Found:
    match query.sort:
        case ():
            return await in_order.newest_first(mongo, query, expression)
        case (Sort(main=True),):
            return await in_order.by_main_date(mongo, query, expression)
        case (Sort(parameter) as key,) if parameter == UPDATED:
            return await in_order.by_time(mongo, query, expression, key)
    return await sorting.in_any_order(mongo, query, expression)


async def _total(mongo: Mongo, chosen: Selection, *, exact: bool) -> int:
    limits: dict[str, Any] = {"maxTimeMS": mongo.limits.milliseconds, **chosen.options}
    with told():
        if exact:
            return await mongo.resource.count_documents(chosen.filter, **limits)
        counted = await mongo.resource.count_documents(chosen.filter, limit=COUNTED, **limits)
        if counted < COUNTED:
            return counted
        sample: list[dict[str, Any]] = [{"$sample": {"size": SAMPLED}}, {"$match": chosen.filter}, {"$count": "n"}]
        cursor = await mongo.resource.aggregate(sample, maxTimeMS=mongo.limits.milliseconds)
        hits: int = sum([document["n"] async for document in cursor])
        return max(COUNTED, hits * await mongo.resource.estimated_document_count() // SAMPLED)
