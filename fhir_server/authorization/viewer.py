"""The SMART viewer: a small app of static files beside the FHIR base, launched as any other app is.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html

It is served here so that a network has an app to begin with, and has no rights of its own: it is the registered public client
`viewer`, and sees what the person who launches it may see. Its pages load nothing from another machine, run no script but
their own files, and speak to this server only: that is what its policy says to the browser, whoever's address is in a link.
"""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse

CLIENT = "viewer"
NAME = "Tsunagi ビューア / Tsunagi viewer"
SCOPE = "launch launch/patient openid fhirUser online_access user/*.rs"
LIBRARY = "fhir-client.pure.min.js"

_INDEX = "index.html"
_MEDIA = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
# blob: is what an attachment becomes once it was fetched with the token; only PDF, images and text are made of it.
_HEADERS = {
    "Cache-Control": "no-cache",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; frame-src blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
}


def redirect_uri(root: str) -> str:
    """Give where a login at this server (its address without `/fhir`) returns to the viewer."""
    return f"{root}/viewer/"


def launch_uri(root: str) -> str:
    """Give where an EHR launches the viewer."""
    return f"{root}/viewer/launch.html"


def add_viewer(app: FastAPI) -> None:
    """Add the viewer's files below `/viewer/`."""

    @app.api_route("/viewer", methods=["GET", "HEAD"], include_in_schema=False)
    async def entrance() -> Response:
        return RedirectResponse("viewer/launch.html", headers={"Referrer-Policy": "no-referrer"})  # relative: it may lie below a path

    @app.api_route("/viewer/{name:path}", methods=["GET", "HEAD"], include_in_schema=False)
    async def asset(name: str, request: Request) -> Response:
        found = _assets().get(name or _INDEX)
        return found.answer(request) if found else Response(status_code=404, headers=_HEADERS)


@dataclass(frozen=True, slots=True)
class _Asset:
    media_type: str
    plain: bytes
    packed: bytes
    etag: str

    def answer(self, request: Request) -> Response:
        headers = {**_HEADERS, "ETag": self.etag}
        if self.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(self.packed, media_type=self.media_type, headers={**headers, "Content-Encoding": "gzip"})
        return Response(self.plain, media_type=self.media_type, headers=headers)


@cache
def _assets() -> dict[str, _Asset]:
    here = files("fhir_server.authorization")
    own = [each for each in here.joinpath("viewer_app").iterdir() if each.is_file()]
    return {each.name: _asset(each) for each in [*own, here.joinpath("viewer_fhirclient").joinpath(LIBRARY)] if _suffix(each) in _MEDIA}


def _asset(file: Traversable) -> _Asset:
    plain = file.read_bytes()
    return _Asset(_MEDIA[_suffix(file)], plain, gzip.compress(plain, mtime=0), f'"{hashlib.sha256(plain).hexdigest()[:32]}"')


def _suffix(file: Traversable) -> str:
    return "." + file.name.rpartition(".")[2]
