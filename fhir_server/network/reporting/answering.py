"""Reports as answers: CSV to be saved, a page that runs nothing, or Parameters.

https://developer.mozilla.org/docs/Web/HTTP/CSP
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, Final

from fhir_server.exchange import Content, FhirResponse, Resource

_SAFE: Final = ("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
_PIECE: Final = 256 * 1024


def csv(content: bytes, name: str) -> FhirResponse:
    """Answer CSV that a browser saves under this name."""
    saved = ("Content-Disposition", f'attachment; filename="{name}.csv"')
    return _content(content, "text/csv; charset=utf-8; header=present", saved)


def page(text: str) -> FhirResponse:
    """Answer a page: nothing in it is run, fetched or sent."""
    return _content(text.encode(), "text/html; charset=utf-8")


def part(name: str, value: str | bool | datetime, kind: str = "valueString") -> list[Resource]:
    """Give a part of a parameter, none where the text is empty: FHIR has no empty values."""
    if isinstance(value, datetime):
        return [{"name": name, "valueDateTime": value.isoformat(timespec="seconds")}]
    if isinstance(value, bool):
        return [{"name": name, "valueBoolean": value}]
    made: Any = {"reference": value} if kind == "valueReference" else value
    return [{"name": name, kind: made}] if value else []


def of_types(types: Sequence[tuple[str, int]]) -> list[Resource]:
    """Give how many resources of which type as parts."""
    return [{"name": "seen", "part": [*part("type", type, "valueCode"), {"name": "count", "valueInteger": count}]} for type, count in types]


def _content(content: bytes, type: str, *headers: tuple[str, str]) -> FhirResponse:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), _PIECE):
            yield content[start : start + _PIECE]

    return FhirResponse(200, headers=(_SAFE, *headers), content=Content(type, len(content), pieces))
