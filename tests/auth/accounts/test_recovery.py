"""Forgotten passwords without the secretariat, and what the secretariat does to accounts."""

import asyncio

import pytest

from fhir_server.auth.accounts.refusals import LoginFailed, PasswordRefused
from fhir_server.outcome import FhirError
from tests.auth.accounts.conftest import BEST, BETTER, GOOD, TARO


async def refused(people, login, password):
    with pytest.raises(LoginFailed):
        await people.accounts.verify(login, password)


async def test_f055_a_recovery_code_replaces_a_forgotten_password_once(people, taro):
    codes = await people.accounts.new_recovery_codes("taro.y")
    assert len(set(codes)) == 10
    changed = await people.accounts.recover("TARO.Y", codes[3].lower().replace("-", " "), BETTER, TARO)
    assert changed.recovered
    assert len(changed.recovery) == 9
    await people.accounts.verify("taro.y", BETTER)
    await refused(people, "taro.y", GOOD)
    with pytest.raises(LoginFailed):
        await people.accounts.recover("taro.y", codes[3], BEST, TARO)
    await people.accounts.recover("taro.y", codes[4], BEST, TARO)


async def test_f055_who_is_locked_out_recovers_without_the_secretariat(people, taro):
    codes = await people.accounts.new_recovery_codes("taro.y")
    for _ in range(6):
        await refused(people, "taro.y", "wrong")
    await people.accounts.recover("taro.y", codes[0], BETTER, TARO)
    await people.accounts.verify("taro.y", BETTER)


async def test_a_code_is_not_used_up_by_a_password_that_is_refused(people, taro):
    code = (await people.accounts.new_recovery_codes("taro.y"))[0]
    for _ in range(6):  # which is no wrong attempt either
        assert (await people.accounts.of_recovery_code("taro.y", code)).id == "taro.y"
        with pytest.raises(PasswordRefused):
            await people.accounts.recover("taro.y", code, "taro1975", TARO)
    await people.accounts.recover("taro.y", code, BETTER, TARO)


@pytest.mark.parametrize("code", ["", "AAAA-BBBB-CCCC-DDDD", "\ud800", "x" * 100_000])
async def test_f052_a_wrong_code_an_unknown_id_and_a_disabled_account_get_the_same_answer(people, taro, code):
    answers = []
    await people.accounts.new_recovery_codes("taro.y")
    for login in ("taro.y", "nobody", "\0"):
        with pytest.raises(LoginFailed) as failure:
            await people.accounts.recover(login, code, BETTER, TARO, "192.0.2.7")
        answers.append(str(failure.value))
    assert len(set(answers)) == 1


async def test_new_recovery_codes_make_the_old_ones_void(people, taro):
    old = await people.accounts.new_recovery_codes("taro.y")
    await people.accounts.new_recovery_codes("taro.y")
    with pytest.raises(LoginFailed):
        await people.accounts.recover("taro.y", old[0], BETTER, TARO)


async def test_l01_nobody_has_two_accounts_and_no_two_have_one(people, taro):
    for login, person in (("taro.y", "Practitioner/2"), ("TARO.Y", "Practitioner/2"), ("taro2", "Practitioner/1")):
        with pytest.raises(FhirError) as refusal:
            await people.accounts.create(login, person)
        assert refusal.value.status == 409
    assert (await people.accounts.of_person("Practitioner/1")).id == "taro.y"
    made = await asyncio.gather(*(people.accounts.create(f"u{n}", "Practitioner/7") for n in range(5)), return_exceptions=True)
    assert sum(not isinstance(each, Exception) for each in made) == 1


@pytest.mark.parametrize(
    ("login", "person", "language"),
    [("", "Practitioner/1", "ja"), ("a b", "Practitioner/1", "ja"), ("x" * 65, "Practitioner/1", "ja"), ("-a", "Practitioner/1", "ja"),
     ("ward3", "Organization/1", "ja"), ("ward3", "", "ja"), ("ward3", "Practitioner/../1", "ja"), ("ward3", "Practitioner/1", "fr")],
)  # fmt: skip
async def test_l01_an_account_needs_an_id_and_a_person(people, login, person, language):
    with pytest.raises(FhirError) as refusal:
        await people.accounts.create(login, person, language)
    assert refusal.value.status == 400


async def test_f104_a_disabled_account_has_no_sessions_and_opens_none_until_it_is_enabled(people, taro):
    _, cookie = await people.sessions.open(taro)
    await people.accounts.disable("taro.y")
    assert await people.sessions.get(cookie) is None
    await refused(people, "taro.y", GOOD)
    await people.accounts.enable("taro.y")
    await people.accounts.verify("taro.y", GOOD)


async def test_a_new_password_ends_all_sessions_but_the_one_where_it_was_changed(opened, people, taro):
    session, cookie = await people.sessions.open(taro)
    await people.accounts.change_password("taro.y", GOOD, BETTER, TARO, keep=session)
    assert await people.sessions.get(cookie) is not None
    await people.accounts.set_initial_password("taro.y")
    assert await people.sessions.get(cookie) is None


@pytest.mark.parametrize("act", ["set_initial_password", "disable", "enable", "new_recovery_codes"])
async def test_what_is_done_to_no_account_says_so_without_repeating_its_id(people, act):
    with pytest.raises(FhirError) as refusal:
        await getattr(people.accounts, act)("nobody")
    assert refusal.value.status == 404
    assert "nobody" not in str(refusal.value)
