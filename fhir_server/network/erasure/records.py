"""What is recorded of an erasure: that it goes on until it is done, and afterwards the proof of what is gone.

NETWORK.md D8, F080. While it goes on the record names the patients; once it is done it holds digests only, by which it can be told whether an id
is one of those erased.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from fhir_server.store.records import Kind, Shelf


class State(StrEnum):
    """How far an erasure is: `erased` lacks only its proof in the audit log."""

    REQUESTED = "requested"
    ERASING = "erasing"
    ERASED = "erased"
    DONE = "done"


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """One erasure.

    `asked_for` is the Patient that the request named, and the record's own id once it is done; `patients` are all that go with her,
    `custodians` whose they are, in the same order: not kept once it is done, only `digests` (SHA-256 of "Patient/1"). `pending` are keys that are counted and may be
    there still; `worker` is at work on it until `busy`. `resources` and `versions` are counts, `sha256` chains the digests of what is gone, in hex;
    `consents` are lines "Consent/1/_version sha256" by which a copy of a consent can be proved.
    """

    id: str
    asked_for: str
    patients: tuple[str, ...]
    custodians: tuple[str, ...]
    digests: tuple[str, ...]
    reason: str
    form: str
    requested: datetime
    requested_by: str
    requester: str
    state: str = State.REQUESTED
    approved: datetime | None = None
    approved_by: str = ""
    approver: str = ""
    pending: tuple[str, ...] = ()
    worker: str = ""
    busy: datetime | None = None
    resources: dict[str, int] = {}
    versions: int = 0
    sha256: str = ""
    consents: tuple[str, ...] = ()
    done: datetime | None = None


ERASURES: Final = Kind("erasure", Erasure, found_by=("asked_for", "digests", "state"), unique=("asked_for",))
KINDS: Final = (ERASURES,)


def digest(patient: str) -> str:
    """Give that by which an erased patient ("Patient/1") is recognised and not named."""
    return hashlib.sha256(patient.encode()).hexdigest()


async def is_erased(shelf: Shelf, patients: Sequence[str]) -> bool:
    """Tell whether any of these ("Patient/1") has been erased, or is being: what an import brings of her again is refused."""
    for patient in patients:
        found = await shelf.records(ERASURES).find(digests=digest(patient))
        if any(each.state != State.REQUESTED for each in found):
            return True
    return False
