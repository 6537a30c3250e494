"""Refusals over HTTP: as JSON for programs (RFC 6749, 5.2), as a page for people."""

from html import escape
from typing import Final

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from fhir_server.auth.oauth.refusals import OAuth2Error, plain
from fhir_server.outcome import FhirError

_NEVER_STORED: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_CHALLENGES: Final = {"invalid_client": 'Basic realm="tsunagi"', "invalid_token": 'Bearer error="invalid_token"'}
_PAGE_HEADERS: Final = {
    **_NEVER_STORED,
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def refused(error: OAuth2Error) -> Response:
    """Give the answer of an endpoint for programs."""
    headers = dict(_NEVER_STORED)
    if error.status_code == 401:
        headers["WWW-Authenticate"] = _CHALLENGES[error.error]
    return JSONResponse(dict(error.get_body()), status_code=error.status_code, headers=headers)


def failed(failure: FhirError) -> Response:
    """Give the answer where something else stood in the way: too many requests, no database, a certificate that does not count."""
    error = "temporarily_unavailable" if failure.status in (429, 503) else "invalid_client"
    body = {"error": error, "error_description": plain(failure.issues[0].diagnostics)}
    return JSONResponse(body, status_code=failure.status, headers={**_NEVER_STORED, **dict(failure.headers)})


def refused_on_page(_: Request, description: str) -> Response:
    """Tell a person that an app asked for something impossible; the app is not told, for it may not be what it says."""
    page = f"""<!doctype html>
<html lang="ja"><head><meta charset="utf-8"><title>Tsunagi</title></head><body><main>
<h1>アプリを開けません</h1>
<p>アプリの要求に誤りがあるため、ログインに進めません。アプリの提供者にお問い合わせください。</p>
<h1 lang="en">The app cannot be opened</h1>
<p lang="en">The app asked for something that is not possible. Please ask the people who provide it.</p>
<p lang="en"><code>{escape(description)}</code></p>
</main></body></html>
"""
    return HTMLResponse(page, status_code=400, headers=_PAGE_HEADERS)
