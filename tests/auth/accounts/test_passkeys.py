"""Security keys as second factor, with a key made of software."""

import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_server.auth.accounts.account import ACCOUNTS
from fhir_server.auth.accounts.passkeys import MOST, _checked
from fhir_server.auth.accounts.refusals import LoginFailed
from tests.auth.accounts.authenticator import Authenticator, written
from tests.auth.accounts.conftest import GOOD


@pytest.fixture
async def session(people, taro):
    return (await people.sessions.open(taro))[0]


@pytest.fixture
async def key(people, session):
    """A key that is registered."""
    made = Authenticator()
    await people.passkeys.register(session, made.create(await people.passkeys.registration_options(session)), "病棟の鍵")
    return made


async def refused(people, session, answer):
    with pytest.raises(LoginFailed):
        await people.passkeys.check(session, answer)


async def test_l02_a_registered_key_is_a_second_factor(people, session, key):
    account = await people.accounts.get("taro.y")
    assert [each.name for each in account.passkeys] == ["病棟の鍵"]
    assert account.has_second_factor
    assert not (await people.sessions.prove(session, account)).whole
    account = await people.passkeys.check(session, key.sign(await people.passkeys.login_options(session)))
    assert account.passkeys[0].sign_count == 1
    assert (await people.sessions.prove(session, account, "hwk")).whole


async def test_the_options_name_the_host_and_hide_the_login_id_from_the_key(people, session, key):
    options = json.loads(await people.passkeys.registration_options(session))
    assert options["rp"] == {"id": "fhir.example.jp", "name": "つなぎ"}
    assert options["user"]["id"] != written(b"taro.y")
    assert [each["id"] for each in options["excludeCredentials"]] == [written(key.id)]
    assert options["authenticatorSelection"]["userVerification"] == "preferred"
    asked = json.loads(await people.passkeys.login_options(session))
    assert [each["id"] for each in asked["allowCredentials"]] == [written(key.id)]
    assert asked["challenge"] != options["challenge"]


async def test_an_answer_is_accepted_once(people, session, key):
    answer = key.sign(await people.passkeys.login_options(session))
    await people.passkeys.check(session, answer)
    await refused(people, session, answer)


async def test_of_the_same_answer_sent_twice_at_once_one_is_accepted(people, session, key):
    answer = key.sign(await people.passkeys.login_options(session))
    results = await asyncio.gather(*(people.passkeys.check(session, answer) for _ in range(4)), return_exceptions=True)
    assert sum(not isinstance(each, Exception) for each in results) == 1


async def test_an_answer_to_the_challenge_of_another_session_is_refused(people, session, key, opened):
    await people.accounts.create("jiro", "Practitioner/2")
    other, _ = await people.sessions.open(await people.accounts.get("jiro"))
    answer = key.sign(await people.passkeys.login_options(session))
    await people.passkeys.login_options(other)
    await refused(people, other, answer)


async def test_a_challenge_is_good_for_five_minutes(people, session, key, ticking):
    answer = key.sign(await people.passkeys.login_options(session))
    ticking.shift(300)
    await refused(people, session, answer)


async def test_a_page_of_another_origin_or_host_gets_nothing(people, session, key):
    for origin, host in (("https://fhir.example.jp.evil.example", "fhir.example.jp"), ("https://fhir.example.jp", "evil.example")):
        key.origin, key.rp_id = origin, host
        await refused(people, session, key.sign(await people.passkeys.login_options(session)))


async def test_a_key_that_nobody_touched_and_an_answer_of_another_type_are_refused(people, session, key):
    await refused(people, session, key.sign(await people.passkeys.login_options(session), "webauthn.create"))
    key.flags = 0
    await refused(people, session, key.sign(await people.passkeys.login_options(session)))


async def test_a_copy_of_a_key_betrays_itself_by_its_count(people, session, key):
    key.signed = 7
    await people.passkeys.check(session, key.sign(await people.passkeys.login_options(session)))
    key.signed = 7  # signs its eighth again
    await refused(people, session, key.sign(await people.passkeys.login_options(session)))


async def test_a_passkey_that_does_not_count_is_accepted(people, session):
    key = Authenticator(counts=False)
    await people.passkeys.register(session, key.create(await people.passkeys.registration_options(session)))
    for _ in range(2):
        await people.passkeys.check(session, key.sign(await people.passkeys.login_options(session)))


async def test_another_key_is_refused(people, session, key):
    other = Authenticator()
    await refused(people, session, other.sign(await people.passkeys.login_options(session)))
    other.id = key.id  # a forged answer that bears the right name
    await refused(people, session, other.sign(await people.passkeys.login_options(session)))


async def test_a_key_is_one_persons(people, session, key):
    await people.accounts.create("jiro", "Practitioner/2")
    other, _ = await people.sessions.open(await people.accounts.get("jiro"))
    with pytest.raises(LoginFailed):
        await people.passkeys.register(other, key.create(await people.passkeys.registration_options(other)))


async def test_a_registration_needs_its_own_challenge_and_origin(people, session):
    key = Authenticator()
    with pytest.raises(LoginFailed):
        await people.passkeys.register(session, key.create('{"challenge": "AAAA"}'))
    await people.passkeys.registration_options(session)
    with pytest.raises(LoginFailed):
        await people.passkeys.register(session, key.create('{"challenge": "AAAA"}'))
    key.origin = "https://evil.example"
    with pytest.raises(LoginFailed):
        await people.passkeys.register(session, key.create(await people.passkeys.registration_options(session)))
    assert not (await people.accounts.get("taro.y")).has_second_factor


async def test_a_disabled_account_logs_in_by_no_key(people, session, key):
    answer = key.sign(await people.passkeys.login_options(session))
    await people.accounts.disable("taro.y")
    await refused(people, session, answer)
    with pytest.raises(LoginFailed):
        await people.passkeys.login_options(session)


async def test_l02_who_has_proved_the_password_only_adds_no_second_factor_to_one_there_is(people, session, key):
    with pytest.raises(LoginFailed):
        await people.passkeys.register(session, Authenticator().create(await people.passkeys.registration_options(session)))
    session = await people.sessions.prove(session, await people.accounts.get("taro.y"), "hwk")
    account = await people.passkeys.register(session, Authenticator().create(await people.passkeys.registration_options(session)))
    assert len(account.passkeys) == 2


async def test_nobody_registers_keys_without_end(people, session):
    session = await people.sessions.prove(session, await people.accounts.get("taro.y"), "hwk")
    for _ in range(MOST):
        await people.passkeys.register(session, Authenticator().create(await people.passkeys.registration_options(session)))
    with pytest.raises(LoginFailed):
        await people.passkeys.register(session, Authenticator().create(await people.passkeys.registration_options(session)))


async def test_a_key_is_forgotten(people, session, key):
    await people.passkeys.remove("taro.y", key.id)
    assert not (await people.accounts.get("taro.y")).has_second_factor


async def test_wrong_answers_of_keys_lock_the_second_factor(people, session, key):
    for _ in range(5):
        await refused(people, session, Authenticator().sign(await people.passkeys.login_options(session)))
    await refused(people, session, key.sign(await people.passkeys.login_options(session)))
    await people.accounts.verify("taro.y", GOOD)  # the password is another matter
    await people.accounts.unlock("taro.y")
    await people.passkeys.check(session, key.sign(await people.passkeys.login_options(session)))


@pytest.mark.parametrize(
    "answer",
    ["", "null", "[]", "{", "{}", '{"id": 1}', '{"id": "\ud800"}', "x" * 100_000, "[" * 60_000,
     '{"id":"AAAA","rawId":"AAAA","type":"public-key","response":{"clientDataJSON":"AAAA","authenticatorData":"AAAA","signature":"AAAA"}}',
     '{"id":"AAAA","rawId":"AAAA","type":"public-key","response":{"clientDataJSON":"AAAA","attestationObject":"AAAA"}}'],
)  # fmt: skip
async def test_s45_nonsense_is_refused_and_is_no_failure_of_the_server(people, session, key, answer):
    await people.passkeys.login_options(session)
    await refused(people, session, answer)
    await people.passkeys.registration_options(session)
    with pytest.raises(LoginFailed):
        await people.passkeys.register(session, answer)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
async def test_s45_a_spoilt_registration_is_refused_or_means_the_same(people, session, data):
    answer = json.loads(Authenticator().create(await people.passkeys.registration_options(session)))
    attested = answer["response"]["attestationObject"]
    at = data.draw(st.integers(0, len(attested) - 1))
    answer["response"]["attestationObject"] = attested[:at] + data.draw(st.sampled_from("AZaz09-_")) + attested[at + 1 :]
    try:
        await people.passkeys.register(session, json.dumps(answer))
    except LoginFailed:
        return
    await people.second_factor.remove("taro.y")


async def test_what_a_library_fails_with_is_a_refusal():
    def fail():
        raise RecursionError

    with pytest.raises(LoginFailed):
        _checked(fail)


async def test_the_public_key_is_all_that_is_stored_of_a_key(people, session, key, mongo):
    stored = await mongo.database[ACCOUNTS.name].find_one({})
    assert set(stored["passkeys"][0]) == {"id", "public_key", "sign_count", "name", "added"}
