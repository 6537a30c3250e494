"""The login page: what it says to whom, and where it leads."""

from dataclasses import replace

import pytest

from fhir_server.auth.oauth.launches import Context
from fhir_server.outcome import FhirError, Issue
from tests.authorization.pages.network import BETTER, GOOD, person


async def test_the_way_from_an_app_through_login_facility_and_patient_to_consent(network):
    await network.account("hanako", "Practitioner/hanako")
    asked = await network.asks()
    browser = network.browser()
    assert await browser.log_in("hanako", authorization=asked) == f"/auth/facility?authorization={asked}"
    await browser.follow()
    await browser.send(f"facility?authorization={asked}", choice="Organization/kagawa|physician")
    assert browser.to == f"/auth/patient?authorization={asked}"
    await browser.follow()
    await browser.send(f"patient?authorization={asked}", text="さかいで", birth="S41/06/06")
    assert "坂出 桜" in browser.page.text
    assert "1966年6月6日（昭和41年）" in browser.page.text
    assert "坂出 梅子" not in browser.page.text
    await browser.send(f"patient?authorization={asked}", choose="Patient/p1")
    assert browser.to == f"/auth/consent?authorization={asked}&patient=p1"
    await browser.follow()
    await browser.send(f"consent?authorization={asked}&patient=p1", scope=["offline_access", "patient/Observation.rs"], decision="allow")
    assert browser.page.status_code == 303
    assert browser.to.startswith("https://app.example.org/back?code=")
    assert "state=" + "s" * 32 in browser.to


async def test_who_is_logged_in_already_goes_on(network):
    await network.account()
    browser = network.browser()
    assert await browser.log_in() == "/auth/account"
    await browser.open("login")
    assert browser.to == "/auth/account"


async def test_f052_the_login_page_has_id_password_links_manual_and_notices(network):
    page = (await network.browser().open("login")).text
    for part in ('name="login"', 'name="password"', "ユーザーIDを忘れた方", "パスワードを忘れた方", "ログインマニュアル", "お知らせ"):
        assert part in page
    assert "4月5日の夜間に保守を行います。" in page
    assert 'href="https://fhir.example.jp/manual/"' in page


async def test_f052_all_links_of_the_login_page_work(network):
    browser = network.browser()
    for path in ("recovery", "recovery?what=id"):
        assert (await browser.open(path)).status_code == 200
    assert "登録通知書" in browser.page.text


async def test_l04_a_wrong_password_and_an_unknown_id_get_the_same_answer(network):
    await network.account()
    pages = []
    for login in ("taro", "nobody", "NOBODY@", "a" * 300, "'; --"):
        browser = network.browser()
        await browser.open("login")
        await browser.send("login", login=login, password="wrong1234")
        pages.append((browser.page.status_code, browser.main.replace(browser.csrf, "").partition("<form")[0]))
    assert pages[0][0] == 422
    assert all(page == pages[0] for page in pages)


async def test_l04_after_wrong_attempts_the_right_password_gets_the_same_answer(network):
    await network.account()
    browser = network.browser()
    for _ in range(6):
        await browser.log_in(password="wrong1234")
    wrong = browser.main
    await browser.send("login", login="taro", password=GOOD)
    assert browser.page.status_code == 422
    assert browser.main == wrong


async def test_l01_two_sessions_of_one_account_are_impossible(network):
    await network.account()
    first, second = network.browser(), network.browser()
    await first.log_in()
    await second.log_in()
    assert (await second.open("account")).status_code == 200
    await first.open("account")
    assert first.to == "/auth/login?ended=1"


async def test_f060_after_five_minutes_without_use_the_next_page_is_the_login_and_says_why(network, clock):
    await network.account()
    browser = network.browser()
    await browser.log_in()
    clock.shift(299)
    assert (await browser.open("account")).status_code == 200
    clock.shift(300)
    await browser.open("account")
    assert browser.page.text == ""
    assert browser.to == "/auth/login?ended=1"
    await browser.follow()
    assert "ログインの有効期間が終了しました" in browser.page.text


async def test_f060_a_page_that_is_left_open_leaves_itself_and_that_is_no_use(network, clock):
    await network.account()
    browser = network.browser()
    await browser.log_in()
    page = (await browser.open("account")).text
    assert '<meta http-equiv="refresh" content="300;url=/auth/login?ended=idle">' in page
    clock.shift(200)
    assert "5分間操作がなかったため" in (await browser.open("login?ended=idle")).text
    clock.shift(150)
    await browser.open("account")
    assert browser.to == "/auth/login?ended=1"


async def test_the_login_page_itself_does_not_reload(network):
    assert "http-equiv" not in (await network.browser().open("login")).text


async def test_somebody_elses_login_ends_the_session_of_this_browser(network):
    await network.account()
    await network.account("hanako", "Practitioner/hanako")
    browser, others = network.browser(), network.browser()
    await browser.log_in()
    others.client.cookies = browser.client.cookies.__class__(browser.client.cookies)
    await browser.open("login?again=1")
    await browser.send("login?again=1", login="hanako", password=GOOD)
    await others.open("account")
    assert others.to == "/auth/login?ended=1"


async def test_a_disabled_account_is_out_at_once(network):
    await network.account()
    browser = network.browser()
    await browser.log_in()
    await network.people.accounts.disable("taro")
    await browser.open("account")
    assert browser.to.startswith("/auth/login")


async def test_who_works_nowhere_is_told_so(network):
    await network.account("jiro", "Practitioner/jiro")
    browser = network.browser()
    asked = await network.asks()
    await browser.log_in("jiro", authorization=asked)
    assert browser.page.status_code == 403
    assert "利用できる施設がありません" in browser.page.text


async def test_f051_without_the_certificate_of_a_device_there_is_no_form(network):
    async def nobody(request, account):
        return FhirError(Issue("security", "A client certificate is needed"))

    network.login = replace(network.login, admits=nobody)
    page = await network.browser().open("login")
    assert page.status_code == 403
    assert "<form" not in page.text
    assert "電子証明書" in page.text


async def test_f051_a_session_goes_on_only_over_a_connection_that_proves_as_much(network):
    async def nobody(request, account):
        return FhirError(Issue("security", "A client certificate is needed"))

    await network.account()
    browser = network.browser()
    await browser.log_in()
    network.login = replace(network.login, admits=nobody)
    assert (await browser.open("account")).status_code == 403


async def test_a_patient_whose_record_is_inactive_is_not_let_on(network):
    await network.account("sakura", "Patient/p1")
    await network.store({**person("p1", "坂出 桜", "サカイデ サクラ", "1966-06-06"), "active": False})
    browser = network.browser()
    await browser.log_in("sakura", authorization=await network.asks())
    assert browser.page.status_code == 403


async def test_f105_the_certificate_of_another_person_does_not_log_in(network):
    async def only_hanako(request, account):
        return None if account is None or account.id == "hanako" else FhirError(Issue("security", "not hers"))

    await network.account()
    network.login = replace(network.login, admits=only_hanako)
    browser = network.browser()
    await browser.log_in()
    assert browser.page.status_code == 403
    await browser.open("account")
    assert browser.to == "/auth/login"


@pytest.mark.parametrize(
    "where", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "a&b=c", "x\r\nSet-Cookie: a=b"]
)
async def test_no_page_leads_to_an_address_that_somebody_else_has_written(network, where):
    await network.account()
    browser = network.browser()
    for name in ("authorization", "next", "return_to", "redirect_uri", "patient", "lang"):
        await browser.client.get("/auth/login", params={name: where})
        page = await browser.client.post(
            "/auth/login", params={name: where}, data={"csrf": await fresh(browser), "login": "taro", "password": GOOD}
        )
        assert page.status_code == 303
        assert page.headers["location"] == "/auth/account"
        browser.client.cookies.clear()


async def fresh(browser):
    await browser.open("login?again=1")
    return browser.csrf


async def test_a_login_hint_fills_the_id_in_and_is_escaped(network):
    asked = await network.asks(login_hint='"><script>')
    page = (await network.browser().open(f"login?authorization={asked}")).text
    assert 'value="&#34;&gt;&lt;script&gt;"' in page
    assert "検査グラフ &lt;b&gt;" in page


async def test_an_app_that_asks_for_a_new_login_gets_one(network, clock):
    await network.account()
    browser = network.browser()
    await browser.log_in()
    clock.shift(60)
    asked = await network.asks(prompt="login")
    await browser.open(f"login?authorization={asked}")
    assert browser.to == f"/auth/login?authorization={asked}&again=1"
    await browser.follow()
    assert "もう一度ログインする必要があります" in browser.page.text
    await browser.send(f"login?authorization={asked}", login="taro", password=GOOD)
    assert browser.to == f"/auth/patient?authorization={asked}"


async def test_an_app_that_an_ehr_launched_for_one_person_is_not_given_to_another(network):
    await network.account()
    await network.account("hanako", "Practitioner/hanako")
    launch = await network.server.launches.open("ehr", Context(patient="Patient/p1"), account="hanako")
    asked = await network.asks(scope="launch patient/Patient.rs", launch=launch)
    browser = network.browser()
    assert await browser.log_in(authorization=asked) == f"/auth/login?authorization={asked}&again=1"
    for page in ("consent", "patient"):
        await browser.open(f"{page}?authorization={asked}")
        await browser.follow()
        assert "もう一度ログインする必要があります" in browser.page.text


async def test_too_many_logins_from_one_address_are_told_to_wait(network):
    await network.account()
    browser = network.browser()
    await browser.open("login")
    for _ in range(101):
        await browser.send("login", login=BETTER, password="x")
    assert browser.page.status_code == 429
    assert "もう一度お試しください" in browser.page.text
