"""Events of the same moment, gathered for one batch: what comes while one is on its way forms the next.

There is one lane, since each batch of a chain follows the one before; and the longer it is busy, the more the next batch holds.
That is what makes an event cheap: MongoDB and its driver cost per batch (docs/decisions/0006-coalesced-operations.md).
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from fhir_server.audit.event import Event

MOST: Final = 250
HEAVIEST: Final = 4_000

_Waiting: TypeAlias = tuple[Event, asyncio.Future[None]]


def weight(event: Event) -> int:
    """Give about how much an event tells."""
    return 1 + len(event.seen) + len(event.what) + len(event.written)


class Gathering:
    """Hands events to `send` in batches; what that raises is raised to everybody whose event was in the batch."""

    def __init__(self, send: Callable[[list[Event]], Awaitable[None]]) -> None:
        self._send = send
        self._waiting: deque[_Waiting] = deque()
        self._lane: asyncio.Task[None] | None = None

    async def __call__(self, event: Event) -> None:
        """Wait until the event is sent. A caller that gives up stops nobody."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._waiting.append((event, future))
        if self._lane is None:
            self._lane = loop.create_task(self._run())
        await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._one(self._next())
        finally:
            self._lane = None  # in the same turn in which nothing was waiting: nobody is left alone

    async def _one(self, batch: list[_Waiting]) -> None:
        failure: Exception | None = None
        try:
            await self._send([event for event, _ in batch])
        except Exception as problem:  # noqa: BLE001 - it is raised where each event came from
            failure = problem
        except BaseException:  # the loop is ending
            for _, future in (*batch, *self._waiting):
                future.cancel()
            raise
        for _, future in batch:
            if future.done():  # its caller gave up
                continue
            if failure is None:
                future.set_result(None)
            else:
                future.set_exception(failure)

    def _next(self) -> list[_Waiting]:
        batch = [self._waiting.popleft()]
        total = weight(batch[0][0])
        while self._waiting and len(batch) < MOST:
            total += weight(self._waiting[0][0])
            if total > HEAVIEST:
                break
            batch.append(self._waiting.popleft())
        return batch
