"""The pages in a real browser: by keyboard alone, with a security key, without scripts, left open."""

import asyncio
import re
import time
from contextlib import asynccontextmanager, suppress

import pytest
from fastapi import FastAPI, Request, Response
from playwright.async_api import Error

from tests.authorization.browser import browser, free_port, needs_chromium, serving
from tests.authorization.pages.network import code

pytestmark = needs_chromium
STRONG = "x7kq#2mpa"
REFUSED = re.compile("status of 422")


@asynccontextmanager
async def an_app():
    """Serve the app that people come back to, at an origin of its own; it notes what it is told."""
    app, port = FastAPI(), free_port()
    app.told = []

    @app.get("/back")
    async def back(request: Request) -> Response:
        app.told.append(dict(request.query_params))
        return Response("<title>the app</title><link rel='icon' href='data:,'>", media_type="text/html")

    async with serving(app, port):
        app.address = f"http://127.0.0.1:{port}/back"
        yield app


@pytest.fixture
def pages(open_network):
    """Serve the pages of a network at this machine."""

    @asynccontextmanager
    async def served(policy="network", idle=300):
        port = free_port()
        async with open_network(f"http://localhost:{port}", policy, idle) as network, serving(network.app, port):
            yield network

    return served


async def typed(page, *keys):
    """Type texts; a key has a name in capitals."""
    for each in keys:
        await (page.keyboard.press(each) if each in ("Tab", "Enter", "Space", "Shift+Tab") else page.keyboard.type(each))


async def at(page, url):
    """Wait for a page, and until its first field or button has the focus."""
    await page.wait_for_url(url)
    await page.wait_for_function("document.activeElement !== document.body")


async def focus_of(page):
    return await page.evaluate("document.activeElement.name || document.activeElement.id || document.activeElement.className")


async def test_the_whole_way_by_keyboard_alone(pages):
    async with pages("gl6-c") as network, an_app() as app, browser() as page:
        await network.clients.put(network.client(redirect_uris=(app.address,)))
        initial = await network.account("hanako", "Practitioner/hanako", password=None)
        asked = await network.asks(redirect_uri=app.address)
        await page.goto(f"{network.issuer}/auth/login?authorization={asked}")
        await page.wait_for_selector("#login:focus")
        await typed(page, "hanako", "Tab", initial, "Enter")
        await at(page, "**/auth/password*")
        await typed(page, initial, "Tab", STRONG, "Tab", STRONG, "Enter")
        await page.wait_for_url("**/auth/second-factor/register*")
        letters = await page.inner_text(".secret")
        await page.wait_for_function("document.activeElement.id === 'code'")
        await typed(page, code(letters, time.time()), "Enter")
        await at(page, "**/auth/recovery/codes*")
        await typed(page, "Enter")
        await page.wait_for_selector(".codes")
        await page.wait_for_function("document.activeElement.href")
        await typed(page, "Enter")
        await at(page, "**/auth/facility*")
        await typed(page, "Tab")
        while not (await page.evaluate("document.activeElement.value || ''")).startswith("Organization/kagawa"):
            await typed(page, "Tab")
        await typed(page, "Enter")
        await at(page, "**/auth/patient*")
        await typed(page, "さかいで", "Tab", "S41/06/06", "Enter")
        await page.wait_for_selector("table")
        await page.wait_for_function("document.activeElement.id === 'found-title'")
        await typed(page, "Tab")
        assert await page.evaluate("document.activeElement.getAttribute('aria-label')") == "坂出 桜を選択"
        await typed(page, "Enter")
        await page.wait_for_url("**/auth/consent*")
        while await page.evaluate("document.activeElement.value") != "patient/MedicationRequest.rs":
            await typed(page, "Tab")
        await typed(page, "Space")
        while await page.evaluate("document.activeElement.value") != "allow":
            await typed(page, "Tab")
        await typed(page, "Enter")
        await page.wait_for_url(f"{app.address}*")
        assert app.told[0]["state"] == "s" * 32
        assert app.told[0]["iss"] == network.issuer
        assert await page.title() == "the app"
        assert not [each for each in page.complaints if not REFUSED.search(each)]


async def test_chromium_leads_back_to_the_app_it_was_registered_for_and_to_no_other(pages):
    async with pages() as network, an_app() as app, browser() as page:
        await network.clients.put(network.client(redirect_uris=(app.address, "http://127.0.0.1:9/back")))
        await network.account()
        asked = await network.asks(redirect_uri=app.address)
        await page.goto(f"{network.issuer}/auth/login?authorization={asked}")
        await page.wait_for_selector("#login:focus")
        await typed(page, "taro", "Tab", "x7kq2mpa", "Enter")
        await page.wait_for_url("**/auth/patient*")
        await page.goto(f"{network.issuer}/auth/consent?authorization={asked}&patient=p1")
        await page.click("button[value=deny]")
        await page.wait_for_url(f"{app.address}*")
        assert app.told == [
            {"error": "access_denied", "error_description": "The person did not allow it", "state": "s" * 32, "iss": network.issuer}
        ]
        # the policy of another page forbids what that of the consent page allows: so it is the policy that decides
        asked = await network.asks(redirect_uri=app.address)
        await page.goto(f"{network.issuer}/auth/account")
        await page.evaluate(f"document.querySelector('main form').action = '/auth/consent?authorization={asked}&patient=p1'")
        await page.evaluate("document.querySelector('main form button').value = 'deny'")
        await page.evaluate("document.querySelector('main form button').name = 'decision'")
        await page.click("main form button")
        await asyncio.sleep(0.5)
        assert len(app.told) == 1
        assert any("form-action" in each for each in page.complaints)


async def test_a_security_key_is_registered_and_logs_in(pages):
    async with pages("gl6-c") as network, browser() as page:
        await network.account(password=STRONG)
        devices = await page.context.new_cdp_session(page)
        await devices.send("WebAuthn.enable")
        key = {"protocol": "ctap2", "transport": "usb", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
        await devices.send("WebAuthn.addVirtualAuthenticator", {"options": {**key, "automaticPresenceSimulation": True}})
        await page.goto(f"{network.issuer}/auth/login")
        await page.wait_for_selector("#login:focus")
        await typed(page, "taro", "Tab", STRONG, "Enter")
        await page.wait_for_url("**/auth/second-factor/register")
        await page.fill("#name", "診察室のパソコン")
        await page.click("form[data-passkey] button")
        await page.wait_for_url("**/auth/recovery/codes")
        await page.goto(f"{network.issuer}/auth/account")
        assert "診察室のパソコン" in await page.inner_text("main")
        await page.click("header button")
        await at(page, "**/auth/login?out=1")
        await typed(page, "taro", "Tab", STRONG, "Enter")
        await page.wait_for_url("**/auth/second-factor")
        await page.click("form[data-passkey] button")
        await page.wait_for_url("**/auth/account")
        await page.click("main button[value=remove-key]")
        await page.wait_for_selector(".errors")
        assert "最後の一つは削除できません" in await page.inner_text("main")
        assert not [each for each in page.complaints if not REFUSED.search(each)]


async def test_a_key_that_is_not_there_is_said_on_the_page(pages):
    async with pages("gl6-c") as network, browser() as page:
        await network.account(password=STRONG)
        await page.goto(f"{network.issuer}/auth/login")
        await page.wait_for_selector("#login:focus")
        await typed(page, "taro", "Tab", STRONG, "Enter")
        await page.wait_for_url("**/auth/second-factor/register")
        await page.evaluate("() => { navigator.credentials.create = () => Promise.reject(new Error('no key')); }")
        await page.click("form[data-passkey] button")
        await page.wait_for_selector("[data-failed]:visible")
        assert page.url.endswith("/auth/second-factor/register")


async def test_f060_l05_a_page_left_open_hides_its_data_without_any_script(pages):
    async with pages(idle=3) as network, browser(java_script_enabled=False) as page:
        await network.account()
        asked = await network.asks()
        await page.goto(f"{network.issuer}/auth/login?authorization={asked}")
        await page.fill("#login", "taro")
        await page.fill("#password", "x7kq2mpa")
        await page.click("main button")
        await page.wait_for_url("**/auth/patient*")
        await page.fill("#text", "坂出")
        await page.click("main button")
        await page.wait_for_selector("table")
        await page.wait_for_url(f"**/auth/login?authorization={asked}&ended=idle")
        shown = await page.inner_text("body")
        assert "操作がなかったため" in shown
        assert "坂出" not in shown
        with suppress(Error):  # what was answered to a form is not kept: Chromium would have to send it again
            await page.go_back()
        assert "坂出" not in await page.inner_text("body")


async def test_without_scripts_the_pages_work_and_say_that_keys_need_them(pages):
    async with pages("gl6-c") as network, browser(java_script_enabled=False) as page:
        await network.account(password=STRONG)
        await page.goto(f"{network.issuer}/auth/login")
        await page.fill("#login", "taro")
        await page.fill("#password", STRONG)
        await page.click("main button")
        await page.wait_for_url("**/auth/second-factor/register")
        assert await page.is_visible("noscript p")
        assert not await page.is_visible("form[data-passkey]")


async def test_after_a_mistake_the_summary_has_the_focus_and_leads_to_the_field(pages):
    async with pages() as network, browser() as page:
        await network.account()
        await page.goto(f"{network.issuer}/auth/login")
        await page.wait_for_selector("#login:focus")
        await typed(page, "taro", "Tab", "wrong", "Enter")
        await page.wait_for_selector(".errors:focus")
        assert (await page.title()).startswith("エラー：")
        await typed(page, "Tab", "Enter")
        assert await focus_of(page) == "login"
        assert await page.get_attribute("#login", "aria-invalid") == "true"


async def test_the_language_is_switched_and_kept(pages):
    async with pages() as network, browser("en-US") as page:
        await network.account()
        await page.goto(f"{network.issuer}/auth/login")
        assert await page.inner_text("h1") == "Log in"
        await page.click("text=日本語")
        assert await page.inner_text("h1") == "ログイン"
        await page.goto(f"{network.issuer}/auth/recovery")
        assert await page.inner_text("h1") == "パスワードを忘れた方"


CONTRAST = """() => {
  const light = (c) => { const v = c.match(/[\\d.]+/g).slice(0, 3).map((x) => x / 255)
      .map((x) => (x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)); return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]; };
  const ground = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
      if (c !== "rgba(0, 0, 0, 0)") return c; } return "rgb(255, 255, 255)"; };
  const low = [];
  for (const e of document.querySelectorAll("body *")) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || !e.offsetParent) continue;
    const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) low.push(e.textContent.trim().slice(0, 40) + " " + ratio.toFixed(2));
  }
  return low; }"""
NAMELESS = """() => [...document.querySelectorAll("input:not([type=hidden]), button, a")].filter((e) => e.offsetParent
  && !(e.labels && e.labels.length) && !e.getAttribute("aria-label") && !e.textContent.trim()).map((e) => e.outerHTML)"""


@pytest.mark.parametrize("size", [(1024, 768), (768, 1024), (390, 800)])
async def test_everything_can_be_read_is_named_and_fits_the_screen(pages, size):
    width, height = size
    async with pages("gl6-c") as network, browser(viewport={"width": width, "height": height}) as page:
        await network.account("hanako", "Practitioner/hanako", password=STRONG)
        asked = await network.asks()
        seen = []

        async def looks_good():
            seen.append(page.url)
            assert await page.evaluate(CONTRAST) == []
            assert await page.evaluate(NAMELESS) == []
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
            assert await page.evaluate("document.querySelectorAll('h1').length") == 1

        await page.goto(f"{network.issuer}/auth/login?authorization={asked}")
        await looks_good()
        await typed(page, "hanako", "Tab", "wrong", "Enter")
        await page.wait_for_selector(".errors")
        await looks_good()
        await page.fill("#password", STRONG)
        await typed(page, "Enter")
        await page.wait_for_url("**/register*")
        await looks_good()
        await page.fill("#code", code(await page.inner_text(".secret"), time.time()))
        await typed(page, "Enter")
        await page.wait_for_url("**/codes*")
        await page.click("main button")
        await page.wait_for_selector(".codes")
        await looks_good()
        await page.click("main .button")
        await page.wait_for_url("**/facility*")
        await looks_good()
        await page.click("text=香川中央病院")
        await page.wait_for_url("**/patient*")
        await page.fill("#text", "坂出")
        await typed(page, "Enter")
        await page.wait_for_selector("table")
        await looks_good()
        await page.goto(f"{network.issuer}/auth/consent?authorization={asked}&patient=p1")
        await looks_good()
        for path in ("account", "password", "recovery", "logout", "consent?authorization=x"):
            await page.goto(f"{network.issuer}/auth/{path}")
            await looks_good()
        assert len(seen) == 12
