"""S51, L10: what was recorded cannot be changed, removed or added without being found."""

import asyncio

import bson
import pytest
from bson.int64 import Int64

from fhir_server.audit.anchor import exported, opened, read_exported
from fhir_server.audit.keys import open_pens
from fhir_server.audit.pruning import limit, prune
from fhir_server.audit.verifying import verify
from fhir_server.auth.sealing import Sealer
from fhir_server.outcome import FhirError
from fhir_server.store.records import Shelf


@pytest.fixture
async def written(open_log, happened, ticking):
    """Two processes have recorded, and anchored twice; the last batch of each is not anchored yet."""
    logs = [open_log(), open_log()]
    for round in range(3):
        for log in logs:
            await asyncio.gather(*(log.record(happened(request=f"{round}-{n}")) for n in range(3)))
        ticking.shift(minutes=2)
        if round < 2:
            await logs[0].anchor()
    return logs[0]


@pytest.fixture
def audit(mongo):
    return mongo.database["audit"]


@pytest.fixture
def anchors(mongo):
    return mongo.database["audit_anchor"]


async def places(log, kept=None):
    return [each.place.partition(" ")[0] for each in (await verify(log.store, log.pens, kept)).findings]


async def test_l10_a_log_that_nobody_touched_verifies(written):
    told = []
    report = await written.verify(lambda done, total: told.append((done, total)))
    assert report.ok
    assert (report.chains, report.batches, report.events, report.anchors, report.unanchored) == (2, 6, 18, 2, 2)
    assert told[-1] == (6, 6)


async def test_l10_an_empty_log_verifies(log):
    assert (await log.verify()).ok
    assert await log.anchor() is None


async def test_s51_every_byte_of_a_batch_matters(written, audit):
    """Each field is changed in each of its bytes, as far as that makes another document of it."""
    original = await audit.find_one({"_id": {"$regex": "/000000000002$"}})
    raw = bson.encode(original)
    tried = 0
    for position in range(4, len(raw) - 1):
        changed = bytearray(raw)
        changed[position] ^= 1
        try:
            document = bson.decode(bytes(changed))
            bson.encode(document)
        except Exception:  # noqa: BLE001 - that is no document, nobody can store it
            continue
        if document == original and list(document) == list(original):
            continue
        if position % 3 and b"b" not in bytes(changed[:5]):  # every third is enough to be quick
            continue
        tried += 1
        await audit.delete_one({"_id": original["_id"]})
        try:
            await audit.insert_one(document)
        except Exception:  # noqa: BLE001 - MongoDB itself refuses it
            await audit.insert_one(original)
            continue
        assert await places(written), f"the byte {position} was changed unseen"
        await audit.delete_one({"_id": document["_id"]})
        await audit.insert_one(original)
    assert tried > 100
    assert not await places(written)


@pytest.mark.parametrize(
    "change",
    [
        {"$set": {"more": 1}},
        {"$unset": {"e": ""}},
        {"$set": {"k": Int64(0)}},
        {"$set": {"k": 99}},
        {"$push": {"e": "r=Patient/other"}},
        {"$pull": {"e": "r=Patient/p1"}},
        {"$set": {"b": b""}},
        {"$set": {"b": "text"}},
        {"$inc": {"z": -1}},
        {"$rename": {"h": "g"}},
    ],
)
async def test_s51_a_field_that_is_changed_added_or_removed_is_found(written, audit, change):
    one = await audit.find_one({"_id": {"$regex": "/000000000002$"}})
    await audit.update_one({"_id": one["_id"]}, change)
    assert "batch" in await places(written)


@pytest.mark.parametrize("number", [1, 2])
async def test_s51_a_removed_batch_is_found_also_at_the_end_of_what_is_anchored(written, audit, number):
    one = await audit.find_one({"_id": {"$regex": f"/{number:012d}$"}})
    chain = one["_id"].partition("/")[0]
    await audit.delete_many({"_id": {"$gte": one["_id"], "$lt": f"{chain}/{number + 1:012d}"}})
    if number == 2:
        await audit.delete_one({"_id": f"{chain}/{3:012d}"})
    assert await places(written)


async def test_s51_a_removed_chain_is_found(written, audit):
    chain = (await audit.find_one({}, sort=[("_id", 1)]))["_id"].partition("/")[0]
    await audit.delete_many({"_id": {"$regex": f"^{chain}/"}})
    assert await places(written) == ["chain"]


async def test_s51_a_batch_that_somebody_puts_in_is_found(written, audit):
    last = await audit.find_one(sort=[("_id", -1)])
    chain, _, number = last["_id"].partition("/")
    await audit.insert_one({**last, "_id": f"{chain}/{int(number) + 1:012d}", "p": last["h"]})
    await audit.insert_one({**last, "_id": "fffffffffffffffff/000000000001"})
    await audit.insert_one({"_id": 5})
    assert (await places(written)).count("batch") >= 2


async def test_s51_batches_that_change_their_places_are_found(written, audit):
    first, second = [await audit.find_one({"_id": {"$regex": f"/{number:012d}$"}}) for number in (1, 2)]
    for one, other in ((first, second), (second, first)):
        await audit.delete_one({"_id": one["_id"]})
        await audit.insert_one({**other, "_id": one["_id"]})
    assert await places(written)


async def test_s51_who_has_the_database_alone_cannot_write_a_batch(written, audit, mongo, ticking, happened):
    """Hashes can be made by anybody; the authentication needs the server's secret."""
    from fhir_server.audit.chain import Chain
    from fhir_server.store.audit_log import _document

    forged = Chain.new(b"a key of somebody else's" * 2, ticking.ms)
    await audit.insert_one(_document(forged.next([happened()], 0)))
    assert await places(written) == ["batch"]


@pytest.mark.parametrize("change", [{"$set": {"s": b"0" * 64}}, {"$set": {"b": b""}}, {"$set": {"more": 1}}, {"$unset": {"s": ""}}])
async def test_s51_a_changed_anchor_is_found(written, anchors, change):
    await anchors.update_one({"_id": 1}, change)
    assert "anchor" in await places(written)


@pytest.mark.parametrize("number", [1, 2])
async def test_s51_a_removed_anchor_is_found(written, anchors, number):
    await anchors.delete_one({"_id": number})
    assert "anchor" in await places(written)


async def test_s51_the_newest_anchor_removed_with_all_that_it_states_is_found_by_its_copy(written, audit, anchors):
    stored = await written.store.newest_anchor()
    anchor = opened(stored, written.pens)
    copy = read_exported(exported(stored, anchor, written.pens.newest, "2026-04-01"))
    assert not await places(written, copy)
    await audit.delete_many({"_id": {"$not": {"$regex": "/000000000001$"}}})
    await anchors.delete_one({"_id": 2})
    assert not await places(written), "nothing in the database can tell"
    assert await places(written, copy) == ["anchor"]


async def test_s51_a_copy_that_was_changed_or_is_of_another_server_is_told(written, mongo, ticking):
    stored = await written.store.newest_anchor()
    anchor = opened(stored, written.pens)
    genuine = exported(stored, anchor, written.pens.newest, "2026-04-01")
    changed = read_exported(genuine.replace(b'"number": 2', b'"number": 1'))
    assert "anchor" in await places(written, changed)
    await mongo.database["audit_key"].delete_many({})
    others = await open_pens(Shelf(mongo.database), Sealer(b"another secret"), ticking)
    copy = read_exported(exported(stored, anchor, others.newest, "2026-04-01"))
    assert "anchor" in await places(written, copy)


async def test_s51_no_anchor_is_built_on_one_that_is_not_genuine(written, anchors, happened):
    await anchors.update_one({"_id": 2}, {"$set": {"b": b"forged"}})
    await written.record(happened())
    with pytest.raises(FhirError, match="not genuine"):
        await written.anchor()


async def test_anchors_state_how_far_every_process_has_come(written, open_log):
    stored = await written.store.newest_anchor()
    anchor = opened(stored, written.pens)
    assert [head.number for head in anchor.heads] == [2, 2]
    other = open_log()
    async with other.kept():
        assert other.store is written.store
    assert (await written.verify()).unanchored == 0


async def test_an_anchor_that_would_say_nothing_new_is_not_written(written):
    assert await written.anchor() is not None
    assert await written.anchor() is None


async def test_two_processes_that_anchor_at_once_write_one_after_the_other(open_log, happened):
    logs = [open_log() for _ in range(4)]
    for log in logs:
        await log.record(happened())
    await asyncio.gather(*(log.anchor() for log in logs))
    report = await logs[0].verify()
    assert report.ok
    assert report.unanchored == 0


# -- retention ----------------------------------------------------------------------------------------------------------


@pytest.fixture
async def aged(open_log, happened, ticking):
    """Four years of a log, two batches a year, then two years of nothing but one."""
    log = open_log()
    for n in range(8):
        await log.record(happened(request=f"r{n}"))
        await log.anchor()
        ticking.shift(days=182)
    ticking.shift(days=730)
    await open_log().record(happened(request="late"))
    await log.anchor()
    return log


async def test_l13_what_is_older_than_the_network_keeps_is_removed_and_the_log_verifies(aged, ticking, audit):
    removed = await prune(aged.store, aged.pens, ticking, 4)
    assert (removed.batches, removed.events) == (4, 4)
    report = await aged.verify()
    assert report.ok
    assert (report.batches, report.pruned) == (5, 4)
    ticking.shift(days=1000)
    assert (await prune(aged.store, aged.pens, ticking, 4)).batches == 4
    report = await aged.verify()
    assert report.ok
    assert report.events == 1


async def test_f114_what_is_older_than_a_year_is_still_there(aged, ticking):
    assert (await prune(aged.store, aged.pens, ticking, 7)).batches == 0
    assert (await aged.verify()).events == 9


async def test_l13_what_was_removed_beyond_the_statement_is_found(aged, ticking, audit):
    await prune(aged.store, aged.pens, ticking, 4)
    first = await audit.find_one(sort=[("_id", 1)])
    await audit.delete_one({"_id": first["_id"]})
    assert await places(aged)


async def test_l13_a_pruning_that_was_interrupted_leaves_a_log_that_verifies(aged, ticking, audit, anchors):
    kept = [each async for each in audit.find().sort("_id", 1)]
    kept_anchors = [each async for each in anchors.find().sort("_id", 1)]
    await prune(aged.store, aged.pens, ticking, 4)
    await audit.insert_many(kept[2:4])
    await anchors.insert_many(kept_anchors[2:4])
    assert (await aged.verify()).ok
    await audit.update_one({"_id": kept[2]["_id"]}, {"$set": {"z": 0}})
    assert await places(aged)
    await audit.replace_one({"_id": kept[2]["_id"]}, kept[2])
    assert (await prune(aged.store, aged.pens, ticking, 4)).batches == 2
    assert (await aged.verify()).ok


async def test_l13_nothing_is_removed_from_a_log_that_does_not_verify(aged, ticking, audit):
    await audit.delete_one({"_id": {"$regex": "/000000000003$"}})
    with pytest.raises(FhirError, match="does not verify"):
        await prune(aged.store, aged.pens, ticking, 4)


async def test_l13_less_than_a_year_is_refused(aged, ticking):
    with pytest.raises(ValueError, match="a year at least"):
        await prune(aged.store, aged.pens, ticking, 0)
    assert limit(ticking.moment.replace(year=2028, month=2, day=29), 1).month == 2
