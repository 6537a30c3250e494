"""The keys that sign tokens: made here, kept sealed, published without their secret part.

https://www.rfc-editor.org/rfc/rfc7517
https://www.rfc-editor.org/rfc/rfc7518#section-3.4 (ES256)

A new key is made when the newest is old, or an operator says so. The earlier one stays published until nothing that it signed
can be alive, unless it is withdrawn: then nothing that it signed is honoured any more.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from joserfc.jwk import ECKey

from fhir_server.auth.sealing import Sealer
from fhir_server.store.records import Kind, Records, Shelf

ALGORITHM: Final = "ES256"
_RENEWED: Final = timedelta(days=90)
_PUBLISHED: Final = timedelta(days=92)
_REGULARLY: Final = 5.0
"""Seconds after which a process has heard of what others made or withdrew."""
_SHORTEST: Final = 0.5
"""Seconds between two looks for keys that are not known: strangers' tokens must not cost a query each."""


class SigningKey(msgspec.Struct, frozen=True):
    """One key pair: `id` is its kid, `sealed` its private part, `expires` when it is no longer published."""

    id: str
    sealed: bytes
    created: datetime
    expires: datetime


SIGNING_KEYS: Final = Kind("auth_signing_key", SigningKey)


class Keys:
    """The signing keys, as this process knows them."""

    def __init__(self, shelf: Shelf, sealer: Sealer, clock: Callable[[], datetime]) -> None:
        self._records: Records[SigningKey] = shelf.records(SIGNING_KEYS)
        self._sealer = sealer
        self._clock = clock
        self._keys: dict[str, ECKey] = {}
        self._newest: SigningKey | None = None
        self._looked = float("-inf")
        self._looking = asyncio.Lock()
        self.version = 0
        """Counts up whenever a key is gone: what it signed is to be forgotten."""

    async def start(self) -> None:
        """Read the keys, and make the first one where there is none."""
        await self.refresh()
        await self.signing()

    async def refresh(self) -> None:
        """Read what other processes made."""
        async with self._looking:
            await self._read()

    async def keep_up(self) -> None:
        """Read it where that was some seconds ago."""
        if time.monotonic() - self._looked > _REGULARLY:
            await self.refresh()

    async def listed(self) -> list[SigningKey]:
        """Give the keys as they are stored; the last one signs."""
        return sorted(await self._records.find(), key=lambda each: (each.created, each.id))

    async def signing(self) -> ECKey:
        """Give the key that signs now; a new one where the newest is old."""
        if self._newest is None or self._newest.created + _RENEWED <= self._clock():
            await self.refresh()
        if self._newest is None or self._newest.created + _RENEWED <= self._clock():
            await self.rotate()
        assert self._newest is not None
        return self._keys[self._newest.id]

    async def rotate(self) -> str:
        """Make a new key, which signs from now on; give its kid."""
        made = ECKey.generate_key("P-256", private=True, auto_kid=True)
        kid, moment = str(made.kid), self._clock()
        sealed = self._sealer.seal(made.as_pem(private=True), kid.encode())
        await self._records.add(SigningKey(kid, sealed, moment, moment + _PUBLISHED))
        await self.refresh()
        return kid

    async def withdraw(self, kid: str) -> bool:
        """Honour nothing any more that this key signed; a new one signs where it did. Tells whether there was such a key."""
        listed = await self.listed()
        if listed and listed[-1].id == kid:
            await self.rotate()
        removed = await self._records.remove(kid)
        await self.refresh()
        return removed

    async def verifying(self, kid: str) -> ECKey | None:
        """Give the key of this kid, None where there is no such key."""
        if kid not in self._keys:
            await self._look()
        return self._keys.get(kid)

    def holds(self, kid: str) -> bool:
        """Tell whether this process knows the key."""
        return kid in self._keys

    async def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """Give the public keys as a JWK Set."""
        await self.signing()
        return {"keys": [{**key.as_dict(private=False), "use": "sig", "alg": ALGORITHM} for key in self._keys.values()]}

    async def _look(self) -> None:
        """Learn what has been made until now: one question for all who wait, and two a second, however many strangers come."""
        asked = time.monotonic()
        async with self._looking:
            if self._looked < asked:
                await asyncio.sleep(self._looked + _SHORTEST - time.monotonic())
                await self._read()

    async def _read(self) -> None:
        began, found = time.monotonic(), await self.listed()
        keys = {each.id: self._keys.get(each.id) or self._opened(each) for each in found}
        if not self._keys.keys() <= keys.keys():
            self.version += 1
        self._keys, self._newest, self._looked = keys, found[-1] if found else None, began

    def _opened(self, record: SigningKey) -> ECKey:
        pem = self._sealer.open(record.sealed, record.id.encode())
        return ECKey.import_key(pem, {"kid": record.id})
