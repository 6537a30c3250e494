"""Making anchors: whichever process finds the newest one old signs how far all chains have come."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from fhir_server.audit.anchor import BEGINNING, Anchor, Dropped, Head, Pruned, further, hash_of, opened, sealed
from fhir_server.audit.chain import digest_of, mac_of
from fhir_server.audit.keys import Pens
from fhir_server.outcome import FhirError, Issue
from fhir_server.store.audit_log import AuditStore, Batch

CLOSED: Final = 24 * 3600 * 1000
"""Milliseconds after which a chain that has not come further is left out of anchors; what they said of it stays."""
_ATTEMPTS: Final = 20


class Anchoring:
    """Writes anchors; `number` is that of the newest one known to this process."""

    def __init__(self, store: AuditStore, pens: Pens, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._pens = pens
        self._clock = clock
        self.number = 0

    async def anchor(
        self,
        own: Sequence[Head] = (),
        *,
        after: float = 0.0,
        pruned: Sequence[Pruned] = (),
        dropped: Dropped | None = None,
    ) -> Anchor | None:
        """Write an anchor over the heads of this process and of all others; None where none is needed.

        None is needed where no chain has come further, or the newest is less than `after` seconds old; but where something is
        `pruned` or `dropped`, it is. Raises FhirError (503), and (500) where the newest anchor is not genuine: nothing is to be
        built on it.
        """
        for _ in range(_ATTEMPTS):
            previous, hash = await self._newest()
            now = round(self._clock().timestamp() * 1000)
            if previous is not None and after and now - previous.at < after * 1000:
                return None
            heads = await self._heads(previous, own, now)
            if not (pruned or dropped or further(heads, previous.heads if previous is not None else ())):
                return None
            number = previous.number + 1 if previous is not None else 1
            made = Anchor(number, now, hash, self._pens.newest.id, tuple(heads), tuple(pruned), dropped)
            if await self._store.add_anchor(sealed(made, self._pens.newest)):
                self.number = number
                return made
        raise FhirError(Issue("transient", "Others anchor the audit log all the time; try again"))

    async def _newest(self) -> tuple[Anchor | None, bytes]:
        stored = await self._store.newest_anchor()
        if stored is None:
            return None, BEGINNING
        anchor = opened(stored, self._pens)
        if anchor is None:
            raise FhirError(Issue("exception", "The newest anchor of the audit log is not genuine; see: tsunagi audit verify"))
        self.number = max(self.number, anchor.number)
        return anchor, hash_of(stored.content)

    async def _heads(self, previous: Anchor | None, own: Sequence[Head], now: int) -> list[Head]:
        """Every chain that is alive, as far as it has come: what this process knows, what is stored, what was anchored."""
        heads = {head.chain: head for head in previous.heads} if previous is not None else {}
        mine = {head.chain for head in own}
        since = previous.at - CLOSED if previous is not None else 0
        for chain in (*heads, *await self._store.started(since)):
            if chain not in mine and (last := await self._store.last(chain)) is not None and self._is_genuine(last):
                heads[chain] = _later(heads.get(chain), Head(chain, last.number, last.hash, last.last))
        for head in own:
            heads[head.chain] = _later(heads.get(head.chain), head)
        alive = [head for head in heads.values() if head.chain in mine or now - head.at < CLOSED or _is_news(head, previous)]
        return sorted(alive, key=lambda head: head.chain)

    def _is_genuine(self, batch: Batch) -> bool:
        digest = digest_of(batch)
        return batch.hash == digest and any(batch.mac == mac_of(key, digest) for key in self._pens.batches)


def _later(known: Head | None, head: Head) -> Head:
    return head if known is None or head.number > known.number else known


def _is_news(head: Head, previous: Anchor | None) -> bool:
    return previous is None or head not in previous.heads
