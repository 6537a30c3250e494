"""The login: ID and password, links for who has forgotten one of them, notices (F051, F052, F060, L04)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import Response

from fhir_server.auth.accounts.account import Account
from fhir_server.auth.accounts.refusals import LoginFailed
from fhir_server.auth.accounts.sessions import Factor
from fhir_server.auth.throttle import TooMany
from fhir_server.authorization.pages import steps
from fhir_server.authorization.pages.door import admit
from fhir_server.authorization.pages.visit import SESSION_COOKIE, Problem, Visit
from fhir_server.authorization.pages.words import Text


@dataclass(frozen=True, slots=True)
class Message:
    """Why somebody is at the login again."""

    kind: str
    text: Text


_MESSAGES: Final = {
    "ended": Message(
        "info",
        Text(
            "ログインの有効期間が終了しました（一定時間操作がなかったか、ほかで終了されました）。もう一度ログインしてください。",
            "You are not logged in any more: nothing was done for a while, or the login was ended elsewhere. Please log in again.",
        ),
    ),
    "again": Message(
        "info",
        Text(
            "このアプリを利用するには、アプリを起動したご本人がもう一度ログインする必要があります。",
            "For this app the person who started it must log in again.",
        ),
    ),
    "recovered": Message(
        "good", Text("パスワードを変更しました。ログインしてください。", "Your password has been changed. Please log in.")
    ),
    "out": Message("good", Text("ログアウトしました。", "You are logged out.")),
}


async def show(visit: Visit) -> Response:
    """Show the form, or go on where somebody is logged in already."""
    if visit.session is not None and "again" not in visit.http.query_params:
        return await steps.onward(visit)
    return await _form(visit)


async def send(visit: Visit) -> Response:
    """Log somebody in; what follows depends on what her session lacks."""
    entered, login = visit.form.line("login"), visit.login
    try:
        account = await login.people.accounts.verify(entered, visit.form.get("password"), login.source(visit.http))
    except LoginFailed as failed:
        return await _form(visit, Problem(Text(failed.ja, failed.en), "login"), entered=entered[:256])
    except TooMany as failed:
        return await _form(visit, Problem(Text(failed.ja, failed.en)), entered=entered[:256], status=429)
    await admit(visit, account)
    await begin(visit, account)
    return await steps.onward(visit)


async def begin(visit: Visit, account: Account, factors: Sequence[Factor] = ("pwd",)) -> None:
    """Begin a session in this browser, in the place of one that was there."""
    login, before = visit.login, visit.cookies.read(visit.http, SESSION_COOKIE)
    old = await login.people.sessions.get(before)
    if old is not None:
        await login.people.sessions.close(old)
        await login.grants.end_session(old.id)
    visit.session, cookie = await login.people.sessions.open(account, factors)
    visit.account = account
    visit.keep(cookie)


async def _form(visit: Visit, *problems: Problem, entered: str = "", status: int = 422) -> Response:
    asked = await visit.login.requests.get(visit.authorization) if visit.authorization else None
    if not entered and asked is not None and asked.login_hint:
        entered = asked.login_hint
    return visit.page(
        "login.html",
        status=status if problems else 200,
        problems=problems,
        asked=asked,
        entered=entered,
        message=None if problems else _message(visit),
    )


def _message(visit: Visit) -> Message | None:
    query = visit.http.query_params
    if query.get("ended") == "idle":
        minutes = max(1, round(visit.login.idle.total_seconds() / 60))
        return Message(
            "info",
            Text(
                f"{minutes}分間操作がなかったため、画面を閉じました。もう一度ログインしてください。",
                f"Nothing was done for {minutes} minutes, so the page was closed. Please log in again.",
            ),
        )
    return next((message for name, message in _MESSAGES.items() if name in query), None)
