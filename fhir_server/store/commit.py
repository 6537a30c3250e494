"""Writes to MongoDB: one alone, or several that are all done or none.

One write needs no transaction: its resource is replaced only if it is still the version that was read. Several are one
transaction. Both begin again when another writer was faster. docs/decisions/0008-writes.md
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pymongo
from pymongo import ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError
from pymongo.read_concern import ReadConcern

from fhir_server.exchange import Version
from fhir_server.outcome import FhirError, Issue, conflict, invalid
from fhir_server.search.expression import EVERYTHING
from fhir_server.search.holding import Subject, holds
from fhir_server.search.query import Query
from fhir_server.store.custody import in_custody
from fhir_server.store.documents import superseded
from fhir_server.store.failures import told
from fhir_server.store.guarding import Guard, guards, hold
from fhir_server.store.mongo import Mongo
from fhir_server.store.permit import Permit
from fhir_server.store.sending import DUPLICATE_KEY, Outrun, Replacement
from fhir_server.store.whose import carried, check_patients, custodies
from fhir_server.store.writing import Clock, Create, Decision, Delete, Put, Stored, Write, decide
from profiles.json import decode

_ATTEMPTS = 100
_LONGEST_PAUSE = 0.05
_TRANSACTION_SECONDS = 30.0


async def commit(mongo: Mongo, permit: Permit, clock: Clock, writes: Sequence[Write]) -> list[Version]:
    """Do all the writes or none, and answer in their order.

    Raises FhirError: 400 where two of them write the same resource, 403 where one is not permitted, 409 where an id is
    taken, 412 where If-Match names another version. Raises Changed, having done nothing, where a write expected another
    version, or something answers a search that nothing should answer.
    """
    if not writes:
        return []
    _check_distinct(writes)
    for write in writes:
        _check_content(write, permit)
    for attempt in range(_ATTEMPTS):
        try:
            if len(writes) == 1 and _unless(writes[0]) is None:
                return await _told(mongo, permit, writes, [await _alone(mongo, permit, clock, writes[0])])
            return await _told(mongo, permit, writes, await _together(mongo, permit, clock, writes, hopeful=attempt == 0))
        except Outrun:
            await _check_ids(mongo, writes)
            await asyncio.sleep(random.random() * min(_LONGEST_PAUSE, 0.001 * attempt))
    raise FhirError(Issue("transient", "Others write the same resources all the time; try again"))


async def _told(mongo: Mongo, permit: Permit, writes: Sequence[Write], versions: list[Version]) -> list[Version]:
    """What was there and is left alone (`only_create`) is somebody's: it is told to who may read it, to others that it is there (L30)."""
    told = list(versions)
    for number, (write, version) in enumerate(zip(writes, versions, strict=True)):
        limit = permit.covers("read", version.type)
        spared = isinstance(write, Put) and write.only_create and version.change == "unchanged"
        if spared and limit != EVERYTHING and await mongo.reads.one(write.key, limit) is None:
            told[number] = replace(version, body=None)
    return told


async def _alone(mongo: Mongo, permit: Permit, clock: Clock, write: Write) -> Version:
    current = None if isinstance(write, Create) else await mongo.reads.one(write.key)
    if current is not None and await _hidden(mongo, permit, [write]):
        current = None
    write = carried(write, current, permit, mongo)
    _check_kept(write, current, permit)
    stored = {write.key: current} if current is not None else {}
    await check_patients(mongo, permit, [write], stored)
    [custody] = await custodies(mongo, permit, [write], stored)
    decision = decide(write, current, clock, mongo.ties, custody)
    if decision.new is not None and decision.old is None:
        await mongo.inserts.one(decision.new)
    elif decision.new is not None and decision.old is not None:
        await mongo.replacements.one(decision.old, decision.new)
    return decision.version


# -- several ------------------------------------------------------------------------------------------------------------


async def _together(mongo: Mongo, permit: Permit, clock: Clock, writes: Sequence[Write], *, hopeful: bool) -> list[Version]:
    """Read and decide before the transaction: what is replaced in it must still be what was read.

    While `hopeful`, hopeful writes are not read: where one is stored after all, inserting it fails and all begins again.
    """
    keys = [write.key for write in writes if not isinstance(write, Create) and not (hopeful and isinstance(write, Put) and write.hopeful)]
    current: Mapping[str, Stored] = await mongo.reads.several(keys) if keys else {}
    hidden = await _hidden(mongo, permit, [write for write in writes if write.key in current])
    current = {key: stored for key, stored in current.items() if key not in hidden} if hidden else current
    writes = [carried(write, current.get(write.key), permit, mongo) for write in writes]
    await check_patients(mongo, permit, writes, current)
    whose = await custodies(mongo, permit, writes, current)
    moment = clock()
    decisions: list[Decision] = []
    for done, (write, custody) in enumerate(zip(writes, whose, strict=True)):
        if done % 100 == 99:
            await asyncio.sleep(0)  # a long transaction lets other requests through
        try:
            _check_kept(write, current.get(write.key), permit)
            decisions.append(decide(write, current.get(write.key), lambda: moment, mongo.ties, custody))
        except FhirError as failure:
            failure.position = done
            raise
    if any(decision.new is not None for decision in decisions):
        held = await guards(mongo, permit, [query for write in writes if (query := _unless(write)) is not None])
        await _transaction(mongo, decisions, held)
    return [decision.version for decision in decisions]


def _unless(write: Write) -> Query | None:
    return None if isinstance(write, Delete) else write.unless


async def _transaction(mongo: Mongo, decisions: Sequence[Decision], held: Sequence[Guard]) -> None:
    first = [decision.new for decision in decisions if decision.new is not None and decision.old is None]
    next = [Replacement(decision.old, decision.new) for decision in decisions if decision.new is not None and decision.old is not None]

    async def work(session: AsyncClientSession) -> None:
        if held:
            await hold(mongo, held, [item.old["_id"] for item in next], session)
        if first:
            await mongo.resource.insert_many(first, session=session)
        if next:
            await _replace(mongo, next, session)

    with told(), pymongo.timeout(_TRANSACTION_SECONDS):
        async with mongo.client.start_session() as session:
            try:
                seen = ReadConcern("snapshot") if held else None
                await session.with_transaction(work, read_concern=seen, write_concern=mongo.resource.write_concern)
            except BulkWriteError as problem:
                if any(error["code"] == DUPLICATE_KEY for error in problem.details.get("writeErrors", ())):
                    raise Outrun from problem
                raise


async def _replace(mongo: Mongo, items: Sequence[Replacement], session: AsyncClientSession) -> None:
    """The history may hold a version already, from a write that was interrupted before it was superseded."""
    kept = [superseded(item.old) for item in items]
    await mongo.history.bulk_write([ReplaceOne({"_id": document["_id"]}, document, upsert=True) for document in kept], session=session)
    replacing = [ReplaceOne[dict[str, Any]]({"_id": item.old["_id"], "v": item.old["v"]}, dict(item.new)) for item in items]
    done = await mongo.resource.bulk_write(replacing, session=session)
    if done.matched_count != len(items):
        raise Outrun


# -- what may be written --------------------------------------------------------------------------------------------------


def _check_distinct(writes: Sequence[Write]) -> None:
    """https://hl7.org/fhir/R4/http.html#trules: no resource is written twice by one transaction."""
    if len({write.key for write in writes}) < len(writes):
        raise invalid("The transaction writes the same resource more than once", "Bundle.entry")


def _check_content(write: Write, permit: Permit) -> None:
    """What is stored must be within the permit after the write as before it."""
    interaction = _interaction(write)
    permit.require(interaction, (write.key.partition("/")[0],))
    if isinstance(write, Delete):
        return
    prepared = write.prepared
    limit = permit.covers(interaction, prepared.type)
    if limit != EVERYTHING and not holds(limit, Subject(prepared.type, prepared.id, in_custody(prepared.entries, permit.custodian))):
        raise permit.refused(interaction, prepared.type)


async def _hidden(mongo: Mongo, permit: Permit, writes: Sequence[Write]) -> frozenset[str]:
    """Give what is to be deleted and is outside of the permit: it is left alone, and looks as if it never was.

    Raises FhirError (403) for a resource that is to be changed: its id is taken, so it cannot look absent.
    """
    hidden: set[str] = set()
    for write in writes:
        type = write.key.partition("/")[0]
        interaction = _interaction(write)
        limit = permit.covers(interaction, type)
        if isinstance(write, Put) and write.only_create:
            continue  # what is there is left alone
        if limit != EVERYTHING and await mongo.reads.one(write.key, limit) is None:
            if not isinstance(write, Delete):
                raise permit.refused(interaction, type)
            hidden.add(write.key)
    return frozenset(hidden)


def _interaction(write: Write) -> str:
    return "create" if isinstance(write, Create) else "delete" if isinstance(write, Delete) else "update"


def _check_kept(write: Write, current: Stored | None, permit: Permit) -> None:
    """Elements that the requester may not change are as they were; what is new has none of them (S31, S56)."""
    if isinstance(write, Delete) or (isinstance(write, Put) and write.only_create and current is not None):
        return
    prepared = write.prepared
    elements = permit.fixed.get(prepared.type)
    if not elements:
        return
    body = current.get("b") if current is not None else None
    before = decode(body) if body is not None else {}
    for element in elements:
        if prepared.resource.get(element) != before.get(element):
            text = f"{prepared.type}.{element} is not this requester's to change"
            raise FhirError(Issue("forbidden", text, (f"{prepared.type}.{element}",)))


async def _check_ids(mongo: Mongo, writes: Sequence[Write]) -> None:
    """An id that a create wants and somebody has will not become free."""
    keys = [write.key for write in writes if isinstance(write, Create)]
    for key in await mongo.reads.several(keys) if keys else ():
        raise conflict("A resource with this id exists already", key.partition("/")[0])
