"""What browsers are told so that nobody else acts or looks in a person's place.

https://www.w3.org/TR/CSP3/
https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html

Chromium applies `form-action` to every redirect that follows a form, too. So the consent page names the origin of the
app that it will send the person back to; all others name only the server itself.
"""

import base64
import hashlib
import hmac
import re
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request, Response

_HOST: Final = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*")


def protect(response: Response, *, leads_to: str | None = None) -> Response:
    """Set the headers of a page; `leads_to` is the address of an app that its form may lead to."""
    response.headers["Content-Security-Policy"] = policy(leads_to)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


def policy(leads_to: str | None = None) -> str:
    """Write the Content-Security-Policy of a page."""
    source = form_source(leads_to) if leads_to else None
    action = f"'self' {source}" if source else "'self'"
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        f"form-action {action}; frame-ancestors 'none'; base-uri 'none'"
    )


def form_source(address: str) -> str | None:
    """Give the origin of an address as a policy names it; None for what cannot be named safely.

    An app on a device has a scheme of its own; an IPv6 address cannot be written in a policy, so its scheme stands for it.
    """
    parts = urlsplit(address)
    if not _SCHEME.fullmatch(parts.scheme):
        return None
    if parts.scheme in ("http", "https") and _HOST.fullmatch(parts.netloc):
        return f"{parts.scheme}://{parts.netloc}"
    return f"{parts.scheme}:"


class Cookies:
    """Reads and sets cookies: bound to this host over https (`__Host-`), plain where a developer uses http."""

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure

    def name(self, name: str) -> str:
        """Give the name that the browser knows."""
        return f"__Host-{name}" if self._secure else name

    def read(self, request: Request, name: str) -> str | None:
        """Give what the browser sent; None where it sent nothing, or too much to be ours."""
        value = request.cookies.get(self.name(name))
        return value if value and len(value) <= 512 else None

    def set(self, response: Response, name: str, value: str, seconds: int | None = None) -> None:
        """Let the browser keep this, until it is closed where no time is given."""
        response.set_cookie(self.name(name), value, max_age=seconds, path="/", secure=self._secure, httponly=True, samesite="lax")

    def drop(self, response: Response, name: str) -> None:
        """Let the browser forget it."""
        response.delete_cookie(self.name(name), path="/", secure=self._secure, httponly=True, samesite="lax")


class Forms:
    """Proves that a form comes from a page of ours, before anybody has logged in: a cookie, and what only we make of it."""

    COOKIE: Final = "tsunagi-form"

    def __init__(self, key: bytes) -> None:
        self._key = key

    def token(self, cookie: str) -> str:
        """Give what the form carries beside this cookie."""
        digest = hmac.new(self._key, b"tsunagi form\0" + cookie.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def same(one: str, other: str) -> bool:
    """Compare two secrets in the same time whatever they hold."""
    return hmac.compare_digest(one.encode(), other.encode())


def comes_from_elsewhere(request: Request, issuer: str) -> bool:
    """Tell whether the browser says that another site sent this form.

    Our pages send no referrer, therefore an `Origin: null` of theirs says nothing; `Sec-Fetch-Site` does.
    """
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return True
    origin = request.headers.get("origin", "null")
    return origin != "null" and urlsplit(origin).netloc not in (urlsplit(issuer).netloc, request.headers.get("host"))
