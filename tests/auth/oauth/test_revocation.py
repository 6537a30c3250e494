"""Asking about tokens, and giving them back."""

import pytest

from fhir_server.auth.oauth.client_authentication import Presented
from fhir_server.auth.roles import Role
from tests.auth.oauth.world import PHYSICIAN, basic, refusal

OFFLINE = "openid launch/patient patient/*.rs offline_access"
INACTIVE = {"active": False}


@pytest.fixture
async def ask(world):
    """Ask as a client, by default one that may ask about everybody's tokens."""
    secret = await world.passwords.hash("s")
    await world.add_system("watcher", method="client_secret_basic", jwks=None, secret=secret, introspects=True)
    await world.add_system("other", method="client_secret_basic", jwks=None, secret=secret)

    async def introspect(token, client="watcher"):
        return await world.server.introspect(Presented({"token": token}, basic(client, "s")))

    return introspect


async def revoke(world, token, **client):
    await world.server.revoke(Presented({"token": token, **(client or {"client_id": "app"})}))


async def test_an_access_token_says_what_it_is(world, ask):
    tokens = await world.exchange(await world.code(scope=OFFLINE))
    told = await ask(tokens["access_token"])
    assert told["active"] is True
    assert (told["client_id"], told["sub"], told["patient"], told["token_type"]) == ("app", "dr", "p1", "Bearer")
    assert told["fhirUser"] == f"http://testserver/fhir/{PHYSICIAN}"
    assert (told["role"], told["iss"], told["aud"]) == (Role.PHYSICIAN, "http://testserver", "http://testserver/fhir")
    assert told["exp"] - told["iat"] == 300
    assert set(told["scope"].split()) == set(tokens["scope"].split())


async def test_a_refresh_token_says_whose_it_is_and_is_not_used_up(world, ask):
    tokens = await world.exchange(await world.code(scope=OFFLINE))
    assert (await ask(tokens["refresh_token"]))["client_id"] == "app"
    assert await world.refresh(tokens["refresh_token"])
    assert await ask(tokens["refresh_token"]) == INACTIVE, "it has been used"


async def test_whatever_is_wrong_looks_the_same(world, ask):
    tokens = await world.exchange(await world.code(scope=OFFLINE))
    for token in ("x", "a.b", "a.b.c", "é", "\0", tokens["id_token"], tokens["access_token"][:-4] + "AAAA", "x" * 30000):
        assert await ask(token) == INACTIVE
    assert await ask(tokens["access_token"], "other") == INACTIVE, "another client's token"
    assert await ask(tokens["refresh_token"], "other") == INACTIVE
    await world.change_account("dr", active=False)
    assert await ask(tokens["refresh_token"]) == INACTIVE
    world.clock.shift(minutes=5)
    assert await ask(tokens["access_token"]) == INACTIVE


async def test_a_client_may_ask_about_its_own(world, ask):
    tokens = await world.token(basic("other", "s"), grant_type="client_credentials", scope="system/*.rs")
    assert (await ask(tokens["access_token"], "other"))["sub"] == "other"


async def test_introspection_needs_client_authentication(world):
    assert (await refusal(world.server.introspect(Presented({"token": "x", "client_id": "app"})))).error == "invalid_client"
    assert (await refusal(world.server.introspect(Presented({"token": "x"})))).error == "invalid_client"


async def test_a_token_must_be_told(world, ask):
    assert (await refusal(world.server.introspect(Presented({}, basic("watcher", "s"))))).error == "invalid_request"
    assert (await refusal(world.server.revoke(Presented({"client_id": "app"})))).error == "invalid_request"


async def test_a_revoked_access_token_is_worth_nothing_at_once(world, ask):
    tokens = await world.exchange(await world.code(scope=OFFLINE))
    await revoke(world, tokens["access_token"])
    assert await ask(tokens["access_token"]) == INACTIVE
    assert await world.refresh(tokens["refresh_token"]), "the refresh token is another one"


async def test_a_revoked_refresh_token_takes_everything_with_it(world, ask):
    tokens = await world.exchange(await world.code(scope=OFFLINE))
    await revoke(world, tokens["refresh_token"])
    assert (await refusal(world.refresh(tokens["refresh_token"]))).error == "invalid_grant"
    assert await ask(tokens["access_token"]) == INACTIVE


async def test_nobody_revokes_the_tokens_of_another_client(world, ask):
    await world.add_client("thief")
    tokens = await world.exchange(await world.code(scope=OFFLINE))
    for token in (tokens["access_token"], tokens["refresh_token"]):
        await revoke(world, token, client_id="thief")
    assert (await ask(tokens["access_token"]))["active"] is True
    assert await world.refresh(tokens["refresh_token"])


async def test_revoking_what_is_no_token_is_no_mistake(world):
    for token in ("x", "a.b.c", "a.b", "é" * 100):
        await revoke(world, token)
