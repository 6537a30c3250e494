"""The moments in which two things happen to a grant at once, one step at a time."""

from fhir_server.auth.cuts import Cuts
from fhir_server.auth.oauth.credentials import fresh
from fhir_server.auth.oauth.grants import Grants
from fhir_server.auth.oauth.people import Authorization
from tests.auth.oauth.world import HOSPITAL, LIFETIMES, PHYSICIAN, refusal


def authorization(world):
    return Authorization(
        client="app",
        account="dr",
        fhir_user=PHYSICIAN,
        session="s",
        role="physician",
        scope="offline_access",
        organization=HOSPITAL,
        authenticated=world.clock(),
    )


async def test_of_two_that_found_the_same_refresh_token_one_may_turn_it(world):
    grants = world.server.grants
    _, token = await grants.begin(fresh(), authorization(world), None)
    (one, is_last), (other, is_last_too) = await grants.find(token), await grants.find(token)
    assert is_last
    assert is_last_too
    following = await grants.turn(one, token)
    assert following is not None
    assert await grants.turn(other, token) is None
    assert (await grants.find(following))[1]


async def test_f101_a_grant_that_begins_while_its_person_is_cut_does_not_begin(world):
    class Meanwhile(Cuts):
        """Cuts as they are when another process cuts somebody right after the number was asked for."""

        asked = 0

        async def number(self):
            number = await super().number()
            self.asked += 1
            if self.asked == 1:
                await world.cuts.cut("user", "dr")
            return number

    grants = Grants(world.shelf, Meanwhile(world.shelf, world.clock), LIFETIMES)
    family = fresh()
    assert (await refusal(grants.begin(family, authorization(world), None))).error == "invalid_grant"
    assert await grants.of_account("dr") == []


async def test_a_cut_of_somebody_else_hinders_nobody(world):
    await world.cuts.cut("user", "other")
    grant, token = await world.server.grants.begin(fresh(), authorization(world), None)
    await world.cuts.cut("user", "another")
    assert not world.server.grants.was_cut(grant)
    assert await world.server.grants.find(token) is not None
