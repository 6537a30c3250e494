"""The register of all certificates that were issued: which are good, and which no more.

Every process keeps a copy in its memory, asks twice a second whether there is news, and reads everything again every few
seconds even without: a certificate that was revoked is refused everywhere within seconds (F101: one minute). A certificate
that the register does not know is refused whatever signed it, and a process that cannot ask for half a minute refuses all.
"""

import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, Literal, TypeAlias, get_args

import msgspec

from fhir_server.auth.certificates.holder import Holder
from fhir_server.auth.certificates.records import CERTIFICATES, COUNTS, Certificate, Count
from fhir_server.store.records import Records, Shelf

State: TypeAlias = Literal["good", "revoked", "ended", "unknown", "stale"]
Reason: TypeAlias = Literal["lost", "stolen", "compromised", "disposed", "retired", "transferred", "replaced", "mistake"]
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)

PATIENCE: Final = 30.0
_WHOLE: Final = 20.0
_ALL: Final = 1_000_000
_NEWS: Final = "news"

Cut: TypeAlias = Callable[[str], Awaitable[None]]
"""Ends at once what was issued to a thumbprint, e.g. `lambda thumbprint: cuts.cut("certificate", thumbprint)`."""


class Register:
    """The certificates as this process knows them; `pulse` gives seconds that only go forward."""

    def __init__(self, shelf: Shelf, cut: Cut | None = None, pulse: Callable[[], float] = time.monotonic) -> None:
        self._records: Records[Certificate] = shelf.records(CERTIFICATES)
        self._counts: Records[Count] = shelf.records(COUNTS)
        self._clock = shelf.clock
        self._cut = cut
        self._pulse = pulse
        self._known: dict[str, Certificate] = {}
        self._news = -1
        self._asked = float("-inf")
        self._whole = float("-inf")
        self.version = 0
        """Counts up whenever something in it changed, as far as this process knows."""

    async def start(self) -> None:
        """Make what news are counted with, and read everything."""
        await self._counts.add(Count(_NEWS))
        await self.refresh()

    async def refresh(self) -> None:
        """Learn what other processes changed: one small question, and everything where there is news or was none for long."""
        moment = self._pulse()
        found = await self._counts.get(_NEWS)
        news = found.number if found is not None else 0
        if news != self._news or moment - self._whole > _WHOLE:
            version = self.version
            known = {each.thumbprint: each for each in await self._records.find(_ALL)}
            if version == self.version:  # else this process has changed something meanwhile: the next time will do
                self._learn(known)
                self._news, self._whole = news, moment
        self._asked = moment

    def now(self) -> datetime:
        """Tell the time that certificates are judged by."""
        return self._clock()

    @property
    def stale(self) -> bool:
        """Tell that this process has not been able to ask for too long."""
        return self._pulse() - self._asked > PATIENCE

    def state(self, thumbprint: str) -> State:
        """Tell how a certificate stands, like OCSP but from memory; everything but "good" is to be refused."""
        if self.stale:
            return "stale"
        found = self._known.get(thumbprint)
        if found is None:
            return "unknown"
        if found.revoked is not None:
            return "revoked"
        return "good" if self._clock() <= found.last else "ended"

    def known(self, thumbprint: str) -> Certificate | None:
        """Give what this process knows of a certificate."""
        return self._known.get(thumbprint)

    async def add(self, certificate: Certificate) -> bool:
        """Enter a new certificate; False where its number is taken."""
        if not await self._records.add(certificate):
            return False
        await self._tell(certificate)
        return True

    async def limit(self, number: str, until: datetime) -> Certificate | None:
        """Let a certificate end earlier, because it was renewed; None where it is not good any more."""

        def limited(found: Certificate) -> Certificate | None:
            if found.revoked is not None or self._clock() > found.last:
                return None
            return _with(found, until=min(until, found.last))

        changed = await self._records.change(number, limited)
        if changed is not None:
            await self._tell(changed)
        return changed

    async def listed(self, facility: str | None = None) -> list[Certificate]:
        """Give the certificates of a facility (F103), or all, in the order of their numbers."""
        return await self._records.find(_ALL, **({} if facility is None else {"facility": facility}))

    async def find(self, name: str) -> Certificate | None:
        """Give a certificate by its number, its serial number (hexadecimal, as other programs show it) or its thumbprint."""
        serial = name.replace(":", "").replace(" ", "").lower().lstrip("0")
        by_serial = await self._records.find(1, serial=serial) if serial else []
        found = await self._records.get(name) or next(iter(by_serial), None)
        return found or next(iter(await self._records.find(1, thumbprint=name)), None)

    async def revoke(self, number: str, reason: Reason) -> list[Certificate]:
        """Revoke a certificate and all that were renewed from it; what was issued to them ends at once. Gives those newly revoked."""
        revoked = [] if (first := await self._revoke(number, reason)) is None else [first]
        for following in await self._records.find(_ALL, renews=number):
            revoked += await self.revoke(following.id, reason)
        return revoked

    async def revoke_all(self, reason: Reason, *, facility: str, owner: Holder | None = None) -> list[Certificate]:
        """Revoke all of a facility, or of one of its people, clients or devices."""
        found = [each for each in await self.listed(facility) if owner is None or each.owner == owner]
        return [changed for each in found if (changed := await self._revoke(each.id, reason)) is not None]

    async def _revoke(self, number: str, reason: Reason) -> Certificate | None:
        """Revoke one; it is cut even where it was revoked before, since that may have been interrupted halfway."""
        moment = self._clock()
        changed = await self._records.change(number, lambda found: None if found.revoked else _with(found, revoked=moment, reason=reason))
        known = changed or await self._records.get(number)
        if known is None:
            return None
        await self._tell(known)
        if self._cut is not None:
            await self._cut(known.thumbprint)
        return changed

    def _learn(self, known: dict[str, Certificate]) -> None:
        if known != self._known:
            self._known, self.version = known, self.version + 1

    async def _tell(self, certificate: Certificate) -> None:
        self._learn({**self._known, certificate.thumbprint: certificate})
        await self._counts.add(Count(_NEWS))
        await self._counts.count_up(_NEWS, "number")


def _with(certificate: Certificate, **changes: object) -> Certificate:
    return msgspec.structs.replace(certificate, **changes)
