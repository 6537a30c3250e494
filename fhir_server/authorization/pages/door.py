"""Where requests for pages come in: who may see which page, and that no form is sent in somebody else's name.

Every page but the first asks for a session; a session that is not whole opens only the page of the step it lacks (F054).
"""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from http import HTTPStatus
from typing import Final, TypeAlias

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.requests import ClientDisconnect

from fhir_server.auth.accounts.account import Account
from fhir_server.authorization.pages import steps
from fhir_server.authorization.pages.forms import Form, Unreadable, read
from fhir_server.authorization.pages.parts import Login
from fhir_server.authorization.pages.protection import Cookies, Forms, comes_from_elsewhere, protect, same
from fhir_server.authorization.pages.refusals import Refused, impossible, not_from_here, told
from fhir_server.authorization.pages.visit import SESSION_COOKIE, Visit
from fhir_server.authorization.pages.words import COOKIE as LANGUAGE_COOKIE
from fhir_server.authorization.pages.words import preferred
from fhir_server.outcome import FhirError

Handler: TypeAlias = Callable[[Visit], Awaitable[Response]]

_UNSENT: Final = Form(())


class Needs(IntEnum):
    """What a page asks of the session: nothing, that there is one, that nothing but this page is missing, that its facility is chosen."""

    NOTHING = 0
    SESSION = 1
    STEP = 2
    FACILITY = 3


@dataclass(frozen=True, slots=True)
class Page:
    """A page below /auth/: what it shows, and what it does with its form."""

    path: str
    needs: Needs
    show: Handler | None
    send: Handler | None = None


def add(app: FastAPI, login: Callable[[], Login | None], page: Page) -> None:
    """Add a page to the application."""

    async def answer(request: Request) -> Response:
        parts = login()
        if parts is None:
            return protect(PlainTextResponse("起動しています。 / The server is starting.\n", 503, headers={"Retry-After": "2"}))
        return await _answered(request, parts, page)

    methods = [*(["GET", "HEAD"] if page.show else []), *(["POST"] if page.send else [])]
    app.add_api_route(f"/auth/{page.path}", answer, methods=methods, include_in_schema=False, response_model=None)


async def _answered(request: Request, login: Login, page: Page) -> Response:
    visit = _visit(request, login, anonymous=page.needs == Needs.NOTHING)
    try:
        return await _opened(visit, page)
    except ClientDisconnect:
        return Response(status_code=400)
    except Refused as refused:
        return refused.page(visit)
    except Unreadable as unreadable:
        return told(unreadable.status).page(visit)
    except FhirError as failure:
        if failure.status == HTTPStatus.UNAUTHORIZED:  # the session has ended while it was being used
            return visit.go("login", ended="1")
        return told(failure.status, failure.headers).page(visit)


def refused_page(login: Login, request: Request, description: str) -> Response:
    """Write the page for an authorization request that must not be redirected (S35)."""
    return impossible(description).page(_visit(request, login, anonymous=True))


def _visit(request: Request, login: Login, *, anonymous: bool) -> Visit:
    cookies = Cookies(secure=login.secure)
    return Visit(
        http=request,
        login=login,
        language=preferred(request, cookies.read(request, LANGUAGE_COOKIE)),
        form=_UNSENT,
        cookies=cookies,
        form_cookie=cookies.read(request, Forms.COOKIE) or secrets.token_urlsafe(24),
        anonymous=anonymous,
        had_session=cookies.read(request, SESSION_COOKIE) is not None,
    )


async def _opened(visit: Visit, page: Page) -> Response:
    sends = visit.http.method == "POST"
    if sends:
        if comes_from_elsewhere(visit.http, visit.login.issuer):
            raise told(403)
        visit.form = await read(visit.http)
    recognized = await _recognized(visit, page)
    await admit(visit, visit.account)
    if not recognized:
        return visit.go("login", ended="1" if visit.had_session else None)
    if page.needs >= Needs.STEP:
        step = await steps.missing(visit, facility=page.needs >= Needs.FACILITY)
        if step is not None and step != page.path:
            return visit.go(step)
    if sends and not same(visit.form.get("csrf"), visit.csrf):
        raise told(403)
    handler = page.send if sends else page.show
    assert handler is not None
    return await handler(visit)


async def admit(visit: Visit, account: Account | None) -> None:
    """Refuse who comes over a connection that does not prove what it must (F051, F105)."""
    refusal = await visit.login.admits(visit.http, account)
    if refusal is not None:
        raise not_from_here() if refusal.status == HTTPStatus.FORBIDDEN else told(refusal.status, refusal.headers)


async def _recognized(visit: Visit, page: Page) -> bool:
    """Find the session that the cookie names and note its use; a page that was left open and closes itself is no use."""
    if "ended" not in visit.http.query_params:
        await steps.recognize(visit)
    return visit.session is not None or page.needs == Needs.NOTHING
