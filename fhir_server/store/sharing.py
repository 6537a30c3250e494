"""Which facilities may read whose data: one document per person, and one per member facility, under one revision counter.

A change first locks (nobody but custodians reads), then is made, then says what holds from now on: a process that dies in
between leaves less visible, never more. Each lock and each change takes the next revision in its own transaction, so revisions
become visible in their order: who has seen number 7 has seen all before. docs/decisions/0022-custody.md
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from pymongo import ReplaceOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from fhir_server.outcome import FhirError, Issue
from fhir_server.store.coalesce import Coalescer
from fhir_server.store.failures import told

PERSONS, FACILITIES, COUNTER = "sharing", "membership", "sharing_revision"
_NATIVE = (datetime, bytes)
_MOST = 200
_ATTEMPTS = 20
_TOGETHER = 50


class Shared(msgspec.Struct, frozen=True):
    """What may be read of one person's data, by plain policies.

    `id` is the golden Patient, or a Patient without one; `members` are all her Patients with their custodian ("" where there is
    none), `former` those that were and whose documents may still say so. `readers` are for each custodian the Organizations that
    may read; `barred` those excluded by name. `consents` are the active Consents as JSON, which tell more than `readers` where
    `special`. `until` is when the clock alone changes it. `written`: the documents say the same, and have for long enough; until then
    they may say more than holds where `narrowed`, else they only say less.
    `locks`: changes under way, with the moment that each began.
    """

    id: str
    members: dict[str, str] = {}
    former: tuple[str, ...] = ()
    readers: dict[str, tuple[str, ...]] = {}
    barred: tuple[str, ...] = ()
    consents: tuple[bytes, ...] = ()
    special: bool = False
    until: datetime | None = None
    written: bool = True
    narrowed: bool = True
    since: datetime | None = None
    revision: int = 0
    locks: dict[str, datetime] = {}

    @property
    def stale(self) -> bool:
        """Tell whether documents may let read more than holds."""
        return bool(self.locks or self.former) or (self.narrowed and not self.written)

    @property
    def settled(self) -> bool:
        """Tell whether the documents say all that there is to say."""
        return self.written and not self.special and not self.locks


class Membership(msgspec.Struct, frozen=True):
    """A facility as member of the network: `periods` are its OrganizationAffiliations' (begin, end) in milliseconds.

    `roles` are its facility roles, `parent` the Organization it is part of, `city` where it is. While locked it is no member.
    """

    id: str
    active: bool = False
    roles: tuple[str, ...] = ()
    parent: str | None = None
    city: str = ""
    periods: tuple[tuple[int, int], ...] | None = None
    revision: int = 0
    locks: dict[str, datetime] = {}


T = TypeVar("T", Shared, Membership)


class Sharing:
    """The documents of sharing. Every method raises FhirError (503) where the database is away."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]], milliseconds: int) -> None:
        self._database = database
        self._milliseconds = milliseconds
        self._revisions: Coalescer[None, int] = Coalescer(self._read_revision, lanes=2, most=_MOST)
        self._of: Coalescer[str, Shared | None] = Coalescer(self._read_persons, lanes=2, most=_MOST)

    async def ensure(self) -> None:
        """Make the indexes where they are missing, and the counter."""
        with told():
            persons = self._database[PERSONS]
            await persons.create_index([("names", 1)], name="by_member")
            await persons.create_index([("revision", 1)], name="by_revision")
            await persons.create_index([("open", 1)], name="by_open", partialFilterExpression={"open": True})
            await self._database[FACILITIES].create_index([("revision", 1)], name="by_revision")
            await self._database[COUNTER].update_one({"_id": COUNTER}, {"$setOnInsert": {"n": 0}}, upsert=True)

    async def revision(self) -> int:
        """Give the number of the last change, as it is after this was called."""
        return await self._revisions(None)

    async def of(self, patient: str) -> Shared | None:
        """Give the person that a patient ("Patient/1") is, None where nothing is known of her."""
        return await self._of(patient)

    async def person(self, id: str) -> Shared | None:
        """Give the document of a person."""
        with told():
            return _shared(await self._database[PERSONS].find_one({"_id": id}, max_time_ms=self._milliseconds))

    async def open_ones(self) -> list[Shared]:
        """Give every person whose documents do not say all."""
        return await self._persons({"open": True})

    async def locked_ones(self) -> list[Shared]:
        """Give the persons whom a change is concerned with that is under way, or never ended."""
        return await self._persons({"open": True, "locks": {"$ne": {}}})

    async def due(self, since: datetime, now: datetime, most: int) -> list[Shared]:
        """Give some of the persons whose documents are behind since then, or whose policy the clock has ended; not those locked."""
        behind = {"since": {"$lte": since}, "$or": [{"written": False}, {"former.0": {"$exists": True}}]}
        return await self._persons({"open": True, "locks": {}, "$or": [behind, {"until": {"$lte": now}}]}, most)

    async def changed(self, revision: int) -> list[Shared]:
        """Give the persons changed after this revision."""
        return await self._persons({"revision": {"$gt": revision}})

    async def facilities(self, revision: int = -1) -> list[Membership]:
        """Give the facilities changed after this revision."""
        with told():
            cursor = self._database[FACILITIES].find({"revision": {"$gt": revision}}, max_time_ms=self._milliseconds)
            return [_membership(each) for each in await cursor.to_list()]

    # -- changes --------------------------------------------------------------------------------------------------------

    async def lock(self, persons: Sequence[str], facilities: Sequence[str], token: str, now: datetime) -> None:
        """Lock these until `finish_person` and `finish_facility`: what only holds by them, does not meanwhile."""

        async def work(session: AsyncClientSession, revision: int) -> None:
            told = {"revision": revision, f"locks.{token}": now}
            if persons:
                change = [
                    UpdateOne({"_id": id}, {"$set": {**told, "open": True}, "$addToSet": {"names": id}}, upsert=True) for id in persons
                ]
                await self._database[PERSONS].bulk_write(change, ordered=False, session=session)
            if facilities:
                change = [UpdateOne({"_id": id}, {"$set": told}, upsert=True) for id in facilities]
                await self._database[FACILITIES].bulk_write(change, ordered=False, session=session)

        await self._transaction(work)

    async def finish_person(self, id: str, tokens: Sequence[str], compute: Callable[[Shared], Awaitable[Shared]]) -> None:
        """Say what holds of the person, and take away locks; `compute` may be asked again where somebody else was faster."""
        for _ in range(_ATTEMPTS):
            before = await self.person(id)
            if before is None:
                return
            after = await compute(before)
            if await self._replaced(PERSONS, before, msgspec.structs.replace(after, locks=_without(before.locks, tokens))):
                return
        raise _busy()

    async def finish_persons(self, ids: Sequence[str], tokens: Sequence[str], compute: Callable[[Shared], Awaitable[Shared]]) -> None:
        """Say what holds of many persons, by a few revisions; each by itself where somebody else changes one of them meanwhile."""
        for start in range(0, len(ids), _TOGETHER):
            some = ids[start : start + _TOGETHER]
            if len(some) == 1 or not await self._finished_together(some, tokens, compute):
                for id in some:
                    await self.finish_person(id, tokens, compute)

    async def _finished_together(self, ids: Sequence[str], tokens: Sequence[str], compute: Callable[[Shared], Awaitable[Shared]]) -> bool:
        each = await self._persons({"_id": {"$in": list(ids)}})
        after = await asyncio.gather(*(compute(before) for before in each))
        done = False

        async def work(session: AsyncClientSession, revision: int) -> None:
            nonlocal done
            changes = [
                ReplaceOne[dict[str, Any]](
                    {"_id": before.id, "revision": before.revision},
                    _document(msgspec.structs.replace(new, revision=revision, locks=_without(before.locks, tokens))),
                )
                for before, new in zip(each, after, strict=True)
            ]
            found = await self._database[PERSONS].bulk_write(changes, ordered=False, session=session)
            done = found.matched_count == len(changes)
            if not done:
                await session.abort_transaction()

        if each:
            await self._transaction(work)
        return done or not each

    async def finish_facility(self, id: str, tokens: Sequence[str], compute: Callable[[Membership], Awaitable[Membership]]) -> None:
        """Say what holds of the facility, and take away locks."""
        for _ in range(_ATTEMPTS):
            with told():
                found = await self._database[FACILITIES].find_one({"_id": id}, max_time_ms=self._milliseconds)
            if found is None:
                return
            before = _membership(found)
            after = await compute(before)
            if await self._replaced(FACILITIES, before, msgspec.structs.replace(after, locks=_without(before.locks, tokens))):
                return
        raise _busy()

    async def _replaced(self, collection: str, before: T, after: T) -> bool:
        done = False

        async def work(session: AsyncClientSession, revision: int) -> None:
            nonlocal done
            document = _document(msgspec.structs.replace(after, revision=revision))
            found = await self._database[collection].replace_one({"_id": before.id, "revision": before.revision}, document, session=session)
            done = found.matched_count > 0

        await self._transaction(work)
        return done

    async def _transaction(self, work: Callable[[AsyncClientSession, int], Awaitable[None]]) -> None:
        """Do it with the next revision; what is committed later has a later one."""

        async def counted(session: AsyncClientSession) -> None:
            counter = await self._database[COUNTER].find_one_and_update(
                {"_id": COUNTER}, {"$inc": {"n": 1}}, upsert=True, return_document=True, session=session
            )
            assert counter is not None  # it is made where it is missing
            await work(session, int(counter["n"]))

        with told():
            async with self._database.client.start_session() as session:
                await session.with_transaction(counted, write_concern=self._database.write_concern)

    # -- reading --------------------------------------------------------------------------------------------------------

    async def _persons(self, asked: Mapping[str, Any], most: int = 0) -> list[Shared]:
        with told():
            cursor = self._database[PERSONS].find(dict(asked), limit=most, max_time_ms=self._milliseconds)
            return [shared for each in await cursor.to_list() if (shared := _shared(each)) is not None]

    async def _read_revision(self, items: Sequence[None]) -> Sequence[int]:
        with told():
            found = await self._database[COUNTER].find_one({"_id": COUNTER}, max_time_ms=self._milliseconds)
        return [int(found["n"]) if found is not None else 0] * len(items)

    async def _read_persons(self, patients: Sequence[str]) -> Sequence[Shared | None]:
        known: dict[str, Shared] = {}
        for shared in await self._persons({"names": {"$in": list(patients)}}):
            for patient in (*shared.members, shared.id):
                other = known.get(patient)
                if other is None or len(other.members) < len(shared.members):  # the golden one, not what was left behind
                    known[patient] = shared
        return [known.get(patient) for patient in patients]


def _without(locks: Mapping[str, datetime], tokens: Sequence[str]) -> dict[str, datetime]:
    return {token: since for token, since in locks.items() if token not in tokens}


def _document(record: Shared | Membership) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(record, builtin_types=_NATIVE)
    id = fields.pop("id")
    if isinstance(record, Shared):
        fields["members"] = [list(each) for each in record.members.items()]
        fields["readers"] = [[custodian, list(readers)] for custodian, readers in record.readers.items()]
        fields["names"] = [*record.members] or [id]
        if not record.settled or record.until is not None or record.former:
            fields["open"] = True
    return {"_id": id, **fields}


def _shared(found: Mapping[str, Any] | None) -> Shared | None:
    if found is None:
        return None
    fields = {name: value for name, value in found.items() if name not in ("_id", "names", "open")}
    fields["members"] = dict(found.get("members", ()))
    fields["readers"] = dict(found.get("readers", ()))
    return msgspec.convert({"id": found["_id"], **fields}, Shared)


def _membership(found: Mapping[str, Any]) -> Membership:
    return msgspec.convert({"id": found["_id"], **{name: value for name, value in found.items() if name != "_id"}}, Membership)


def _busy() -> FhirError:
    return FhirError(Issue("transient", "Others change the same consents all the time; try again"))
