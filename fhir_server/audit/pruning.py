"""Pruning: what is older than the network keeps is removed, and a signed statement says what that was.

NETWORK.md L13, F114: at least one year, five unless the network says otherwise. The statement is durable before anything is removed, so
that an interrupted pruning leaves a log that verifies; the next one removes the rest.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fhir_server.audit.anchor import Dropped, Pruned, hash_of, opened
from fhir_server.audit.anchoring import Anchoring
from fhir_server.audit.chain import events_of
from fhir_server.audit.keys import Pens
from fhir_server.audit.verifying import verify
from fhir_server.outcome import FhirError, Issue
from fhir_server.store.audit_log import AuditStore, Batch

LEAST_YEARS: Final = 1


@dataclass(frozen=True, slots=True)
class Removed:
    """What a pruning removed."""

    until: datetime
    batches: int
    events: int
    anchors: int


def limit(now: datetime, years: int) -> datetime:
    """Give the moment before which nothing is kept. Raises ValueError for less than a year."""
    if years < LEAST_YEARS:
        raise ValueError("the audit log is kept for a year at least / 監査ログの保存期間は 1 年以上です")
    try:
        return now.replace(year=now.year - years)
    except ValueError:  # the 29th of February
        return now.replace(year=now.year - years, day=28)


async def prune(store: AuditStore, pens: Pens, clock: Callable[[], datetime], years: int) -> Removed:
    """Remove what is older than so many years, whole batches only. Raises FhirError (409) where the log does not verify."""
    until = limit(clock(), years)
    if not (await verify(store, pens)).ok:
        raise FhirError(Issue("conflict", "The audit log does not verify, so nothing is removed from it; see: tsunagi audit verify"))
    moment = round(until.timestamp() * 1000)
    statements = [each for chain in await store.chains() if (each := await _old(store, chain, moment)) is not None]
    dropped = await _old_anchors(store, pens, moment)
    if not any(each.events for each in statements) and dropped is None:
        return Removed(until, 0, 0, 0)
    await Anchoring(store, pens, clock).anchor(pruned=statements, dropped=dropped)
    batches = [await store.remove(each.chain, each.number) for each in statements]
    anchors = await store.remove_anchors(dropped.number) if dropped is not None else 0
    return Removed(until, sum(batches), sum(each.events for each in statements), anchors)


async def _old(store: AuditStore, chain: str, moment: int) -> Pruned | None:
    """The beginning of a chain that is older than the moment; what was pruned before is stated again, for anchors are pruned too."""
    last, next, events = None, None, 0
    async for _, batch in store.all(chain):
        if batch is None or batch.last >= moment:
            next = batch
            break
        last, events = batch, events + len(events_of(batch))
    if last is not None:
        return Pruned(chain, last.number, last.hash, events)
    return Pruned(chain, next.number - 1, next.previous) if next is not None and next.number > 1 else None


async def _old_anchors(store: AuditStore, pens: Pens, moment: int) -> Dropped | None:
    """The anchors that are older than the moment, but for the newest of all."""
    last: Dropped | None = None
    newest = await store.newest_anchor()
    async for _, stored in store.anchors():
        anchor = opened(stored, pens) if stored is not None else None
        if stored is None or anchor is None or anchor.at >= moment or stored == newest:
            break
        last = Dropped(anchor.number, hash_of(stored.content))
    return last


async def older(store: AuditStore, moment: int) -> AsyncIterator[Batch]:
    """Give the batches that end before this moment, oldest first."""
    async for batch in store.found((), None, moment - 1, newest=False):
        yield batch
