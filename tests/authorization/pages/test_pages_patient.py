"""The patient picker: who is found, by whom, and what of it goes where."""

import html
import logging
import re

import pytest

from tests.authorization.pages.network import organization, person, practitioner, works


@pytest.fixture
async def picking(network):
    """A physician at the picker of an app."""
    await network.account()
    browser = network.browser()
    browser.path = f"patient?authorization={await network.asks()}"
    await browser.log_in(authorization=browser.path.partition("=")[2])
    await browser.follow()
    return browser


async def found(browser, text="", birth=""):
    await browser.send(browser.path, text=text, birth=birth)
    return re.findall(r'name="choose" value="Patient/([^"]+)"', browser.page.text)


async def test_nobody_is_listed_before_she_is_looked_for(picking):
    assert "<table" not in picking.page.text
    assert await found(picking) == []
    assert picking.page.status_code == 422


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("坂出 桜", ["p1"]),
        ("坂出　桜", ["p1"]),
        ("サカイデ", ["p2", "p1"]),
        ("さかいで うめ", ["p2"]),
        ("ｻｶｲﾃﾞ", ["p2", "p1"]),
        ("0001", ["p1"]),
        ("０００２", ["p2"]),
        ("坂出 0002", ["p2"]),
        ("だれか", []),
    ],
)
async def test_patients_are_found_by_kanji_kana_and_number(picking, text, who):
    assert await found(picking, text) == who
    assert picking.page.status_code == 200


@pytest.mark.parametrize("birth", ["S41/06/06", "昭和41年6月6日", "s41.6.6", "1966-06-06", "19660606", "１９６６／６／６"])
async def test_a_birth_date_is_read_in_any_notation_and_shown_in_both_calendars(picking, birth):
    assert await found(picking, birth=birth) == ["p1"]
    assert "1966年6月6日（昭和41年）" in picking.page.text
    assert "59歳" in picking.page.text


@pytest.mark.parametrize("birth", ["S65/01/01", "1966-13-01", "yesterday", "2030-01-01", "<b>"])
async def test_what_is_no_birth_date_is_said_at_its_field(picking, birth):
    assert await found(picking, birth=birth) == []
    assert picking.page.status_code == 422
    assert 'href="#birth"' in picking.page.text


async def test_a_patient_called_script_is_escaped(picking):
    assert await found(picking, "0003") == ["p3"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in picking.page.text
    assert "<script>" not in picking.page.text
    await picking.send(picking.path, choose="Patient/p3")
    await picking.follow()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in picking.page.text
    assert "<script>" not in picking.page.text


@pytest.mark.parametrize("text", ['"><img src=x>', "$ne", "a,b|c\\", "%00", "*", "' or 1=1", "坂" * 250, "name:exact=x"])
async def test_s58_strange_text_finds_nobody_and_breaks_nothing(picking, text):
    assert await found(picking, text) == []
    assert picking.page.status_code in (200, 422)
    assert "<img src=x>" not in picking.page.text


async def test_many_patients_come_page_by_page(network, picking):
    await network.store(*(person(f"m{n:02}", f"多度津 {n:02}", "タドツ タロウ", "1970-01-01", number=f"1{n:03}") for n in range(45)))
    seen = await found(picking, "多度津")
    assert len(seen) == 20
    while True:
        carried = re.search(r'name="page" value="([^"]+)"><input type="hidden" name="first" value="(\d+)"', picking.page.text)
        if carried is None:
            break
        await picking.send(picking.path, text="多度津", page=html.unescape(carried[1]), first=carried[2])
        assert f"患者 {carried[2]}–" in picking.page.text
        seen += re.findall(r'name="choose" value="Patient/([^"]+)"', picking.page.text)
    assert sorted(seen) == [f"m{n:02}" for n in range(45)]


async def test_s54_a_page_that_was_tampered_with_is_refused(picking):
    await picking.send(picking.path, text="坂出", page="AAAA")
    assert picking.page.status_code == 422
    assert "<table" not in picking.page.text


async def test_names_and_birth_dates_stand_in_no_address(picking):
    await found(picking, "坂出", "S41/06/06")
    assert picking.page.request.url.query.decode().startswith("authorization=")
    assert picking.page.history == []
    assert "坂出" not in str(picking.page.url)


async def test_nothing_of_patients_reaches_the_logs(picking, caplog):
    with caplog.at_level(logging.DEBUG, logger="fhir_server"):
        await found(picking, "坂出", "S41/06/06")
    assert "坂出" not in caplog.text
    assert "1966" not in caplog.text


async def test_f006_the_secretariat_finds_no_patients_here_beyond_its_role(network):
    await network.store(
        organization("office", "3719999999", "事務局"), practitioner("office", "事務 局子"), works("office", "office", "auditor")
    )
    await network.account("office", "Practitioner/office")
    browser = network.browser()
    asked = await network.asks()
    browser.path = f"patient?authorization={asked}"
    await browser.log_in("office", authorization=asked)
    await browser.follow()
    assert await found(browser, "坂出") == []
    await browser.send(browser.path, choose="Patient/p1")
    assert browser.page.status_code == 422
    await browser.open(f"consent?authorization={asked}&patient=p1")
    assert browser.to == f"/auth/patient?authorization={asked}"


@pytest.mark.parametrize("choice", ["Patient/none", "Observation/1", "p1", "", "Patient/../p1", "https://evil.example/Patient/p1"])
async def test_only_a_patient_who_may_be_seen_can_be_chosen(picking, choice):
    await picking.send(picking.path, choose=choice)
    assert picking.page.status_code == 422


async def test_without_an_app_there_is_nobody_to_choose(picking):
    await picking.open("patient")
    assert picking.to == "/auth/account"


async def test_who_searches_on_and_on_is_told_to_wait(picking):
    for _ in range(61):
        await found(picking, "0001")
    assert picking.page.status_code == 429
