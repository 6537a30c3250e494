"""One after the other inside this process, for what would only get in each other's way.

It spares conflicts and proves nothing: other processes do not see it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary


class Turns:
    """Whose turn it is, by a key of any kind."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[bool]:
        """Wait until nobody else has the key; tells whether there was a wait, so that things may have changed."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        waited = lock.locked()
        async with lock:
            yield waited
