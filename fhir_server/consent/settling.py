"""Brings what changes left behind up to date: locks of processes that ended, consents that the clock changed, documents.

Until a document says who may read it, each query asks the consents themselves; so this may be late, and may be done twice. A person is
settled only some time after the last change: what was being written at that moment has been by then.
"""

import asyncio
from collections.abc import Callable, Container, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from fhir_server.consent.concerned import Concerned
from fhir_server.consent.register import Register
from fhir_server.store.repository import Repository
from fhir_server.store.sharing import Shared

LONGEST_LOCK: Final = timedelta(seconds=60)
"""No commit takes so long: whoever still holds a lock has ended."""

_AT_ONCE: Final = 4
_TOGETHER: Final = 50  # so many are settled by one revision, since each makes every process look what is new


class Settler:
    """Settles in one process at a time; `after` is how long after the last change a person may be."""

    def __init__(
        self, everything: Repository, register: Register, clock: Callable[[], datetime], after: timedelta = timedelta(minutes=2)
    ) -> None:
        self._everything = everything
        self._register = register
        self._clock = clock
        self._after = after

    async def settle(self) -> int:
        """Do what there is to do; tells how many persons were settled."""
        now = self._clock()
        for facility in await self._everything.sharing.facilities():
            if old := [token for token, since in facility.locks.items() if now - since > LONGEST_LOCK]:
                await self._register.finish(Concerned((), (facility.id,)), old)
        for person in await self._everything.sharing.locked_ones():
            if old := [token for token, since in person.locks.items() if now - since > LONGEST_LOCK]:
                await self._register.finish(Concerned((person.id,), ()), old)
        settled: set[str] = set()
        while due := await self._due(now, settled):
            await self._write(due)
            settled |= {person.id for person in due}
        return len(settled)

    async def _due(self, now: datetime, settled: Container[str]) -> list[Shared]:
        """Give some whose documents are to be brought up to date; what the clock has ended is first said anew, and follows later."""
        found = await self._everything.sharing.due(now - self._after, now, _TOGETHER)
        ended = tuple(person.id for person in found if person.until is not None and person.until <= now)
        if ended:
            await self._register.finish(Concerned(ended, ()), ())
        return [person for person in found if person.id not in settled and person.id not in ended]

    async def _write(self, persons: Sequence[Shared]) -> None:
        revisions = {person.id: person.revision for person in persons}
        for start in range(0, len(persons), _AT_ONCE):
            await asyncio.gather(*(self._rewrite(person) for person in persons[start : start + _AT_ONCE]))

        async def written(current: Shared) -> Shared:
            unchanged = current.revision == revisions[current.id]
            return msgspec.structs.replace(current, written=True, former=()) if unchanged else current

        await self._everything.sharing.finish_persons(tuple(revisions), (), written)

    async def _rewrite(self, person: Shared) -> None:
        for patient in (*person.members, *person.former):
            await self._everything.rewrite(patient)
