"""A person's account: what is hers she ends, and nothing else."""

import re

import pytest

from fhir_server.auth.tokens import InvalidToken
from tests.authorization.pages.network import SCOPE
from tests.authorization.pages.test_pages_consent import allowed


@pytest.fixture
async def taro(network):
    """A physician who is logged in."""
    await network.account()
    browser = network.browser()
    await browser.log_in()
    return browser


async def lets_in(network, browser, scope=SCOPE):
    path = f"consent?authorization={await network.asks()}&patient=p1"
    await browser.open(path)
    await browser.send(path, decision="allow", scope=scope.split())
    return await allowed(network, browser)


async def test_the_account_shows_id_sessions_and_apps(network, taro):
    await lets_in(network, taro)
    page = (await taro.open("account")).text
    for part in ("丸亀 太郎", "taro", "検査グラフ &lt;b&gt;", "ログアウト後も有効", "この端末", "2026-04-01 09:00"):
        assert part in page


async def test_an_app_is_revoked(network, taro):
    await lets_in(network, taro)
    page = (await taro.open("account")).text
    await taro.send("account", do="end-app", grant=re.search(r'name="grant" value="([^"]+)"', page)[1])
    assert taro.to == "/auth/account?done=1"
    assert await network.server.grants.of_account("taro") == []


async def test_nobody_ends_what_belongs_to_another(network, taro):
    await network.account("hanako", "Practitioner/hanako")
    await lets_in(network, taro)
    [grant] = await network.server.grants.of_account("taro")
    [session] = await network.login.endings.open_sessions(account="taro")
    hanako = network.browser()
    await hanako.log_in("hanako")
    await hanako.open("account")
    await hanako.send("account", do="end-app", grant=grant.id)
    await hanako.open("account")
    await hanako.send("account", do="end-session", session=session.id)
    assert len(await network.server.grants.of_account("taro")) == 1
    assert (await taro.open("account")).status_code == 200


async def test_her_session_is_ended_and_the_browser_forgets_it(network, taro):
    page = (await taro.open("account")).text
    await taro.send("account", do="end-session", session=re.search(r'name="session" value="([^"]+)"', page)[1])
    assert taro.to == "/auth/login?out=1"
    await taro.open("account")
    assert taro.to == "/auth/login"


async def test_f101_everything_everywhere_ends_at_once(network, taro):
    token = await lets_in(network, taro)
    await taro.open("account")
    await taro.send("account", do="end-everything")
    assert taro.to == "/auth/login?out=1"
    assert await network.server.grants.of_account("taro") == []
    with pytest.raises(InvalidToken, match="revoked"):
        await network.registry.identity.tokens.verify(token["access_token"])


async def test_logging_out_asks_first_and_ends_what_lasts_as_long_as_the_session(network, taro):
    await lets_in(network, taro, SCOPE.replace(" offline_access", ""))
    assert (await taro.open("logout")).status_code == 200
    assert (await taro.open("account")).status_code == 200
    await taro.send("logout")
    assert taro.to == "/auth/login?out=1"
    assert "ログアウトしました" in (await taro.follow()).text
    assert await network.server.grants.of_account("taro") == []
    await taro.open("account")
    assert taro.to == "/auth/login"


async def test_an_unknown_button_does_nothing(taro):
    await taro.open("account")
    await taro.send("account", do="remove-key", key="00")
    assert taro.to == "/auth/account?done=1"
    await taro.open("account")
    await taro.send("account", do="anything")
    assert taro.page.status_code == 303
