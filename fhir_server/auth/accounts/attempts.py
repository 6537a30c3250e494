"""Wrong attempts: each delays the answer longer, and after some of them nothing is accepted for a while (L04).

They are counted for every ID that is tried, whether or not there is such an account: so neither the answer, nor its time, nor a
lock tells which IDs exist. An attempt counts when it begins, and ceases to count when it was right: of many that are made at
once no more than the allowed number is looked at.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

import msgspec

from fhir_server.auth.accounts.refusals import LoginFailed
from fhir_server.store.records import Kind, Records, now

Secret: TypeAlias = Literal["password", "recovery", "second-factor"]


class Tries(msgspec.Struct, frozen=True, kw_only=True):
    """How often something was tried for an ID, whose hash is the `id`, since it was last right; until when nothing is accepted."""

    id: str
    number: int
    locked_until: datetime | None
    expires: datetime


TRIES: Final = Kind("auth_tries", Tries)


@dataclass(frozen=True, slots=True)
class Lockout:
    """After `after` wrong attempts nothing is accepted for `first`, after each further one for twice as long, up to `most`.

    An ID that nobody has tried for `forgotten` starts anew. The answer to the n-th wrong attempt waits `delay` · 2^(n-2) seconds
    longer than the first's, up to `slowest`.
    """

    after: int = 5
    first: timedelta = timedelta(minutes=1)
    most: timedelta = timedelta(hours=1)
    forgotten: timedelta = timedelta(hours=24)
    delay: float = 0.25
    slowest: float = 4.0

    def lock(self, number: int) -> timedelta | None:
        """Tell how long nothing is accepted after so many attempts."""
        if number < self.after:
            return None
        return min(self.most, self.first * (1 << min(number - self.after, 20)))

    def wait(self, number: int) -> float:
        """Tell how many seconds the answer to the n-th wrong attempt is held back."""
        return 0.0 if number < 2 else min(self.slowest, self.delay * (1 << min(number - 2, 20)))


class Attempts:
    """Counts attempts and locks; `pause` waits so many seconds."""

    def __init__(
        self,
        records: Records[Tries],
        lockout: Lockout | None = None,
        clock: Callable[[], datetime] = now,
        secret: bytes = b"",
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._records = records
        self._lockout = lockout or Lockout()
        self._clock = clock
        self._secret = hashlib.sha256(secret).digest()
        self._pause = pause

    async def begin(self, what: Secret, login: str) -> bool:
        """Count an attempt; False where nothing is accepted now. What follows must take the same time either way."""
        id = self._name(what, login)
        while True:
            locked = False

            def counted(tries: Tries) -> Tries | None:
                nonlocal locked
                locked = tries.locked_until is not None and tries.locked_until > self._clock()
                return None if locked else self._tries(id, tries.number + 1)

            if await self._records.add(self._tries(id, 1)) or await self._records.change(id, counted) is not None:
                return True
            if locked:
                return False

    async def fail(self, what: Secret, login: str) -> LoginFailed:
        """Hold the answer back, longer each time, and give it: the failure to be raised."""
        tries = await self._records.get(self._name(what, login))
        await self._pause(self._lockout.wait(tries.number if tries else 1))
        return LoginFailed()

    async def clear(self, login: str, *what: Secret) -> None:
        """Forget the attempts: one was right, or an administrator unlocks the account."""
        for each in what or ("password", "recovery", "second-factor"):
            await self._records.remove(self._name(each, login))

    async def locked_until(self, login: str, what: Secret = "password") -> datetime | None:
        """Tell an administrator until when nothing is accepted, None where it is."""
        tries = await self._records.get(self._name(what, login))
        until = tries.locked_until if tries else None
        return until if until is not None and until > self._clock() else None

    def _tries(self, id: str, number: int) -> Tries:
        moment, lock = self._clock(), self._lockout.lock(number)
        until = moment + lock if lock is not None else None
        return Tries(id=id, number=number, locked_until=until, expires=moment + self._lockout.forgotten)

    def _name(self, what: Secret, login: str) -> str:
        text = f"{what}\0{login}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self._secret, digest_size=24).hexdigest()
