"""Sessions: opened for one person, whole by the policy, ended by idleness."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

import pytest
from msgspec.structs import replace

from fhir_server.auth.accounts.guessable import Personal
from fhir_server.auth.accounts.session import SESSIONS
from fhir_server.auth.accounts.sessions import Sessions
from fhir_server.auth.roles import Role
from fhir_server.outcome import FhirError


@dataclass
class Assignment:
    organization: str
    facility: str | None
    role: Role | None


WARD = Assignment("Organization/1", "3710000001", Role.PHYSICIAN)
CLINIC = Assignment("Organization/2", "3710000002", Role.NURSE)


async def test_a_session_opens_by_its_cookie_only(people, taro, mongo):
    session, cookie = await people.sessions.open(taro)
    found = await people.sessions.get(cookie)
    assert (found.id, found.account, found.fhir_user, found.factors) == (session.id, "taro.y", "Practitioner/1", ("pwd",))
    assert len(cookie) == 43  # 256 bits
    assert session.id == hashlib.sha256(cookie.encode()).hexdigest()
    assert cookie not in str([each async for each in mongo.database[SESSIONS.name].find({})])
    for wrong in (None, "", session.id, cookie[:-1] + "!", "\ud800", "x" * 10_000):
        assert await people.sessions.get(wrong) is None


async def test_f060_after_five_minutes_without_use_the_session_has_ended(people, taro, ticking):
    _, cookie = await people.sessions.open(taro)
    ticking.shift(299)
    assert await people.sessions.get(cookie) is not None
    ticking.shift(299)
    assert await people.sessions.get(cookie) is not None
    ticking.shift(300)
    assert await people.sessions.get(cookie) is None
    ticking.shift(-1)
    assert await people.sessions.get(cookie) is not None  # 4 min 59 s: the very second


async def test_f060_use_within_the_same_second_never_lengthens_the_idle_time(people, taro, ticking):
    _, cookie = await people.sessions.open(taro)
    ticking.shift(0.9)
    noted = await people.sessions.get(cookie)
    assert noted.touched == noted.opened
    ticking.shift(299.1)
    assert await people.sessions.get(cookie) is None


async def test_a_session_ends_at_last_however_much_it_is_used(shelf, ticking, people, taro):
    sessions = Sessions(shelf.records(SESSIONS), people.accounts.policy, clock=ticking, longest=timedelta(minutes=9))
    _, cookie = await sessions.open(taro)
    ticking.shift(280)
    assert await sessions.get(cookie) is not None
    ticking.shift(259)
    assert (await sessions.get(cookie)).expires == ticking() + timedelta(seconds=1)
    ticking.shift(1)
    assert await sessions.get(cookie) is None


async def test_f054_with_a_password_to_be_changed_nothing_else_is_open(people):
    await people.accounts.create("hanako", "Practitioner/2")
    initial = await people.accounts.set_initial_password("hanako")
    session, cookie = await people.sessions.open(await people.accounts.verify("hanako", initial))
    assert not session.whole
    assert people.sessions.lacks(session, await people.accounts.get("hanako")) == "password"
    changed = await people.accounts.change_password("hanako", initial, "x7kq2mpa", Personal(), keep=session)
    assert (await people.sessions.prove(session, changed)).whole
    assert (await people.sessions.get(cookie)).whole


async def test_f058_with_an_expired_password_a_session_is_not_whole(people, taro, ticking):
    ticking.shift(days=61)
    session, _ = await people.sessions.open(taro)
    assert people.sessions.lacks(session, taro) == "password"
    assert not session.whole


async def test_l02_where_a_second_factor_is_required_a_password_alone_opens_only_its_registration(opened, people, taro):
    strict = opened("gl6-c")
    session, _ = await strict.sessions.open(taro)
    assert not session.whole
    assert strict.sessions.lacks(session, taro) == "second-factor/register"
    with_app = replace(taro, totp=b"sealed")
    assert not (await strict.sessions.prove(session, with_app)).whole
    assert (await strict.sessions.prove(session, with_app, "otp")).whole


async def test_l02_two_times_the_same_factor_is_one(opened, people, taro):
    strict = opened("gl6-c")
    session, _ = await strict.sessions.open(replace(taro, totp=b"sealed"))
    proved = await strict.sessions.prove(session, replace(taro, totp=b"sealed"), "pwd", "pwd")
    assert (proved.factors, proved.whole) == (("pwd",), False)


async def test_who_has_a_second_factor_proves_it_before_the_password_may_be_changed(people, taro, ticking):
    ticking.shift(days=61)
    account = replace(taro, totp=b"sealed")
    session, _ = await people.sessions.open(account)
    assert people.sessions.lacks(session, account) == "second-factor"
    proved = await people.sessions.prove(session, account, "otp")
    assert people.sessions.lacks(proved, account) == "password"


async def test_f085_a_person_of_two_facilities_switches_without_a_second_id(people, taro):
    session, cookie = await people.sessions.open(taro)
    chosen = await people.sessions.choose(session, WARD)
    assert (chosen.organization, chosen.facility, chosen.role) == ("Organization/1", "3710000001", "physician")
    await people.sessions.choose(chosen, CLINIC)
    now = await people.sessions.get(cookie)
    assert (now.organization, now.facility, now.role) == ("Organization/2", "3710000002", "nurse")
    assert now.account == "taro.y"


async def test_f054_a_session_that_is_not_whole_chooses_no_facility(people):
    await people.accounts.create("hanako", "Practitioner/2")
    session, _ = await people.sessions.open(await people.accounts.get("hanako"))
    with pytest.raises(FhirError) as refusal:
        await people.sessions.choose(session, WARD)
    assert refusal.value.status == 403


async def test_l01_two_who_share_an_id_log_each_other_out(people, taro):
    _, first = await people.sessions.open(taro)
    _, second = await people.sessions.open(taro)
    assert await people.sessions.get(first) is None
    assert await people.sessions.get(second) is not None


async def test_l01_nobody_proves_anything_for_the_session_of_another(people, taro):
    session, _ = await people.sessions.open(taro)
    await people.accounts.create("hanako", "Practitioner/2")
    with pytest.raises(FhirError):
        await people.sessions.prove(session, await people.accounts.get("hanako"), "otp")


async def several(people, taro):
    await people.accounts.create("hanako", "Practitioner/2")
    await people.accounts.create("jiro", "Practitioner/3")
    cookies = []
    for login, place in (("taro.y", WARD), ("hanako", WARD), ("jiro", CLINIC)):
        account = replace(await people.accounts.get(login), must_change=False, changed=taro.changed)
        session, cookie = await people.sessions.open(account)
        await people.sessions.choose(session, place)
        cookies.append(cookie)
    return cookies


async def alive(people, cookies):
    return [await people.sessions.get(each) is not None for each in cookies]


async def test_f101_the_sessions_of_a_person_a_facility_or_everybody_end_at_once(people, taro):
    cookies = await several(people, taro)
    assert await people.sessions.close_all(account="jiro") == 1
    assert await alive(people, cookies) == [True, True, False]
    assert await people.sessions.close_all(facility="3710000001") == 2
    assert await alive(people, cookies) == [False, False, False]
    await people.sessions.open(taro)
    assert await people.sessions.close_all(everything=True) == 1


async def test_nobody_ends_all_sessions_by_forgetting_to_say_whose(people, taro):
    _, cookie = await people.sessions.open(taro)
    with pytest.raises(ValueError, match="whose"):
        await people.sessions.close_all()
    assert await people.sessions.get(cookie) is not None


async def test_a_session_that_was_closed_is_over_for_everything(people, taro):
    session, cookie = await people.sessions.open(taro)
    await people.sessions.close(session)
    assert await people.sessions.get(cookie) is None
    for act in (people.sessions.prove(session, taro, "otp"), people.sessions.choose(session, WARD)):
        with pytest.raises(FhirError) as refusal:
            await act
        assert refusal.value.status == 401
