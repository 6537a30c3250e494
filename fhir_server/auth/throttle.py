"""Rate limits that all processes share: at most so many of something in so many seconds, for one address, account or client.

Fixed windows, counted in the database by one conditional increment: however many ask at once, no more than the limit get through.
Addresses and IDs are stored as keyed hashes only.
"""

import hashlib
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import msgspec

from fhir_server.outcome import FhirError, Issue
from fhir_server.store.records import Kind, Records, now


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """How often something was done, by somebody whom `id` is the hash of, in one window of time."""

    id: str
    count: int
    expires: datetime


WINDOWS: Final = Kind("auth_throttle", Window)


class TooMany(FhirError):  # noqa: N818 - 429 Too Many Requests
    """Somebody does something too often (429): `retry_after` tells after how many seconds it is allowed again."""

    def __init__(self, retry_after: int) -> None:
        issue = Issue("throttled", f"Too many attempts: try again in {retry_after} seconds")
        super().__init__(issue, headers=[("Retry-After", str(retry_after))])
        self.retry_after = retry_after
        self.ja = f"回数が多すぎます。{retry_after}秒後にもう一度お試しください。"
        self.en = f"Too many attempts. Please try again in {retry_after} seconds."


class Throttle:
    """Counts who does what how often; without the `secret` nobody can tell whom a count belongs to."""

    def __init__(self, records: Records[Window], clock: Callable[[], datetime] = now, secret: bytes = b"") -> None:
        self._records = records
        self._clock = clock
        self._secret = hashlib.sha256(secret).digest()

    async def allow(self, what: str, key: str, most: int, seconds: int) -> None:
        """Count one more; TooMany where `key` has done `what` as often as `most` in this window of `seconds` already."""
        moment = self._clock().timestamp()
        number = int(moment // seconds)
        end = (number + 1) * seconds
        id = self._name(what, key, seconds, number)
        if await self._counted(id, most, datetime.fromtimestamp(end, UTC)):
            return
        raise TooMany(max(1, math.ceil(end - moment)))

    async def _counted(self, id: str, most: int, end: datetime) -> bool:
        if most < 1:
            return False
        if await self._records.count_up(id, "count", most) is not None:
            return True
        if await self._records.add(Window(id=id, count=1, expires=end)):
            return True
        return await self._records.count_up(id, "count", most) is not None  # full, or another process has just begun it

    def _name(self, what: str, key: str, seconds: int, number: int) -> str:
        text = "\0".join((what, key, str(seconds), str(number))).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self._secret, digest_size=24).hexdigest()
