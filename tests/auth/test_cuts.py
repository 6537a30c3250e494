"""What is cut is dead in every process at once; who comes again right after it is in."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from fhir_server.auth import cuts
from fhir_server.auth.cuts import Cuts, key
from fhir_server.store.records import now

USER = (key("user", "a1"),)


@pytest.fixture
async def two(shelf, clock):
    """Two processes of one server."""
    processes = [Cuts(shelf, now), Cuts(shelf, now)]
    for each in processes:
        await each.start()
    return processes


async def test_a_cut_is_known_at_once_here_and_after_one_question_elsewhere(two):
    here, there = two
    number = await here.number()
    await here.cut("user", "a1")
    assert here.ended(USER, number, now())
    assert not there.ended(USER, number, now())
    await there.refresh()
    assert there.ended(USER, number, now())
    assert not there.ended((key("user", "a2"),), number, now())


async def test_what_is_issued_after_a_cut_lives_although_the_clock_stands_still(two):
    here, there = two
    await here.cut("user", "a1")
    number = await there.number()
    await there.refresh()
    assert not here.ended(USER, number, now())
    assert not there.ended(USER, number, now())


async def test_tokens_of_others_carry_no_number_and_are_cut_by_their_time(two):
    here, _ = two
    await here.cut("user", "a1")
    assert here.ended(USER, None, now() - timedelta(seconds=1))
    assert here.ended(USER, None, now())  # whole seconds: in doubt it is over
    assert not here.ended(USER, None, now() + timedelta(seconds=1))


async def test_the_whole_network_can_be_cut(two):
    here, there = two
    number = await here.number()
    await here.cut("network")
    await there.refresh()
    assert there.ended((key("network", cuts.NETWORK),), number, now())


async def test_cuts_of_many_at_once_are_all_learnt(two):
    here, there = two
    number = await here.number()
    await asyncio.gather(*((here, there)[n % 2].cut("user", str(n)) for n in range(40)))
    await asyncio.gather(here.refresh(), there.refresh())
    for each in two:
        assert all(each.ended((key("user", str(n)),), number, now()) for n in range(40))
    assert await here.number() == number + 40


async def test_what_was_remembered_is_forgotten_when_there_is_news_and_only_then(two):
    here, there = two
    versions = here.version, there.version
    await there.refresh()
    assert there.version == versions[1]
    await here.cut("grant", "g")
    await there.refresh()
    assert (here.version, there.version) == (versions[0] + 1, versions[1] + 1)


async def test_a_process_that_cannot_ask_any_more_says_so(shelf):
    passing = 0.0
    process = Cuts(shelf, now, pulse=lambda: passing)
    assert process.stale
    await process.start()
    assert not process.stale
    passing = 11.0
    assert process.stale
    await process.refresh()
    assert not process.stale


async def test_a_cut_is_kept_as_long_as_any_token_lives(two, shelf, clock):
    here, _ = two
    number = await here.number()
    await here.cut("user", "a1")
    clock.shift(timedelta(hours=23))
    later = Cuts(shelf, now)
    await later.start()
    assert later.ended(USER, number, datetime(2026, 1, 1, tzinfo=UTC))


async def test_a_command_that_cuts_before_any_server_started_ends_what_is_issued_before_it(shelf, clock):
    command, server = Cuts(shelf, now), Cuts(shelf, now)
    number = await server.number()
    await command.cut("user", "a1")
    await server.start()
    assert server.ended(USER, number, now())
    assert not server.ended(USER, await server.number(), now())
