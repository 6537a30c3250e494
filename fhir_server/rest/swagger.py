"""The page where people try the API out: Swagger UI on our own OpenAPI document, with nothing from another machine.

https://swagger.io/docs/open-source-tools/swagger-ui/usage/installation/

`/docs` is the page, `/openapi.json` what it reads. Both lie beside the FHIR base and are no FHIR; every address in them is
relative, so they work behind a proxy that puts the server under a path of its own.
"""

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from fastapi import FastAPI, Request, Response

_ASSETS = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript", "start.js": "text/javascript"}
# Swagger UI sets style attributes and shows its icons as data addresses.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """\
<!DOCTYPE html>
<html lang="ja">
<head>
<meta charset="utf-8">
<title>Tsunagi 繋ぎ — FHIR R4 API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<noscript>This page needs JavaScript; the document itself is <a href="openapi.json">openapi.json</a>.
このページには JavaScript が必要です。</noscript>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Something that never changes while the server runs: its media type, its bytes as gzip, and their ETag."""

    media_type: str
    packed: bytes
    etag: str

    @classmethod
    def of(cls, media_type: str, packed: bytes) -> "Prepared":
        """Prepare what is packed already."""
        return cls(media_type, packed, f'"{hashlib.sha256(packed).hexdigest()[:32]}"')

    def answer(self, request: Request) -> Response:
        """Answer a GET or HEAD: 304 where the browser has it, packed where the browser can unpack it."""
        headers = {
            "ETag": self.etag,
            "Cache-Control": "no-cache",
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Content-Security-Policy": _POLICY,
        }
        if self.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(self.packed, media_type=self.media_type, headers={**headers, "Content-Encoding": "gzip"})
        return Response(gzip.decompress(self.packed), media_type=self.media_type, headers=headers)


def add_swagger(app: FastAPI, document: Callable[[], bytes]) -> None:
    """Add the page, its assets and the document, which is written when it is first asked for."""

    @cache
    def openapi() -> Prepared:
        return _packed("application/json", document())

    @app.api_route("/openapi.json", methods=["GET", "HEAD"], include_in_schema=False)
    def description(request: Request) -> Response:
        return openapi().answer(request)

    @app.api_route("/docs", methods=["GET", "HEAD"], include_in_schema=False)
    async def page(request: Request) -> Response:
        return _page().answer(request)

    @app.api_route("/docs/{name}", methods=["GET", "HEAD"], include_in_schema=False)
    def asset(name: str, request: Request) -> Response:
        return _asset(name).answer(request) if name in _ASSETS else Response(status_code=404)


@cache
def _page() -> Prepared:
    return _packed("text/html", _PAGE.encode())


@cache
def _asset(name: str) -> Prepared:
    folder = files("fhir_server.rest").joinpath("swagger_ui")
    packed = folder.joinpath(f"{name}.gz")
    if packed.is_file():
        return Prepared.of(_ASSETS[name], packed.read_bytes())
    return _packed(_ASSETS[name], folder.joinpath(name).read_bytes())


def _packed(media_type: str, plain: bytes) -> Prepared:
    return Prepared.of(media_type, gzip.compress(plain, mtime=0))
