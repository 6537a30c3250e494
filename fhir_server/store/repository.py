"""The resources, seen through a permit.

A Repository is opened for one requester and says nothing of what the permit hides: it looks like what never was.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import NoReturn, TypeAlias

from fhir_server.exchange import FhirRequest, Version
from fhir_server.outcome import FhirError, deleted, not_found
from fhir_server.search.expression import EVERYTHING, Expression
from fhir_server.search.paging import Place
from fhir_server.search.query import Query
from fhir_server.store.belonging import Belonging, belongings, referred
from fhir_server.store.commit import commit
from fhir_server.store.content import Kept
from fhir_server.store.documents import MADE_BY_DELETE, Prepared, version
from fhir_server.store.failures import told
from fhir_server.store.files import BINARY
from fhir_server.store.finding import Page, find
from fhir_server.store.golden import members, widened
from fhir_server.store.guarding import answered, question
from fhir_server.store.labels import Labels, labels
from fhir_server.store.latest import Coded, latest
from fhir_server.store.mongo import Limits, Mongo
from fhir_server.store.past import Span, past
from fhir_server.store.permit import Permit
from fhir_server.store.related import resolved
from fhir_server.store.rewriting import rewrite
from fhir_server.store.selection import selection
from fhir_server.store.sharing import Sharing
from fhir_server.store.trace import Part, Trace
from fhir_server.store.trail import TYPE, Trail, asks, by_itself, history_of, kept, unchanged, with_events
from fhir_server.store.writing import Changed, Clock, Create, Delete, Put, Stored, Write

__all__ = ["Changed", "Create", "Delete", "Limits", "Notice", "Page", "Permit", "Prepared", "Put", "Repository", "Span", "Write", "now"]


Notice: TypeAlias = Callable[[Sequence[Version]], Awaitable[None]]
"""Learns what a commit has done, before whoever asked for it is answered."""

Around: TypeAlias = Callable[[Permit, Sequence[Write]], AbstractAsyncContextManager[None]]
"""Stands around a commit: nothing is written before it has begun, nobody is answered before it has ended."""


def now() -> datetime:
    """Tell the time, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Repository:
    """Reads, searches and writes within the permit; `clock` gives the time that writes are stamped with.

    With a `trail` the events of the audit log are among the AuditEvents, as far as they are permitted; nobody writes them.
    """

    mongo: Mongo
    permit: Permit
    clock: Clock = now
    notice: Notice | None = None
    around: Around | None = None
    trace: Trace | None = None
    trail: Trail | None = None

    async def get(self, type: str, id: str) -> Version:
        """Give the current version. Raises FhirError: 403 by type, 404, or 410 where it was deleted."""
        return self._given(await self._event(type, id) or _present(await self._current(type, id)))

    async def get_several(self, references: Sequence[str]) -> list[Version]:
        """Give the current versions of the references `Type/id` that exist and may be seen, in the order asked."""
        found: dict[str, Stored] = {}
        by_type: dict[str, list[str]] = {}
        for reference in dict.fromkeys(references):
            by_type.setdefault(reference.partition("/")[0], []).append(reference)
        for type, keys in by_type.items():
            found |= await self.mongo.reads.together(keys, self.permit.covers("search-type", type))
        versions = {key: version(stored) for key, stored in found.items() if "b" in stored} | await self._events(references)
        return self._all_given([versions[key] for key in dict.fromkeys(references) if key in versions])

    async def get_version(self, type: str, id: str, number: str) -> Version:
        """Give one version, current or superseded. Raises FhirError: 404, or 410 where that version is the deletion."""
        event = await self._event(type, id)
        if event is not None:
            return self._given(event) if number == "1" else _absent(type, id)
        current = await self._current(type, id)
        if not (number.isascii() and number.isdigit() and len(number) < 10):
            raise not_found(type, id)
        if int(number) == current["v"]:
            return self._given(_present(current))
        with told():
            past = await self.mongo.history.find_one({"_id": f"{type}/{id}/{int(number)}"}, max_time_ms=self.mongo.limits.milliseconds)
        if past is None or past["v"] > current["v"]:
            raise not_found(type, id)
        return self._given(_present(past))

    async def find(self, query: Query) -> Page:
        """Give one page of what the query finds. Raises FhirError: 400 too-costly, 403 by type, 503 where it takes too long."""
        self.permit.require("search-type", query.types)
        of_log = asks(self.trail, query, self.permit)
        permitted = self.permit.narrow("search-type", query.types, await widened(query.expression, self.mongo))
        expression = await resolved(permitted, query.type, self.mongo, self.permit)
        if of_log is None or self.trail is None:
            return self._page_given(await find(self.mongo, query, expression))
        return self._page_given(await self.trail.find(of_log, expression, lambda asked: find(self.mongo, asked, expression)))

    async def history(self, type: str, id: str, count: int, before: int | None = None, until: datetime | None = None) -> Page:
        """Give the versions of a resource below the version `before`, newest first, deletions among them.

        `until` leaves out what was made later.
        """
        event = await self._event(type, id)
        if event is not None:
            return self._page_given(history_of(event, before, until))
        current = await self._current(type, id)
        newest: int = current["v"]
        below = min(newest, before or newest)
        found = [current] if (before is None or newest < before) and (until is None or current["u"] <= until) else []
        with told():
            cursor = self.mongo.history.find(
                {"r": f"{type}/{id}", "v": {"$lt": below}, **({"u": {"$lte": until}} if until is not None else {})},
                sort=[("v", -1)],
                limit=count + 1 - len(found),
                max_time_ms=self.mongo.limits.milliseconds,
            )
            versions = tuple(version(each) for each in (*found, *await cursor.to_list()))
        after = (versions[count - 1].version,) if len(versions) > count else None
        return self._page_given(Page(versions[:count], after, newest if until is None else None))

    async def past(self, types: Sequence[str], span: Span) -> Page:
        """Give one page of what happened to the resources of these types, newest first; see `store.past`."""
        for interaction in ("read", "search-type"):
            self.permit.require(interaction, types)
        page = await past(self.mongo, self.permit, types, span)
        if self.trail is not None and tuple(types) == (TYPE,):
            page = await with_events(self.trail, self.permit, span, page)
        return self._page_given(page)

    async def belongings(self, asked: Belonging, limit: Expression, count: int, after: Place | None = None) -> Page:
        """Give one page of what belongs to a patient or encounter and satisfies the limit; see `store.belonging`."""
        _, *others = await members(asked.owner, self.mongo)
        asked = replace(asked, others=tuple(others)) if others else asked
        permitted = self.permit.narrow("search-type", asked.types, limit)
        return self._page_given(await belongings(self.mongo, asked, permitted, count, after))

    async def referred(self, references: Sequence[str], limit: Expression) -> list[Version]:
        """Give the current versions of the references `Type/id` that may be seen and satisfy the limit, in the order asked."""
        keys = tuple(dict.fromkeys(references))
        types = tuple(dict.fromkeys(key.partition("/")[0] for key in keys))
        return self._all_given(await referred(self.mongo, keys, self.permit.narrow("search-type", types, limit)))

    async def latest(self, query: Query, each: int, most: int) -> list[Coded]:
        """Give the newest resources of each code that the query finds; see `store.latest`."""
        self.permit.require("search-type", query.types)
        permitted = self.permit.narrow("search-type", (query.type,), await widened(query.expression, self.mongo))
        chosen = selection(await resolved(permitted, query.type, self.mongo, self.permit), (query.type,))
        return await latest(self.mongo, chosen, each, most)

    async def labels(self, types: Sequence[str]) -> Labels:
        """Give the profiles, tags and security labels of the resources of these types that may be seen; see `store.labels`."""
        self.permit.require("search-type", types)
        by_itself(types, self.trail, "ask AuditEvent/[id]/$meta")
        return await labels(self.mongo, types, self.permit.narrow("search-type", types, EVERYTHING))

    async def answered(self, queries: Sequence[Query]) -> bool:
        """Tell whether anything answers any of these searches; cheaper than to ask each, where nothing does."""
        for query in queries:
            self.permit.require("search-type", query.types)
        return await answered(self.mongo, self.permit, queries)

    def turn(self, query: Query) -> AbstractAsyncContextManager[bool]:
        """Wait while others of this process write unless the same search finds something; tells whether there was a wait.

        `commit` needs none of it. It spares the conflicts of many that want the same at once.
        """
        return self.mongo.turns.turn(question(query.type, query.expression))

    async def commit(self, writes: Sequence[Write]) -> list[Version]:
        """Do all the writes or none; see `store.commit`. Large content of a Binary is stored as a file first: `store.files`."""
        unchanged(self.trail, writes)
        async with self.around(self.permit, writes) if self.around is not None else nullcontext():
            versions = await self._committed(writes)
        if self.trace is not None:
            self.trace.wrote(versions)
        if self.notice is not None:
            await self.notice(versions)
        return versions

    async def _committed(self, writes: Sequence[Write]) -> list[Version]:
        if not any(write.key.startswith(BINARY) for write in writes):
            return await commit(self.mongo, self.permit, self.clock, writes)
        files = self.mongo.files
        settled = await files.settle(writes)
        try:
            versions = await commit(self.mongo, self.permit, self.clock, settled.writes)
        except (FhirError, Changed) as failure:
            if isinstance(failure, Changed) or failure.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                await files.give_back(settled.taken.values())
            raise  # what may have been done after all keeps its files: if it was not, they are swept
        with suppress(FhirError):  # the versions are stored; what cannot be said of their files now, the sweep finds out
            await files.done(settled, versions)
        return versions

    def apart(self) -> "Repository":
        """Give the same repository for an interaction inside of this one, which is recorded by itself; see `ended`."""
        return replace(self, trace=Trace()) if self.trace is not None else self

    def ended(self, part: "Repository", request: FhirRequest, status: int) -> None:
        """Learn how an interaction ended that was given a repository `apart`."""
        if self.trace is not None and part.trace is not None:
            self.trace.parts.append(Part(request, status, part.trace))

    @property
    def sharing(self) -> Sharing:
        """Who shares whose data, see `store.sharing`; it knows no permit, and is nothing to answer anybody with."""
        return self.mongo.sharing

    async def members(self, patient: str) -> tuple[str, ...]:
        """Give a patient and, of a golden one, all that are linked to her, whoever may see them."""
        return await members(patient, self.mongo)

    async def rewrite(self, patient: str) -> int:
        """Bring up to date what the documents of a patient say of who may read them; see `store.rewriting`."""
        return await rewrite(self.mongo, patient)

    @property
    def inline(self) -> int:
        """How many bytes of content stay in a Binary."""
        return self.mongo.limits.inline

    async def keep(self, content: AsyncIterator[bytes]) -> Kept:
        """Store content that a Binary is going to refer to; see `store.files`."""
        return await self.mongo.files.keep(content)

    async def discard(self, kept: Kept) -> None:
        """Take back content that no Binary came to refer to; where that fails now, it is swept later."""
        with suppress(FhirError):
            await self.mongo.files.discard([kept.file])

    def content(self, kept: Kept, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Give the content of a Binary that this repository has given, from byte `start` up to before `end`."""
        return self.mongo.files.read(kept, start, end)

    async def _current(self, type: str, id: str) -> Stored:
        """The current document, also where it is a deletion."""
        self.permit.require("read", (type,))
        stored = await self.mongo.reads.one(f"{type}/{id}", self.permit.covers("read", type))
        if stored is None:
            raise not_found(type, id)
        return stored

    async def _event(self, type: str, id: str) -> Version | None:
        """The event of the audit log, None where the id is none of the log's. Raises FhirError: 403 by type, 404."""
        if type != TYPE or self.trail is None or not self.trail.keeps(id):
            return None
        self.permit.require("read", (type,))
        return await self.trail.read(id, self.permit.covers("read", type)) or _absent(type, id)

    async def _events(self, references: Sequence[str]) -> dict[str, Version]:
        """Those of the references that are events of the log and may be seen."""
        if self.trail is None:
            return {}
        limit = self.permit.covers("search-type", TYPE)
        found = [await self.trail.read(id, limit) for id in dict.fromkeys(kept(self.trail, references))]
        return {each.reference: each for each in found if each is not None}

    def _given(self, version: Version) -> Version:
        if self.trace is not None:
            self.trace.given((version,))
        return version

    def _all_given(self, versions: list[Version]) -> list[Version]:
        if self.trace is not None:
            self.trace.given(versions)
        return versions

    def _page_given(self, page: Page) -> Page:
        if self.trace is not None:
            self.trace.given(page.versions)
        return page


def _absent(type: str, id: str) -> NoReturn:
    raise not_found(type, id)


def _present(stored: Stored) -> Version:
    found = version(stored)
    if stored["m"] == MADE_BY_DELETE:
        raise deleted(found.type, found.id)
    return found
