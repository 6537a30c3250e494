"""Authenticator apps and recovery codes as second factor."""

import asyncio
import base64

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from fhir_server.auth.accounts.account import ACCOUNTS
from fhir_server.auth.accounts.refusals import LoginFailed
from fhir_server.auth.accounts.second_factor import _totp
from fhir_server.auth.sealing import Sealer, Unreadable
from tests.auth.accounts.conftest import BETTER, GOOD, TARO


class App:
    """An authenticator app that has scanned the code."""

    def __init__(self, letters, clock):
        self.seed = base64.b32decode(letters)
        self.totp = TOTP(self.seed, 6, SHA1(), 30)
        self.clock = clock

    def shows(self, later=0):
        return self.totp.generate(int(self.clock().timestamp()) + later).decode()


@pytest.fixture
async def session(people, taro):
    return (await people.sessions.open(taro))[0]


@pytest.fixture
async def app(people, session, ticking):
    """An app that is registered, half a minute ago."""
    made = App((await people.second_factor.offer(session)).letters, ticking)
    await people.second_factor.register(session, made.shows())
    ticking.shift(60)
    return made


async def refused(people, code, login="taro.y"):
    with pytest.raises(LoginFailed):
        await people.second_factor.check(login, code)


@pytest.mark.parametrize(
    ("seconds", "code"), [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (20000000000, "353130")]
)
def test_the_codes_are_those_of_rfc_6238(seconds, code):
    assert _totp(b"12345678901234567890").generate(seconds).decode() == code


async def test_l02_an_app_is_registered_by_a_code_that_it_shows(people, session, ticking):
    offer = await people.second_factor.offer(session)
    assert offer.uri.startswith("otpauth://totp/")
    assert f"secret={offer.letters}" in offer.uri
    assert offer.svg.startswith("<svg")
    assert "style=" not in offer.svg  # the pages allow no style of their own
    assert not (await people.accounts.get("taro.y")).has_second_factor
    with pytest.raises(LoginFailed):
        await people.second_factor.register(session, "000000")
    account = await people.second_factor.register(session, App(offer.letters, ticking).shows())
    assert account.has_second_factor


async def test_the_page_may_be_loaded_twice_and_another_session_gets_another_seed(people, session, opened):
    offer = await people.second_factor.offer(session)
    assert (await people.second_factor.offer(session)).letters == offer.letters
    await people.accounts.create("jiro", "Practitioner/2")
    other, _ = await people.sessions.open(await people.accounts.get("jiro"))
    assert (await people.second_factor.offer(other)).letters != offer.letters


async def test_a_seed_offered_is_kept_for_five_minutes(people, session, ticking):
    app = App((await people.second_factor.offer(session)).letters, ticking)
    ticking.shift(300)
    with pytest.raises(LoginFailed):
        await people.second_factor.register(session, app.shows())


@pytest.mark.parametrize("later", [-30, 0, 30])
async def test_a_clock_may_be_half_a_minute_off(people, app, later):
    await people.second_factor.check("taro.y", app.shows(later))


@pytest.mark.parametrize("later", [-60, 60])
async def test_a_clock_may_not_be_a_minute_off(people, app, later):
    await refused(people, app.shows(later))


async def test_a_code_is_accepted_once_and_so_is_none_before_it(people, app):
    await people.second_factor.check("taro.y", app.shows())
    await refused(people, app.shows())
    await refused(people, app.shows(-30))
    await people.second_factor.check("taro.y", app.shows(30))


async def test_the_code_that_registered_an_app_does_not_log_in(people, session, ticking):
    app = App((await people.second_factor.offer(session)).letters, ticking)
    await people.second_factor.register(session, app.shows())
    await refused(people, app.shows())


async def test_of_one_code_sent_many_times_at_once_one_is_accepted(people, app):
    sent = (people.second_factor.check("taro.y", app.shows()) for _ in range(4))
    results = await asyncio.gather(*sent, return_exceptions=True)
    assert sum(not isinstance(each, Exception) for each in results) == 1


async def test_a_code_may_be_typed_with_spaces_or_in_full_width_digits(people, app, ticking):
    await people.second_factor.check("taro.y", f" {app.shows()[:3]} {app.shows()[3:]} ")
    ticking.shift(30)
    await people.second_factor.check("taro.y", app.shows().translate(str.maketrans("0123456789", "０１２３４５６７８９")))


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "\ud800" * 6, "1" * 100_000, "²²²²²²", "१२३४५६"])
async def test_what_is_no_code_is_a_wrong_one(people, app, code):
    await refused(people, code)


async def test_nobody_without_an_app_or_an_account_gets_in_by_a_code(people, taro):
    await refused(people, "000000")
    await refused(people, "000000", "nobody")


async def test_l04_after_five_wrong_codes_the_right_one_is_refused_for_a_minute(people, app, ticking):
    for _ in range(5):
        await refused(people, "00000x")
    await refused(people, app.shows())
    ticking.shift(60)
    await people.second_factor.check("taro.y", app.shows())


async def test_l04_of_many_codes_at_once_no_more_than_five_are_looked_at(people, app):
    sent = [people.second_factor.check("taro.y", each) for each in ["00000x"] * 10 + [app.shows()]]
    results = await asyncio.gather(*sent, return_exceptions=True)
    assert sum(isinstance(each, LoginFailed) for each in results) >= 10


async def test_the_seed_is_stored_sealed_for_its_account(people, app, mongo):
    stored = await mongo.database[ACCOUNTS.name].find_one({"_id": "taro.y"})
    assert app.seed not in stored["totp"]
    assert Sealer(b"s" * 32).open(stored["totp"], b"totp\0taro.y") == app.seed
    with pytest.raises(Unreadable):
        Sealer(b"s" * 32).open(stored["totp"], b"totp\0jiro")


async def test_a_recovery_code_stands_in_for_a_lost_app_once(people, app):
    codes = await people.accounts.new_recovery_codes("taro.y")
    account = await people.second_factor.check_recovery_code("taro.y", codes[0])
    assert len(account.recovery) == 9
    with pytest.raises(LoginFailed):
        await people.second_factor.check_recovery_code("taro.y", codes[0])


async def test_l02_a_list_of_recovery_codes_alone_does_not_open_an_account_with_a_second_factor(people, app):
    codes = await people.accounts.new_recovery_codes("taro.y")
    await people.accounts.recover("taro.y", codes[0], BETTER, TARO)
    with pytest.raises(LoginFailed):
        await people.second_factor.check_recovery_code("taro.y", codes[1])
    await people.second_factor.check("taro.y", app.shows())  # with the app it is the person herself
    await people.second_factor.check_recovery_code("taro.y", codes[1])


async def test_l02_who_has_proved_the_password_only_does_not_replace_the_app(people, session, app, ticking):
    other = App((await people.second_factor.offer(session)).letters, ticking)
    with pytest.raises(LoginFailed):
        await people.second_factor.register(session, other.shows())
    session = await people.sessions.prove(session, await people.accounts.get("taro.y"), "otp")
    await people.second_factor.register(session, other.shows())
    ticking.shift(30)
    await refused(people, app.shows())
    await people.second_factor.check("taro.y", other.shows())


async def test_an_administrator_forgets_a_lost_app(people, app):
    account = await people.second_factor.remove("taro.y")
    assert not account.has_second_factor
    await refused(people, app.shows())


async def test_a_disabled_account_gets_in_by_no_code(people, app):
    codes = await people.accounts.new_recovery_codes("taro.y")
    await people.accounts.disable("taro.y")
    await refused(people, app.shows())
    with pytest.raises(LoginFailed):
        await people.second_factor.check_recovery_code("taro.y", codes[0])


async def test_a_second_factor_does_not_replace_the_password(people, app):
    session, _ = await people.sessions.open(await people.accounts.verify("taro.y", GOOD))
    assert not session.whole
    assert people.sessions.lacks(session, await people.accounts.get("taro.y")) == "second-factor"
