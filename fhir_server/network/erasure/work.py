"""The erasing itself: counted before it goes, resumed where it was interrupted, proved in the audit log when it is done.

NETWORK.md D8, F080, L10 (audit stays). One process works on an erasure at a time; what it counted last may be there still when it dies,
so the next one removes that first, and counts on.
"""

import hashlib
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, TypeAlias

import msgspec

from fhir_server.audit.event import Event, Seen
from fhir_server.audit.interaction import of_operation
from fhir_server.auth.accounts.account import ACCOUNTS
from fhir_server.auth.requester import Requester
from fhir_server.network.desk import Desk
from fhir_server.network.erasure.records import ERASURES, Erasure, State
from fhir_server.network.erasure.stripping import strip
from fhir_server.outcome import FhirError, Issue, conflict
from fhir_server.search.expression import ForPatient, Or
from fhir_server.store.erasing import Removal, erase, remove
from fhir_server.store.records import Records
from fhir_server.store.repository import Delete

_Change: TypeAlias = Callable[[Erasure], Erasure]
_Maybe: TypeAlias = Callable[[Erasure], Erasure | None]

_BUSY: Final = timedelta(minutes=15)
_AT_ONCE: Final = 100
_MOST_CONSENTS: Final = 10_000
_UNDER_WAY: Final = (State.ERASING, State.ERASED)


async def carry_out(desk: Desk, id: str, requester: Requester) -> Erasure:
    """Erase what an approved record says, and prove it; gives the record as it is then.

    Raises FhirError: 409 while another process is at work on it, 503 where it has to be resumed (`resume`, or approve again).
    """
    work = _Work(desk, id)
    await work.begin()
    try:
        await work.erase()
        return await work.prove(requester)
    finally:
        await work.leave()


async def resume(desk: Desk) -> int:
    """Go on with erasures that were interrupted; tells how many are done now. May run as often as wanted, in several processes."""
    count = 0
    for state in _UNDER_WAY:
        for each in await desk.shelf.records(ERASURES).find(state=state):
            by = Requester(each.approved_by, fhir_user=each.approver, organization="Organization/network")
            try:
                await carry_out(desk, each.id, by)
                count += 1
            except FhirError as failure:
                if failure.status != 409:  # at work on elsewhere
                    raise
    return count


class _Work:
    """One process's work on one erasure."""

    def __init__(self, desk: Desk, id: str) -> None:
        self._desk = desk
        self._id = id
        self._worker = uuid.uuid4().hex
        self._records: Records[Erasure] = desk.shelf.records(ERASURES)

    async def begin(self) -> None:
        now = self._desk.now()

        def taken(current: Erasure) -> Erasure | None:
            free = current.busy is None or current.busy <= now
            if current.state not in _UNDER_WAY or not free:
                return None
            return msgspec.structs.replace(current, worker=self._worker, busy=now + _BUSY)

        if await self._records.change(self._id, taken) is None:
            raise conflict("The erasure is being done at this moment, or is done", "Patient")

    async def leave(self) -> None:
        await self._records.change(self._id, self._own(lambda each: msgspec.structs.replace(each, worker="", busy=None)))

    async def erase(self) -> None:
        """What takes away rights comes first, in the ordinary way, so that every process learns of it; then everything goes."""
        record = await self._record()
        if record.state == State.ERASED:
            return
        await remove(self._desk.everything.mongo, record.pending)
        await strip(self._desk, record.patients)
        await self._revoke(record.patients)
        async for removal in erase(self._desk.everything.mongo, record.patients):
            await self._count(removal)
        for patient in record.patients:
            await self._desk.shelf.records(ACCOUNTS).remove_all(fhir_user=patient)
        await self._change(lambda each: msgspec.structs.replace(each, state=State.ERASED, pending=()))

    async def prove(self, requester: Requester) -> Erasure:
        """Tell the audit log, then forget who it was: of the record only digests stay."""
        record = await self._record()
        await self._desk.record(proof(record, requester, self._desk.now()))
        now = self._desk.now()
        return await self._change(
            lambda each: msgspec.structs.replace(
                each, state=State.DONE, done=now, asked_for=each.id, patients=(), custodians=(), pending=()
            )
        )

    async def _revoke(self, patients: tuple[str, ...]) -> None:
        consents = await self._desk.find("Consent", Or(tuple(ForPatient(each) for each in patients)), _MOST_CONSENTS)
        own = [each for each in consents if each.get("patient", {}).get("reference") in patients]
        gone = [Delete("Consent", each["id"]) for each in own] + [Delete("Patient", each.partition("/")[2]) for each in patients]
        for start in range(0, len(gone), _AT_ONCE):
            await self._desk.everything.commit(gone[start : start + _AT_ONCE])

    async def _count(self, removal: Removal) -> None:
        def counted(current: Erasure) -> Erasure:
            return msgspec.structs.replace(
                current,
                pending=removal.keys,
                resources=dict(Counter(current.resources) + Counter(removal.resources)),
                versions=current.versions + removal.versions,
                sha256=hashlib.sha256(bytes.fromhex(current.sha256) + removal.digest).hexdigest(),
                consents=(*current.consents, *removal.consents),
                busy=self._desk.now() + _BUSY,
            )

        await self._change(counted)

    async def _record(self) -> Erasure:
        record = await self._records.get(self._id)
        assert record is not None
        return record

    async def _change(self, change: _Change) -> Erasure:
        changed = await self._records.change(self._id, self._own(change))
        if changed is None:
            raise FhirError(Issue("transient", "Another process has taken the erasure over"))
        return changed

    def _own(self, change: _Change) -> _Maybe:
        return lambda current: change(current) if current.worker == self._worker else None


def proof(record: Erasure, requester: Requester, at: datetime) -> Event:
    """Make the audit event that proves an erasure: who, of whom, how much, with which digest; nothing of what it was."""
    total = sum(record.resources.values())
    return msgspec.structs.replace(
        of_operation(requester, at, "approve-erasure"),
        action="D",
        type="Patient",
        id=record.asked_for.partition("/")[2],
        seen=tuple(Seen(patient, custodian, "Patient", 1) for patient, custodian in zip(record.patients, record.custodians, strict=True)),
        reason=f"{record.id}: {total} resources, {record.versions} versions erased, sha256 {record.sha256}; form {record.form}",
    )
