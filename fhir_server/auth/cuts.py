"""Revocation at once: what was cut is dead in every process, however long its tokens would have lived.

A cut ends everything that was issued before it to one user, facility, client, grant, certificate or token, or to the whole
network. Cuts are numbered, and a token carries the number that was the last at its issue: no clock is involved, and
who logs in again right after a cut is in. Every process asks for new cuts twice a second; the one that cuts knows at once. A
process that has not been able to ask for some seconds trusts nothing (`Cuts.stale`).
"""

import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

import msgspec

from fhir_server.store.records import Kind, Records, Shelf

Subject: TypeAlias = Literal["network", "facility", "user", "client", "grant", "certificate", "token"]

NETWORK: Final = "*"
LASTS: Final = timedelta(hours=24)
"""No access token lives longer (setting access_time; `Outside`), so no cut needs to be known longer."""
_PATIENCE: Final = 10.0
_WHOLE: Final = 10.0


class Cut(msgspec.Struct, frozen=True):
    """One cut: `id` is `user:A1`; `number` its place in the sequence; `at` its time, for tokens that carry no number."""

    id: str
    number: int
    at: datetime
    expires: datetime


class Count(msgspec.Struct, frozen=True):
    """A number that all processes share: `sequence` numbers the cuts, `news` counts up when one can be seen."""

    id: str
    number: int = 0


CUTS: Final = Kind("auth_cut", Cut)
COUNTS: Final = Kind("auth_count", Count)
KINDS: Final = (CUTS, COUNTS)


def key(kind: Subject, value: str) -> str:
    """Give the name under which somebody's cut is kept; facilities are named by their reference `Organization/1`."""
    return f"{kind}:{value}"


class Cuts:
    """The cuts as this process knows them; `clock` gives the time (UTC), `pulse` seconds that only go forward."""

    def __init__(self, shelf: Shelf, clock: Callable[[], datetime], pulse: Callable[[], float] = time.monotonic) -> None:
        self._cuts: Records[Cut] = shelf.records(CUTS)
        self._counts: Records[Count] = shelf.records(COUNTS)
        self._clock = clock
        self._pulse = pulse
        self._known: dict[str, Cut] = {}
        self._news = -1
        self._asked = float("-inf")
        self._whole = float("-inf")
        self.version = 0
        """Counts up whenever this process learns of a cut: what was remembered before is to be forgotten."""

    async def start(self) -> None:
        """Make what is counted with, and learn what was cut so far."""
        await self._counts.add(Count("sequence"))
        await self._counts.add(Count("news"))
        await self.refresh()

    async def cut(self, kind: Subject, value: str = NETWORK) -> None:
        """End everything issued so far to this one. When it returns, no process honours it for longer than a poll takes."""
        number = await self._counts.count_up("sequence", "number")
        if number is None:  # a command that cuts before any server has started; numbered 0, it would end nothing
            await self._counts.add(Count("sequence"))
            await self._counts.add(Count("news"))
            number = await self._counts.count_up("sequence", "number")
        assert number is not None
        moment = self._clock()
        cut = Cut(key(kind, value), number, moment, moment + LASTS)
        await self._cuts.put(cut)
        self._learn({**self._known, cut.id: cut})
        await self._counts.count_up("news", "number")

    async def number(self) -> int:
        """Give the number of the last cut, as the database knows it: what a token issued now carries."""
        found = await self._counts.get("sequence")
        return found.number if found is not None else 0

    async def refresh(self) -> None:
        """Learn of new cuts: one small question, and all cuts where there is news, or was none for some seconds."""
        found = await self._counts.get("news")
        news = found.number if found is not None else 0
        moment = self._pulse()
        if news != self._news or moment - self._whole > _WHOLE:
            known = {cut.id: cut for cut in await self._cuts.find(1_000_000)}
            self._learn({**known, **{id: cut for id, cut in self._known.items() if id not in known or cut.number > known[id].number}})
            self._news, self._whole = news, moment
        self._asked = moment

    @property
    def stale(self) -> bool:
        """Tell that this process has not been able to ask for cuts for too long."""
        return self._pulse() - self._asked > _PATIENCE

    def ended(self, keys: Iterable[str], number: int | None, issued: datetime) -> bool:
        """Tell whether any of these was cut after the token was issued; without a number, by the time (`issued`, whole seconds)."""
        for each in keys:
            cut = self._known.get(each)
            if cut is not None and (cut.number > number if number is not None else cut.at >= issued):
                return True
        return False

    def _learn(self, known: dict[str, Cut]) -> None:
        moment = self._clock()
        alive = {id: cut for id, cut in known.items() if cut.expires > moment}
        if alive.keys() != self._known.keys() or any(cut.number != self._known[id].number for id, cut in alive.items()):
            self.version += 1
        self._known = alive
