"""What belongs to one patient or encounter, of all types at once, page by page.

https://hl7.org/fhir/R4/compartmentdefinition.html

Two queries, whatever the number of types: one walks the patient-led index, one the entries that refer to the owner by
another parameter (performer, encounter, ...). Both indexes hold type and place in this order, so both ways are read in
the order of the answer and stop where the page ends.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_server.exchange import Version
from fhir_server.outcome import invalid
from fhir_server.search.expression import EQUALS, Expression
from fhir_server.search.paging import Place
from fhir_server.store.documents import SERVED, SEVERAL, version
from fhir_server.store.failures import told
from fhir_server.store.filter import Filter, all_of, condition
from fhir_server.store.finding import Page
from fhir_server.store.indexes import BY_ENTRY, BY_PATIENT
from fhir_server.store.mongo import Mongo

_ORDER = [("t", 1), ("o", 1)]
_PROJECTION = {**SERVED, "t": 1}


@dataclass(frozen=True, slots=True)
class Belonging:
    """Who belongs to `owner` ("Patient/1"): resources of the types `led` whose lead parameter names it, and those that
    name it by another parameter: `named` gives the types by the parameter's code. `others` own as `owner` does.
    """

    owner: str
    led: tuple[str, ...]
    named: Mapping[str, tuple[str, ...]]
    others: tuple[str, ...] = ()

    @property
    def owners(self) -> tuple[str, ...]:
        """Everybody whose it may be."""
        return (self.owner, *self.others)

    @property
    def types(self) -> tuple[str, ...]:
        """Every type that may belong to the owner."""
        return tuple(dict.fromkeys((*self.led, *(type for types in self.named.values() for type in types))))


@dataclass(frozen=True, slots=True)
class _Beyond:
    """Where the last page ended: at this type and place, with these ids shown of those that stand there."""

    type: str
    place: int
    keys: frozenset[str]


async def belongings(mongo: Mongo, asked: Belonging, limit: Expression, count: int, after: Place | None) -> Page:
    """Give a page in the order of type and date, oldest first; `limit` is what must hold beside, the permit within it."""
    beyond = _beyond(after)
    limited = condition(limit, asked.types)
    most = count + 1 + (len(beyond.keys) if beyond else 0)
    ways = ((_led(asked, beyond), BY_PATIENT), (_named(asked, beyond), BY_ENTRY))
    with told():
        each = await asyncio.gather(*(_read(mongo, found, limited, hint, most) for found, hint in ways if found))
    found = {document["_id"]: document for documents in each for document in documents}
    for key in beyond.keys if beyond else ():
        found.pop(key, None)
    ordered = sorted(found.values(), key=lambda document: (document["t"], document["o"], document["_id"]))
    page = ordered[:count]
    place = _place(page, beyond) if len(ordered) > count else None
    return Page(tuple(version(document) for document in page), place, len(page) if place is None and beyond is None else None)


async def referred(mongo: Mongo, keys: Sequence[str], limit: Expression) -> list[Version]:
    """Give the current versions of the references `Type/id` for which the limit holds, in the order asked."""
    found = await mongo.reads.several(keys, limit)
    return [version(found[key]) for key in keys if key in found and "b" in found[key]]


async def _read(mongo: Mongo, ways: Sequence[Filter], limited: Filter, hint: str, most: int) -> list[dict[str, Any]]:
    """The limit is said once for all ways: where many consents are asked it is the longest part."""
    cursor = mongo.resource.find(
        all_of([ways[0] if len(ways) == 1 else {"$or": list(ways)}, limited]),
        _PROJECTION,
        sort=_ORDER,
        limit=most,
        batch_size=most + 1,
        hint=hint,
        max_time_ms=mongo.limits.milliseconds,
    )
    return await cursor.to_list()


def _led(asked: Belonging, beyond: _Beyond | None) -> list[Filter]:
    ways: list[Filter] = []
    for types, place in _ranges(asked.led, beyond):
        for owner in asked.owners:
            ways.append({"p": owner, "t": types, "c": "", **place})
            ways.append({"p": SEVERAL, "t": types, "c": SEVERAL + EQUALS + owner, **place})
    return ways


def _named(asked: Belonging, beyond: _Beyond | None) -> list[Filter]:
    return [
        {"t": types, "e": code + EQUALS + owner, **place}
        for owner in asked.owners
        for code, of_code in asked.named.items()
        for types, place in _ranges(of_code, beyond)
    ]


def _ranges(types: Sequence[str], beyond: _Beyond | None) -> list[tuple[Any, Filter]]:
    """What is left of the types: all of those to come, and the rest of the one that the last page ended in."""
    left = sorted(type for type in types if beyond is None or type > beyond.type)
    ranges: list[tuple[Any, Filter]] = [(left[0] if len(left) == 1 else {"$in": left}, {})] if left else []
    if beyond is not None and beyond.type in types:
        ranges.append((beyond.type, {"o": {"$gte": beyond.place}}))
    return ranges


def _beyond(after: Place | None) -> _Beyond | None:
    match after:
        case None:
            return None
        case (str(type), int(place), str(ids)):
            return _Beyond(type, place, frozenset(f"{type}/{id}" for id in ids.split(",")))
    raise invalid("This page does not belong to this request; start again from its first page", "Bundle", code="value")


def _place(page: Sequence[Mapping[str, Any]], beyond: _Beyond | None) -> Place:
    last = page[-1]
    keys = {document["_id"] for document in page if (document["t"], document["o"]) == (last["t"], last["o"])}
    if beyond is not None and (beyond.type, beyond.place) == (last["t"], last["o"]):
        keys |= beyond.keys
    return (last["t"], last["o"], ",".join(sorted(key.partition("/")[2] for key in keys)))
