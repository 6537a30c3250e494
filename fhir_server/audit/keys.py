"""The key of the audit log: it signs anchors, and what is derived from it authenticates batches.

Ed25519, https://www.rfc-editor.org/rfc/rfc8032. It is kept sealed with the server's secret, so that who has the database alone
can neither sign nor authenticate anything; with the setting `secret_key` the secret is not in the database.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fhir_server.auth.sealing import Sealer
from fhir_server.store.records import Kind, Shelf

_BY_NUMBER: Final = "audit key "


class AuditKey(msgspec.Struct, frozen=True):
    """One key as it is stored: `id` counts from 1, `sealed` is its private part."""

    id: str
    sealed: bytes
    created: datetime


AUDIT_KEYS: Final = Kind("audit_key", AuditKey)


@dataclass(frozen=True, slots=True)
class Pen:
    """An opened key."""

    id: str
    private: Ed25519PrivateKey
    batches: bytes

    @classmethod
    def of(cls, record: AuditKey, sealer: Sealer) -> Self:
        """Open a key. Raises Unreadable where the server's secret is another one."""
        seed = sealer.open(record.sealed, (_BY_NUMBER + record.id).encode())
        derived = HKDF(SHA256(), 32, salt=None, info=b"tsunagi audit batches").derive(seed)
        return cls(record.id, Ed25519PrivateKey.from_private_bytes(seed), derived)

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return self.private.public_key().public_bytes_raw()

    def sign(self, content: bytes) -> bytes:
        """Sign, 64 bytes."""
        return self.private.sign(content)


class Pens:
    """The keys that there are; the newest writes."""

    def __init__(self, pens: list[Pen]) -> None:
        self._pens = {pen.id: pen for pen in pens}
        self.newest = max(pens, key=lambda pen: int(pen.id))

    def of(self, id: str) -> Pen | None:
        """Give the key of this id."""
        return self._pens.get(id)

    @property
    def all(self) -> list[Pen]:
        """All of them."""
        return list(self._pens.values())

    @property
    def batches(self) -> list[bytes]:
        """What batches may have been authenticated with."""
        return [pen.batches for pen in self._pens.values()]


async def open_pens(shelf: Shelf, sealer: Sealer, clock: Callable[[], datetime]) -> Pens:
    """Open the keys; whichever process comes first makes the first one. Raises Unreadable, FhirError (503)."""
    records = shelf.records(AUDIT_KEYS)
    if not (found := await records.find()):
        seed = Ed25519PrivateKey.generate().private_bytes_raw()
        await records.add(AuditKey("1", sealer.seal(seed, (_BY_NUMBER + "1").encode()), clock()))
        found = await records.find()
    return Pens([Pen.of(record, sealer) for record in found])


def is_signed(public: bytes, content: bytes, signature: bytes) -> bool:
    """Tell whether the owner of the public key signed this content."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


def fingerprint(public: bytes) -> str:
    """Give what a person compares two public keys by."""
    digest = hashlib.sha256(public).hexdigest()
    return ":".join(digest[at : at + 4] for at in range(0, 32, 4))
