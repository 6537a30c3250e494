"""`make browser-test`: a person's way through the Swagger page in Chromium, with a picture of it at the end.

Playwright is installed by `make browser-test` only; CHROMIUM names another browser than /usr/bin/chromium.
"""

import os
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.clients import running

PATIENTS, ONE = "#operations-Patient-search_type_Patient", "#operations-instance-read"


def visit(page, root):
    """Open the page, execute the search for patients and the read of one; give the statuses that it shows."""
    page.goto(f"{root}/docs")
    page.wait_for_selector(".opblock-tag")
    page.locator(".operation-filter-input").fill("Patient")
    page.locator("#operations-tag-Patient").click()
    searched = execute(page, PATIENTS)
    page.locator(".operation-filter-input").fill("instance")
    page.locator("#operations-tag-instance").click()
    return searched, execute(page, ONE)


def execute(page, operation):
    """Open an operation, press its button, and give the status of the answer."""
    page.locator(f"{operation} .opblock-summary-control").click()
    page.locator(f"{operation} .execute").click()
    names = page.locator(f"{operation} .parameter__name").all_inner_texts()
    assert names, operation
    assert all(names), names
    return page.locator(f"{operation} .live-responses-table tbody .response-col_status").first.inner_text()[:3]


def main():
    picture = Path(tempfile.gettempdir()) / "tsunagi-swagger.png"
    with tempfile.TemporaryDirectory() as directory, running.demo(Path(directory)) as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        wrong = []
        root = base.removesuffix("/fhir")
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" and "404" not in message.text else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda asked: wrong.append(asked.url) if not asked.url.startswith((root, "data:")) else None)
        statuses = visit(page, root)
        page.screenshot(path=picture)
        browser.close()
    print(f"The page showed {statuses}; a picture of it: {picture}")
    for each in wrong:
        print(f"  {each}")
    return 0 if statuses == ("200", "404") and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
