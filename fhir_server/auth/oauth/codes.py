"""Authorization codes: sixty seconds, one use, bound to client, redirect_uri and code_challenge.

https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2
https://www.rfc-editor.org/rfc/rfc9700#section-2.1.1

A used code is remembered for a while: who brings it a second time has stolen it, or it was stolen from him, and what came of
it ends.
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from fhir_server.auth.oauth.credentials import digest, fresh
from fhir_server.auth.oauth.people import Authorization
from fhir_server.store.records import Kind, Records, Shelf

_REMEMBERED: Final = timedelta(minutes=10)


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """A code; `id` is its hash, `until` its end. `used`: it was brought; `grant` is what came of it, `again`: brought twice."""

    id: str
    authorization: Authorization
    redirect_uri: str
    challenge: str
    until: datetime
    expires: datetime
    used: bool = False
    grant: str | None = None
    again: bool = False


CODES: Final = Kind("auth_code", Code)


class Codes:
    """The codes of the last minutes; they live for `lasts`."""

    def __init__(self, shelf: Shelf, lasts: timedelta = timedelta(seconds=60)) -> None:
        self._records: Records[Code] = shelf.records(CODES)
        self._clock = shelf.clock
        self._lasts = lasts

    async def make(self, authorization: Authorization, redirect_uri: str, challenge: str) -> str:
        """Give a new code for what was authorized."""
        code, moment = fresh(), self._clock()
        until = moment + self._lasts
        record = Code(
            id=digest(code),
            authorization=authorization,
            redirect_uri=redirect_uri,
            challenge=challenge,
            until=until,
            expires=until + _REMEMBERED,
        )
        await self._records.add(record)
        return code

    async def get(self, code: str) -> Code | None:
        """Give the code as it stands, used or not."""
        return await self._records.get(digest(code))

    def alive(self, code: Code) -> bool:
        """Tell whether its time is not over."""
        return self._clock() < code.until

    async def use(self, code: Code, grant: str | None) -> bool:
        """Use the code up for this grant, or for nothing; False where it was used before."""
        return (
            await self._records.change(
                code.id, lambda found: None if found.used else msgspec.structs.replace(found, used=True, grant=grant)
            )
        ) is not None

    async def again(self, code: Code) -> str | None:
        """Note that it was brought again; give the grant that came of it."""
        found = await self._records.change(code.id, lambda found: msgspec.structs.replace(found, again=True))
        return found.grant if found is not None else None

    async def was_brought_again(self, code: Code) -> bool:
        """Tell whether it was brought a second time meanwhile; also where it is not known any more."""
        found = await self._records.get(code.id)
        return found is None or found.again
