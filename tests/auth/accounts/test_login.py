"""Who may log in, and that nobody learns from a refusal which IDs exist."""

import asyncio

import pytest

from fhir_server.auth.accounts.account import ACCOUNTS
from fhir_server.auth.accounts.attempts import TRIES, Attempts, Lockout
from fhir_server.auth.accounts.passwords import Cost, Passwords
from fhir_server.auth.accounts.refusals import LoginFailed, PasswordRefused
from fhir_server.auth.throttle import TooMany
from tests.auth.accounts.conftest import BEST, BETTER, GOOD, TARO


async def refused(people, login, password):
    with pytest.raises(LoginFailed) as failure:
        await people.accounts.verify(login, password, "192.0.2.7")
    return failure.value


async def test_a_right_password_gives_the_account(people, taro):
    assert (await people.accounts.verify("taro.y", GOOD, "192.0.2.7")).fhir_user == "Practitioner/1"


@pytest.mark.parametrize("typed", ["TARO.Y", " taro.y ", "ｔａｒｏ．ｙ"])
async def test_an_id_may_be_typed_in_capitals_or_full_width_letters(people, taro, typed):
    assert (await people.accounts.verify(typed, GOOD)).id == "taro.y"


@pytest.mark.parametrize("login", ["", "\ud800", "x" * 10_000, "a\0b", "$where", "{'$ne': null}", "../etc", "太郎"])
async def test_s47_an_id_that_can_be_none_is_a_wrong_one(people, login):
    await refused(people, login, GOOD)


async def test_l04_a_wrong_password_an_unknown_id_and_a_disabled_account_get_the_same_answer(people, taro):
    await people.accounts.create("jiro", "Practitioner/2")
    initial = await people.accounts.set_initial_password("jiro")
    await people.accounts.disable("jiro")
    await people.accounts.create("saburo", "Practitioner/3")  # who has no password yet
    answers = [
        await refused(people, login, password)
        for login, password in (("taro.y", "wrong"), ("nobody", GOOD), ("jiro", initial), ("saburo", ""), ("saburo", GOOD))
    ]
    assert len({(type(each), str(each), each.status, each.ja, each.issues) for each in answers}) == 1
    assert answers[0].status == 401


async def test_l04_every_attempt_costs_one_verification_whether_or_not_there_is_such_an_account(people, taro, mongo, shelf, ticking):
    counted = Counting(Cost(memory=64, rounds=1))
    people.accounts._passwords = counted
    for login, password in (("taro.y", "wrong"), ("nobody", GOOD), ("\0", GOOD), ("taro.y", GOOD)):
        await people.accounts.verify(login, password) if password == GOOD and login == "taro.y" else await refused(people, login, password)
    for _ in range(6):
        await refused(people, "taro.y", "wrong")
    counted.verified = 0
    await refused(people, "taro.y", GOOD)  # locked
    assert counted.verified == 1
    assert counted.altogether == 11


class Counting(Passwords):
    verified = altogether = 0

    async def verify(self, password, stored):
        self.verified += 1
        self.altogether += 1
        return await super().verify(password, stored)


async def test_l04_after_five_wrong_passwords_the_right_one_is_refused_too_for_a_minute_and_longer_each_time(people, taro, ticking):
    for _ in range(5):
        await refused(people, "taro.y", "wrong")
    await refused(people, "taro.y", GOOD)
    ticking.shift(59)
    await refused(people, "taro.y", GOOD)
    ticking.shift(1)
    await refused(people, "taro.y", "wrong")  # the sixth: two minutes
    ticking.shift(119)
    await refused(people, "taro.y", GOOD)
    assert await people.accounts.locked_until("taro.y") is not None
    ticking.shift(1)
    await people.accounts.verify("taro.y", GOOD)
    assert await people.accounts.locked_until("taro.y") is None
    for _ in range(4):
        await refused(people, "taro.y", "wrong")  # counted anew
    await people.accounts.verify("taro.y", GOOD)


async def test_l04_an_unknown_id_is_locked_like_a_known_one(people, ticking):
    for _ in range(5):
        await refused(people, "nobody", "wrong")
    assert await people.accounts.locked_until("nobody") is not None
    await people.accounts.create("nobody", "Practitioner/9")


async def test_an_administrator_unlocks_an_account(people, taro):
    for _ in range(5):
        await refused(people, "taro.y", "wrong")
    await people.accounts.unlock("taro.y")
    await people.accounts.verify("taro.y", GOOD)


async def test_l04_of_many_guesses_at_once_no_more_than_five_are_looked_at(shelf, ticking):
    attempts = [Attempts(shelf.records(TRIES), Lockout(), ticking) for _ in range(2)]  # two processes
    accepted = await asyncio.gather(*(each.begin("password", "taro.y") for _ in range(20) for each in attempts))
    assert sum(accepted) == 5


async def test_a_form_sent_twice_at_once_lets_its_sender_in(people, taro):
    for _ in range(5):
        results = await asyncio.gather(*(people.accounts.verify("taro.y", GOOD) for _ in range(2)), return_exceptions=True)
        assert [getattr(each, "id", each) for each in results] == ["taro.y", "taro.y"]


async def test_l04_each_wrong_attempt_is_answered_later_than_the_one_before(shelf, ticking):
    waits = []

    async def pause(seconds):
        waits.append(seconds)

    attempts = Attempts(shelf.records(TRIES), Lockout(after=100), ticking, pause=pause)
    for _ in range(8):
        assert await attempts.begin("password", "taro.y")
        await attempts.fail("password", "taro.y")
    assert waits == [0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 4.0, 4.0]


async def test_attempts_are_forgotten_after_a_day_without_any(people, taro, ticking):
    for _ in range(4):
        await refused(people, "taro.y", "wrong")
    ticking.shift(days=1)
    for _ in range(4):
        await refused(people, "taro.y", "wrong")
    await people.accounts.verify("taro.y", GOOD)


async def test_no_lock_lasts_longer_than_an_hour():
    lockout = Lockout()
    assert [lockout.lock(number).total_seconds() if lockout.lock(number) else 0 for number in (4, 5, 6, 10, 11, 12, 10**6)] == [
        0, 60, 120, 1920, 3600, 3600, 3600,
    ]  # fmt: skip


async def test_one_address_cannot_try_for_ever(people, taro):
    people.accounts._limits = type(people.accounts._limits)(a_minute=3)
    for _ in range(3):
        await refused(people, "nobody", "wrong")
    with pytest.raises(TooMany):
        await people.accounts.verify("taro.y", GOOD, "192.0.2.7")
    await people.accounts.verify("taro.y", GOOD, "192.0.2.8")


async def test_f054_an_initial_password_must_be_changed_and_an_own_one_need_not(people, ticking):
    await people.accounts.create("hanako", "Practitioner/2")
    initial = await people.accounts.set_initial_password("hanako")
    account = await people.accounts.verify("hanako", initial)
    assert people.accounts.policy.standing(account, ticking()).due
    changed = await people.accounts.change_password("hanako", initial, GOOD, TARO)
    assert not people.accounts.policy.standing(changed, ticking()).due
    await refused(people, "hanako", initial)


async def test_an_initial_password_that_nobody_used_for_thirty_days_opens_nothing(people, ticking):
    await people.accounts.create("hanako", "Practitioner/2")
    initial = await people.accounts.set_initial_password("hanako")
    ticking.shift(days=30)
    await refused(people, "hanako", initial)
    await people.accounts.verify("hanako", await people.accounts.set_initial_password("hanako"))


@pytest.mark.parametrize("policy", ["network", "gl6-a", "gl6-b", "gl6-c"])
async def test_initial_passwords_are_random_and_follow_every_rule(opened, policy):
    people = opened(policy)
    await people.accounts.create("hanako", "Practitioner/2")
    made = {await people.accounts.set_initial_password("hanako") for _ in range(20)}
    assert len(made) == 20
    for each in made:
        assert [refusal.code for refusal in people.accounts.policy._formal(each)] == []


async def test_f059_neither_the_present_nor_the_previous_password_can_be_chosen_again(people, taro):
    with pytest.raises(PasswordRefused) as same:
        await people.accounts.change_password("taro.y", GOOD, GOOD, TARO)
    assert [each.code for each in same.value.refusals] == ["reused"]
    assert same.value.status == 422
    await people.accounts.change_password("taro.y", GOOD, BETTER, TARO)
    with pytest.raises(PasswordRefused):
        await people.accounts.change_password("taro.y", BETTER, GOOD, TARO)
    await people.accounts.change_password("taro.y", BETTER, BEST, TARO)
    await people.accounts.change_password("taro.y", BEST, GOOD, TARO)


async def test_f057_a_guessable_password_is_refused_when_it_is_chosen(people, taro):
    for password in ("taro1975", "password1"):
        with pytest.raises(PasswordRefused) as refusal:
            await people.accounts.change_password("taro.y", GOOD, password, TARO)
        assert password not in str(refusal.value)
    await people.accounts.verify("taro.y", GOOD)


async def test_nobody_changes_a_password_without_knowing_it_however_often_she_tries(people, taro):
    for _ in range(5):
        with pytest.raises(LoginFailed):
            await people.accounts.change_password("taro.y", "wrong", BETTER, TARO)
    with pytest.raises(LoginFailed):
        await people.accounts.change_password("taro.y", GOOD, BETTER, TARO)


async def test_of_two_who_change_a_password_at_once_one_does(people, taro):
    changes = (people.accounts.change_password("taro.y", GOOD, new, TARO) for new in (BETTER, BEST))
    results = await asyncio.gather(*changes, return_exceptions=True)
    assert sorted(type(each).__name__ for each in results) == ["Account", "LoginFailed"]


async def test_f056_the_database_holds_no_password_and_no_code(people, taro, mongo):
    codes = await people.accounts.new_recovery_codes("taro.y")
    stored = str([each async for each in mongo.database[ACCOUNTS.name].find({})])
    assert GOOD not in stored
    assert "$argon2id$" in stored
    assert not any(code in stored or code.replace("-", "") in stored for code in codes)


async def test_a_password_hashed_at_a_lower_cost_is_hashed_anew_at_the_next_login(people, taro):
    people.accounts._passwords = Passwords(Cost(memory=256, rounds=1))
    account = await people.accounts.verify("taro.y", GOOD)
    assert account.password.startswith("$argon2id$v=19$m=256,")
    assert account.changed == taro.changed  # its age remains
    assert (await people.accounts.verify("taro.y", GOOD)).password == account.password
