"""What a form sent: application/x-www-form-urlencoded, read strictly and not without end.

https://url.spec.whatwg.org/#application/x-www-form-urlencoded
"""

import asyncio
from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl

from fastapi import Request

_LARGEST: Final = 64 * 1024
_SECONDS: Final = 30.0
_MOST_FIELDS: Final = 400
MEDIA_TYPE: Final = "application/x-www-form-urlencoded"


class Unreadable(Exception):  # noqa: N818 - it names what was sent
    """What was sent is no form of ours; the status says why."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Form:
    """The fields of a form: the first value of each, or all of one."""

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        self._fields: dict[str, list[str]] = {}
        for name, value in fields:
            self._fields.setdefault(name, []).append(value)

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def get(self, name: str) -> str:
        """Give the first value, empty where there is none."""
        return self._fields.get(name, [""])[0]

    def line(self, name: str) -> str:
        """Give the first value as one line without blanks around it."""
        return " ".join(self.get(name).split())

    def all(self, name: str) -> list[str]:
        """Give all values of a field that may be sent several times."""
        return self._fields.get(name, [])


async def read(request: Request) -> Form:
    """Read the form of a request. Raises Unreadable."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise Unreadable(415)
    try:
        async with asyncio.timeout(_SECONDS):
            return Form(_fields(await _body(request)))
    except TimeoutError:
        raise Unreadable(408) from None


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST:
            raise Unreadable(413)
    return bytes(body)


def _fields(body: bytes) -> list[tuple[str, str]]:
    try:
        fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, encoding="utf-8", errors="strict")
    except ValueError:
        raise Unreadable(400) from None
    if any("\0" in value for _, value in fields):
        raise Unreadable(400)
    return fields
