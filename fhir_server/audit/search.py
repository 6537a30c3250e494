"""AuditEvents found by FHIR's search, within what the permit of the requester leaves.

https://hl7.org/fhir/R4/auditevent.html#search

Batches are found by what the index holds of the question (patient, agent, entity, account, time); each event in them is then told as
an AuditEvent and judged exactly as any resource is. What the index cannot narrow is bounded: `MOST` events are judged for a page.
AuditEvents that were sent by others are ordinary resources; both come together in the order of time.
"""

import asyncio
import heapq
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Final, TypeAlias

from fhir_server.audit.event import Event
from fhir_server.audit.fhir import audit_event, version_of
from fhir_server.audit.found_by import ABOUT, CLIENT, CUSTODIAN, DENIED, READER, SUBJECT, keys_of
from fhir_server.audit.log import Log, Place, Recorded
from fhir_server.exchange import Version
from fhir_server.outcome import invalid
from fhir_server.search.entries import UPDATED, entries, updated_entry, updated_span
from fhir_server.search.expression import EVERYTHING, And, Expression, ForPatient, Has, OfType, Or, Spans, WithId
from fhir_server.search.holding import Subject, holds
from fhir_server.search.paging import Place as PagePlace
from fhir_server.search.parameters import Parameters
from fhir_server.search.query import Query
from fhir_server.store.finding import Page
from profiles import json

MOST: Final = 2_000
"""Events that are told and judged for one page."""
_AT_ONCE: Final = 50
_OURS: Final = re.compile(r"audit-[0-9a-f]{17}-[0-9]{1,12}-[0-9]{1,6}")

Ordinary: TypeAlias = Callable[[Query], Awaitable[Page]]
"""Finds among the AuditEvents that others have sent."""


def is_of_the_log(id: str) -> bool:
    """Tell whether an AuditEvent with this id is one of the log: nobody writes or deletes it (S51)."""
    return _OURS.fullmatch(id) is not None


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What the index can say of an expression: keys of which a batch has one of each sequence, and a span of time."""

    keys: tuple[tuple[str, ...], ...] = ()
    since: int | None = None
    until: int | None = None


class AuditSearch:
    """Searches the log; `expression` is always the question and the permit together, resolved."""

    def __init__(self, log: Log, parameters: Parameters, zone: tzinfo) -> None:
        self._log = log
        self._parameters = parameters
        self._zone = zone

    def keeps(self, id: str) -> bool:
        """Tell whether an AuditEvent with this id is, or would be, one of the log: nobody else makes one."""
        return is_of_the_log(id)

    async def read(self, id: str, limit: Expression = EVERYTHING) -> Version | None:
        """Give the AuditEvent of this id, None where there is none for which `limit` holds."""
        recorded = await self._log.find(id)
        return version_of(recorded) if recorded is not None and self._judged(recorded, limit) else None

    async def find(self, query: Query, expression: Expression, ordinary: Ordinary | None = None) -> Page:
        """Give one page, newest first unless `_sort` says otherwise, together with what is found among ordinary resources.

        Raises FhirError: 400 too-costly where more would have to be judged than one page may cost, or another order is asked for.
        """
        newest = _newest_first(query)
        if query.count == 0:
            return await self._counted(query, expression, ordinary)
        ours, theirs = _places(query.after)
        mine = await self._some(expression, ours, query.count + 1, newest=newest)
        others = await _page(ordinary, query, theirs)
        page = await self._together(query, mine, others, ordinary, newest=newest)
        if page.total is not None or query.total not in ("accurate", "estimate"):
            return page
        return replace(page, total=(await self._counted(replace(query, count=0, after=None), expression, ordinary)).total)

    async def past(self, expression: Expression, after: tuple[int, str] | None, count: int) -> list[Version]:
        """Give so many events, newest first, below the time (ms since 1970) and the id of `after`."""
        found = await self._some(expression, None if after is None else Place(*after), count, newest=True)
        return [version_of(each) for each in found[:count]]

    async def _some(self, expression: Expression, after: Place | None, count: int, *, newest: bool) -> list[Recorded]:
        found: list[Recorded] = []
        asked = 0
        narrowed = narrow(expression)
        ids = _ids(expression)
        if ids is not None:
            return await self._by_ids(ids, expression, after, newest=newest)
        async for each in self._log.walk(narrowed.keys, narrowed.since, narrowed.until, after, _has_one_of(narrowed), newest=newest):
            asked += 1
            if asked > MOST:
                raise _too_costly()
            if asked % _AT_ONCE == 0:
                await asyncio.sleep(0)  # a long search lets other requests through
            if self._judged(each, expression):
                found.append(each)
                if len(found) == count:
                    break
        return found

    async def _by_ids(self, ids: Sequence[str], expression: Expression, after: Place | None, *, newest: bool) -> list[Recorded]:
        known = [each for id in dict.fromkeys(ids) if (each := await self._log.find(id)) is not None and self._judged(each, expression)]
        places = sorted(((Place(each.event.at, each.id), each) for each in known), key=lambda pair: pair[0], reverse=newest)
        return [each for place, each in places if after is None or (place < after if newest else place > after)]

    def _judged(self, recorded: Recorded, expression: Expression) -> bool:
        if expression in (EVERYTHING, OfType(("AuditEvent",))):
            return True
        found = entries(audit_event(recorded), self._parameters, self._zone)
        at = recorded.event.at
        whole = replace(found, entries=(*found.entries, updated_entry(at)), spans=(*found.spans, updated_span(at)))
        return holds(expression, Subject("AuditEvent", recorded.id, whole))

    async def _counted(self, query: Query, expression: Expression, ordinary: Ordinary | None) -> Page:
        mine = await self._some(expression, None, MOST + 1, newest=True)
        others = await ordinary(query) if ordinary is not None else Page((), None, 0)
        return Page((), None, len(mine) + (others.total or 0))

    async def _together(self, query: Query, mine: Sequence[Recorded], others: Page, ordinary: Ordinary | None, *, newest: bool) -> Page:
        """Put both in one order, and say where each goes on: the place in the log, then the other's own."""
        ours, theirs = _places(query.after)
        by_update = any(sort.parameter == UPDATED for sort in query.sort)

        def moment(each: Recorded | Version) -> int:
            return _moment(each, by_update=by_update)

        sources: tuple[Sequence[Recorded | Version], ...] = (mine, others.versions)
        rows = list(heapq.merge(*sources, key=moment, reverse=newest))
        page = rows[: query.count]
        taken = [each for each in page if isinstance(each, Recorded)]
        count = len(page) - len(taken)
        if len(rows) <= query.count and others.after is None:
            total = len(rows) if query.after is None and query.total != "none" else None
            return Page(_versions(page), None, total)
        if taken:
            ours = Place(taken[-1].event.at, taken[-1].id)
        if count and count == len(others.versions):
            theirs = others.after if others.after is not None else ()
        elif count:
            theirs = (await _page(ordinary, replace(query, count=count), theirs)).after
        place: PagePlace = (ours.at if ours is not None else None, ours.id if ours is not None else None, *_told(theirs))
        return Page(_versions(page), place, None)


def _versions(page: Sequence[Recorded | Version]) -> tuple[Version, ...]:
    return tuple(version_of(each) if isinstance(each, Recorded) else each for each in page)


def _moment(each: Recorded | Version, *, by_update: bool) -> int:
    if isinstance(each, Recorded):
        return each.event.at
    recorded = json.decode(each.body or b"{}").get("recorded") if not by_update else None
    moment = datetime.fromisoformat(recorded) if isinstance(recorded, str) else each.updated
    return round(moment.timestamp() * 1000)


async def _page(ordinary: Ordinary | None, query: Query, after: PagePlace | None) -> Page:
    """A page of the others; the place () says that there are no more."""
    if ordinary is None or after == ():
        return Page((), None, 0)
    return await ordinary(replace(query, after=after))


_FIRST, _LATER, _OVER = 0, 1, 2


def _told(place: PagePlace | None) -> PagePlace:
    return (_FIRST,) if place is None else (_OVER,) if place == () else (_LATER, *place)


def _places(after: PagePlace | None) -> tuple[Place | None, PagePlace | None]:
    """Read where a page begins in the log, and among the others."""
    match after:
        case None:
            return None, None
        case (int(at), str(id), int(state), *rest):
            return Place(at, id), _others(state, rest)
        case (None, None, int(state), *rest):
            return None, _others(state, rest)
    raise invalid("This page does not belong to this search; start again from its first page", "AuditEvent", code="value")


def _others(state: int, rest: Sequence[str | int | float | None]) -> PagePlace | None:
    return None if state == _FIRST else () if state == _OVER else tuple(rest)


def _newest_first(query: Query) -> bool:
    match query.sort:
        case ():
            return True
        case (sort,) if sort.main or sort.parameter in ("date", UPDATED):
            return sort.descending
    raise invalid("AuditEvents are given in the order of time: _sort=date or _sort=-date", "AuditEvent?_sort", code="too-costly")


def _too_costly() -> Exception:
    text = f"More than {MOST} events would have to be looked at for this page; name a patient, an agent, an entity, or a span with date"
    return invalid(text, "AuditEvent", code="too-costly")


# -- what the index can say ---------------------------------------------------------------------------------------------


def narrow(expression: Expression) -> Narrowed:
    """Say what every event for which the expression holds has in the index; less than that, never more."""
    match expression:
        case And(parts):
            made = [narrow(part) for part in parts]
            keys = sorted((each for one in made for each in one.keys), key=_telling)
            return Narrowed(tuple(dict.fromkeys(keys)), _latest(one.since for one in made), _earliest(one.until for one in made))
        case Or(parts) if parts:
            each = [narrow(part).keys for part in parts]
            if all(each):
                return Narrowed((tuple(dict.fromkeys(key for keys in each for key in keys[0])),))
        case ForPatient(patient):
            return Narrowed(((ABOUT + patient,),))
        case Has(parameter, value):
            named = _keys(parameter, value)
            return Narrowed((named,)) if named else Narrowed()
        case Spans(parameter, prefix, low, high) if parameter in ("date", UPDATED):
            return _moments(prefix, low, high)
    return Narrowed()


def _keys(parameter: str, value: str) -> tuple[str, ...]:
    if parameter in ("patient", "entity", "agent") and "/" in value and "|" not in value and ":" not in value:
        if parameter == "agent" and value.startswith("Organization/"):
            return (READER + value, CUSTODIAN + value)
        return (ABOUT + value,)
    if parameter == "outcome" and value.rpartition("|")[2] in ("4", "8", "12"):
        return (DENIED,)
    if parameter == "altid" and "|" not in value:
        return (SUBJECT + value, CLIENT + value)
    return ()


def _telling(keys: tuple[str, ...]) -> int:
    """What narrows most comes first: one patient or account before a facility."""
    return sum(10 if key.startswith((READER, CUSTODIAN)) else 1 for key in keys)


def _moments(prefix: str, low: float, high: float) -> Narrowed:
    """Events are instants, so their spans are what the prefix says of one number."""
    low, high = (min(max(bound, 0), 253_402_300_799_999) for bound in (low, high))
    match prefix:
        case "eq" | "ap":
            return Narrowed((), int(low), int(high))
        case "gt" | "sa":
            return Narrowed((), int(high))
        case "ge":
            return Narrowed((), int(low))
        case "lt" | "eb":
            return Narrowed((), None, int(low))
        case "le":
            return Narrowed((), None, int(high))
    return Narrowed()


def _latest(moments: Iterable[int | None]) -> int | None:
    return max((each for each in moments if each is not None), default=None)


def _earliest(moments: Iterable[int | None]) -> int | None:
    return min((each for each in moments if each is not None), default=None)


def _ids(expression: Expression) -> tuple[str, ...] | None:
    """The ids that the question names, None where it names none."""
    if isinstance(expression, WithId):
        return expression.ids
    if isinstance(expression, And):
        for part in expression.parts:
            if (ids := _ids(part)) is not None:
                return ids
    return None


def _has_one_of(narrowed: Narrowed) -> Callable[[Event], bool]:
    """Tell which events of a batch may answer: each of them has the keys too."""
    asked = [set(keys) for keys in narrowed.keys]
    return lambda event: not asked or not any(each.isdisjoint(keys_of((event,))) for each in asked)
