"""Writing the audit log: each batch to the database before anybody is answered, or first to the journal of this machine.

docs/decisions/0021-audit.md. Either way there is one writer in a process, which writes one thing after the other.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from fhir_server.audit.anchor import Head
from fhir_server.audit.chain import Chain, divided
from fhir_server.audit.event import Event
from fhir_server.audit.journal import CAPACITY, Journal, Left, left_behind
from fhir_server.audit.keys import Pens
from fhir_server.outcome import FhirError, Issue
from fhir_server.store.audit_log import AuditStore, Batch

MOST: Final = 500
"""Events of one batch that comes from a journal."""
_REFUSING: Final = 1.0
_BROUGHT_EVERY: Final = 0.2
_LATE: Final = 5.0
"""Seconds that the database may be behind the journal; then nobody is answered."""

log = logging.getLogger(__name__)


class Writer:
    """Writes to the database: when `write` returns, the majority has it in the journal.

    Where that fails the chain ends, since nobody knows how far it has come, and a new one begins with what happens next.
    """

    def __init__(self, store: AuditStore, pens: Pens, clock: Callable[[], datetime], anchored: Callable[[], int]) -> None:
        self._store, self._pens, self._clock, self._anchored = store, pens, clock, anchored
        self._chain: Chain | None = None
        self._head: Head | None = None
        self._refusing = float("-inf")

    async def write(self, events: Sequence[Event]) -> None:
        """Write events. Raises FhirError (503)."""
        if time.monotonic() < self._refusing:
            raise unrecorded()
        chain = self._chain or Chain.new(self._pens.newest.batches, milliseconds(self._clock()))
        self._chain = None  # until it is certain how far it has come
        try:
            self._head = await append(self._store, chain, events, self._anchored())
        except Exception as failure:
            self._refusing = time.monotonic() + _REFUSING
            _say("the audit log could not be written", failure)
            raise unrecorded() from failure
        self._chain = chain

    async def settle(self) -> None:
        """Nothing waits."""

    async def close(self) -> None:
        """Nothing is open."""

    def heads(self) -> list[Head]:
        """Give how far the chain has come."""
        return [self._head] if self._head is not None else []


class JournalWriter:
    """Writes to a journal on this machine's disk, and from there to the database a few times a second.

    What relies on an emergency is in the database before anybody is answered.
    """

    def __init__(
        self,
        store: AuditStore,
        pens: Pens,
        clock: Callable[[], datetime],
        anchored: Callable[[], int],
        directory: Path,
        *,
        capacity: int = CAPACITY,
    ) -> None:
        self._store, self._pens, self._clock, self._anchored, self._directory = store, pens, clock, anchored, directory
        self._capacity = capacity
        self._chain: Chain | None = None
        self._journal: Journal | None = None
        self._head: Head | None = None
        self._last = 0
        self._waiting: list[Event] = []
        self._pending: tuple[Batch, int] | None = None
        self._since = 0.0
        self._bringing: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    async def write(self, events: Sequence[Event]) -> None:
        """Write events. Raises FhirError (503)."""
        if self._waiting and time.monotonic() - self._since > _LATE:
            raise unrecorded()
        try:
            await self._to_journal(events)
        except (OSError, FhirError) as failure:
            _say("the journal of the audit log could not be written", failure)
            raise unrecorded() from failure
        if any(event.emergency for event in events):
            await self.settle()

    async def settle(self) -> None:
        """Bring to the database what is in the journal. Raises FhirError (503)."""
        while self._waiting:
            async with self._turn:
                await self._bring()

    async def close(self) -> None:
        """Bring everything to the database; where that fails the journal stays, for the next process."""
        with suppress(FhirError):
            await self.settle()
        if self._bringing is not None:
            await self._bringing
        if self._journal is not None:
            self._journal.close(done=not self._waiting)
            self._journal = None

    def heads(self) -> list[Head]:
        """Give how far the chain has come in the database."""
        return [self._head] if self._head is not None else []

    async def _to_journal(self, events: Sequence[Event]) -> None:
        journal = self._journal
        if journal is None:
            self._chain = Chain.new(self._pens.newest.batches, milliseconds(self._clock()))
            self._last = 0
            journal = await asyncio.to_thread(Journal, self._directory, self._chain.id, self._pens.newest.batches, self._capacity)
            self._journal = journal
        entry = journal.entry(events, self._last + len(events))
        if not journal.has_room(entry):
            await self.settle()
        if not self._waiting:
            journal.rewind()
        await journal.append(entry)
        self._last += len(events)
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting += events
        if self._bringing is None:
            self._bringing = asyncio.create_task(self._bring_regularly())

    async def _bring_regularly(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(_BROUGHT_EVERY)
                with suppress(FhirError):
                    async with self._turn:
                        await self._bring()
        finally:
            self._bringing = None

    async def _bring(self) -> None:
        """Bring what waits now to the database. Where nobody knows what became of a batch, the very same is sent again."""
        assert self._chain is not None
        enough = 1
        while len(self._waiting) >= enough:
            if self._pending is None:
                part = divided(self._waiting, MOST)[0]
                self._pending = self._chain.next(part, self._anchored()), len(part)
            batch, count = self._pending
            try:
                await self._store.append(batch)
            except Exception as failure:
                _say("the audit log could not be brought to the database", failure)
                raise unrecorded() from failure
            self._chain.taken(batch)
            self._head, self._pending = head_of(batch), None
            del self._waiting[:count]
            self._since, enough = time.monotonic(), MOST


async def append(store: AuditStore, chain: Chain, events: Sequence[Event], anchored: int) -> Head:
    """Append events to a chain; give how far it has come."""
    for part in divided(events):  # one at least
        batch = chain.next(part, anchored)
        await store.append(batch)
        chain.taken(batch)
    return head_of(batch)


def head_of(batch: Batch) -> Head:
    """Give how far a chain has come with this batch."""
    return Head(batch.chain, batch.number, batch.hash, batch.last)


async def recover(store: AuditStore, pens: Pens, directory: Path) -> int:
    """Bring to the database what ended processes of this machine have left in their journals; give how many events. Raises FhirError."""
    count = 0
    for left in await asyncio.to_thread(lambda: list(left_behind(directory))):
        done = False
        try:
            count += await _recovered(store, pens, left)
            done = True
        finally:
            left.close(done=done)
    if count:
        log.warning("the audit log was completed from journals that ended processes had left: %d events", count)
    return count


async def _recovered(store: AuditStore, pens: Pens, left: Left) -> int:
    chain = Chain(pens.newest.batches, left.chain, await store.last(left.chain))
    missing: list[Event] = []
    for entry in left.entries(pens.batches):
        missing += entry.events[max(0, chain.through - (entry.last - len(entry.events))) :]
    for part in divided(missing, MOST) if missing else ():
        await append(store, chain, part, 0)
    return len(missing)


def milliseconds(moment: datetime) -> int:
    """Give a moment as milliseconds since 1970."""
    return round(moment.timestamp() * 1000)


def unrecorded() -> FhirError:
    """What is asked cannot be recorded (503)."""
    text = "What is asked cannot be recorded now, so it is not answered; try again"
    return FhirError(Issue("transient", text), headers=(("Retry-After", "2"),))


def _say(what: str, failure: Exception) -> None:
    """Tell the operator; the failure's own text may name what was to be recorded."""
    log.error("%s: %s", what, type(failure).__name__)
