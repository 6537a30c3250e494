"""Which Consents are in force, whom they concern, and which facilities take part: known to every process as of each request.

`current` gives what holds at the moment it is asked, whichever process changed it last: one small read, shared by the requests
of that moment. docs/decisions/0022-custody.md
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from fhir_server.consent.concerned import Concerned, Finder
from fhir_server.consent.making import Maker
from fhir_server.consent.waiting import NEVER, Waiting
from fhir_server.store.permit import Permit
from fhir_server.store.sharing import Membership, Shared, Sharing
from fhir_server.store.writing import Write


@dataclass(frozen=True)
class Snapshot:
    """What holds at a moment: `facilities` by Organization.

    `stale` are the persons whose documents may let read more than holds; None where they are so many that documents are not relied on.
    `asked` are those whose consents every query asks itself, since documents do not say all that they allow.
    It holds until the moment `until` (milliseconds since 1970), unless a change comes before. `version` counts snapshots.
    """

    version: int
    moment: int
    until: int
    facilities: Mapping[str, Membership] = field(default_factory=dict)
    stale: tuple[Shared, ...] | None = ()
    asked: tuple[Shared, ...] = ()

    def takes_part(self, organization: str) -> bool:
        """Tell whether the facility is a member now (D11)."""
        facility = self.facilities.get(organization)
        return facility is not None and is_member(facility, self.moment)

    def ancestors(self, organization: str) -> tuple[str, ...]:
        """Give what the Organization is part of, nearest first."""
        found: list[str] = []
        facility = self.facilities.get(organization)
        while facility is not None and facility.parent is not None and facility.parent not in (*found, organization):
            found.append(facility.parent)
            facility = self.facilities.get(facility.parent)
        return tuple(found)

    @property
    def departed(self) -> tuple[str, ...]:
        """The facilities whose data nobody else reads any more, because they have left."""
        return tuple(id for id, facility in self.facilities.items() if facility.roles and not is_member(facility, self.moment))


def is_member(facility: Membership, moment: int) -> bool:
    """Tell whether a facility takes part at a moment."""
    if not facility.active or not facility.roles or facility.locks:
        return False
    return facility.periods is None or any(begin <= moment <= end for begin, end in facility.periods)


class Register:
    """The register of one process; whom a change concerns is `told` to those who remember something of persons. `start` once."""

    def __init__(self, sharing: Sharing, finder: Finder, maker: Maker, clock: Callable[[], datetime]) -> None:
        self._sharing = sharing
        self._finder = finder
        self._maker = maker
        self._clock = clock
        self._revision = -1
        self._facilities: dict[str, Membership] = {}
        self._waiting = Waiting(maker)
        self._snapshot = Snapshot(0, 0, 0)
        self._reading = asyncio.Lock()
        self.told: list[Callable[[Sequence[Shared]], None]] = []

    @property
    def revision(self) -> int:
        """The number of the last change that this process knows of."""
        return self._revision

    async def start(self) -> None:
        """Read what is stored; on a database without members, find them among its Organizations."""
        if not await self._sharing.facilities():
            await self._found_facilities()
        await self.current()

    async def current(self) -> Snapshot:
        """Give what holds now. Raises FhirError (503) where that cannot be known."""
        revision = await self._sharing.revision()
        if revision > self._revision:
            async with self._reading:
                if revision > self._revision:
                    await self._read()
        moment = round(self._clock().timestamp() * 1000)
        if not self._snapshot.moment <= moment < self._snapshot.until:
            self._take(moment)
        return self._snapshot

    async def _read(self) -> None:
        sharing = self._sharing
        first = self._revision < 0
        revision = await sharing.revision()
        persons = await (sharing.open_ones() if first else sharing.changed(self._revision))
        facilities = await sharing.facilities(self._revision)
        self._facilities = self._facilities | {each.id: each for each in facilities}
        self._waiting.learn(persons)
        self._revision = revision  # what was committed since is read with the next
        for tell in self.told:
            tell(persons)
        self._snapshot = Snapshot(self._snapshot.version, 0, 0)

    def _take(self, moment: int) -> None:
        """Make the snapshot of this moment."""
        stale, asked = self._waiting.at(moment)
        until = min([NEVER, *self._boundaries(moment), *self._waiting.boundaries(moment)])
        self._snapshot = Snapshot(self._snapshot.version + 1, moment, until, self._facilities, stale, asked)

    def _boundaries(self, moment: int) -> Iterable[int]:
        """When the clock changes something by a facility's period."""
        for facility in self._facilities.values():
            for begin, end in facility.periods or ():
                yield from (each for each in (begin, end + 1) if each > moment)

    # -- what changes -----------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def around(self, permit: Permit, writes: Sequence[Write]) -> AsyncIterator[None]:
        """Stand around a commit: whom it concerns is locked before, and said anew after."""
        concerned = await self._finder.concerned(permit, writes)
        if not concerned:
            yield
            return
        token = uuid4().hex
        await self._sharing.lock(concerned.persons, concerned.facilities, token, self._clock())
        try:
            yield
        finally:
            await asyncio.shield(self.finish(concerned, (token,)))

    async def finish(self, concerned: Concerned, tokens: Sequence[str]) -> None:
        """Say what holds of these from now on, and unlock them."""
        for facility in concerned.facilities:
            await self._sharing.finish_facility(facility, tokens, self._maker.facility)
        await self._sharing.finish_persons(concerned.persons, tokens, self._maker.person)

    async def _found_facilities(self) -> None:
        facilities = await self._finder.facilities()
        if facilities:
            await self._sharing.lock((), facilities, "start", self._clock())
            await self.finish(Concerned((), facilities), ("start",))
