"""`_text` and `_content`: read through what the other conditions leave, within a bound.

https://hl7.org/fhir/R4/search.html#content

No index of texts is kept: for Japanese it would hold every pair of characters, more than all other entries together
(docs/decisions/0012-what-a-search-value-means.md). What is read is permitted by the query itself.
"""

import asyncio
import time

from fhir_server.outcome import FhirError, Issue
from fhir_server.search.expression import And, Expression, Not, Or, Tells, WithId
from fhir_server.search.types.special import tells
from fhir_server.store.failures import told
from fhir_server.store.mongo import Mongo
from fhir_server.store.permit import Permit
from fhir_server.store.selection import conjuncts, selection
from profiles.json import decode

_AT_ONCE = 20  # judged before others have their turn


async def looked_through(expression: Expression, type: str, mongo: Mongo, permit: Permit) -> Expression:
    """Give the expression without Tells. Raises FhirError: too-costly beyond `Limits.scanned` resources, timeout beyond the time."""
    parts = tuple(conjuncts(expression))
    asking = tuple(part for part in parts if _asked(part))
    if not asking:
        return expression
    rest = tuple(part for part in parts if part not in asking)
    asked = tuple(dict.fromkeys(each for part in asking for each in _asked(part)))
    found = await _telling(asked, And(rest), type, mongo, permit)
    return And((*(_replaced(part, found) for part in asking), *rest))


def _asked(expression: Expression) -> tuple[Tells, ...]:
    match expression:
        case Tells():
            return (expression,)
        case And(parts) | Or(parts):
            return tuple(each for part in parts for each in _asked(part))
        case Not(part):
            return _asked(part)
    return ()


def _replaced(expression: Expression, found: dict[Tells, list[str]]) -> Expression:
    match expression:
        case Tells():
            return WithId(tuple(found[expression]))
        case And(parts):
            return And(tuple(_replaced(part, found) for part in parts))
        case Or(parts):
            return Or(tuple(_replaced(part, found) for part in parts))
        case Not(part):
            return Not(_replaced(part, found))
    return expression


async def _telling(asked: tuple[Tells, ...], rest: Expression, type: str, mongo: Mongo, permit: Permit) -> dict[Tells, list[str]]:
    found: dict[Tells, list[str]] = {each: [] for each in asked}
    most, end = mongo.limits.scanned, time.monotonic() + mongo.limits.milliseconds / 1000
    chosen = selection(permit.narrow("search-type", (type,), rest), (type,))
    read = 0
    with told():
        cursor = mongo.resource.find(chosen.filter, {"b": 1}, limit=most + 1, hint=chosen.hint, max_time_ms=mongo.limits.milliseconds)
        async for document in cursor:
            read += 1
            if read > most:
                raise FhirError(
                    Issue(
                        "too-costly", f"_text and _content look through {most} resources at most (setting text_limit); give more conditions"
                    )
                )
            resource = decode(document["b"])
            for each in asked:
                if tells(each, resource):
                    found[each].append(document["_id"].partition("/")[2])
            if read % _AT_ONCE == 0:
                await asyncio.sleep(0)
                if time.monotonic() > end:
                    raise FhirError(Issue("timeout", "Looking through texts took longer than a query may; give more conditions"))
    return found
