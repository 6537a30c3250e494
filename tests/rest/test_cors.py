"""Pages of other origins."""

import httpx
import pytest

from fhir_server.app import create_app
from fhir_server.settings import Settings, SettingsError, load
from tests.rest.served import BASE, issue_of, patient

PAGE = "https://app.example.org"
ASKING = {"Origin": PAGE, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type,if-match"}


@pytest.fixture
async def opened(mongodb_uri, database_name):
    """A client of a server that lets the pages of two origins in."""
    app = create_app(Settings(authentication="off", database=database_name, cors_origins=f"{PAGE}, http://localhost:3000"), mongodb_uri)
    async with (
        app.outer.router.lifespan_context(app.outer),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as client,
    ):
        yield client


def cors(response):
    return {name for name in response.headers if name.startswith("access-control")}


async def test_no_page_of_another_origin_is_let_in_by_default(client):
    preflight = await client.options("/Patient/p1", headers=ASKING)
    assert (preflight.status_code, issue_of(preflight)["code"]) == (405, "not-supported")
    response = await client.get("/metadata", headers={"Origin": PAGE})
    assert response.status_code == 200
    assert not cors(response) | cors(preflight)


async def test_a_preflight_of_an_allowed_origin_is_answered(opened):
    response = await opened.options("/Patient/p1", headers=ASKING)
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["Access-Control-Allow-Origin"] == PAGE
    assert "PUT" in response.headers["Access-Control-Allow-Methods"]
    assert {"Content-Type", "If-Match"} <= set(response.headers["Access-Control-Allow-Headers"].split(", "))
    assert "Access-Control-Allow-Credentials" not in response.headers


async def test_answers_to_an_allowed_origin_show_their_headers(opened):
    created = await opened.put("/Patient/p1", json=patient(id="p1"), headers={"Origin": PAGE})
    failed = await opened.get("/Patient/never", headers={"Origin": "http://localhost:3000"})
    for response, origin in ((created, PAGE), (failed, "http://localhost:3000")):
        assert response.headers["Access-Control-Allow-Origin"] == origin
        assert response.headers["Vary"] == "Origin"
        shown = set(response.headers["Access-Control-Expose-Headers"].split(", "))
        assert {"ETag", "Location", "Last-Modified", "Content-Location", "X-Request-Id"} <= shown


@pytest.mark.parametrize("origin", ["https://evil.example", "https://app.example.org.evil.example", "null", PAGE.upper()])
async def test_another_origin_is_not_let_in(opened, origin):
    preflight = await opened.options("/Patient/p1", headers={**ASKING, "Origin": origin})
    response = await opened.get("/metadata", headers={"Origin": origin})
    assert preflight.status_code == 405
    assert not cors(response) | cors(preflight)


async def test_options_without_a_question_is_no_preflight(opened):
    assert (await opened.options("/Patient/p1", headers={"Origin": PAGE})).status_code == 405


@pytest.mark.parametrize("text", ["app.example.org", "https://app.example.org/", "https://*.example.org", "https://a b"])
def test_what_is_no_origin_is_no_setting(text):
    with pytest.raises(SettingsError, match="cors_origins"):
        load({}, cors_origins=text)
