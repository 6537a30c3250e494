"""The life of one import process: folders in, results out, several patients at a time on one event loop."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from multiprocessing.connection import Connection

import uvloop

from fhir_server.ssmix2.pipeline import Pipeline

Opener = Callable[[], AbstractAsyncContextManager[Pipeline]]


def work(pipe: Connection, open_pipeline: Opener) -> None:
    """Import the folders that come through the pipe until None comes. Raises ImportFailed."""
    uvloop.run(_Desk(pipe).serve(open_pipeline))


class _Desk:
    """Takes folders from the pipe and hands them to tasks."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe
        self.tasks: set[asyncio.Task[None]] = set()
        self.leaving: asyncio.Future[None] | None = None

    async def serve(self, open_pipeline: Opener) -> None:
        loop = asyncio.get_running_loop()
        self.leaving = loop.create_future()
        async with open_pipeline() as pipeline:
            loop.add_reader(self.pipe.fileno(), self._receive, pipeline)
            try:
                await self.leaving
            finally:
                loop.remove_reader(self.pipe.fileno())
                pipeline.stopping = True
                await asyncio.gather(*self.tasks, return_exceptions=True)

    def _receive(self, pipeline: Pipeline) -> None:
        assert self.leaving is not None
        while self.pipe.poll():
            try:
                folder = self.pipe.recv()
            except EOFError:  # the parent is gone
                folder = None
            if folder is None:
                if not self.leaving.done():
                    self.leaving.set_result(None)
                return
            task = asyncio.get_running_loop().create_task(self._import(pipeline, folder))
            self.tasks.add(task)
            task.add_done_callback(self._done)

    async def _import(self, pipeline: Pipeline, folder: str) -> None:
        async for results in pipeline.import_folder(folder):
            if results:  # an empty list would say that the folder is done
                self.pipe.send(results)
        self.pipe.send([])

    def _done(self, task: asyncio.Task[None]) -> None:
        assert self.leaving is not None
        self.tasks.discard(task)
        failure = task.exception() if not task.cancelled() else None
        if failure is not None and not self.leaving.done():
            self.leaving.set_exception(failure)
