"""Chains of batches: each is bound to the one before it by its hash, and to this server by its authentication.

NETWORK.md L10; docs/decisions/0021-audit.md

A chain has one writer, which writes a batch only when the one before is stored. So a crash leaves a chain that is whole,
and no gap ever needs an explanation.
"""

import hashlib
import hmac
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, Self

import msgspec

from fhir_server.audit.event import Event
from fhir_server.audit.found_by import keys_of
from fhir_server.store.audit_log import START, Batch

SPREAD: Final = 5_000
"""Milliseconds that the events of a batch lie apart at most."""
MOST_SEEN: Final = 2_000
"""What one event holds of `seen`, `what` and `written` together; more becomes several events of the same request."""

LONGEST: Final = 8_000
"""Characters of a query that are kept."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Event])


class Chain:
    """A chain as its writer knows it: the number and hash of its last batch, and the number of the last event in that."""

    def __init__(self, key: bytes, id: str, last: Batch | None = None) -> None:
        self.id = id
        self.number = last.number if last is not None else 0
        self.hash = last.hash if last is not None else beginning(id)
        self.through = last.through if last is not None else 0
        self._key = key

    @classmethod
    def new(cls, key: bytes, milliseconds: int) -> Self:
        """Begin a chain; the keys of chains are in the order of their beginnings."""
        return cls(key, f"{milliseconds:011x}{os.urandom(3).hex()}")

    def next(self, events: Sequence[Event], anchor: int) -> Batch:
        """Make the batch that comes next; `anchor` is the number of the newest anchor known. It counts once it is `taken`."""
        times = [event.at for event in events]
        keys = keys_of(events)
        if not self.number:
            keys = (*keys, START)
        content = _encoder.encode(list(events))
        number, through = self.number + 1, self.through + len(events)
        batch = Batch(self.id, number, min(times), max(times), anchor, through, keys, content, self.hash, b"", b"")
        digest = digest_of(batch)
        return replace(batch, hash=digest, mac=mac_of(self._key, digest))

    def taken(self, batch: Batch) -> None:
        """Note that the batch is stored."""
        self.number, self.hash, self.through = batch.number, batch.hash, batch.through


def beginning(chain: str) -> bytes:
    """Give what stands for the hash before a chain's first batch."""
    return hashlib.sha256(b"tsunagi audit chain " + chain.encode()).digest()


def digest_of(batch: Batch) -> bytes:
    """Give the hash over everything in the batch and the hash of the one before."""
    covered = (batch.id, batch.first, batch.last, batch.anchor, batch.through, batch.keys, batch.content, batch.previous)
    return hashlib.sha256(_encoder.encode(covered)).digest()


def mac_of(key: bytes, digest: bytes) -> bytes:
    """Authenticate a batch: who has the database alone can make none."""
    return hmac.digest(key, digest, "sha256")


def events_of(batch: Batch) -> list[Event]:
    """Read the events of a batch. Raises msgspec.DecodeError where they were changed."""
    return _decoder.decode(batch.content)


def is_sound(batch: Batch, previous: bytes, keys: Iterable[bytes]) -> bool:
    """Tell whether the batch is as it was written, follows what has the hash `previous`, and tells truly what it is found by."""
    digest = digest_of(batch)
    if batch.previous != previous or not hmac.compare_digest(batch.hash, digest):
        return False
    if not any(hmac.compare_digest(batch.mac, mac_of(key, digest)) for key in keys):
        return False
    try:
        events = events_of(batch)
    except msgspec.MsgspecError:
        return False
    start = (START,) if batch.number == 1 else ()
    return batch.keys == (*keys_of(events), *start)


def divided(events: Sequence[Event], most: int = 1_000_000) -> list[list[Event]]:
    """Divide events, in their order, into those that lie at most SPREAD apart, nearly always all of them, and `most` at once."""
    parts: list[list[Event]] = [[]]
    low = high = events[0].at
    for event in events:
        low, high = min(low, event.at), max(high, event.at)
        if high - low > SPREAD or len(parts[-1]) == most:
            parts.append([])
            low = high = event.at
        parts[-1].append(event)
    return parts


def parts_of(event: Event) -> list[Event]:
    """Divide an event that tells of very much into several of the same request."""
    longest = max(len(event.seen), len(event.what), len(event.written))
    return [
        msgspec.structs.replace(
            event,
            seen=event.seen[at : at + MOST_SEEN],
            what=event.what[at : at + MOST_SEEN],
            written=event.written[at : at + MOST_SEEN],
        )
        for at in range(0, max(longest, 1), MOST_SEEN)
    ]


def writable(event: Event) -> Event:
    """Give the event as it can be written: what somebody sends decides neither its size nor whether others' events are written."""
    if len(event.query) <= LONGEST and len(event.id) <= LONGEST:
        try:
            _encoder.encode(event)
        except UnicodeEncodeError:  # half of a surrogate pair
            pass
        else:
            return event
    texts = {name: value for name in event.__struct_fields__ if isinstance(value := getattr(event, name), str)}
    return msgspec.structs.replace(event, **{name: _written(value) for name, value in texts.items()})


def _written(text: str) -> str:
    return text[:LONGEST].encode(errors="replace").decode()
