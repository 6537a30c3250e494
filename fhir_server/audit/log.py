"""The audit log: events become durable together, and are found again.

NETWORK.md L09-L13; docs/decisions/0021-audit.md

What happens in one moment is written together: the first event leaves at the end of the event loop's turn, what comes while it is
on its way is written next (gathering.py); to the database, or to a journal on this machine's disk that is brought to the
database moments later (writing.py). Where it cannot be written, nobody is answered.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from fhir_server.audit.anchor import Anchor
from fhir_server.audit.anchoring import Anchoring
from fhir_server.audit.chain import MOST_SEEN, SPREAD, events_of, parts_of, writable
from fhir_server.audit.event import Event
from fhir_server.audit.found_by import Filter
from fhir_server.audit.gathering import Gathering, weight
from fhir_server.audit.keys import Pens
from fhir_server.audit.verifying import Report, verify
from fhir_server.audit.writing import JournalWriter, Writer, recover
from fhir_server.store.audit_log import AuditStore, Batch

ANCHORED_EVERY: Final = 60.0

log = logging.getLogger(__name__)


class Recorded(NamedTuple):
    """An event as it is found: its id "audit-<chain>-<batch>-<n>", and the event."""

    id: str
    event: Event


class Place(NamedTuple):
    """Where a page ended: the time of its last event (ms since 1970), and its id."""

    at: int
    id: str


@dataclass(frozen=True, slots=True)
class Found:
    """One page of events, and the place after which the next one begins (None: this is the last)."""

    events: tuple[Recorded, ...]
    after: Place | None


class Log:
    """The audit log of one process. `ensure` once, then `kept` while events are recorded."""

    def __init__(self, store: AuditStore, pens: Pens, clock: Callable[[], datetime], journal: Path | None = None) -> None:
        self.store = store
        self.pens = pens
        self._anchoring = Anchoring(store, pens, clock)
        self._directory = journal
        if journal is None:
            self._writer: Writer | JournalWriter = Writer(store, pens, clock, lambda: self._anchoring.number)
        else:
            self._writer = JournalWriter(store, pens, clock, lambda: self._anchoring.number, journal)
        self._together = Gathering(self._writer.write)

    async def record(self, event: Event) -> None:
        """Record an event: when this returns, the majority has it in the journal. Raises FhirError (503) where it cannot be done in seconds."""
        event = writable(event)
        if weight(event) <= MOST_SEEN:
            await self._together(event)
            return
        for part in parts_of(event):
            await self._together(part)

    async def anchor(self) -> Anchor | None:
        """Sign how far the chains have come; None where the newest anchor says it already."""
        await self._writer.settle()
        return await self._anchoring.anchor(self._writer.heads())

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Anchor what others left, then each minute what was recorded, and the end."""
        over = asyncio.Event()
        await self.store.ensure()
        if self._directory is not None:
            await recover(self.store, self.pens, self._directory)
        await self._try_to_anchor()
        task = asyncio.create_task(self._keep(over))
        try:
            yield
        finally:
            over.set()  # not cancelled: the driver may be in the middle of something
            await task
            await self._writer.close()
            await self._try_to_anchor()

    async def events(self, filter: Filter, after: Place | None = None, limit: int = 100, *, newest: bool = True) -> Found:
        """Give one page of events, the newest first unless told otherwise."""
        found: list[Recorded] = []
        async for each in self.stream(filter, after, newest=newest):
            if len(found) == limit:
                last = found[-1]
                return Found(tuple(found), Place(last.event.at, last.id))
            found.append(each)
        return Found(tuple(found), None)

    async def stream(self, filter: Filter, after: Place | None = None, *, newest: bool = True) -> AsyncIterator[Recorded]:
        """Give all events in the order of time, from a place on."""
        async for each in self.walk(filter.keys(), filter.since, filter.until, after, filter.holds, newest=newest):
            yield each

    async def walk(
        self,
        keys: Sequence[Sequence[str]],
        since: int | None,
        until: int | None,
        after: Place | None,
        holds: Callable[[Event], bool],
        *,
        newest: bool = True,
    ) -> AsyncIterator[Recorded]:
        """Give in the order of time the events for which `holds`, out of the batches that have one key of each sequence.

        Batches come in the order of their ends and lie SPREAD apart at most: what is out of the reach of the next is given.
        """
        await self._writer.settle()
        if after is not None:
            since, until = (since, _least(until, after.at)) if newest else (_most(since, after.at), until)
        waiting: list[tuple[int, str, Event]] = []
        high = None if until is None else until + SPREAD
        async for batch in self.store.found(keys, since, high, newest=newest):
            reach = batch.last if newest else batch.last - SPREAD
            for each in _out_of_reach(waiting, reach, newest=newest):
                yield each
            waiting += _fitting(batch, holds, since, until, after, newest=newest)
        for each in _out_of_reach(waiting, None, newest=newest):
            yield each

    async def find(self, id: str) -> Recorded | None:
        """Give the event of this id, None where there is none."""
        parts = place_of(id)
        if parts is None:
            return None
        await self._writer.settle()
        chain, number, position = parts
        batch = await self.store.batch(chain, number)
        events = events_of(batch) if batch is not None else []
        return Recorded(id, events[position]) if position < len(events) else None

    async def verify(self, progress: Callable[[int, int], None] = lambda done, total: None) -> Report:  # noqa: ARG005
        """Verify all of it; see `audit.verifying`."""
        await self._writer.settle()
        return await verify(self.store, self.pens, progress=progress)

    # -- writing --------------------------------------------------------------------------------------------------------

    async def _keep(self, over: asyncio.Event) -> None:
        while not over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), ANCHORED_EVERY)
            if not over.is_set():
                await self._try_to_anchor(patient=True)

    async def _try_to_anchor(self, *, patient: bool = False) -> None:
        try:
            await self._anchoring.anchor(self._writer.heads(), after=ANCHORED_EVERY / 2 if patient else 0.0)
        except Exception as failure:  # noqa: BLE001 - the next one says it
            log.error("the audit log could not be anchored: %s", type(failure).__name__)  # noqa: TRY400


def place_of(id: str) -> tuple[str, int, int] | None:
    """Read the id of an event of this log: chain, number of the batch, position in it; None where it is none."""
    name, _, rest = id.partition("-")
    parts = rest.split("-")
    if name != "audit" or len(parts) != 3 or not all(each.isascii() and each.isalnum() for each in parts):
        return None
    chain, number, position = parts
    if not (number.isdigit() and position.isdigit() and len(number) <= 12 and len(position) <= 6):
        return None
    return chain, int(number), int(position)


def _out_of_reach(waiting: list[tuple[int, str, Event]], reach: int | None, *, newest: bool) -> list[Recorded]:
    """Take out what comes before anything that a later batch can hold, in order."""
    waiting.sort(key=lambda each: each[:2], reverse=newest)
    count = len(waiting)
    if reach is not None:
        count = sum(1 for at, _, _ in waiting if (at > reach if newest else at < reach))
    taken = [Recorded(id, event) for _, id, event in waiting[:count]]
    del waiting[:count]
    return taken


def _fitting(
    batch: Batch, holds: Callable[[Event], bool], since: int | None, until: int | None, after: Place | None, *, newest: bool
) -> list[tuple[int, str, Event]]:
    fitting: list[tuple[int, str, Event]] = []
    for position, event in enumerate(events_of(batch)):
        if (since is not None and event.at < since) or (until is not None and event.at > until) or not holds(event):
            continue
        place = (event.at, f"audit-{batch.chain}-{batch.number}-{position}")
        if after is None or (place < after if newest else place > after):
            fitting.append((*place, event))
    return fitting


def _least(one: int | None, other: int) -> int:
    return other if one is None else min(one, other)


def _most(one: int | None, other: int) -> int:
    return other if one is None else max(one, other)
