"""The sandbox's EHR launcher: what it offers, and what a launch from it is."""

import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI

from fhir_server.auth.accounts.account import ACCOUNTS, Account
from fhir_server.auth.clients import CLIENTS, Client
from fhir_server.auth.directory import Directory
from fhir_server.auth.oauth.launches import Launches
from fhir_server.auth.oauth.refusals import OAuth2Error
from fhir_server.authorization.launcher import Launcher, add_launcher
from fhir_server.search.expression import Entries
from fhir_server.store.mongo import Mongo
from fhir_server.store.permit import Permit
from fhir_server.store.records import Shelf
from fhir_server.store.repository import Create, Prepared, Repository

ROOT = "http://tsunagi.example"
BASE = f"{ROOT}/fhir"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
GROWTH = "https://growth.example.org"
EVIL = "<img src=x onerror=alert(1)>"


def app(id, launch_uri, **fields):
    return Client(id=id, name=f"App {id}", method="none", scope="launch patient/*.rs", created=LONG_AGO, launch_uri=launch_uri, **fields)


def patient(id, kanji, kana):
    return {
        "resourceType": "Patient",
        "id": id,
        "name": [{"text": kanji}, {"text": kana}],
        "birthDate": "1958-07-14",
        "identifier": [{"value": f"n-{id}"}],
    }


@pytest.fixture
async def mongo(mongodb_uri, database_name):
    opened = await Mongo.connect(mongodb_uri, database_name)
    yield opened
    await opened.close()


@pytest.fixture
async def shelf(mongo):
    shelf = Shelf(mongo.database)
    for each in (
        app("viewer", f"{ROOT}/viewer/launch.html"),
        app("growth", f"{GROWTH}/go?kind=1"),
        app("plain", None),
        app("old", f"{ROOT}/old", active=False),
    ):
        await shelf.records(CLIENTS).add(each)
    await shelf.records(ACCOUNTS).add(Account(id="A1", fhir_user="Practitioner/a1", created=LONG_AGO))
    return shelf


@pytest.fixture
def launches(shelf):
    return Launches(shelf)


@pytest.fixture
async def browser(mongo, shelf, launches):
    repository = Repository(mongo, Permit.everything())
    people = [
        patient("one", "高松 次郎", "タカマツ ジロウ"),
        patient("two", EVIL, "アイ"),
        {"resourceType": "Practitioner", "id": "a1", "name": [{"text": "医師 一子"}]},
    ]
    await repository.commit([Create(Prepared(each["resourceType"], each["id"], each, Entries())) for each in people])
    launcher = Launcher(shelf, repository, Directory(repository, lambda: datetime.now(UTC), UTC), launches, BASE)
    served = FastAPI(openapi_url=None)
    add_launcher(served, lambda: launcher)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url=ROOT) as client:
        yield client


async def test_the_page_offers_apps_that_can_be_launched_users_and_patients(browser):
    text = (await browser.get("/launcher")).text
    values = re.findall(r'<option value="([^"]*)"', text)
    assert values == ["growth", "viewer", "", "A1", "", "two", "one"], "patients in the order of their kana"
    assert "A1 — 医師 一子" in text


async def test_what_people_are_called_is_text_and_never_markup(browser):
    text = (await browser.get("/launcher")).text
    assert EVIL not in text
    assert "&lt;img src=x" in text


async def test_a_launch_leads_to_the_app_with_iss_and_launch(browser, launches):
    answer = await browser.post("/launcher", data={"app": "viewer", "user": "A1", "patient": "one"})
    assert answer.status_code == 303
    where = urlsplit(answer.headers["Location"])
    assert where._replace(query="").geturl() == f"{ROOT}/viewer/launch.html"
    said = parse_qs(where.query)
    assert said["iss"] == [BASE]
    launch = await launches.take(said["launch"][0], "viewer")
    assert (launch.context.patient, launch.account, launch.client) == ("Patient/one", "A1", "viewer")


async def test_an_app_keeps_the_parameters_of_its_own_address(browser, launches):
    answer = await browser.post("/launcher", data={"app": "growth", "user": "", "patient": ""})
    said = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert said["kind"] == ["1"]
    launch = await launches.take(said["launch"][0], "growth")
    assert (launch.context.patient, launch.account) == (None, None)


async def test_s35_a_launch_is_of_no_use_to_another_app_and_works_once(browser, launches):
    answer = await browser.post("/launcher", data={"app": "viewer", "user": "", "patient": "one"})
    (launch,) = parse_qs(urlsplit(answer.headers["Location"]).query)["launch"]
    with pytest.raises(OAuth2Error):
        await launches.take(launch, "growth")
    assert await launches.take(launch, "viewer")
    with pytest.raises(OAuth2Error):
        await launches.take(launch, "viewer")


@pytest.mark.parametrize(
    "chosen",
    [
        {"app": "plain"}, {"app": "old"}, {"app": "nobody"}, {"app": ""}, {"app": "viewer", "user": "Z9"}, {"app": "viewer", "patient": "nobody"},
        {"app": "viewer", "patient": "../Patient/one"}, {"app": {"$ne": None}}, {"app": "viewer", "user": "a\x00b"},
    ],
)  # fmt: skip
async def test_what_does_not_exist_is_refused_on_the_page(browser, chosen):
    answer = await browser.post("/launcher?lang=en", data=chosen)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert "Location" not in answer.headers


async def test_what_is_no_form_is_refused(browser):
    assert (await browser.post("/launcher", json={"app": "viewer"})).status_code == 415
    assert (
        await browser.post("/launcher", content=b"a" * 100_000, headers={"Content-Type": "application/x-www-form-urlencoded"})
    ).status_code == 413


async def test_the_form_may_lead_to_this_server_and_to_the_apps_only(browser):
    policy = (await browser.get("/launcher")).headers["Content-Security-Policy"]
    directives = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    assert directives["form-action"].split() == ["'self'", ROOT, GROWTH] or directives["form-action"].split() == ["'self'", GROWTH, ROOT]
    assert directives["default-src"] == "'none'"
    assert "unsafe" not in policy


async def test_the_page_speaks_both_languages(browser):
    japanese, english = (await browser.get("/launcher?lang=ja")).text, (await browser.get("/launcher?lang=en")).text
    assert '<html lang="ja">' in japanese
    assert "電子カルテからの起動" in japanese
    assert '<html lang="en">' in english
    assert "Launch from an EHR" in english
    assert not re.search(r"[\u3040-\u30ff]", re.sub(r"<option.*", "", english)), "the rest of it"


async def test_a_server_that_is_starting_says_so():
    served = FastAPI(openapi_url=None)
    add_launcher(served, lambda: None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url=ROOT) as client:
        assert (await client.get("/launcher")).status_code == 503
        assert (await client.post("/launcher", data={})).status_code == 503
