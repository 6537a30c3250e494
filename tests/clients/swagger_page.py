"""`make browser-test`: a tester's way through the Swagger page in Chromium, with a picture of it at the end.

TSUNAGI_TEST_CHROMIUM names another browser than /usr/bin/chromium. The tests go the same way (test_swagger_page.py).
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import expect

from fhir_server.sandbox.people import TESTER, secret_of
from tests.authorization.browser import browser
from tests.clients import running, tester

PATIENCE = 15_000  # milliseconds, of a machine that does much else
EXPECTED = (("401", "200", "404"), ("401", "200", "410"))  # the id of the example may have been somebody's, and is gone
PATIENTS, ONE = "#operations-Patient-search_type_Patient", "#operations-instance-read"


async def paste(page, base):
    """Put a token in as a person pastes it."""
    await page.locator("#auth-bearer-value").fill(tester.token(base))
    return page.locator(".auth-container", has=page.locator("#auth-bearer-value"))


async def fetch(page, base):
    """Have the page itself get a token, with the tester's secret."""
    form = page.locator(".auth-container", has=page.locator("#client_secret_clientCredentials"))
    await form.locator("#client_id_clientCredentials").fill(TESTER)
    await form.locator("#client_secret_clientCredentials").fill(secret_of(TESTER))
    await form.locator("a", has_text="select all").first.click()
    return form


async def visit(page, base, give=paste):
    """Search without a token, give one, search and read one; give the statuses that the page shows."""
    await page.goto(f"{base.removesuffix('/fhir')}/docs")
    await page.wait_for_selector(".opblock-tag")
    await find(page, "Patient")
    await page.locator(f"{PATIENTS} .opblock-summary-control").click()
    without = await execute(page, PATIENTS)
    await authorize(page, base, give)
    searched = await execute(page, PATIENTS)
    await find(page, "instance")
    await page.locator(f"{ONE} .opblock-summary-control").click()
    return without, searched, await execute(page, ONE)


async def find(page, tag):
    """Show the operations of one tag."""
    await page.locator(".operation-filter-input").fill(tag)
    await page.locator(f"#operations-tag-{tag}").click()


async def authorize(page, base, give):
    """Press Authorize, give a token in one of the ways, and close the window when it says that there is one."""
    await page.locator(".auth-wrapper .authorize").first.click()
    form = await give(page, base)
    await form.locator("button.authorize").click()
    await expect(page.locator(".auth-container", has_text="Authorized").first).to_be_visible(timeout=PATIENCE)
    await page.locator(".modal-ux .btn-done").first.click()


async def execute(page, operation):
    """Press the button of an operation, and give the status of the answer."""
    await page.locator(f"{operation} .execute").wait_for()
    await page.locator(f"{operation} .parameter__name").first.wait_for()
    names = await page.locator(f"{operation} .parameter__name").all_inner_texts()
    assert names, operation
    assert all(names), names
    async with page.expect_response(lambda answer: "/fhir/" in answer.url) as answered:
        await page.locator(f"{operation} .execute").click()
    status = str((await answered.value).status)
    await expect(page.locator(f"{operation} .live-responses-table tbody .response-col_status").first).to_contain_text(
        status, timeout=PATIENCE
    )
    return status


async def looked_at(base, picture, give=paste):
    """Give the statuses that the page showed, what it complained of, and the addresses of others that it asked."""
    async with browser(viewport={"width": 1300, "height": 1000}) as page:
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        statuses = await visit(page, base, give)
        await page.screenshot(path=picture)
    complaints = [
        each for each in page.complaints if not any(status in each for status in ("401", "404", "410"))
    ]  # Chromium tells of each failed request
    return statuses, complaints, [url for url in asked if not url.startswith((base.removesuffix("/fhir"), "data:"))]


def main():
    picture = Path(tempfile.gettempdir()) / "tsunagi-swagger.png"
    with tempfile.TemporaryDirectory() as directory, running.demo(Path(directory)) as base:
        statuses, complaints, elsewhere = asyncio.run(looked_at(base, picture))
    print(f"The page showed {statuses}; a picture of it: {picture}")
    for each in (*complaints, *elsewhere):
        print(f"  {each}")
    return 0 if statuses in EXPECTED and not complaints and not elsewhere else 1


if __name__ == "__main__":
    sys.exit(main())
