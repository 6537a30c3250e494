"""Chained parameters and _has: resolved to ids, in steps and within a bound.

https://hl7.org/fhir/R4/search.html#chaining
https://hl7.org/fhir/R4/search.html#has

Each step is a search of its own, permitted as one. A join in the database was slower by orders of magnitude
(docs/decisions/0007-chains-and-permits.md).
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from fhir_server.outcome import FhirError, Issue
from fhir_server.search.expression import (
    EQUALS,
    And,
    Coded,
    Expression,
    ForPatient,
    Has,
    Not,
    OfType,
    Or,
    Placed,
    Related,
    RelatedBy,
    WithId,
)
from fhir_server.store.failures import told
from fhir_server.store.golden import members
from fhir_server.store.hierarchies import coded, placed
from fhir_server.store.mongo import Mongo
from fhir_server.store.permit import Permit
from fhir_server.store.selection import Selection, conjuncts
from fhir_server.store.texts import looked_through
from fhir_server.store.ways import ways


async def resolved(expression: Expression, type: str, mongo: Mongo, permit: Permit) -> Expression:
    """Give the expression without what only a repository can tell: Related, RelatedBy, Coded, Placed, Tells.

    Raises FhirError (too-costly) where a step leads over more resources than `Limits` allow.
    """
    return await _read_through(await _resolved(expression, type, mongo, permit), type, mongo, permit)


async def _read_through(expression: Expression, type: str, mongo: Mongo, permit: Permit) -> Expression:
    """Resolve what is asked of texts; in a search across types, of each type by itself."""
    parts = tuple(conjuncts(expression))
    type = type or _one_type(parts) or ""
    if type:
        return await looked_through(expression, type, mongo, permit)
    return And(tuple([await _alternatives(part, mongo, permit) if isinstance(part, Or) else part for part in parts]))


async def _alternatives(expression: Or, mongo: Mongo, permit: Permit) -> Expression:
    return Or(tuple([await _read_through(part, "", mongo, permit) if isinstance(part, And) else part for part in expression.parts]))


async def _resolved(expression: Expression, type: str, mongo: Mongo, permit: Permit) -> Expression:
    match expression:
        case And(parts) | Or(parts) if any(map(_leads_on, parts)):
            type = _one_type(parts) or type if isinstance(expression, And) else type
            each = await asyncio.gather(*(_resolved(part, type, mongo, permit) for part in parts))
            return And(tuple(each)) if isinstance(expression, And) else Or(tuple(each))
        case Not(part) if _leads_on(part):
            return Not(await _resolved(part, type, mongo, permit))
        case Related():
            return await _related(expression, mongo, permit)
        case RelatedBy():
            return await _related_by(expression, type, mongo, permit)
        case Coded():
            return await coded(expression, mongo, permit)
        case Placed():
            return await placed(expression, mongo, permit)
    return expression


def _one_type(parts: Sequence[Expression]) -> str | None:
    """The type that all parts are about: in a search across types what refers back is asked of each type by itself."""
    return next((part.types[0] for part in parts if isinstance(part, OfType) and len(part.types) == 1), None)


def _leads_on(expression: Expression) -> bool:
    match expression:
        case And(parts) | Or(parts):
            return any(map(_leads_on, parts))
        case Not(part):
            return _leads_on(part)
    return isinstance(expression, Related | RelatedBy | Coded | Placed)


async def _related(asked: Related, mongo: Mongo, permit: Permit) -> Expression:
    """What refers to one of the resources found. Raises FhirError (403) where none of the types may be searched (S10)."""
    permit.require("search-type", asked.types)
    found = [key for type in asked.types for key in await _keys(asked.expression, type, mongo, permit)]
    _bounded(found, mongo)
    found = [member for key in found for member in await members(key, mongo)]
    return Or(tuple(ForPatient(key) if asked.leads and key.startswith("Patient/") else Has(asked.parameter, key) for key in found))


async def _keys(expression: Expression, type: str, mongo: Mongo, permit: Permit) -> list[str]:
    chosen = await _step(expression, type, mongo, permit)
    with told():
        cursor = mongo.resource.find(
            chosen.filter, {"_id": 1}, limit=mongo.limits.related + 1, hint=chosen.hint, max_time_ms=mongo.limits.milliseconds
        )
        return [document["_id"] async for document in cursor]


async def _related_by(asked: RelatedBy, type: str, mongo: Mongo, permit: Permit) -> Expression:
    """What the resources found refer to. Raises FhirError (403) where their type may not be searched."""
    permit.require("search-type", (asked.type,))
    chosen = await _step(asked.expression, asked.type, mongo, permit)
    head = f"{asked.parameter}{EQUALS}{type}/"
    inside = {"$and": [{"$gte": ["$$this", {"$literal": head}]}, {"$lt": ["$$this", {"$literal": head[:-1] + "0"}]}]}
    pipeline: list[dict[str, Any]] = [
        {"$match": chosen.filter},
        {"$project": {"_id": 0, "r": {"$filter": {"input": "$e", "cond": inside}}}},
        {"$unwind": "$r"},
        {"$group": {"_id": "$r"}},
        {"$limit": mongo.limits.related + 1},
    ]
    with told():
        cursor = await mongo.resource.aggregate(pipeline, maxTimeMS=mongo.limits.milliseconds, **chosen.options)
        found = [document["_id"].removeprefix(head) async for document in cursor]
    _bounded(found, mongo)
    return WithId(tuple(found))


async def _step(expression: Expression, type: str, mongo: Mongo, permit: Permit) -> Selection:
    permitted = permit.narrow("search-type", (type,), expression)
    return ways(await resolved(permitted, type, mongo, permit), (type,))


def _bounded(found: Sequence[str], mongo: Mongo) -> None:
    if len(found) > mongo.limits.related:
        raise FhirError(
            Issue("too-costly", f"A chained parameter or _has leads over more than {mongo.limits.related} resources; ask for fewer")
        )
