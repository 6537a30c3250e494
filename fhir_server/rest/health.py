"""The outer application: health and metrics, beside the FHIR endpoint.

`/health/live` says that the process answers, `/health/ready` that it can do its work: MongoDB answers and the server is
not stopping. `/metrics` is Prometheus' text. None of them is FHIR, so FastAPI serves them; everything below the FHIR
base goes past it.
"""

import asyncio
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.types import Scope

READY_SECONDS = 2.0  # a database that needs longer to say hello is not ready


class Readiness:
    """Whether this process wants more work: MongoDB answers a ping, and nobody has asked it to stop."""

    def __init__(self, ping: Callable[[], Awaitable[None]]) -> None:
        self.stopping = False
        self._ping = ping

    async def reason(self) -> str | None:
        """Say why the process is not ready; None where it is."""
        if self.stopping:
            return "stopping"
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._ping()
        except Exception:  # noqa: BLE001 - whatever keeps the database away, the answer is the same
            return "MongoDB does not answer"
        return None


def add_health(app: FastAPI, readiness: Callable[[], Readiness | None]) -> None:
    """Add the routes of health; `readiness` gives None before start."""

    @app.api_route("/health/live", methods=["GET", "HEAD"], include_in_schema=False)
    async def live() -> Response:
        return JSONResponse({"status": "live"})

    @app.api_route("/health/ready", methods=["GET", "HEAD"], include_in_schema=False)
    async def ready() -> Response:
        known = readiness()
        reason = await known.reason() if known is not None else "starting"
        if reason is None:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "not ready", "reason": reason}, status_code=503, headers={"Retry-After": "2"})


def add_metrics(app: FastAPI, metrics: Callable[[], tuple[bytes, str]], allowed: Callable[[Scope], bool]) -> None:
    """Add the route of metrics; `metrics` gives the text and its content type, `allowed` tells who may have them: to others they are not there."""

    @app.get("/metrics", include_in_schema=False)
    async def prometheus(request: Request) -> Response:
        if not allowed(request.scope):
            return JSONResponse({"detail": "Not Found"}, status_code=404)
        body, content_type = metrics()
        return Response(body, media_type=content_type)
