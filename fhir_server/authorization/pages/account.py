"""A person's own account: how she proves who she is, where she is logged in, which apps she has let in.

What each button does is checked to be hers: nobody ends or removes what belongs to another (BOLA).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fastapi import Response

from fhir_server.auth.oauth.grants import Grant
from fhir_server.authorization.pages import confirming, steps
from fhir_server.authorization.pages.visit import SESSION_COOKIE, Problem, Visit
from fhir_server.authorization.pages.words import Text

_DONE: Final = {"1": Text("変更しました。", "Done.")}
_LAST: Final = Text(
    "二要素認証が必要なため、最後の一つは削除できません。先に別のものを登録してください。",
    "A second factor is required, so the last one cannot be removed. Register another one first.",
)


@dataclass(frozen=True, slots=True)
class App:
    """An app that the person has allowed something."""

    id: str
    name: str
    created: datetime
    offline: bool


async def show(visit: Visit) -> Response:
    """Show the account."""
    return await _page(visit)


async def send(visit: Visit) -> Response:
    """Do what one of the buttons says."""
    match visit.form.get("do"):
        case "remove-key":
            problem = await _remove_key(visit)
            if problem is not None:
                return await _page(visit, problem)
        case "end-session":
            await _end_session(visit)
        case "end-app":
            await _end_app(visit)
        case "end-everything":
            await visit.login.endings.user(visit.known()[1].id)
            return ended(visit)
    session = await visit.login.people.sessions.get(visit.cookies.read(visit.http, SESSION_COOKIE))
    return visit.go("account", done="1") if session is not None else ended(visit)


def ended(visit: Visit) -> Response:
    """Show the login to somebody whose session has just ended, and let the browser forget it."""
    response = visit.go("login", out="1")
    visit.cookies.drop(response, SESSION_COOKIE)
    return response


async def _remove_key(visit: Visit) -> Problem | None:
    wrong = await confirming.failed(visit)
    if wrong is not None:
        return wrong
    _, account = visit.known()
    people = visit.login.people
    if people.accounts.policy.second_factor and account.totp is None and len(account.passkeys) < 2:
        return Problem(_LAST)
    key = next((each for each in account.passkeys if each.id.hex() == visit.form.get("key")), None)
    if key is not None:
        await people.passkeys.remove(account.id, key.id)
    return None


async def _end_session(visit: Visit) -> None:
    _, account = visit.known()
    for each in await visit.login.endings.open_sessions(account=account.id):
        if each.id == visit.form.get("session"):
            await visit.login.people.sessions.close(each)
            await visit.login.grants.end_session(each.id)


async def _end_app(visit: Visit) -> None:
    for each in await visit.login.grants.of_account(visit.known()[1].id):
        if each.id == visit.form.get("grant"):
            await visit.login.grants.end(each.id)


async def _page(visit: Visit, *problems: Problem) -> Response:
    _, account = visit.known()
    if not steps.is_patient(visit):
        await steps.has_facility(visit)
    grants = await visit.login.grants.of_account(account.id)
    return visit.page(
        "account.html",
        status=422 if problems else 200,
        problems=problems,
        message=_DONE.get(visit.http.query_params.get("done", "")),
        confirms=confirming.needed(visit),
        days_left=visit.standing.days_left,
        sessions=await visit.login.endings.open_sessions(account=account.id),
        apps=[await _app(visit, each) for each in grants],
    )


async def _app(visit: Visit, grant: Grant) -> App:
    client = await visit.login.clients.get(grant.authorization.client)
    return App(grant.id, client.name if client else grant.authorization.client, grant.created, grant.is_offline)
