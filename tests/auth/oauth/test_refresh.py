"""Refresh tokens: each works once, and only while everything is as it was."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from fhir_server.auth.oauth.client_authentication import Presented
from tests.auth.oauth.world import HOSPITAL, LIFETIMES, NETWORK, basic, refusal

OFFLINE = "launch/patient patient/*.rs offline_access"
ONLINE = "launch/patient patient/*.rs online_access"


async def tokens_of(world, scope=OFFLINE, **kwargs):
    return await world.exchange(await world.code(scope=scope, **kwargs))


async def honoured(world, token):
    from fhir_server.auth.tokens import InvalidToken

    try:
        await world.tokens.verify(token)
    except InvalidToken:
        return False
    return True


async def test_a_refresh_token_gives_new_tokens_and_its_successor(world):
    first = await tokens_of(world)
    second = await world.refresh(first["refresh_token"])
    third = await world.refresh(second["refresh_token"])
    assert len({each["refresh_token"] for each in (first, second, third)}) == 3
    requester = (await world.tokens.verify(third["access_token"])).requester
    assert (requester.subject, requester.patient, requester.facility_roles) == ("dr", "Patient/p1", {"providing"})
    assert third["patient"] == "p1"
    assert await honoured(world, first["access_token"]), "a refresh takes nothing away"


async def test_a_refresh_token_that_is_used_again_ends_the_whole_family(world):
    first = await tokens_of(world)
    second = await world.refresh(first["refresh_token"])
    assert (await refusal(world.refresh(first["refresh_token"]))).error == "invalid_grant"
    assert (await refusal(world.refresh(second["refresh_token"]))).error == "invalid_grant"
    assert not await honoured(world, first["access_token"])
    assert not await honoured(world, second["access_token"])


async def test_of_two_that_use_a_refresh_token_at_once_none_keeps_anything(world):
    first = await tokens_of(world)
    results = await asyncio.gather(*(world.refresh(first["refresh_token"]) for _ in range(4)), return_exceptions=True)
    won = [each for each in results if isinstance(each, dict)]
    assert len(won) <= 1
    for each in won:
        assert (await refusal(world.refresh(each["refresh_token"]))).error == "invalid_grant"
        assert not await honoured(world, each["access_token"])


async def test_a_guess_at_a_refresh_token_ends_nothing(world):
    first = await tokens_of(world)
    grant = (await world.tokens.verify(first["access_token"])).requester.grant
    for guess in (f"{grant}.x", f"{grant}", "x.y", first["refresh_token"].partition(".")[0], "."):
        assert (await refusal(world.refresh(guess))).error == "invalid_grant"
    assert await world.refresh(first["refresh_token"])


async def test_a_refresh_token_is_of_one_client(world):
    await world.add_client("other")
    first = await tokens_of(world)
    assert (await refusal(world.refresh(first["refresh_token"], client_id="other"))).error == "invalid_grant"
    assert await world.refresh(first["refresh_token"])


async def test_a_public_client_need_not_name_itself_when_it_refreshes(world):
    first = await tokens_of(world)
    assert await world.token(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert (await refusal(world.token(grant_type="refresh_token", refresh_token="x.y"))).error == "invalid_client"


async def test_a_confidential_client_is_not_believed_by_its_refresh_token(world):
    first = await tokens_of(world)
    await world.change_client("app", method="private_key_jwt")
    assert (await refusal(world.token(grant_type="refresh_token", refresh_token=first["refresh_token"]))).error == "invalid_client"


async def test_a_refresh_token_unused_for_long_is_worth_nothing(world):
    first = await tokens_of(world)
    world.clock.shift(days=1, hours=23)
    second = await world.refresh(first["refresh_token"])
    world.clock.shift(days=2)
    assert (await refusal(world.refresh(second["refresh_token"]))).error == "invalid_grant"


async def test_a_family_ends_at_last_however_much_it_is_used(world):
    tokens = await tokens_of(world)
    for _ in range(4):
        world.clock.shift(days=1)
        tokens = await world.refresh(tokens["refresh_token"])
    world.clock.shift(days=1)
    assert timedelta(days=5) == LIFETIMES.longest
    assert (await refusal(world.refresh(tokens["refresh_token"]))).error == "invalid_grant"


async def test_online_access_ends_with_the_session_and_offline_access_does_not(world):
    session = await world.add_session()
    online, offline = await tokens_of(world, ONLINE, session=session), await tokens_of(world, OFFLINE, session=session)
    online, offline = await world.refresh(online["refresh_token"]), await world.refresh(offline["refresh_token"])
    await world.close_session(session)
    assert (await refusal(world.refresh(online["refresh_token"]))).error == "invalid_grant"
    assert await world.refresh(offline["refresh_token"])


async def test_f060_online_access_ends_with_a_session_that_is_idle(world):
    online = await tokens_of(world, ONLINE)
    world.clock.shift(minutes=5)
    assert (await refusal(world.refresh(online["refresh_token"]))).error == "invalid_grant"


async def test_f060_who_uses_the_app_stays_logged_in_and_who_does_not_is_out_after_five_minutes(world):
    session = await world.add_session(until=world.clock() + timedelta(minutes=10))
    tokens = await tokens_of(world, ONLINE, session=session)
    assert tokens["expires_in"] == 60, "short beside the five minutes: only a refresh notes the use"
    for _ in range(2):
        world.clock.shift(minutes=4, seconds=59)
        tokens = await world.refresh(tokens["refresh_token"])
    world.clock.shift(seconds=2)
    assert (await refusal(world.refresh(tokens["refresh_token"]))).error == "invalid_grant", "ten minutes are the end of it"


async def test_f060_a_token_that_goes_with_a_session_does_not_outlive_it_unused(world):
    world.server = world.made(lifetimes=msgspec.structs.replace(LIFETIMES, access=timedelta(minutes=15)))
    assert (await tokens_of(world, "launch/patient patient/*.rs"))["expires_in"] == 300
    assert (await tokens_of(world, ONLINE))["expires_in"] == 60
    assert (await tokens_of(world, OFFLINE))["expires_in"] == 900


async def test_asking_about_a_refresh_token_is_no_use_of_the_session(world):
    secret = await world.passwords.hash("s")
    await world.add_system("watcher", method="client_secret_basic", jwks=None, secret=secret, introspects=True)
    tokens = await tokens_of(world, ONLINE)
    world.clock.shift(minutes=4)
    told = await world.server.introspect(Presented({"token": tokens["refresh_token"]}, basic("watcher", "s")))
    assert told["active"] is True
    world.clock.shift(minutes=1)
    assert (await refusal(world.refresh(tokens["refresh_token"]))).error == "invalid_grant"


async def test_l05_when_a_session_ends_its_access_tokens_end_at_once(world):
    session = await world.add_session()
    online, offline = await tokens_of(world, ONLINE, session=session), await tokens_of(world, OFFLINE, session=session)
    none = await tokens_of(world, "launch/patient patient/*.rs", session=session)
    await world.server.grants.end_session(session.id)
    assert not await honoured(world, online["access_token"])
    assert not await honoured(world, none["access_token"])
    assert await honoured(world, offline["access_token"])


@pytest.mark.parametrize("field", [{"active": False}, {"fhir_user": "Practitioner/other"}])
async def test_f104_whose_account_is_closed_gets_nothing_more(world, field):
    tokens = await tokens_of(world)
    await world.change_account("dr", **field)
    assert (await refusal(world.refresh(tokens["refresh_token"]))).error == "invalid_grant"
    assert not await honoured(world, tokens["access_token"])


@pytest.mark.parametrize("left", ["role", "person", "facility", "other"])
async def test_f104_who_has_left_the_facility_gets_nothing_more_for_it(world, left):
    tokens = await tokens_of(world)
    organization, person, role = (dict(each) for each in NETWORK[:3])
    changed = {"role": role, "person": person, "facility": organization}.get(left, role)
    if left == "other":
        changed["code"] = [{"coding": [{"system": "urn:tsunagi:role", "code": "clerk"}]}]
    else:
        changed["active"] = False
    await world.write(changed)
    assert (await refusal(world.refresh(tokens["refresh_token"]))).error == "invalid_grant"
    assert not await honoured(world, tokens["access_token"])


async def test_what_the_facility_is_to_the_network_is_read_anew(world):
    tokens = await tokens_of(world)
    organization = dict(NETWORK[0], type=[{"coding": [{"system": "urn:tsunagi:facility-role", "code": "viewing"}]}])
    await world.write(organization)
    again = await world.refresh(tokens["refresh_token"])
    assert (await world.tokens.verify(again["access_token"])).requester.facility_roles == {"viewing"}


async def test_a_client_that_is_switched_off_gets_nothing_more(world):
    tokens = await tokens_of(world)
    await world.change_client("app", active=False)
    assert (await refusal(world.refresh(tokens["refresh_token"]))).error == "invalid_client"


async def test_what_the_registration_has_lost_is_lost(world):
    tokens = await tokens_of(world)
    await world.change_client("app", scope="launch/patient offline_access patient/Observation.rs")
    again = await world.refresh(tokens["refresh_token"])
    assert set(again["scope"].split()) == {"launch/patient", "offline_access", "patient/Observation.rs"}
    await world.change_client("app", scope="openid")
    assert (await refusal(world.refresh(again["refresh_token"]))).error == "invalid_scope"


async def test_a_refresh_may_ask_for_less_and_never_for_more(world):
    tokens = await tokens_of(world)
    less = await world.refresh(tokens["refresh_token"], scope="patient/Observation.r")
    assert less["scope"] == "patient/Observation.r"
    more = await world.refresh(less["refresh_token"], scope="patient/*.cruds openid")
    assert more["scope"] == "patient/*.rs"
    assert (await refusal(world.refresh(more["refresh_token"], scope="patient/*.sr"))).error == "invalid_scope"
    assert (await refusal(world.refresh(more["refresh_token"], scope="openid"))).error == "invalid_scope"
    assert await world.refresh(more["refresh_token"]), "a mistake with scopes uses nothing up"


@pytest.mark.parametrize(("kind", "value"), [("user", "dr"), ("client", "app"), ("facility", HOSPITAL), ("network", "*")])
async def test_f101_a_cut_ends_refresh_tokens_too(world, kind, value):
    tokens = await tokens_of(world)
    await world.cuts.cut(kind, value)
    assert (await refusal(world.refresh(tokens["refresh_token"]))).error == "invalid_grant"
    again = await tokens_of(world)
    assert await world.refresh(again["refresh_token"]), "who logs in again is in"


async def test_all_grants_of_a_person_a_client_or_a_facility_can_be_forgotten(world):
    for named in ({"account": "dr"}, {"client": "app"}, {"organization": HOSPITAL}, {}):
        tokens = await tokens_of(world)
        assert [each.authorization.client for each in await world.server.grants.of_account("dr")] == ["app"]
        assert await world.server.grants.end_all(account="nobody") == 0
        assert await world.server.grants.end_all(**named) == 1
        assert (await refusal(world.refresh(tokens["refresh_token"]))).error == "invalid_grant"


async def test_a_refresh_token_of_a_bound_public_client_is_bound_to_its_certificate(world):
    await world.change_client("app", bound=True)
    code = await world.code(scope=OFFLINE)
    fields = {"grant_type": "authorization_code", "client_id": "app", "code": code}
    from tests.auth.oauth.world import CALLBACK, VERIFIER

    sent = {**fields, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    assert (await refusal(world.server.token(Presented(sent)))).error == "invalid_client"
    tokens = await world.server.token(Presented(sent, certificate="thumb"))
    assert (await world.tokens.verify(tokens["access_token"])).requester.certificate == "thumb"
    again = {"grant_type": "refresh_token", "client_id": "app", "refresh_token": tokens["refresh_token"]}
    assert (await refusal(world.server.token(Presented(again, certificate="other")))).error == "invalid_grant"
    assert await world.server.token(Presented(again, certificate="thumb"))
