"""One worker process: uvicorn with uvloop and httptools over one listening socket."""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
import uvloop

from fhir_server.command.connection import protocol

log = logging.getLogger(__name__)

_KEEP_ALIVE_SECONDS = 75
_BACKLOG = 1024


def serve(app: Any, listening: socket.socket, ready: Callable[[], None], stop_seconds: int) -> None:
    """Serve the ASGI application until SIGTERM, then finish what was accepted within `stop_seconds`."""
    config = uvicorn.Config(
        _telling(app),
        http=protocol(),
        ws="none",
        loop="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=stop_seconds,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_Server(config, ready).serve(sockets=[listening]))


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        signal.signal(signal.SIGTERM, self.handle_exit)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal speaks to the supervisor
        yield


def _telling(app: Any) -> Any:
    """Log why an application does not start: uvicorn's own words for it are a traceback."""

    async def telling(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return

        async def send_and_tell(message: Any) -> None:
            if message["type"] == "lifespan.startup.failed":
                log.error("the application does not start: %s", message.get("message", "").strip().rpartition("\n")[2])
            await send(message)

        await app(scope, receive, send_and_tell)

    return telling
