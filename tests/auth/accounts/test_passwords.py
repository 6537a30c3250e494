"""Passwords are stored so that nobody can tell them, and verified without stopping the server."""

import asyncio
import time

import pytest

from fhir_server.auth.accounts.passwords import Cost, Passwords
from fhir_server.auth.throttle import TooMany

CHEAP = Cost(memory=64, rounds=1)


async def test_f056_what_is_stored_is_argon2id_in_phc_form_and_differs_each_time(passwords):
    one, other = await passwords.hash("x7kq2mpa"), await passwords.hash("x7kq2mpa")
    assert one.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert one != other
    assert "x7kq2mpa" not in one
    assert await passwords.verify("x7kq2mpa", one)
    assert not await passwords.verify("x7kq2mpb", one)


def test_the_default_cost_is_the_memory_and_the_rounds_of_the_second_recommended_option_of_rfc_9106():
    assert Cost() == Cost(memory=64 * 1024, rounds=3)
    with pytest.raises(ValueError, match="one lane"):
        Cost(lanes=4)


async def test_many_passwords_are_verified_at_once_without_waiting_for_each_other_for_ever():
    passwords = Passwords(Cost(memory=4096, rounds=2), at_once=4)
    stored = await passwords.hash("x7kq2mpa")
    async with asyncio.timeout(20):
        assert all(await asyncio.gather(*(passwords.verify("x7kq2mpa", stored) for _ in range(40))))


async def test_a_hash_of_several_lanes_which_could_stop_the_server_is_not_even_looked_at(passwords):
    stored = await passwords.hash("x7kq2mpa")
    assert not await passwords.verify("x7kq2mpa", stored.replace("p=1", "p=4"))


async def test_a_password_typed_in_full_width_letters_is_the_same(passwords):
    assert await passwords.verify("ｘ７ｋｑ２ｍｐａ", await passwords.hash("x7kq2mpa"))


async def test_half_a_character_is_a_wrong_password_and_no_failure(passwords):
    assert not await passwords.verify("\ud800abc", await passwords.hash("x7kq2mpa"))


async def test_nothing_matches_what_is_no_hash(passwords):
    assert not await passwords.verify("x", "nonsense")
    assert not await passwords.verify("", None)


async def test_a_password_hashed_cheaper_than_today_is_outdated():
    stored = await Passwords(CHEAP).hash("x7kq2mpa")
    assert not Passwords(CHEAP).is_outdated(stored)
    assert Passwords(Cost(memory=128, rounds=1)).is_outdated(stored)
    assert Passwords(CHEAP).is_outdated("$2b$12$something of another software")


async def test_l04_verifying_against_nobody_costs_as_much_as_against_somebody():
    passwords = Passwords(Cost(memory=16384, rounds=2), at_once=1)
    stored = await passwords.hash("x7kq2mpa")

    async def seconds(against: str | None) -> float:
        taken = []
        for _ in range(5):
            begun = time.thread_time(), time.perf_counter()
            await passwords.verify("wrong", against)
            taken.append(time.perf_counter() - begun[1])
        return min(taken)

    somebody, nobody = await seconds(stored), await seconds(None)
    assert 0.5 < nobody / somebody < 2


async def test_the_server_goes_on_while_passwords_are_hashed():
    passwords = Passwords(Cost(memory=32768, rounds=3))
    hashing = asyncio.create_task(passwords.hash("x7kq2mpa"))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 5


async def test_a_flood_of_logins_is_told_to_come_back():
    passwords = Passwords(Cost(memory=8192, rounds=1), at_once=1, waiting=3)
    results = await asyncio.gather(*(passwords.verify("x", None) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(each, TooMany) for each in results) == 5
    with pytest.raises(TooMany) as told:
        raise next(each for each in results if isinstance(each, TooMany))
    assert told.value.status == 429
    assert ("Retry-After", "5") in told.value.headers
    assert await passwords.verify("x", await passwords.hash("x"))  # and the line is empty again
