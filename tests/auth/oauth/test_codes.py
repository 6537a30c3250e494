"""From the authorization request to the first tokens."""

from joserfc import jwt

from fhir_server.auth.roles import Role
from tests.auth.oauth.world import CODE, HOSPITAL, PHYSICIAN, refusal


async def test_an_app_gets_tokens_for_the_person_the_facility_and_the_patient(world):
    tokens = await world.exchange(await world.code())
    assert tokens["token_type"] == "Bearer"
    assert tokens["patient"] == "p1"
    assert tokens["need_patient_banner"] is True
    assert set(tokens["scope"].split()) == {"launch/patient", "openid", "fhirUser", "patient/*.rs"}
    requester = (await world.tokens.verify(tokens["access_token"])).requester
    assert (requester.subject, requester.fhir_user, requester.client) == ("dr", PHYSICIAN, "app")
    assert (requester.role, requester.organization, requester.facility) == (Role.PHYSICIAN, HOSPITAL, CODE)
    assert requester.facility_roles == {"providing"}
    assert requester.patient == "Patient/p1"


async def test_the_id_token_tells_who_it_is_by_an_absolute_address(world):
    tokens = await world.exchange(await world.code(nonce="n1"))
    key = await world.keys.signing()
    claims = jwt.decode(tokens["id_token"], key, algorithms=["ES256"]).claims
    assert claims["fhirUser"] == f"http://testserver/fhir/{PHYSICIAN}"
    assert (claims["aud"], claims["sub"], claims["nonce"], claims["amr"]) == ("app", "dr", "n1", ["pwd"])
    assert claims["auth_time"] == int(world.clock().timestamp())
    assert claims["iss"] == "http://testserver"


async def test_who_does_not_ask_for_openid_gets_no_id_token_and_without_offline_access_no_refresh_token(world):
    tokens = await world.exchange(await world.code(scope="launch/patient patient/*.rs"))
    assert "id_token" not in tokens
    assert "refresh_token" not in tokens


async def test_a_code_lives_for_sixty_seconds(world):
    code = await world.code()
    world.clock.shift(seconds=60)
    assert (await refusal(world.exchange(code))).error == "invalid_grant"


async def test_a_code_that_is_brought_twice_ends_what_came_of_it(world):
    code = await world.code(scope="launch/patient patient/*.rs offline_access")
    tokens = await world.exchange(code)
    assert (await refusal(world.exchange(code))).error == "invalid_grant"
    assert (await refusal(world.refresh(tokens["refresh_token"]))).error == "invalid_grant"
    assert world.cuts.version > 0
    verdict = await world.server.introspect(await _introspecting(world, tokens["access_token"]))
    assert verdict == {"active": False}


async def test_of_two_that_bring_a_code_at_once_none_keeps_anything(world):
    import asyncio

    code = await world.code(scope="launch/patient patient/*.rs offline_access")
    results = await asyncio.gather(*(world.exchange(code) for _ in range(2)), return_exceptions=True)
    for got in results:
        if isinstance(got, dict):
            assert (await refusal(world.refresh(got["refresh_token"]))).error == "invalid_grant"
            assert await world.server.introspect(await _introspecting(world, got["access_token"])) == {"active": False}


async def _introspecting(world, token):
    from fhir_server.auth.oauth.client_authentication import Presented
    from tests.auth.oauth.world import basic

    await world.add_system("watcher", method="client_secret_basic", secret=await world.passwords.hash("s"), introspects=True)
    return Presented({"token": token}, basic("watcher", "s"))


async def test_a_code_is_bound_to_its_client(world):
    await world.add_client("other")
    code = await world.code()
    assert (await refusal(world.exchange(code, client_id="other"))).error == "invalid_grant"
    assert (await refusal(world.exchange(code))).error == "invalid_grant", "it has been in wrong hands"


async def test_a_code_is_bound_to_its_redirect_uri(world):
    await world.change_client("app", redirect_uris=("https://app.example.org/callback", "https://app.example.org/other"))
    error = await refusal(world.exchange(await world.code(), redirect_uri="https://app.example.org/other"))
    assert error.error == "invalid_grant"
    assert "redirect_uri" in error.description


async def test_a_code_is_bound_to_its_code_verifier(world):
    assert (await refusal(world.exchange(await world.code(), code_verifier="w" * 43))).error == "invalid_grant"
    assert (await refusal(world.exchange(await world.code(), code_verifier=""))).error == "invalid_request"
    assert (await refusal(world.exchange(await world.code(), code_verifier="ä" * 43))).error == "invalid_request"


async def test_who_logged_out_between_gets_nothing(world):
    session = await world.add_session()
    code = await world.code(session=session)
    await world.close_session(session)
    assert (await refusal(world.exchange(code))).error == "invalid_grant"


async def test_f104_who_left_the_facility_between_gets_nothing(world):
    code = await world.code()
    await world.change_account("dr", active=False)
    error = await refusal(world.exchange(code))
    assert error.error == "invalid_grant"
    assert "dr" not in error.description.split()


async def test_a_code_that_never_was_is_refused_as_any_other(world):
    assert (await refusal(world.exchange("never"))).error == "invalid_grant"
    assert (await refusal(world.exchange("\0" + "あ" * 100))).error == "invalid_grant"


async def test_a_grant_type_is_told_when_it_is_missing_or_unknown(world):
    assert (await refusal(world.token(client_id="app"))).error == "invalid_request"
    assert (await refusal(world.token(client_id="app", grant_type="password"))).error == "unsupported_grant_type"


async def test_a_database_dump_shows_no_code_and_no_refresh_token(world, worker_database, database_name):
    code = await world.code(scope="launch/patient patient/*.rs offline_access")
    tokens = await world.exchange(code)
    client, _ = worker_database
    stored = repr([list(client[database_name][name].find()) for name in client[database_name].list_collection_names()])
    for secret in (code, *tokens["refresh_token"].split("."), tokens["access_token"]):
        assert secret not in stored
