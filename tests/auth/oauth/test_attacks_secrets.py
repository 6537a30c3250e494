"""Guessing secrets of clients, to find one or only to keep the server busy (ASVS 2.2.1, 11.1.4)."""

import pytest

from fhir_server.auth.oauth.client_authentication import Presented
from fhir_server.auth.oauth.shared_secrets import A_MINUTE
from fhir_server.auth.throttle import WINDOWS, Throttle, TooMany
from tests.auth.oauth.world import basic, refusal

ITSELF = {"grant_type": "client_credentials", "scope": "system/*.rs"}


@pytest.fixture
async def counted(world):
    """How often a secret was checked against a hash, on a server that counts who asks."""
    await world.shelf.ensure((WINDOWS,))
    checked = []

    async def verify(secret, stored):
        checked.append(secret)
        return await world.passwords.verify(secret, stored)

    world.server = world.made(verify_secret=verify, throttle=Throttle(world.shelf.records(WINDOWS), world.clock, b"s"))
    await world.add_system("shared", method="client_secret_basic", jwks=None, secret=await world.passwords.hash("right"))
    return checked


def sent(client, secret, source="192.0.2.1", **fields):
    return Presented({**ITSELF, **fields}, basic(client, secret), None, source)


async def test_asvs_11_one_address_cannot_keep_the_threads_busy_that_passwords_wait_for(world, counted):
    refused = 0
    for number in range(A_MINUTE * 2):
        client = ("shared", "nobody", "app")[number % 3]
        endpoint = (world.server.token, world.server.introspect, world.server.revoke, world.server.launch)[number % 4]
        try:
            await refusal(endpoint(sent(client, f"wrong-{number}", token="x")))
        except TooMany as failure:
            refused += 1
            assert failure.status == 429
    assert (len(counted), refused) == (A_MINUTE, A_MINUTE)
    assert (await refusal(world.server.token(sent("shared", "wrong", "198.51.100.7")))).error == "invalid_client"
    world.clock.shift(minutes=1)
    assert await world.server.token(sent("shared", "right"))


async def test_a_client_that_was_right_is_not_kept_out_by_somebody_who_guesses_from_its_address(world, counted):
    await world.server.token(sent("shared", "right"))
    for number in range(A_MINUTE - 1):
        await refusal(world.server.token(sent("shared", f"wrong-{number}")))
    with pytest.raises(TooMany):
        await world.server.token(sent("shared", "wrong"))
    for _ in range(3):
        assert await world.server.token(sent("shared", "right"))
    assert len(counted) == A_MINUTE


async def test_a_secret_that_was_right_is_worth_nothing_once_it_is_renewed_or_the_client_disabled(world, counted):
    await world.server.token(sent("shared", "right"))
    await world.change_client("shared", secret=await world.passwords.hash("another"))
    assert (await refusal(world.server.token(sent("shared", "right")))).error == "invalid_client"
    assert await world.server.token(sent("shared", "another"))
    await world.change_client("shared", active=False)
    assert (await refusal(world.server.token(sent("shared", "another")))).error == "invalid_client"
