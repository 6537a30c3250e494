"""Pages of other origins: whose scripts may read what the server answers.

https://fetch.spec.whatwg.org/#http-cors-protocol

Browsers ask, and obey; nobody else does, so this guards people's browsers and grants no right. No origin may unless the
operator says so: a server on a loopback address without login would otherwise be open to every page its user visits.
Credentials of the browser itself (cookies) are never part of it; a page brings its own token along.
"""

from collections.abc import Mapping, Sequence

from fhir_server.rest.response import Answer

ANY = "*"

_ALLOWED = (
    "Accept, Authorization, Content-Type, If-Match, If-Modified-Since, If-None-Exist, If-None-Match, Prefer, Purpose-Of-Use, Range, "
    "X-Request-Id, X-Security-Context"
)
_EXPOSED = "Accept-Patch, Allow, Content-Location, Content-Range, ETag, Last-Modified, Location, Retry-After, X-Request-Id"
_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
_SECONDS = 600  # that a browser may keep the answer to a preflight


class Cors:
    """Answers for these origins, e.g. `https://app.example.org`; `*` is all of them."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._origins = frozenset(origins)

    def headers(self, origin: str | None) -> list[tuple[bytes, bytes]]:
        """Give what an answer to this origin carries besides."""
        if not self._origins:
            return []
        allowed = self._allowed(origin)
        vary = [] if ANY in self._origins else [(b"vary", b"Origin")]
        return vary if allowed is None else [*vary, allowed, (b"access-control-expose-headers", _EXPOSED.encode())]

    def preflight(self, method: str, headers: Mapping[str, str]) -> Answer | None:
        """Answer a browser that asks beforehand whether a request is allowed; None for what is no such question, or refused."""
        if method != "OPTIONS" or "access-control-request-method" not in headers:
            return None
        if self._allowed(headers.get("origin")) is None:
            return None
        permitted = [
            (b"access-control-allow-methods", _METHODS.encode()),
            (b"access-control-allow-headers", _ALLOWED.encode()),
            (b"access-control-max-age", str(_SECONDS).encode()),
        ]
        return Answer(204, permitted, b"")

    def _allowed(self, origin: str | None) -> tuple[bytes, bytes] | None:
        if origin is None or not (ANY in self._origins or origin in self._origins):
            return None
        return b"access-control-allow-origin", (ANY if ANY in self._origins else origin).encode("latin-1")
