"""Somebody is cut at the very moment a token is made for him (RFC 9700, 4.14; RFC 7009, 2): the token is worth nothing."""

import msgspec
import pytest

from fhir_server.auth.tokens import InvalidToken
from tests.auth.oauth.world import basic, refusal


class During:
    """The directory, to which something happens right after it was asked."""

    def __init__(self, directory, happens):
        self.directory = directory
        self.happens = happens

    async def assignments(self, fhir_user):
        found = await self.directory.assignments(fhir_user)
        await self.happens()
        return found

    async def facility(self, organization):
        found = await self.directory.facility(organization)
        await self.happens()
        return found


async def test_rfc7009_a_client_disabled_while_its_secret_is_checked_has_no_token_that_lives(world):
    """To check a secret takes a tenth of a second, and longer in a queue: time enough to be disabled in."""
    await world.add_system(method="client_secret_basic", jwks=None, secret=await world.passwords.hash("a secret"))

    async def verified(secret, stored):
        right = await world.passwords.verify(secret, stored)
        await world.change_client("ehr-b", active=False)
        await world.cuts.cut("client", "ehr-b")
        return right

    server = world.made(verify_secret=verified)
    world.server = server
    tokens = await world.token(basic("ehr-b", "a secret"), grant_type="client_credentials", scope="system/*.rs")
    with pytest.raises(InvalidToken):
        await world.tokens.verify(tokens["access_token"])


async def test_d11_a_facility_that_leaves_while_its_system_gets_a_token_has_none_that_lives(world):
    await world.add_system()
    world.server = world.made(directory=During(world.directory, lambda: world.cuts.cut("facility", "Organization/hospital-b")))
    tokens = await world.for_itself(world.assertion())
    with pytest.raises(InvalidToken):
        await world.tokens.verify(tokens["access_token"])


async def test_f104_a_person_disabled_while_a_code_is_exchanged_has_no_token_that_lives(world):
    code = await world.code(scope="launch/patient patient/*.rs offline_access")

    async def disabled():
        await world.change_account("dr", active=False)
        await world.server.grants.end_all(account="dr")
        await world.cuts.cut("user", "dr")

    world.server = world.made(directory=During(world.directory, disabled))
    tokens = await world.exchange(code)
    with pytest.raises(InvalidToken):
        await world.tokens.verify(tokens["access_token"])
    assert (await refusal(world.refresh(tokens["refresh_token"]))).error == "invalid_grant"


async def test_f104_a_person_disabled_while_a_token_is_refreshed_has_none_that_lives(world):
    tokens = await world.exchange(await world.code(scope="launch/patient patient/*.rs offline_access"))

    async def cut():
        await world.accounts.change("dr", lambda found: msgspec.structs.replace(found, active=False))
        await world.cuts.cut("user", "dr")  # the grants are ended a moment later

    world.server = world.made(directory=During(world.directory, cut))
    tokens = await world.refresh(tokens["refresh_token"])
    with pytest.raises(InvalidToken):
        await world.tokens.verify(tokens["access_token"])
