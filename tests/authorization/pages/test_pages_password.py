"""Passwords on the pages: the forced change, the expiry, the recovery."""

import pytest

from tests.authorization.pages.network import BETTER, GOOD

EVERY_OTHER = ("account", "facility", "patient", "consent", "second-factor/register", "recovery/codes")


@pytest.mark.parametrize("path", EVERY_OTHER)
async def test_f054_at_the_first_login_every_other_page_redirects_until_the_password_is_changed(network, path):
    initial = await network.account(password=None)
    browser = network.browser()
    assert await browser.log_in(password=initial) == "/auth/password"
    await browser.open(path)
    assert browser.to == "/auth/password"
    await browser.send(path, do="end-everything")
    assert browser.to == "/auth/password"


async def test_f054_the_change_asks_for_old_new_and_new_again_and_leads_on(network):
    initial = await network.account(password=None)
    browser = network.browser()
    asked = await network.asks()
    await browser.log_in(password=initial, authorization=asked)
    await browser.follow()
    assert [part in browser.page.text for part in ('name="old"', 'name="new"', 'name="again"')] == [True] * 3
    await browser.send(f"password?authorization={asked}", old=initial, new=GOOD, again=GOOD)
    assert browser.to == f"/auth/recovery/codes?authorization={asked}"
    await browser.open(f"login?authorization={asked}")
    assert browser.to == f"/auth/patient?authorization={asked}"


async def test_all_that_a_new_password_lacks_is_said_beside_its_field_and_nothing_is_repeated(network):
    initial = await network.account(password=None)
    browser = network.browser()
    await browser.log_in(password=initial)
    await browser.follow()
    for old, new, again, field in (
        (initial, "marugame1", "marugame1", "new"),
        (initial, "taro1975", "taro1975", "new"),
        (initial, initial, initial, "new"),
        (initial, GOOD, BETTER, "again"),
        ("wrong1", GOOD, GOOD, "old"),
    ):
        await browser.send("password", old=old, new=new, again=again)
        assert browser.page.status_code == 422
        assert f'<a href="#{field}">' in browser.page.text
        assert f'aria-describedby="{field}-wrong-1' in browser.page.text
        assert not {old, new, again} & set(browser.page.text.split('"'))


@pytest.mark.parametrize(("days", "shown"), [(50, False), (54, True), (60, True)])
async def test_f058_a_banner_says_from_seven_days_before_that_the_password_expires(network, clock, days, shown):
    await network.account()
    clock.shift(days * 24 * 3600)
    browser = network.browser()
    await browser.log_in()
    await browser.follow()
    assert ("パスワードの有効期限まであと" in browser.page.text) is shown


async def test_d12_f058_an_expired_password_is_changed_before_anything_else(network, clock):
    await network.account()
    clock.shift(62 * 24 * 3600)
    browser = network.browser()
    assert await browser.log_in() == "/auth/password"
    await browser.follow()
    assert "有効期限が過ぎました" in browser.page.text


async def test_a_changed_password_ends_every_other_session_and_renews_this_one(network):
    await network.account()
    browser = network.browser()
    await browser.log_in()
    before = dict(browser.client.cookies)
    await browser.open("password")
    await browser.send("password", old=GOOD, new=BETTER, again=BETTER)
    await browser.open("account")
    assert browser.page.status_code == 200
    assert dict(browser.client.cookies) != before
    assert await network.browser().log_in(password=GOOD) == ""
    assert await network.browser().log_in(password=BETTER) == "/auth/account"


async def test_f055_a_recovery_code_replaces_a_forgotten_password_once(network):
    await network.account()
    browser = network.browser()
    await browser.log_in()
    codes = [part.partition("</li>")[0] for part in (await _made(browser)).partition('class="codes">')[2].split("<li>")[1:]]
    assert len(codes) == 10
    assert codes[0] not in (await browser.open("recovery/codes")).text
    stranger = network.browser()
    await stranger.open("recovery")
    await stranger.send("recovery", login="taro", code=codes[0].lower(), new=BETTER, again=BETTER)
    assert stranger.to == "/auth/login?recovered=1"
    await browser.open("account")
    assert browser.to == "/auth/login?ended=1"
    assert await network.browser().log_in(password=BETTER) == "/auth/account"
    await stranger.open("recovery")
    await stranger.send("recovery", login="taro", code=codes[0], new=GOOD + "9", again=GOOD + "9")
    assert stranger.page.status_code == 422


async def _made(browser):
    await browser.open("recovery/codes")
    await browser.send("recovery/codes")
    return browser.page.text


async def test_f052_a_forgotten_password_is_answered_alike_for_existing_and_unknown_ids(network):
    await network.account()
    answers = []
    for login in ("taro", "nobody"):
        browser = network.browser()
        await browser.open("recovery")
        await browser.send("recovery", login=login, code="AAAA-BBBB-CCCC-DDDD", new=GOOD, again=GOOD)
        answers.append((browser.page.status_code, browser.main.replace(browser.csrf, "").replace(f'value="{login}"', "")))
    assert answers[0] == answers[1]
    assert answers[0][0] == 422


async def test_l05_new_recovery_codes_ask_for_the_password_at_a_desk_that_was_left(network, clock):
    await network.account()
    browser = network.browser()
    await browser.log_in()
    for _ in range(2):
        clock.shift(200)
        await browser.open("recovery/codes")
    assert 'name="present"' in browser.page.text
    await browser.send("recovery/codes", present="wrong")
    assert browser.page.status_code == 422
    assert 'class="codes"' not in browser.page.text
    await browser.send("recovery/codes", present=GOOD)
    assert 'class="codes"' in browser.page.text
