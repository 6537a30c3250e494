"""The viewer in Chromium, shown a patient of two facilities by a server without login."""

import json
from urllib.parse import urlsplit

import httpx
import pytest

from tests.authorization.viewing import LETTER, looking, started, transaction
from tests.clients import running


@pytest.fixture(scope="module")
def base(mongodb_uri, worker_database, tmp_path_factory):
    """The FHIR base of a server that holds the patient, and asks nobody who she is."""
    connection, name = worker_database
    database = f"{name}_viewer"
    connection.drop_database(database)
    settings = {"mongodb_uri": mongodb_uri, "database": database, "access_log": "false", "authentication": "off"}
    with running.serving(tmp_path_factory.mktemp("viewer"), "-m", "fhir_server", "serve", until="Tsunagi serves", **settings) as address:
        httpx.post(address, json=transaction(), timeout=60).raise_for_status()
        yield address
    connection.drop_database(database)


@pytest.fixture(scope="module")
async def chromium():
    async with started() as browser:
        yield browser


@pytest.fixture
async def page(base, chromium):
    """The viewer as it is after a launch for the patient; in the end, nothing went wrong in it and it asked nobody else."""
    async with looking(chromium) as page:
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        await launched(page, base)
        yield page
        assert not page.wrong
        hosts = {urlsplit(each).netloc for each in page.asked if each.startswith("http")}  # Chromium's own PDF viewer is an extension
        assert hosts == {urlsplit(base).netloc}


async def launched(page, base, **response):
    state = {
        "serverUrl": base,
        "clientId": "viewer",
        "scope": "launch/patient",
        "key": "k",
        "tokenResponse": {"patient": "jiro", **response},
    }
    root = base.removesuffix("/fhir")
    await page.goto(f"{root}/viewer/launch.html")
    await page.evaluate("state => { sessionStorage.SMART_KEY = '\"k\"'; sessionStorage.k = state }", json.dumps(state))
    await page.goto(f"{root}/viewer/")
    await page.wait_for_selector("main:not([aria-busy]) .card")


async def shown(page, name):
    await page.click(f"a[href='#{name}']")
    await page.wait_for_selector(f"main[data-page={name}]:not([aria-busy])")  # the address changes before the page does
    return await page.inner_text("main")


async def rows(page, selector="main table"):
    return await page.eval_on_selector_all(
        f"{selector} tbody tr", "rows => rows.map(row => [...row.cells].map(cell => cell.innerText.trim()))"
    )


async def test_who_the_patient_is_stands_above_every_page(page):
    for name in ("summary", "laboratory", "medications", "documents"):
        await shown(page, name)
        banner = await page.inner_text(".patient")
        for said in ("高松 次郎", "タカマツ ジロウ", "1958年7月14日 (昭和33年7月14日)", "男性"):
            assert said in banner


async def test_the_summary_tells_numbers_allergies_problems_and_visits(page):
    text = await page.inner_text("main")
    assert "讃岐中央病院\n0200000101" in text
    assert "高松内科クリニック\nA-77" in text
    assert [each.split("\n")[0] for each in await page.locator(".allergies strong").all_inner_texts()] == ["ペニシリン系抗生物質"]
    assert "重症リスク高" in text
    problems, visits = await rows(page, "main .card:nth-child(3) table"), await rows(page, "main .card:nth-child(4) table")
    assert problems[:2] == [["胃癌", "2026-02-01", "疑い", "讃岐中央病院"], ["２型糖尿病", "2021-01-04", "現在", "讃岐中央病院"]]
    assert visits == [["2026-03-10", "外来", "高松内科クリニック", "内科", "医師 一子"]]


async def test_the_same_persons_record_at_another_facility_is_shown_too(page):
    await shown(page, "laboratory")
    tests = await page.inner_text(".tests")
    assert "尿糖定性" in tests
    assert "尿潜血反応" not in tests, "of the same name, but linked with nobody"
    assert "X-99" not in await shown(page, "summary")


async def test_a_facility_has_one_sign_on_all_pages(page):
    signs = {}
    for name, selector in (("summary", "dt"), ("documents", "td"), ("laboratory", ".legend li"), ("medications", "h2")):
        await shown(page, name)
        found = await page.eval_on_selector_all(
            f"main {selector}:has(.sign)",
            "places => places.map(each => [each.innerText, each.querySelector('.point').getAttribute('class')])",
        )
        for said, sign in found:
            facility = next(each for each in ("讃岐中央病院", "高松内科クリニック") if each in said)
            signs.setdefault(facility, set()).add(sign)
    assert signs == {"讃岐中央病院": {"point facility-0"}, "高松内科クリニック": {"point facility-1"}}


async def test_text_from_the_server_is_never_markup(page):
    assert "<img src=x" in await page.inner_text("main")
    assert not await page.query_selector("main img")
    assert await page.evaluate("document.body.dataset.hacked") is None


async def test_results_of_two_facilities_are_one_graph_with_a_line_and_a_sign_for_each(page):
    await shown(page, "laboratory")
    assert await page.locator("svg.graph polyline.line").count() == 2
    assert await page.locator("svg.graph .point").count() == 4
    assert await page.locator("svg.graph .point .outside").count() == 3
    assert await page.locator("svg.graph .band").count() == 1
    signs = await page.eval_on_selector_all("svg.graph g.point", "points => [...new Set(points.map(each => each.getAttribute('class')))]")
    assert signs == ["point facility-0", "point facility-1"]
    assert await page.locator(".legend li").all_inner_texts() == ["讃岐中央病院", "高松内科クリニック"]
    captions = await page.inner_text("figcaption")
    assert "基準値は医療機関や時期により異なります" in captions
    assert "測定法の異なる結果" in captions


async def test_the_table_below_says_what_the_graph_shows_with_every_digit(page):
    await shown(page, "laboratory")
    assert await rows(page, "table.results") == [
        ["2026-03-10 09:00", "5.8 %", "", "4.9 – 6.2", "高松内科クリニック"],
        ["2025-12-08 09:00", "6.6 %", "高", "4.9 – 6.0", "讃岐中央病院"],
        ["2025-09-02 09:00", "7.0 %", "高", "4.9 – 6.2", "高松内科クリニック"],
        ["2025-06-10 09:00", "7.4 %", "高", "4.9 – 6.0", "讃岐中央病院"],
    ]
    described = await page.get_attribute("svg.graph", "aria-label")
    assert "4 件" in described
    assert "最小 5.8、最大 7.4" in described


async def test_a_shorter_period_shows_less_and_keeps_the_focus(page):
    await shown(page, "laboratory")
    await page.click("[data-period=quarter]")
    assert len(await rows(page, "table.results")) == 2
    assert await page.evaluate("document.activeElement.dataset.period") == "quarter"


async def test_results_that_are_no_numbers_are_told_in_the_table_only(page):
    await shown(page, "laboratory")
    await page.fill(".tests input", "尿蛋白")
    await page.click(".tests button:not([hidden])")
    assert await page.locator("svg.graph").count() == 0
    assert (await rows(page, "table.results"))[0][1] == "(2+)"


async def test_a_test_is_found_by_letters_of_any_width(page):
    await shown(page, "laboratory")
    await page.fill(".tests input", "hba1c")
    assert [each.split("\n")[0] for each in await page.locator(".tests button:visible").all_inner_texts()] == ["ＨｂＡ１ｃ(ＮＧＳＰ)"]


async def test_prescriptions_come_newest_first_and_together_as_written(page):
    await shown(page, "medications")
    assert [each.split(" ")[0] for each in await page.locator(".prescription time").all_inner_texts()] == ["2026-03-10", "2025-12-08"]
    first = await rows(page, ".prescription:first-of-type table")
    assert sorted(each[0] for each in first) == ["アムロジピン錠５ｍｇ", "メトホルミン塩酸塩錠２５０ｍｇ"]
    assert first[0][1:] in (
        ["内服・経口・１日３回朝昼夕食後", "1 錠", "", "28 日", "84 錠"], ["内服・経口・１日１回朝食後", "1 錠", "", "28 日", "84 錠"],
    )  # fmt: skip


async def opened(page, title):
    await page.click(f"tr:has-text('{title}') button")
    await page.wait_for_selector("dialog .opened:not(:has(.loading))")
    return page.locator("dialog")


async def test_a_text_is_fetched_and_shown_and_the_focus_returns(page):
    await shown(page, "documents")
    assert await (await opened(page, "紹介状")).locator("pre").inner_text() == LETTER
    await page.keyboard.press("Escape")
    await page.wait_for_selector("dialog", state="detached")
    assert await page.evaluate("document.activeElement.innerText") == "紹介状.txt"


async def test_a_pdf_is_shown_in_a_frame_of_its_own_and_can_be_kept(page):
    await shown(page, "documents")
    dialog = await opened(page, "退院時サマリー")
    assert (await dialog.locator("iframe").get_attribute("src")).startswith("blob:")
    assert await dialog.locator("a[download]").get_attribute("download") == "サマリー.pdf"


async def test_html_of_a_document_is_shown_as_text_and_never_run(page):
    await shown(page, "documents")
    assert await (await opened(page, "お知らせ")).locator("pre").inner_text() == "<script>document.body.dataset.hacked=1</script>"
    assert await page.evaluate("document.body.dataset.hacked") is None


async def test_the_token_is_sent_to_no_other_address_than_the_servers_own(page):
    await shown(page, "documents")
    assert "別のサーバーにある" in await (await opened(page, "よその文書")).inner_text()


async def test_a_report_leads_to_its_results(page):
    await shown(page, "documents")
    await opened(page, "生化学的検査")
    assert await rows(page, "dialog table") == [["ＨｂＡ１ｃ(ＮＧＳＰ)", "6.6 %", "高", "4.9 – 6.0"]]


async def test_everything_speaks_english_too_and_stays_on_its_page(page):
    await shown(page, "medications")
    await page.click("text=English")
    await page.wait_for_selector("main:not([aria-busy]) .prescription")
    assert await page.evaluate("document.documentElement.lang") == "en"
    assert "Prescribed by 医師 一子" in await page.inner_text("main")
    assert "14 July 1958 (昭和33年7月14日)" in await page.inner_text(".patient")
    assert await page.title() == "Medications — Tsunagi viewer"


async def test_every_page_is_reached_with_the_keyboard_alone(page):
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "skip"
    for _ in range(4):  # language, end, summary, laboratory
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("svg.graph")
    assert urlsplit(page.url).fragment == "laboratory"


async def test_a_page_that_nobody_launched_says_how_to_begin(base, chromium):
    async with looking(chromium) as page:
        await page.goto(base.removesuffix("/fhir") + "/viewer/")
        await page.wait_for_selector("main.stopped")
        assert "起動してください" in await page.inner_text("main")
        assert await page.get_attribute("main a.button", "href") == "launch.html"


async def test_l05_five_minutes_without_use_end_the_launch_and_hide_the_data(base, chromium):
    async with looking(chromium) as page:
        await page.clock.install()
        await launched(page, base)
        await page.clock.run_for("04:50")
        assert "高松 次郎" in await page.inner_text(".patient")
        await page.clock.run_for("00:15")
        await page.wait_for_url("**/launch.html")
        await page.wait_for_selector("[role=alert]")
        assert "5分間操作がなかった" in await page.inner_text("[role=alert]")
        assert await page.evaluate("Object.keys(sessionStorage)") == []


async def test_a_link_to_another_server_launches_nothing_there(base, chromium):
    async with looking(chromium) as page:
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(base.removesuffix("/fhir") + "/viewer/launch.html?iss=http://127.0.0.1:9/fhir&launch=1")
        await page.wait_for_selector("[role=alert]")
        assert not [each for each in asked if ":9/" in each.partition("?")[0]]
