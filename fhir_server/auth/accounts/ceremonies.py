"""What the server must remember between two pages of one session: a seed shown as a QR code, the challenge for a security key."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

import msgspec

from fhir_server.store.records import Kind, Records, now

What: TypeAlias = Literal["totp", "passkey-registration", "passkey-login"]


class Ceremony(msgspec.Struct, frozen=True, kw_only=True):
    """One that has begun: `id` is the hash of the session and what is done, `kept` a challenge or a sealed seed."""

    id: str
    account: str
    kept: bytes
    expires: datetime


CEREMONIES: Final = Kind("auth_ceremony", Ceremony)


class Ceremonies:
    """Those that have begun and are neither finished nor too old; each belongs to one session and one account."""

    def __init__(self, records: Records[Ceremony], clock: Callable[[], datetime] = now, lasts: timedelta = timedelta(minutes=5)) -> None:
        self._records = records
        self._clock = clock
        self._lasts = lasts

    async def begin(self, what: What, session: str, account: str, kept: bytes) -> None:
        """Remember something, in the place of what was begun before."""
        ceremony = Ceremony(id=_name(what, session), account=account, kept=kept, expires=self._clock() + self._lasts)
        await self._records.put(ceremony)

    async def look(self, what: What, session: str, account: str) -> bytes | None:
        """Give what was remembered; it remains."""
        found = await self._records.get(_name(what, session))
        return found.kept if found is not None and found.account == account else None

    async def take(self, what: What, session: str, account: str) -> bytes | None:
        """Give what was remembered, once."""
        found = await self._records.take(_name(what, session))
        return found.kept if found is not None and found.account == account else None


def _name(what: What, session: str) -> str:
    return hashlib.sha256(f"{what}\0{session}".encode()).hexdigest()
