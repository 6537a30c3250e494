"""What the pages load: a style sheet, an icon, the one script. They never change while the server runs."""

import hashlib
from functools import cache
from importlib.resources import files

from fastapi import FastAPI, Request, Response

_MEDIA = {"pages.css": "text/css", "passkey.js": "text/javascript", "icon.svg": "image/svg+xml"}
_HEADERS = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def add_static(app: FastAPI) -> None:
    """Add the files below /auth/static/."""

    @app.api_route("/auth/static/{name}", methods=["GET", "HEAD"], include_in_schema=False)
    async def static(name: str, request: Request) -> Response:
        if name not in _MEDIA:
            return Response(status_code=404, headers=_HEADERS)
        content, etag = _file(name)
        headers = {**_HEADERS, "ETag": etag}
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=_MEDIA[name], headers=headers)


@cache
def _file(name: str) -> tuple[bytes, str]:
    content = files("fhir_server.authorization").joinpath("static", name).read_bytes()
    return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'
