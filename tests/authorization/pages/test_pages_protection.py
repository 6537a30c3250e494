"""What protects the pages: headers, cookies, tokens of forms; and that strange requests get clear answers."""

import asyncio
import re
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI, Request
from pymongo import AsyncMongoClient

from fhir_server.auth.accounts.people import open_people
from fhir_server.auth.accounts.policy import POLICIES
from fhir_server.authorization.pages import add_pages, refused_page
from fhir_server.authorization.pages.protection import form_source, policy
from fhir_server.authorization.pages.table import PAGES
from fhir_server.store.records import Shelf
from tests.authorization.pages.network import GOOD, Browser

FORM = {"content-type": "application/x-www-form-urlencoded"}
POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


@pytest.fixture
async def taro(network):
    """A physician who is logged in."""
    await network.account()
    browser = network.browser()
    await browser.log_in()
    return browser


@pytest.mark.parametrize("path", [page.path for page in PAGES if page.show])
async def test_every_answer_carries_the_headers_that_protect_it(network, taro, path):
    for browser in (network.browser(), taro):
        headers = (await browser.open(path)).headers
        assert headers["content-security-policy"].split(" form-action")[0] == POLICY.split(" form-action", maxsplit=1)[0]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert headers["cross-origin-opener-policy"] == "same-origin"


async def test_no_page_has_a_script_or_style_of_its_own(taro):
    for path in ("account", "password", "recovery/codes", "second-factor/register", "logout"):
        page = (await taro.open(path)).text
        assert not re.search(
            r"<script(?! src=)|<style|\son[a-z]+=|\sstyle=|javascript:",
            page.partition("<main")[0] + re.sub(r'data-options="[^"]*"', "", page),
        )


@pytest.mark.parametrize("path", [page.path for page in PAGES if page.send])
async def test_a_form_without_its_token_is_refused(network, taro, path):
    for token in ("", "wrong", "é" * 40):
        await taro.send(path, csrf=token, login="taro", password=GOOD, do="end-everything", choice="Organization/kagawa|physician")
        assert taro.page.status_code in (303, 403)
        if taro.page.status_code == 303:
            assert path in ("patient", "consent", "facility", "second-factor")
    assert (await taro.open("account")).status_code == 200


async def test_the_token_of_one_session_is_none_of_another(network, taro):
    await network.account("hanako", "Practitioner/hanako")
    other = network.browser()
    await other.log_in("hanako")
    await other.follow()
    await taro.open("account")
    await taro.send("account", csrf=other.csrf, do="end-everything")
    assert taro.page.status_code == 403


async def test_the_token_of_a_login_form_belongs_to_one_browser(network):
    first, second = network.browser(), network.browser()
    await first.open("login")
    await second.open("login")
    await second.send("login", csrf=first.csrf, login="taro", password=GOOD)
    assert second.page.status_code == 403
    bare = network.browser()
    await bare.send("login", csrf=first.csrf, login="taro", password=GOOD)
    assert bare.page.status_code == 403


@pytest.mark.parametrize("sent", [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://evil.example"}])
async def test_a_form_that_another_site_sends_is_refused_even_with_its_token(network, sent):
    await network.account()
    browser = network.browser(**sent)
    await browser.open("login")
    await browser.send("login", login="taro", password=GOOD)
    assert browser.page.status_code == 403
    assert "別のサイトから送信されました" in browser.page.text


@pytest.mark.parametrize("sent", [{"sec-fetch-site": "same-origin", "origin": "null"}, {"origin": "https://fhir.example.jp"}])
async def test_a_form_that_a_page_of_ours_sends_is_accepted(network, sent):
    await network.account()
    browser = network.browser(**sent)
    assert await browser.log_in() == "/auth/account"


async def test_cookies_are_bound_to_the_host_and_hidden_from_scripts(network):
    await network.account()
    browser = network.browser()
    await browser.open("login?lang=en")
    cookies = browser.page.headers.get_list("set-cookie")
    await browser.send("login", login="taro", password=GOOD)
    cookies += browser.page.headers.get_list("set-cookie")
    assert sorted(each.partition("=")[0] for each in cookies) == [
        "__Host-tsunagi-form",
        "__Host-tsunagi-language",
        "__Host-tsunagi-session",
    ]
    for each in cookies:
        assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= set(each.split("; "))
        assert "Domain" not in each


async def test_over_http_on_a_developers_machine_cookies_have_plain_names(clock, open_network):
    async with open_network("http://localhost:8000") as network:
        await network.account()
        browser = network.browser()
        assert await browser.log_in() == "/auth/account"
        assert set(browser.client.cookies) == {"tsunagi-form", "tsunagi-session"}
        assert (await browser.open("account")).status_code == 200


async def test_a_session_cookie_of_somebody_elses_making_is_none(network):
    for value in ("x", "a" * 600, "null", "{}"):
        browser = network.browser(cookie=f"__Host-tsunagi-session={value}")
        await browser.open("account")
        assert browser.to.startswith("/auth/login")


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"content-type": "application/json"}, b"{}", 415),
        ({}, b"a=b", 415),
        (FORM, b"a=" + b"b" * 70_000, 413),
        (FORM, b"login=%ff%fe", 400),
        (FORM, b"login=%00", 400),
        (FORM, "login=\u00e9".encode(), 400),
        (FORM, b"&".join(b"a%d=b" % n for n in range(500)), 400),
    ],
)
async def test_what_is_no_form_of_ours_gets_a_clear_answer(network, headers, body, status):
    browser = network.browser()
    page = await browser.client.post("/auth/login", content=body, headers=headers)
    assert page.status_code == status
    assert "<h1>" in page.text


async def test_pages_are_in_the_language_asked_for_and_remember_a_choice(network):
    english = network.browser(**{"accept-language": "en-GB,en;q=0.9,ja;q=0.8"})
    assert '<html lang="en">' in (await english.open("login")).text
    assert '<html lang="ja">' in (await network.browser(**{"accept-language": "fr"}).open("login")).text
    browser = network.browser()
    assert '<html lang="en">' in (await browser.open("login?lang=en")).text
    assert '<html lang="en">' in (await browser.open("recovery")).text
    assert '<html lang="en">' in (await browser.open("recovery?lang=xx")).text


async def test_before_the_start_a_page_says_so():
    app = FastAPI()
    add_pages(app, lambda: None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        answer = await client.get("/auth/login")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"


async def test_below_a_path_every_address_stays_below_it(network):
    network.login = replace(network.login, issuer="https://fhir.example.jp/tsunagi")
    page = (await network.browser().open("login")).text
    assert set(re.findall(r'(?:href|action|src)="(/[^"?]*)', page)) == {
        "/tsunagi/auth/login",
        "/tsunagi/auth/recovery",
        "/tsunagi/auth/static/icon.svg",
        "/tsunagi/auth/static/pages.css",
    }


async def test_the_files_of_the_pages_are_served_and_nothing_else_is(network):
    browser = network.browser()
    for name in ("pages.css", "passkey.js", "icon.svg"):
        found = await browser.client.get(f"/auth/static/{name}")
        assert found.status_code == 200
        again = await browser.client.get(f"/auth/static/{name}", headers={"if-none-match": found.headers["etag"]})
        assert again.status_code == 304
    for name in ("../pages/parts.py", "%2e%2e/pages/parts.py", "other.css", ""):
        assert (await browser.client.get(f"/auth/static/{name}")).status_code == 404


async def test_s35_a_request_that_must_not_be_redirected_is_a_page(network):
    scope = {"type": "http", "method": "GET", "path": "/auth/authorize", "query_string": b"client_id=x", "headers": []}
    answer = refused_page(network.login, Request(scope), "redirect_uri <b> is not registered")
    assert answer.status_code == 400
    assert "redirect_uri &lt;b&gt; is not registered" in answer.body.decode()
    assert "アプリを開けません" in answer.body.decode()


async def test_the_database_away_is_said_without_a_traceback(network):
    identity = network.registry.identity
    async with AsyncMongoClient("mongodb://127.0.0.1:9", serverSelectionTimeoutMS=50) as nowhere:
        people = open_people(Shelf(nowhere["away"]), POLICIES["network"], identity.sealer, b"k")
        network.login = replace(network.login, people=people)
        page = await network.browser(cookie="__Host-tsunagi-session=abc").open("account")
    assert page.status_code == 503
    assert "ただいまご利用いただけません" in page.text


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("https://app.example.org/back?x=y", "https://app.example.org"),
        ("http://127.0.0.1:4000/cb", "http://127.0.0.1:4000"),
        ("https://app.example.org:8443/", "https://app.example.org:8443"),
        ("org.example.app:/cb", "org.example.app:"),
        ("http://[::1]:5000/cb", "http:"),
        ("https://a.example;script-src *//x", "https:"),
        ("ja va:x", None),
        ("nothing", None),
    ],
)
def test_the_origin_of_an_app_as_a_policy_names_it(address, source):
    assert form_source(address) == source
    assert policy(address).count(";") == policy().count(";")


async def test_somebody_who_is_not_logged_in_comes_to_the_login_from_every_page(network):
    browser = network.browser()
    for page in PAGES:
        await browser.open(f"{page.path}?authorization=abc")
        assert page.path in ("login", "recovery") or browser.to == "/auth/login?authorization=abc"


async def test_head_is_answered_like_get(network):
    browser: Browser = network.browser()
    assert (await browser.client.head("/auth/login")).status_code == 200


async def test_asvs_11_a_form_that_never_arrives_does_not_hold_a_connection_for_ever(network, monkeypatch):
    from fhir_server.authorization.pages import forms

    async def never():
        yield b"login="
        await asyncio.sleep(60)

    monkeypatch.setattr(forms, "_SECONDS", 0.05)
    page = await network.browser().client.post("/auth/login", content=never(), headers=FORM)
    assert page.status_code == 408
