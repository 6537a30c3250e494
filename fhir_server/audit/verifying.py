"""Verifying the audit log: every byte of it against the hashes, the authentication and the signed anchors.

NETWORK.md L10; docs/decisions/0021-audit.md

It finds a batch that was changed, removed or put in, a chain that was removed, an anchor that was changed or removed, and, with a
copy of an anchor kept elsewhere, also that the newest anchors were removed together with all that they state. What was recorded
after the newest anchor (a minute at most while the server runs) is bound to its chain, but its end can be missing unseen.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from fhir_server.audit.anchor import BEGINNING, Anchor, Dropped, Exported, Head, Pruned, hash_of, opened
from fhir_server.audit.chain import beginning, events_of, is_sound
from fhir_server.audit.keys import Pens
from fhir_server.store.audit_log import AuditStore, Batch

MOST: Final = 1_000
"""Findings that are told one by one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something is not as it was written: `place` is an anchor or a batch, never what it tells of anybody."""

    place: str
    english: str
    japanese: str


@dataclass(slots=True)
class Report:
    """What was verified; nothing found means that all of it is as it was written."""

    anchors: int = 0
    chains: int = 0
    batches: int = 0
    events: int = 0
    unanchored: int = 0
    """Batches after the newest anchor of their chain."""
    pruned: int = 0
    """Events that were removed when their time was over, as signed statements say."""
    newest: Anchor | None = None
    findings: list[Finding] = field(default_factory=list)
    more: int = 0

    @property
    def ok(self) -> bool:
        """Tell whether nothing was found."""
        return not self.findings

    def found(self, place: str, english: str, japanese: str) -> None:
        """Note a finding."""
        if len(self.findings) < MOST:
            self.findings.append(Finding(place, english, japanese))
        else:
            self.more += 1


@dataclass(slots=True)
class _Stated:
    """What the anchors state together."""

    heads: dict[str, Head] = field(default_factory=dict)
    pruned: dict[str, Pruned] = field(default_factory=dict)
    dropped: Dropped | None = None
    last: int = 0


async def verify(
    store: AuditStore,
    pens: Pens,
    kept: Exported | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005
) -> Report:
    """Verify the whole log; `kept` is an anchor kept elsewhere, `progress` is told batches done and about how many there are.

    What is recorded meanwhile is verified as far as it is read.
    """
    report = Report()
    total = await store.count()
    stated = await _anchors(store, pens, kept, report)
    walk: _Walk | None = None
    seen: set[str] = set()
    async for key, batch in store.all():
        chain = key.partition("/")[0]
        if walk is None or walk.chain != chain:
            if walk is not None:
                walk.end()
            walk = _Walk(chain, pens, stated, report)
            seen.add(chain)
        walk.take(key, batch)
        if batch is not None and batch.anchor > stated.last:
            await _check_anchor(store, batch, stated, report)
        progress(report.batches, max(total, report.batches))
    if walk is not None:
        walk.end()
    _missing_chains(stated, seen, report)
    return report


async def _anchors(store: AuditStore, pens: Pens, kept: Exported | None, report: Report) -> _Stated:
    stated = _Stated()
    first: Anchor | None = None
    hashes: dict[int, bytes] = {}
    before: tuple[int, bytes] | None = None
    async for key, stored in store.anchors():
        anchor = opened(stored, pens) if stored is not None else None
        if stored is None or anchor is None:
            report.found(f"anchor {key}", "changed, or not signed by this server", "改変されたか、このサーバーの署名ではありません")
            before = (stored.number, hash_of(stored.content)) if stored is not None else None
            continue
        report.anchors += 1
        first = first or anchor
        if before is not None and (anchor.number, anchor.previous) != (before[0] + 1, before[1]):
            report.found(
                f"anchor {anchor.number}",
                "one or more anchors before it are missing or changed",
                "直前のアンカーが欠落または改変されています",
            )
        before = (anchor.number, hash_of(stored.content))
        if kept is not None and kept.number == anchor.number:
            hashes[anchor.number] = before[1]
        _state(stated, anchor, report)
        report.newest = anchor
    _check_first(first, stated, report)
    if kept is not None:
        _check_kept(kept, hashes.get(kept.number), stated, pens, report)
    return stated


def _state(stated: _Stated, anchor: Anchor, report: Report) -> None:
    stated.last = anchor.number
    for head in anchor.heads:
        known = stated.heads.get(head.chain)
        if known is not None and head.number < known.number:
            report.found(f"anchor {anchor.number}", "a chain is shorter than before", "チェーンが以前より短くなっています")
        else:
            stated.heads[head.chain] = head
    for pruned in anchor.pruned:
        known_pruned = stated.pruned.get(pruned.chain)
        report.pruned += pruned.events
        if known_pruned is None or pruned.number >= known_pruned.number:
            stated.pruned[pruned.chain] = pruned
    if anchor.dropped is not None:
        stated.dropped = anchor.dropped


def _check_first(first: Anchor | None, stated: _Stated, report: Report) -> None:
    if first is None or (first.number == 1 and first.previous == BEGINNING):
        return
    dropped = stated.dropped
    if dropped is not None and (first.number <= dropped.number or (first.number, first.previous) == (dropped.number + 1, dropped.hash)):
        return  # where fewer than stated are gone, a pruning was interrupted
    report.found(f"anchor {first.number}", "the anchors before it are missing", "これより前のアンカーが欠落しています")


def _check_kept(kept: Exported, hash: bytes | None, stated: _Stated, pens: Pens, report: Report) -> None:
    place = f"anchor {kept.number}"
    if not kept.is_genuine:
        report.found(place, "the copy kept elsewhere is not genuine", "保管されていたアンカーの写しが真正ではありません")
    elif hash is None:
        if stated.dropped is None or kept.number > stated.dropped.number:
            report.found(place, "it was kept elsewhere and is missing here", "別に保管されたアンカーがここにはありません")
    elif hash.hex() != kept.hash:
        report.found(place, "it is not the one that was kept elsewhere", "別に保管されたアンカーと一致しません")
    if kept.is_genuine and all(kept.key != pen.public for pen in pens.all):
        report.found(place, "the copy kept elsewhere was signed by another server's key", "別の鍵で署名されたアンカーの写しです")


class _Walk:
    """One chain, from its first batch to its last."""

    def __init__(self, chain: str, pens: Pens, stated: _Stated, report: Report) -> None:
        self.chain = chain
        self._keys, self._report = pens.batches, report
        self._pruned, self._head = stated.pruned.get(chain), stated.heads.get(chain)
        self._number, self._hash = 0, beginning(chain)
        report.chains += 1

    def take(self, key: str, batch: Batch | None) -> None:
        """Verify the next batch; None where it is none."""
        self._report.batches += 1
        if batch is None:
            self._report.found(f"batch {key}", "changed", "改変されています")
            self._number, self._hash = _after(key, self._number), b""
            return
        if self._number == 0:
            self._begin(batch)
        if batch.number != self._number + 1:
            self._report.found(f"batch {key}", "batches before it are missing", "これより前の記録が欠落しています")
            self._hash = b""  # that is told; from here on the batch's own word counts
        if is_sound(batch, self._hash or batch.previous, self._keys):
            self._report.events += len(events_of(batch))
        else:
            self._report.found(
                f"batch {key}", "changed, or not written by this server", "改変されたか、このサーバーが書いたものではありません"
            )
        self._number, self._hash = batch.number, batch.hash
        self._check_stated(batch)

    def end(self) -> None:
        """Tell what is missing at the end."""
        reach = max(each.number if each is not None else 0 for each in (self._head, self._pruned))
        if self._number < reach:
            place = f"batch {self.chain}/{self._number + 1:012d}"
            self._report.found(place, "batches from here on are missing", "これ以降の記録が欠落しています")

    def _begin(self, batch: Batch) -> None:
        """The beginning may be pruned; what an interrupted pruning has left follows itself up to what the statement names."""
        pruned = self._pruned
        if pruned is not None and batch.number <= pruned.number + 1:
            self._number = batch.number - 1
            self._hash = pruned.hash if batch.number == pruned.number + 1 else batch.previous

    def _check_stated(self, batch: Batch) -> None:
        for statement in (self._pruned, self._head):
            if statement is not None and statement.number == batch.number and statement.hash != batch.hash:
                self._report.found(f"batch {batch.id}", "it is not the one that was anchored", "アンカーされた記録と一致しません")
        self._report.unanchored += self._head is None or batch.number > self._head.number


async def _check_anchor(store: AuditStore, batch: Batch, stated: _Stated, report: Report) -> None:
    """A batch names the newest anchor of its time: it is there, or came while this was going on."""
    newest = await store.newest_anchor()
    stated.last = max(stated.last, newest.number if newest is not None else 0)
    if batch.anchor > stated.last:
        report.found(
            f"anchor {batch.anchor}", "it was there when a batch was written, and is missing", "存在したはずのアンカーが欠落しています"
        )


def _check_stated(batch: Batch, pruned: Pruned | None, head: Head | None, report: Report) -> None:
    for statement in (pruned, head):
        if statement is not None and statement.number == batch.number and statement.hash != batch.hash:
            report.found(f"batch {batch.id}", "it is not the one that was anchored", "アンカーされた記録と一致しません")


def _missing_chains(stated: _Stated, seen: set[str], report: Report) -> None:
    for chain, head in stated.heads.items():
        pruned = stated.pruned.get(chain)
        if chain not in seen and (pruned is None or pruned.number < head.number):
            report.found(f"chain {chain}", "it is missing", "チェーン全体が欠落しています")


def _after(key: str, number: int) -> int:
    """Go on after a batch that cannot be read, where its key can."""
    position = key.partition("/")[2]
    return int(position) if position.isascii() and position.isdigit() else number
