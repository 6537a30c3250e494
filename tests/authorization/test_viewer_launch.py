"""The viewer is launched: by itself, and from the EHR launcher, by people who log in, in Chromium."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from fhir_server.settings import Settings
from tests.authorization.launching import CLERK, DOCTOR, PASSWORD, PATIENT, stored
from tests.authorization.viewing import looking, started
from tests.clients import running

NAME = "高松 次郎"


@pytest.fixture(scope="module")
def base(mongodb_uri, worker_database, tmp_path_factory):
    """The FHIR base of a sandbox where people log in."""
    connection, name = worker_database
    database = f"{name}_launch"
    connection.drop_database(database)
    settings = {"mongodb_uri": mongodb_uri, "database": database, "access_log": "false", "sandbox": "true"}
    with running.serving(tmp_path_factory.mktemp("launch"), "-m", "fhir_server", "serve", until="Tsunagi serves", **settings) as address:
        stored(mongodb_uri, Settings(database=database, base_url=address, sandbox=True))
        yield address
    connection.drop_database(database)


@pytest.fixture(scope="module")
async def chromium():
    async with started() as browser:
        yield browser


@pytest.fixture
async def page(chromium):
    async with looking(chromium) as page:
        page.asked = []
        page.on("request", lambda request: page.asked.append(request))  # noqa: PLW0108 - playwright takes no built-in
        yield page


@pytest.fixture
def root(base):
    return base.removesuffix("/fhir")


async def logged_in(page, person, password=PASSWORD):
    await page.fill("input[name=login]", person.login)
    await page.fill("input[name=password]", password)
    await page.click("button.wide")


async def at_the_hospital(page):
    await page.click("button[name=choice]:has-text('讃岐中央病院')")


async def choosing(page, text="タカマツ"):
    await page.fill("input[name=text]", text)
    await page.click("form[role=search] button")
    await page.click("button[name=choose]")


async def allowed(page, *without):
    for each in without:
        await page.uncheck(f"input[name=scope][value='{each}']")
    await page.click("button[name=decision][value=allow]")


async def standalone(page, root, person=DOCTOR, *without, scope=None):
    await page.goto(f"{root}/viewer/launch.html")
    if scope is not None:
        await page.click("summary")
        await page.fill("input[name=scope]", scope)
    await page.click("button[name=go]")
    await logged_in(page, person)
    if len(person.works) > 1:
        await at_the_hospital(page)
    if person.works:
        await choosing(page)
    await allowed(page, *without)
    await page.wait_for_selector("main:not([aria-busy]) .card")


async def from_the_ehr(page, root, user="a1", patient="jiro"):
    await page.goto(f"{root}/launcher")
    for name, value in (("app", "viewer"), ("user", user), ("patient", patient)):
        await page.select_option(f"select[name={name}]", value)
    await page.click("button.button")


async def sees_everything(page):
    for name, selector in (("laboratory", "svg.graph .line"), ("medications", ".prescription"), ("documents", ".documents button")):
        await page.click(f"a[href='#{name}']")
        await page.wait_for_selector(f"main:not([aria-busy]) {selector}")
        assert await page.locator(".refusal").count() == 0
    await page.click("tr:has-text('紹介状') button")
    await page.wait_for_selector("dialog pre")
    return NAME in await page.inner_text(".patient")


def of_path(page, path):
    return [request for request in page.asked if urlsplit(request.url).path == path]


async def test_a_doctor_launches_the_viewer_by_itself_chooses_a_patient_and_sees_everything(page, root):
    await standalone(page, root)
    assert "医師 一子" in await page.inner_text(".user")
    assert await sees_everything(page)
    assert not page.wrong


async def test_an_ehr_launches_the_viewer_with_its_patient_and_nobody_is_chosen_again(page, root):
    await from_the_ehr(page, root)
    await logged_in(page, DOCTOR)
    await at_the_hospital(page)
    assert NAME in await page.inner_text("main")
    assert await page.locator("a:has-text('別の患者')").count() == 0
    await allowed(page)
    assert await sees_everything(page)
    assert not of_path(page, "/auth/patient")
    assert not page.wrong


async def test_whoever_is_logged_in_is_not_asked_again(page, root):
    await standalone(page, root)
    await from_the_ehr(page, root)
    await page.wait_for_url("**/auth/consent?**")
    await allowed(page)
    await page.wait_for_selector("main:not([aria-busy]) .card")
    assert NAME in await page.inner_text(".patient")


async def test_l01_a_launch_for_one_person_asks_another_one_to_log_in(page, root):
    await standalone(page, root)
    await from_the_ehr(page, root, user="k1")
    await page.wait_for_selector("input[name=login]")


async def test_s35_the_login_is_asked_with_pkce_and_the_code_is_in_no_address_that_stays(page, root):
    await standalone(page, root)
    (asked,) = of_path(page, "/auth/authorize")
    said = parse_qs(urlsplit(asked.url).query)
    assert said["code_challenge_method"] == ["S256"]
    assert len(said["code_challenge"][0]) == 43
    (exchanged,) = of_path(page, "/auth/token")
    assert "code_verifier=" in exchanged.post_data
    assert page.url == f"{root}/viewer/"


async def test_a_patient_sees_her_own_record_and_chooses_nobody(page, root):
    await standalone(page, root, PATIENT)
    assert NAME in await page.inner_text(".patient")
    assert not of_path(page, "/auth/patient")
    await page.click("a[href='#laboratory']")
    await page.wait_for_selector("svg.graph")


async def test_a_scope_that_was_not_granted_is_named_and_the_rest_is_shown(page, root):
    wanted = (
        "launch/patient openid fhirUser online_access user/Patient.rs user/Condition.rs user/Organization.rs user/AllergyIntolerance.rs"
    )
    await standalone(page, root, DOCTOR, "user/AllergyIntolerance.rs", scope=wanted)
    text = await page.inner_text("main")
    assert "２型糖尿病" in text
    assert "権限(スコープ)「user/AllergyIntolerance.s」" in text
    assert "権限(スコープ)「user/Encounter.s」" in text
    await page.click("a[href='#laboratory']")
    await page.wait_for_selector("main[data-page=laboratory]:not([aria-busy]) .refusal")
    assert "user/Observation.s" in await page.inner_text("main")


async def test_f006_what_the_role_forbids_is_not_blamed_on_a_scope(page, root):
    await standalone(page, root, CLERK)
    await page.click("a[href='#laboratory']")
    await page.wait_for_selector("main[data-page=laboratory]:not([aria-busy]) .refusal")
    text = await page.inner_text("main")
    assert "職種または医療機関" in text
    assert "user/" not in text


async def test_whoever_allows_nothing_is_told_so_by_the_viewer(page, root):
    await page.goto(f"{root}/viewer/launch.html")
    await page.click("button[name=go]")
    await logged_in(page, DOCTOR)
    await at_the_hospital(page)
    await choosing(page)
    await page.click("button[name=decision][value=deny]")
    await page.wait_for_selector("main.stopped")
    assert "許可されませんでした" in await page.inner_text("main")


async def answered(method, address, **more):
    async with httpx.AsyncClient() as client:
        return await client.request(method, address, **more)


async def token_of(page):
    return await page.evaluate("JSON.parse(sessionStorage[JSON.parse(sessionStorage.SMART_KEY)]).tokenResponse.access_token")


async def test_ending_the_viewer_revokes_its_token_and_leaves_nothing_behind(page, root, base):
    await standalone(page, root)
    bearer = {"Authorization": f"Bearer {await token_of(page)}"}
    assert (await answered("GET", f"{base}/Patient/jiro", headers=bearer)).status_code == 200
    await page.click("text=終了")
    await page.wait_for_url("**/viewer/launch.html")
    await page.wait_for_selector("[role=status]")
    assert "ログアウト" in await page.inner_text("main")
    assert await page.evaluate("Object.keys(sessionStorage)") == []
    assert NAME not in await page.content()
    assert (await answered("GET", f"{base}/Patient/jiro", headers=bearer)).status_code == 401


async def test_f060_a_token_that_has_ended_takes_the_data_off_the_screen(page, root, base):
    await standalone(page, root)
    discovery = (await answered("GET", f"{base}/.well-known/smart-configuration")).json()
    revoked = await answered("POST", discovery["revocation_endpoint"], data={"token": await token_of(page), "client_id": "viewer"})
    assert revoked.status_code == 200
    await page.click("a[href='#medications']")
    await page.wait_for_url("**/viewer/launch.html")
    assert NAME not in await page.content()
    assert "有効期限" in await page.inner_text("[role=alert]")


async def test_a_token_is_renewed_without_asking_the_person_while_she_is_there(page, root):
    await standalone(page, root)
    before = await token_of(page)
    await page.evaluate(
        "() => { const key = JSON.parse(sessionStorage.SMART_KEY); const state = JSON.parse(sessionStorage[key]); state.expiresAt = 0;"
        " sessionStorage[key] = JSON.stringify(state) }"
    )
    await page.reload()
    await page.wait_for_selector("main:not([aria-busy]) .card")
    assert await token_of(page) != before
    assert "grant_type=refresh_token" in of_path(page, "/auth/token")[-1].post_data


async def test_where_no_sandbox_is_nobody_stands_for_an_ehr(mongodb_uri, worker_database, tmp_path):
    _, name = worker_database
    settings = {"mongodb_uri": mongodb_uri, "database": f"{name}_closed", "access_log": "false"}
    with running.serving(tmp_path, "-m", "fhir_server", "serve", until="Tsunagi serves", **settings) as address:
        assert (await answered("GET", address.replace("/fhir", "/launcher"))).status_code == 404
    worker_database[0].drop_database(f"{name}_closed")
