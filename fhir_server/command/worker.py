"""One worker process: uvicorn with uvloop and httptools over its listening sockets."""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import uvicorn
import uvloop

from fhir_server.command.connection import protocol
from fhir_server.command.tls import Renewal, Tls, context

log = logging.getLogger(__name__)

_KEEP_ALIVE_SECONDS = 75
_BACKLOG = 1024
_LOOK_TICKS = 600  # of a tenth of a second


def serve(app: Any, listening: Sequence[socket.socket], ready: Callable[[], None], stop_seconds: int, tls: Tls | None = None) -> None:
    """Serve the ASGI application until SIGTERM, then finish what was accepted within `stop_seconds`; over TLS where it is given."""
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
    renewal = _speak(config, tls) if tls is not None else None
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_Server(config, ready, renewal).serve(sockets=list(listening)))


def _speak(config: uvicorn.Config, tls: Tls) -> Renewal:
    """Give uvicorn a context that is ours: its own options would allow more, and know no renewal."""
    config.load()
    config.ssl = made = context(tls)
    return Renewal(tls, made)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], renewal: Renewal | None) -> None:
        super().__init__(config)
        self._ready = ready
        self._renewal = renewal

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    async def on_tick(self, counter: int) -> bool:
        if self._renewal is not None and counter % _LOOK_TICKS == _LOOK_TICKS - 1:
            self._renewal.look()
        return await super().on_tick(counter)

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
