"""The second factor on the pages."""

import re
import time

import pytest

from tests.authorization.pages.network import Network, code

STRONG = "x7kq#2mpa"


@pytest.fixture
async def strict(clock, open_network):
    """A network whose policy asks for a second factor."""
    async with open_network(policy="gl6-c") as network:
        yield network


async def registered(network: Network, browser):
    """Register an authenticator app; give its seed."""
    await browser.open("second-factor/register")
    letters = re.search(r'class="secret"[^>]*>([^<]+)<', browser.page.text)[1]
    await browser.send("second-factor/register", kind="totp", code=code(letters, time.time()))
    return letters


@pytest.mark.parametrize("path", ["account", "facility", "patient", "consent", "recovery/codes", "password", "second-factor"])
async def test_l02_with_a_password_only_nothing_opens_but_the_registration(strict, path):
    await strict.account(password=STRONG)
    browser = strict.browser()
    assert await browser.log_in(password=STRONG) == "/auth/second-factor/register"
    await browser.open(path)
    assert browser.to == "/auth/second-factor/register"


async def test_l02_an_app_is_registered_by_its_code_and_asked_for_at_the_next_login(strict, clock):
    await strict.account(password=STRONG)
    browser = strict.browser()
    await browser.log_in(password=STRONG)
    letters = await registered(strict, browser)
    assert browser.to == "/auth/recovery/codes"
    assert (await browser.open("account")).status_code == 200
    clock.shift(60)
    again = strict.browser()
    assert await again.log_in(password=STRONG) == "/auth/second-factor"
    for path in ("account", "second-factor/register", "recovery/codes", "password", "consent"):
        await again.open(path)
        assert again.to == "/auth/second-factor"
    await again.open("second-factor")
    await again.send("second-factor", kind="totp", code="000000")
    assert again.page.status_code == 422
    assert 'href="#code"' in again.page.text
    await again.send("second-factor", kind="totp", code=code(letters, time.time()))
    assert again.to == "/auth/account"


async def test_l02_a_code_is_good_once(strict, clock):
    await strict.account(password=STRONG)
    first = strict.browser()
    await first.log_in(password=STRONG)
    letters = await registered(strict, first)
    second = strict.browser()
    await second.log_in(password=STRONG)
    await second.open("second-factor")
    await second.send("second-factor", kind="totp", code=code(letters, time.time()))
    assert second.page.status_code == 422


async def test_a_recovery_code_stands_in_for_the_second_factor(strict, clock):
    await strict.account(password=STRONG)
    browser = strict.browser()
    await browser.log_in(password=STRONG)
    await registered(strict, browser)
    await browser.open("recovery/codes")
    await browser.send("recovery/codes")
    codes = re.findall(r"<li>([A-Z2-7-]{19})</li>", browser.page.text)
    again = strict.browser()
    await again.log_in(password=STRONG)
    await again.open("second-factor")
    await again.send("second-factor", kind="recovery", recovery="AAAA-AAAA-AAAA-AAAA")
    assert again.page.status_code == 422
    assert "<details open>" in again.page.text
    await again.send("second-factor", kind="recovery", recovery=codes[3])
    assert again.to == "/auth/account"


@pytest.mark.parametrize("sent", [{}, {"kind": "sms"}, {"kind": "passkey", "credential": "{"}, {"kind": "totp", "code": "九" * 300}])
async def test_what_is_no_second_factor_is_refused_with_the_form(strict, sent):
    await strict.account(password=STRONG)
    browser = strict.browser()
    await browser.log_in(password=STRONG)
    await registered(strict, browser)
    again = strict.browser()
    await again.log_in(password=STRONG)
    await again.open("second-factor")
    await again.send("second-factor", **sent)
    assert again.page.status_code == 422
    await again.open("account")
    assert again.to == "/auth/second-factor"


async def test_the_seed_is_an_image_and_letters_and_the_options_for_a_key_are_there(strict):
    await strict.account(password=STRONG)
    browser = strict.browser()
    await browser.log_in(password=STRONG)
    page = (await browser.open("second-factor/register")).text
    assert 'src="data:image/svg+xml;base64,' in page
    assert "&#34;challenge&#34;" in page
    assert '<script src="/auth/static/passkey.js" defer></script>' in page


async def test_l05_another_factor_needs_the_password_at_a_desk_that_was_left(network, clock):
    password = await network.account()
    browser = network.browser()
    await browser.log_in()
    for _ in range(2):
        clock.shift(200)
        page = (await browser.open("second-factor/register")).text
    letters = re.search(r'class="secret"[^>]*>([^<]+)<', page)[1]
    await browser.send("second-factor/register", kind="totp", code=code(letters, time.time()), present="wrong")
    assert browser.page.status_code == 422
    assert 'href="#present"' in browser.page.text
    await browser.send("second-factor/register", kind="totp", code=code(letters, time.time()), present=password)
    assert browser.to == "/auth/recovery/codes"
