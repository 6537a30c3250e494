"""GET /docs and what it needs: a page that asks no other machine for anything."""

import json
import re

import httpx
import pytest

from fhir_server.app import openapi
from tests.rest.served import BASE

ASSETS = ["docs/swagger-ui.css", "docs/swagger-ui-bundle.js", "docs/start.js", "openapi.json"]


@pytest.fixture
async def browser(application):
    """A client whose addresses start beside the FHIR base."""
    root = BASE.removesuffix("fhir")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url=root) as client:
        yield client


async def test_the_page_refers_only_to_what_is_served_beside_it(browser):
    page = await browser.get("/docs")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    addresses = [address for address in re.findall(r'(?:href|src)="([^"]+)"', page.text) if not address.startswith("data:")]
    assert set(addresses) == {*ASSETS}
    for address in addresses:
        assert (await browser.get(address)).status_code == 200


async def test_the_policy_of_the_page_allows_this_server_only(browser):
    policy = (await browser.get("/docs")).headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "http" not in policy
    assert "unsafe-eval" not in policy


@pytest.mark.parametrize("address", ASSETS)
async def test_an_asset_is_sent_packed_and_only_once(browser, address):
    packed = await browser.get(address, headers={"Accept-Encoding": "gzip"})
    plain = await browser.get(address, headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.content == plain.content
    again = await browser.get(address, headers={"If-None-Match": packed.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_what_is_no_asset_is_not_found(browser):
    for name in ("README.md", "..%2Fswagger.py", "swagger-ui.css.gz"):
        assert (await browser.get(f"/docs/{name}")).status_code == 404


async def test_the_document_beside_the_page_leads_to_the_base_from_wherever_it_is(browser):
    served = (await browser.get("/openapi.json")).json()
    assert served["servers"] == [{"url": "fhir"}]
    assert {**served, "servers": None} == {**json.loads(openapi()), "servers": None}


@pytest.mark.parametrize("path", ["../settings.py", "..%2fsettings.py", "%2e%2e/%2e%2e/pyproject.toml", "/etc/passwd", "start.js%00"])
async def test_s46_no_path_leads_out_of_the_assets(browser, path):
    assert (await browser.get(f"/docs/{path}")).status_code == 404
