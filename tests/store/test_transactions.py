"""Several writes at once: all or none."""

import asyncio

import pytest

from fhir_server.outcome import FhirError
from fhir_server.store.repository import Create, Delete, Put


async def stored(mongo):
    return {document["_id"]: document["v"] async for document in mongo.resource.find({}, {"v": 1})}


async def test_all_kinds_of_writes_are_done_together_and_answered_in_their_order(repository, prepared, mongo):
    await repository.commit([Put(prepared("old")), Put(prepared("same")), Put(prepared("gone"))])
    await repository.commit([Delete("Patient", "gone")])
    writes = [
        Create(prepared("new")),
        Put(prepared("old", active=True)),
        Put(prepared("same"), unless_same=True),
        Delete("Patient", "never"),
        Put(prepared("gone")),
    ]
    versions = await repository.commit(writes)
    assert [(version.id, version.change, version.version) for version in versions] == [
        ("new", "created", 1),
        ("old", "updated", 2),
        ("same", "unchanged", 1),
        ("never", "unchanged", 0),
        ("gone", "created", 3),
    ]
    assert await stored(mongo) == {"Patient/new": 1, "Patient/old": 2, "Patient/same": 1, "Patient/gone": 3}
    assert [version.version for version in (await repository.history("Patient", "gone", 9)).versions] == [3, 2, 1]


async def test_nothing_is_written_where_one_fails(repository, prepared, mongo):
    await repository.commit([Put(prepared("a")), Put(prepared("b"))])
    before = await stored(mongo)
    failing = {
        409: Create(prepared("b")),
        412: Put(prepared("b"), if_match=7),
        413: Put(prepared("b", note="x" * 17_000_000)),
    }
    for status, write in failing.items():
        with pytest.raises(FhirError) as failure:
            await repository.commit([Put(prepared("a", active=True)), Create(prepared("new")), write])
        assert failure.value.status == status
        assert await stored(mongo) == before
        assert [version.version for version in (await repository.history("Patient", "a", 9)).versions] == [1]


async def test_the_same_resource_twice_in_one_transaction_is_refused(repository, prepared, mongo):
    for second in (Put(prepared("a", active=True)), Delete("Patient", "a"), Create(prepared("a"))):
        with pytest.raises(FhirError) as failure:
            await repository.commit([Put(prepared("a")), second])
        assert failure.value.status == 400
    assert await stored(mongo) == {}


async def test_transactions_that_write_the_same_resources_all_come_through(repository, prepared):
    ids = ["a", "b", "c"]
    work = [repository.commit([Put(prepared(id, number=n)) for id in ids]) for n in range(12)]
    work += [repository.commit([Put(prepared("b", number=100 + n))]) for n in range(8)]
    await asyncio.gather(*work)
    for id, count in (("a", 12), ("b", 20), ("c", 12)):
        page = await repository.history("Patient", id, 100)
        assert [version.version for version in page.versions] == list(range(count, 0, -1))


async def test_a_repeated_transaction_writes_nothing(repository, prepared, mongo):
    writes = [Put(prepared(str(n)), unless_same=True) for n in range(30)]
    first, second = await repository.commit(writes), await repository.commit(writes)
    assert {version.change for version in first} == {"created"}
    assert {version.change for version in second} == {"unchanged"}
    assert [version.body for version in first] == [version.body for version in second]
    assert await mongo.history.count_documents({}) == 0


async def test_a_thousand_resources_are_one_transaction(repository, prepared, mongo):
    versions = await repository.commit([Create(prepared(str(n))) for n in range(1000)])
    assert len(versions) == len(await stored(mongo)) == 1000


async def test_readers_see_a_transaction_whole_or_not_at_all(repository, prepared):
    ids = [str(n) for n in range(20)]
    await repository.commit([Put(prepared(id, number=0)) for id in ids])

    async def write():
        for number in range(1, 6):
            await repository.commit([Put(prepared(id, number=number)) for id in ids])

    async def read(until):
        seen = []
        while not until.done():
            bodies = await repository.get_several([f"Patient/{id}" for id in ids])
            seen.append({body.body.split(b'"number":')[1] for body in bodies})
        return seen

    writing = asyncio.create_task(write())
    await read(writing)
    assert {version.version for version in await repository.get_several([f"Patient/{id}" for id in ids])} == {6}
