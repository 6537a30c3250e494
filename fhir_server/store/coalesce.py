"""What arrives while others are on their way goes together.

The driver's cost is per operation, not per document: sixteen reads in one `$in` cost what two cost alone
(docs/decisions/0006-coalesced-operations.md). Nothing waits for a timer: the first of a moment leaves at the end of the
event loop's turn, and what comes while all lanes are busy forms the next batch.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeAlias, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

Send: TypeAlias = Callable[[Sequence[Item]], Awaitable[Sequence[Answer | Exception]]]


class Coalescer(Generic[Item, Answer]):
    """Sends items in batches; each caller gets the answer, or the exception, of its own item.

    `send` gives one answer per item, in their order; an exception that it raises is everybody's. At most `lanes` batches
    are under way, of at most `most` items that weigh (`weigh`) at most `heaviest` together.
    """

    def __init__(
        self,
        send: Send[Item, Answer],
        *,
        lanes: int,
        most: int,
        weigh: Callable[[Item], int] = lambda item: 1,  # noqa: ARG005
        heaviest: int = 1 << 62,
    ) -> None:
        self._send, self._lanes, self._most = send, lanes, most
        self._weigh, self._heaviest = weigh, heaviest
        self._waiting: deque[tuple[Item, asyncio.Future[Answer]]] = deque()
        self._running: set[asyncio.Task[None]] = set()

    async def __call__(self, item: Item) -> Answer:
        """Send one item with the next batch and give its answer. A caller that gives up does not stop the others."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((item, future))
        if len(self._running) < self._lanes:
            task = loop.create_task(self._lane())
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return await future

    async def _lane(self) -> None:
        while self._waiting:
            batch = self._next()
            try:
                answers: Sequence[Answer | Exception] = await self._send([item for item, _ in batch])
            except Exception as failure:  # noqa: BLE001 - it is raised where each item came from
                answers = [failure] * len(batch)
            except BaseException:  # the loop is ending
                for _, future in batch:
                    future.cancel()
                raise
            for (_, future), answer in zip(batch, answers, strict=True):
                _settle(future, answer)
        task = asyncio.current_task()
        assert task is not None
        # in the turn that found nothing waiting: who comes before its callback would wait for a lane that has ended
        self._running.discard(task)

    def _next(self) -> list[tuple[Item, asyncio.Future[Answer]]]:
        batch = [self._waiting.popleft()]
        weight = self._weigh(batch[0][0])
        while self._waiting and len(batch) < self._most:
            weight += self._weigh(self._waiting[0][0])
            if weight > self._heaviest:
                break
            batch.append(self._waiting.popleft())
        return batch


def _settle(future: asyncio.Future[Answer], answer: Answer | Exception) -> None:
    if future.done():  # its caller gave up
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
