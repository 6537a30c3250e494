"""What arrives at the same time goes together, and each caller gets its own answer."""

import asyncio

import pytest

from fhir_server.store.coalesce import Coalescer


class Recorder:
    """Answers each item with its double; odd hundreds fail."""

    def __init__(self):
        self.batches = []

    async def __call__(self, items):
        self.batches.append(list(items))
        await asyncio.sleep(0.005)
        if 666 in items:
            raise RuntimeError("all of them")
        return [ValueError(item) if item == 100 else item * 2 for item in items]


async def test_items_of_one_turn_form_a_batch_and_later_ones_the_next():
    send = Recorder()
    together = Coalescer(send, lanes=1, most=10)
    first = [asyncio.create_task(together(n)) for n in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second = [asyncio.create_task(together(n)) for n in range(3, 7)]
    assert await asyncio.gather(*first, *second) == [n * 2 for n in range(7)]
    assert send.batches == [[0, 1, 2], [3, 4, 5, 6]]


async def test_batches_are_bounded_by_number_and_weight():
    send = Recorder()
    together = Coalescer(send, lanes=2, most=4, weigh=lambda n: n, heaviest=9)
    await asyncio.gather(*(together(n) for n in (1, 1, 1, 1, 8, 2, 20, 3)))
    assert sorted(send.batches) == [[1, 1, 1, 1], [2], [3], [8], [20]] or max(map(len, send.batches)) <= 4
    assert all(len(batch) == 1 or sum(batch) <= 9 for batch in send.batches)


async def test_one_failure_is_its_own_and_a_common_one_is_everybodys():
    together = Coalescer(Recorder(), lanes=1, most=10)
    outcomes = await asyncio.gather(*(together(n) for n in (1, 100, 3)), return_exceptions=True)
    assert [outcomes[0], outcomes[2]] == [2, 6]
    assert isinstance(outcomes[1], ValueError)
    outcomes = await asyncio.gather(*(together(n) for n in (1, 666)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [RuntimeError, RuntimeError]
    assert await together(5) == 10


async def test_a_caller_that_gives_up_stops_nobody_else():
    together = Coalescer(Recorder(), lanes=1, most=10)
    given_up, waiting = asyncio.create_task(together(1)), asyncio.create_task(together(2))
    await asyncio.sleep(0.001)
    given_up.cancel()
    assert await waiting == 4
    with pytest.raises(asyncio.CancelledError):
        await given_up


async def test_reads_of_the_same_moment_are_one_query(repository, prepared, mongo):
    from fhir_server.store.repository import Create

    await repository.commit([Create(prepared(str(n))) for n in range(20)])
    await mongo.database.command("profile", 2)
    versions = await asyncio.gather(*(repository.get("Patient", str(n)) for n in range(20)))
    await mongo.database.command("profile", 0)
    assert [version.id for version in versions] == [str(n) for n in range(20)]
    finds = await mongo.database["system.profile"].count_documents({"command.find": "resource"})
    await mongo.database.drop_collection("system.profile")
    assert 1 <= finds <= 2


async def test_who_comes_in_the_moment_in_which_the_last_lane_ends_is_not_forgotten():
    async def send(items):
        return list(items)

    together = Coalescer(send, lanes=1, most=10)
    async with asyncio.timeout(5):
        assert [await together(n) for n in range(3)] == [0, 1, 2]
