"""What an app may ask for at the authorization endpoint, and where the answer goes."""

import pytest

from fhir_server.auth.oauth.parameters import Parameters
from fhir_server.auth.oauth.parameters import read as read_form
from tests.auth.oauth.world import APP_SCOPE, CALLBACK, answered, asked, refusal


async def returned(world, **changed):
    """Give what the app is told when its request is refused."""
    error = await refusal(world.begin(**changed))
    assert error.redirect_uri == CALLBACK
    address = world.server.requests.returned(error)
    assert address.startswith(f"{CALLBACK}?")
    return answered(address)


async def test_a_good_request_waits_for_the_person(world):
    request = await world.begin(login_hint="dr", nonce="n", max_age="60", prompt="login consent")
    found = await world.server.requests.get(request.id)
    assert (found.client, found.client_name, found.redirect_uri, found.state) == ("app", "An app", CALLBACK, "s1")
    assert (found.login_hint, found.nonce, found.max_age, found.prompt) == ("dr", "n", 60, ("login", "consent"))
    assert found.needs_patient


async def test_a_request_waits_for_ten_minutes(world):
    request = await world.begin()
    world.clock.shift(minutes=10)
    assert await world.server.requests.get(request.id) is None
    error = await refusal(world.server.requests.finish(request.id, await world.add_session(), "Patient/p1", request.scope))
    assert error.error == "invalid_request"
    assert not error.redirect_uri


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.org/",
        "https://app.example.org/callback/",
        "https://app.example.org/callback/more",
        "https://app.example.org/callback?more=1",
        "https://app.example.org/callback#f",
        "https://app.example.org/Callback",
        "https://APP.example.org/callback",
        "http://app.example.org/callback",
        "https://app.example.org:443/callback",
        "https://app.example.org.evil.example/callback",
        "https://app.example.org@evil.example/callback",
        "https://app.example.org/callback\r\nX: y",
        "javascript:alert(1)",
        "//app.example.org/callback",
        "*",
        None,
    ],
)
async def test_s35_a_redirect_uri_is_exactly_one_of_those_registered_and_no_other_is_ever_called(world, uri):
    error = await refusal(world.begin(redirect_uri=uri))
    assert error.error == "invalid_request"
    assert not error.redirect_uri


async def test_an_unknown_client_a_switched_off_one_and_a_foreign_redirect_uri_get_the_same_answer(world):
    await world.add_client("off", active=False)
    texts = {
        (await refusal(world.begin(**changed))).description
        for changed in ({"client_id": "nobody"}, {"client_id": None}, {"client_id": "off"}, {"redirect_uri": "https://x.example/"})
    }
    assert len(texts) == 1


async def test_a_client_id_of_any_letters_is_unknown(world):
    for client_id in ("あ", "a" * 5000, "\0", '{"$ne": null}'):
        assert not (await refusal(world.begin(client_id=client_id))).redirect_uri


async def test_every_answer_names_its_issuer_and_gives_the_state_back(world):
    told = await returned(world, response_type="token", state="a b&c")
    assert told["iss"] == "http://testserver"
    assert told["state"] == "a b&c"
    request = await world.begin(state="a b&c")
    done = answered(await world.server.requests.finish(request.id, await world.add_session(), "Patient/p1", request.scope))
    assert (done["iss"], done["state"]) == ("http://testserver", "a b&c")
    denied = answered(await world.server.requests.deny((await world.begin()).id))
    assert (denied["error"], denied["iss"], denied["state"]) == ("access_denied", "http://testserver", "s1")


async def test_a_redirect_uri_with_a_query_keeps_it(world):
    uri = "https://app.example.org/callback?tenant=1"
    await world.change_client("app", redirect_uris=(uri,))
    request = await world.begin(redirect_uri=uri)
    address = await world.server.requests.deny(request.id)
    assert address.startswith(f"{uri}&error=access_denied")


@pytest.mark.parametrize(
    ("changed", "error", "word"),
    [
        ({"response_type": "token"}, "unsupported_response_type", "code"),
        ({"response_type": 'code"\\é'}, "unsupported_response_type", "code"),
        ({"response_type": None}, "unsupported_response_type", "code"),
        ({"state": None}, "invalid_request", "state"),
        ({"aud": None}, "invalid_request", "aud"),
        ({"aud": "https://other.example/fhir"}, "invalid_request", "aud"),
        ({"scope": None}, "invalid_scope", "scope"),
        ({"scope": "patient/*.rs user/*.rs"}, "invalid_scope", "mixed"),
        ({"scope": "patient/*.sr"}, "invalid_scope", "patient/*.sr"),
        ({"scope": "patient/Patien.rs"}, "invalid_scope", "patient/Patien.rs"),
        ({"scope": "Patient/*.rs"}, "invalid_scope", "Patient/*.rs"),
        ({"scope": "system/*.rs"}, "invalid_scope", "system/"),
        ({"scope": "patient/*.cud"}, "invalid_scope", "registration"),
        ({"scope": "é"}, "invalid_scope", ""),
        ({"prompt": "none login"}, "invalid_request", "prompt"),
        ({"prompt": "maybe"}, "invalid_request", "prompt"),
        ({"prompt": "none"}, "interaction_required", "prompt"),
        ({"max_age": "-1"}, "invalid_request", "max_age"),
        ({"max_age": "٣"}, "invalid_request", "max_age"),
        ({"request": "ey"}, "invalid_request", "request"),
        ({"request_uri": "https://x.example"}, "invalid_request", "request_uri"),
        ({"response_mode": "fragment"}, "invalid_request", "response_mode"),
        ({"state": "s" * 3000}, "invalid_request", "state"),
    ],
)
async def test_the_app_is_told_which_parameter_was_wrong(world, changed, error, word):
    told = await returned(world, **changed)
    assert told["error"] == error
    assert word in told["error_description"]


@pytest.mark.parametrize(
    "changed",
    [
        {"code_challenge": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "s256"},
        {"code_challenge": "short"},
        {"code_challenge": "é" * 43},
    ],
)
async def test_s35_pkce_is_s256_for_every_client(world, changed):
    told = await returned(world, **changed)
    assert told["error"] == "invalid_request"
    assert "code_challenge" in told["error_description"]
    await world.change_client("app", method="private_key_jwt")
    assert (await returned(world, **changed))["error"] == "invalid_request"


async def test_a_repeated_parameter_is_refused(world):
    error = await refusal(world.server.requests.begin(Parameters(asked(), frozenset({"scope"}))))
    assert error.redirect_uri == CALLBACK
    error = await refusal(world.server.requests.begin(Parameters(asked(), frozenset({"redirect_uri"}))))
    assert not error.redirect_uri
    assert read_form(b"a=1&a=2&b=").repeated == {"a"}


async def test_an_app_that_is_no_app_is_told_so(world):
    await world.change_client("app", grant_types=("client_credentials",))
    assert (await returned(world))["error"] == "unauthorized_client"


async def test_scopes_are_cut_to_what_is_registered(world):
    await world.change_client("app", scope="openid launch/patient patient/Observation.rs")
    request = await world.begin(scope="openid fhirUser launch/patient patient/*.rs")
    assert set(request.scope.split()) == {"openid", "launch/patient", "patient/Observation.rs"}


async def test_the_scope_launch_without_a_launch_means_nothing(world):
    request = await world.begin(scope=f"launch {APP_SCOPE.replace('launch ', '', 1).replace(' user/*.rs', '')}")
    assert "launch" not in request.scope.split()


async def test_a_person_may_give_less_than_was_asked(world):
    request = await world.begin(scope="launch/patient openid patient/*.rs")
    address = await world.server.requests.finish(
        request.id, await world.add_session(), "Patient/p1", "launch/patient patient/Observation.r"
    )
    tokens = await world.exchange(answered(address)["code"])
    assert set(tokens["scope"].split()) == {"launch/patient", "patient/Observation.r"}
    assert "id_token" not in tokens


async def test_nobody_can_give_more_than_was_asked(world):
    request = await world.begin(scope="launch/patient patient/Observation.r")
    address = await world.server.requests.finish(
        request.id, await world.add_session(), "Patient/p1", "launch/patient openid offline_access patient/*.cruds"
    )
    tokens = await world.exchange(answered(address)["code"])
    assert set(tokens["scope"].split()) == {"launch/patient", "patient/Observation.r"}


async def test_a_request_is_answered_once(world):
    request = await world.begin()
    session = await world.add_session()
    await world.server.requests.finish(request.id, session, "Patient/p1", request.scope)
    assert (await refusal(world.server.requests.finish(request.id, session, "Patient/p1", request.scope))).error == "invalid_request"
    assert (await refusal(world.server.requests.deny(request.id))).error == "invalid_request"


@pytest.mark.parametrize(
    ("session", "error"),
    [
        ({"whole": False}, "access_denied"),
        ({"role": None}, "access_denied"),
        ({"role": "patient"}, "access_denied"),
        ({"role": "uploader"}, "access_denied"),
    ],
)
async def test_a_session_that_is_not_whole_or_has_no_role_gives_nothing(world, session, error):
    request = await world.begin()
    answer = await refusal(world.server.requests.finish(request.id, await world.add_session(**session), "Patient/p1", request.scope))
    assert answer.error == error
    assert await world.server.requests.get(request.id) is not None, "she can still do what is missing"


@pytest.mark.parametrize("patient", [None, "p1", "Practitioner/dr", "Patient/", "Patient/p1/x"])
async def test_scopes_about_a_patient_need_one(world, patient):
    request = await world.begin()
    answer = await refusal(world.server.requests.finish(request.id, await world.add_session(), patient, request.scope))
    assert answer.error == "invalid_request"


async def test_without_scopes_about_a_patient_there_is_none(world):
    request = await world.begin(scope="openid user/*.rs")
    assert not request.needs_patient
    tokens = await world.exchange(
        answered(await world.server.requests.finish(request.id, await world.add_session(), None, request.scope))["code"]
    )
    assert "patient" not in tokens


async def test_s56_a_patient_launches_apps_for_herself_only(world):
    session = await world.add_session("jiro", "Patient/p1", organization=None, facility=None, role=None)
    request = await world.begin()
    assert (await refusal(world.server.requests.finish(request.id, session, "Patient/p2", request.scope))).error == "access_denied"
    tokens = await world.exchange(answered(await world.server.requests.finish(request.id, session, "Patient/p1", request.scope))["code"])
    requester = (await world.tokens.verify(tokens["access_token"])).requester
    assert (requester.role, requester.fhir_user, requester.patient, requester.organization) == ("patient", "Patient/p1", "Patient/p1", None)


async def test_who_must_log_in_again_must(world):
    session = await world.add_session()
    world.clock.shift(seconds=61)
    for changed in ({"prompt": "login"}, {"prompt": "select_account"}, {"max_age": "60"}, {"max_age": "0"}):
        request = await world.begin(**changed)
        assert request.needs_login(session)
        assert (await refusal(world.server.requests.finish(request.id, session, "Patient/p1", request.scope))).error == "access_denied"
        assert not request.needs_login(await world.add_session())
    assert not (await world.begin(max_age="61")).needs_login(session)
    assert not (await world.begin(prompt="consent")).needs_login(session)
