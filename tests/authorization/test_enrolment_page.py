"""A person fetches her certificate with a browser, by keyboard alone (F048-F050)."""

from pathlib import Path

from cryptography.hazmat.primitives.serialization import pkcs12
from fastapi import FastAPI
from fastapi.responses import FileResponse

import fhir_server.authorization
from fhir_server.auth.throttle import WINDOWS, Throttle
from fhir_server.authorization.enrolment import Enrolling, add_enrolment
from tests.auth.certificates.network import CLERK, Hands, founded, open_shelf, process
from tests.authorization.browser import browser, free_port, needs_chromium, serving

STYLES = Path(fhir_server.authorization.__file__).with_name("static") / "pages.css"


def application(pki, shelf, hands):
    app = FastAPI()
    add_enrolment(app, lambda: Enrolling(pki, Throttle(shelf.records(WINDOWS), hands.clock, b"a secret of these tests"), "K-MIX R"))

    @app.get("/auth/static/pages.css")
    async def styles() -> FileResponse:
        return FileResponse(STYLES)

    return app


@needs_chromium
async def test_f048_a_person_types_the_code_and_saves_the_file_by_keyboard(mongodb_uri, database_name, tmp_path):
    hands = Hands()
    async with open_shelf(mongodb_uri, database_name, hands) as shelf:
        pki = await founded(await process(shelf, hands), hands)
        token = await pki.enrolment.invite(CLERK)
        async with serving(application(pki, shelf, hands), free_port()) as address, browser() as page:
            await page.goto(f"{address}/pki/enrol")
            await page.focus("#token")
            await page.keyboard.type("AAAAA")
            await page.keyboard.press("Enter")
            assert "事務局に新しいコード" in await page.inner_text("[role=alert]")
            page.complaints.clear()  # Chromium reports the status 403
            await page.focus("#token")
            await page.keyboard.type(token.lower())
            await page.keyboard.press("Tab")
            await page.keyboard.press("Enter")
            await page.wait_for_selector("#password")
            await page.focus("#file")
            async with page.expect_download() as saving:
                await page.keyboard.press("Enter")
            saved = await saving.value
            assert saved.suggested_filename == "certificate-20260401001.p12"
            await saved.save_as(tmp_path / "saved.p12")
            password = await page.inner_text("#password")
            assert page.complaints == []
    key, certificate, _ = pkcs12.load_key_and_certificates((tmp_path / "saved.p12").read_bytes(), password.encode())
    assert key.public_key() == certificate.public_key()
