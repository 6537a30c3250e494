"""Anchors: signed statements of how far each chain of the audit log has come, each bound to the one before.

NETWORK.md L10; docs/decisions/0021-audit.md. What an anchor states cannot be taken back: a batch that it covers is missed when it is
removed, an anchor by the next one, and the newest by a copy of it that is kept elsewhere (`tsunagi audit anchor`).
"""

import base64
import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

from fhir_server.audit.keys import Pen, Pens, is_signed
from fhir_server.store.audit_log import Sealed

BEGINNING: Final = hashlib.sha256(b"tsunagi audit anchors").digest()
"""What stands for the hash before the first anchor."""


class Head(msgspec.Struct, frozen=True, array_like=True):
    """How far a chain has come: the number and the hash of its last batch, and when that ended (ms since 1970)."""

    chain: str
    number: int
    hash: bytes
    at: int


class Pruned(msgspec.Struct, frozen=True, array_like=True):
    """What was removed when its time was over: the chain's batches up to this number, whose last one had this hash."""

    chain: str
    number: int
    hash: bytes
    events: int = 0


class Dropped(msgspec.Struct, frozen=True, array_like=True):
    """The anchors up to this number, whose last one had this hash, were removed when their time was over."""

    number: int
    hash: bytes


class Anchor(msgspec.Struct, frozen=True):
    """One anchor: `at` in ms since 1970, `previous` the hash of the one before, `key` the id of the key that signs it."""

    number: int
    at: int
    previous: bytes
    key: str
    heads: tuple[Head, ...]
    pruned: tuple[Pruned, ...] = ()
    dropped: Dropped | None = None


class Exported(msgspec.Struct, frozen=True):
    """A copy of an anchor to be kept elsewhere; bytes in base64."""

    number: int
    at: str
    hash: str
    content: bytes
    signature: bytes
    key: bytes

    @property
    def is_genuine(self) -> bool:
        """Tell whether it is signed by the key that it names."""
        return is_signed(self.key, self.content, self.signature) and hash_of(self.content).hex() == self.hash


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Anchor)


def sealed(anchor: Anchor, pen: Pen) -> Sealed:
    """Sign an anchor."""
    content = _encoder.encode(anchor)
    return Sealed(anchor.number, content, pen.sign(content))


def opened(stored: Sealed, pens: Pens) -> Anchor | None:
    """Read an anchor; None where it was not signed by a key of this server, or is not the one that its number says."""
    try:
        anchor = _decoder.decode(stored.content)
    except msgspec.MsgspecError:
        return None
    pen = pens.of(anchor.key)
    if pen is None or anchor.number != stored.number or not is_signed(pen.public, stored.content, stored.signature):
        return None
    return anchor


def hash_of(content: bytes) -> bytes:
    """Give the hash by which the next anchor names this one."""
    return hashlib.sha256(content).digest()


def exported(stored: Sealed, anchor: Anchor, pen: Pen, at: str) -> bytes:
    """Write the copy of an anchor as JSON; `at` is its time as a person reads it."""
    copy = Exported(anchor.number, at, hash_of(stored.content).hex(), stored.content, stored.signature, pen.public)
    return msgspec.json.format(msgspec.json.encode(copy), indent=2) + b"\n"


def read_exported(text: bytes) -> Exported:
    """Read such a copy. Raises msgspec.MsgspecError."""
    return msgspec.json.decode(text, type=Exported)


def further(heads: Sequence[Head], earlier: Sequence[Head]) -> bool:
    """Tell whether a chain has come further than the earlier heads say."""
    known = {head.chain: head.number for head in earlier}
    return any(head.number > known.get(head.chain, 0) for head in heads)


def shown(key: bytes) -> str:
    """Write a public key as a person copies it."""
    return base64.b64encode(key).decode()
