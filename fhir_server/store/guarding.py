"""Writes that are only wanted while nothing answers a search: of several at once, one is done.

https://hl7.org/fhir/R4/http.html#ccreate
docs/decisions/0013-conditional-writes.md

The search is made again inside the write's transaction. Alone that is not enough, for two transactions that both find
nothing write different documents and do not see each other. So each first writes the guard, one document for one question:
the second conflicts there, in whichever process it runs. Guards mean nothing between transactions; MongoDB removes them
after an hour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b

from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError, OperationFailure

from fhir_server.search.expression import And, Expression, Has
from fhir_server.search.query import Query
from fhir_server.store.failures import told
from fhir_server.store.filter import Filter
from fhir_server.store.mongo import Mongo
from fhir_server.store.permit import Permit
from fhir_server.store.related import resolved
from fhir_server.store.selection import conjuncts, selection
from fhir_server.store.sending import DUPLICATE_KEY
from fhir_server.store.writing import Changed

_WRITE_CONFLICT = 112
_AT_ONCE = 50  # questions asked in one


@dataclass(frozen=True, slots=True)
class Guard:
    """One question: the key of its document, and the filter of what would answer it."""

    key: str
    filter: Filter


async def guards(mongo: Mongo, permit: Permit, questions: Sequence[Query]) -> list[Guard]:
    """Make the guards of these questions, each once, in one order for all."""
    made: dict[str, Guard] = {}
    for query in questions:
        permitted = permit.narrow("search-type", (query.type,), query.expression)
        chosen = selection(await resolved(permitted, query.type, mongo, permit), (query.type,))
        key = question(query.type, query.expression)
        made[key] = Guard(key, chosen.filter)
    return [made[key] for key in sorted(made)]


async def answered(mongo: Mongo, permit: Permit, questions: Sequence[Query]) -> bool:
    """Tell whether anything answers any of these questions: one query for all, where mostly nothing does."""
    asked: Filter = {"$or": [guard.filter for guard in await guards(mongo, permit, questions)]}
    with told():
        return await mongo.resource.find_one(asked, {"_id": 1}, max_time_ms=mongo.limits.milliseconds) is not None


def question(type: str, expression: Expression) -> str:
    """Give the same text for the same question, however it was put.

    What names an identifier is one question with everything else that names it: who asks for the identifier, and who for
    the identifier and a birth date, want the same resource not to be made twice.
    """
    parts = set(conjuncts(expression))
    named = {part for part in parts if isinstance(part, Has) and part.parameter == "identifier"}
    text = "\n".join(sorted(map(_written, named or parts)))
    return f"{type}/{blake2b(text.encode(), digest_size=16).hexdigest()}"


def _written(expression: Expression) -> str:
    """The expression as text, with the parts of a conjunction in one order."""
    if isinstance(expression, And):
        return f"And({sorted(map(_written, expression.parts))})"
    return repr(expression)


async def hold(mongo: Mongo, held: Sequence[Guard], others: Sequence[str], session: AsyncClientSession) -> None:
    """Write the guards, then make sure that nothing answers their questions but `others`, the keys that are written besides.

    Raises Changed where something does, or another transaction holds one of them.
    """
    touch = {"$inc": {"n": 1}, "$set": {"at": datetime.now(UTC)}}
    writes = [UpdateOne({"_id": guard.key}, touch, upsert=True) for guard in held]
    try:
        await mongo.database["guard"].bulk_write(writes, session=session)
    except BulkWriteError as problem:
        if any(error["code"] in (DUPLICATE_KEY, _WRITE_CONFLICT) for error in problem.details.get("writeErrors", ())):
            raise Changed from problem
        raise
    except OperationFailure as problem:
        if problem.code == _WRITE_CONFLICT:
            raise Changed from problem
        raise
    for start in range(0, len(held), _AT_ONCE):
        asked: Filter = {"$or": [guard.filter for guard in held[start : start + _AT_ONCE]], "_id": {"$nin": list(others)}}
        if await mongo.resource.find_one(asked, {"_id": 1}, session=session) is not None:
            raise Changed
