"""A headless Chromium for the tests that need one, and a server it can reach.

Debian's Chromium is driven, nothing is downloaded. Without it these tests are skipped, but in continuous integration they fail.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import Page, async_playwright

CHROMIUM = Path(os.environ.get("TSUNAGI_TEST_CHROMIUM", "/usr/bin/chromium"))
needs_chromium = pytest.mark.skipif(
    not CHROMIUM.exists() and "CI" not in os.environ, reason="no Chromium (TSUNAGI_TEST_CHROMIUM names another place)"
)


@asynccontextmanager
async def browser(language: str = "ja-JP", **context: object) -> AsyncIterator[Page]:
    """Open a page in a new Chromium; whatever its scripts or policies complain of is in `page.complaints`."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-dev-shm-usage"])
        try:
            opened = await chromium.new_context(locale=language, **{"viewport": {"width": 1024, "height": 768}, **context})
            page = await opened.new_page()
            page.set_default_timeout(15_000)
            page.complaints = []
            page.on("console", lambda message: page.complaints.append(message.text) if message.type in ("error", "warning") else None)
            page.on("pageerror", lambda error: page.complaints.append(str(error)))
            yield page
        finally:
            await chromium.close()


def free_port() -> int:
    """Give a port that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@asynccontextmanager
async def serving(app, port: int) -> AsyncIterator[str]:
    """Serve an application of this process at a port of this machine; give its address."""
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # they are pytest's
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
        yield f"http://localhost:{port}"
    finally:
        server.should_exit = True
        await task
