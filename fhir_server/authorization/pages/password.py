"""The password is changed: at the first login, when it has expired, or whenever its owner wants to (F054, F057-F059)."""

from typing import Final

from fastapi import Response

from fhir_server.auth.accounts.guessable import Personal
from fhir_server.auth.accounts.refusals import LoginFailed, PasswordRefused
from fhir_server.auth.accounts.sessions import Factor
from fhir_server.auth.directory import Person
from fhir_server.auth.throttle import TooMany
from fhir_server.authorization.pages import steps
from fhir_server.authorization.pages.login import begin
from fhir_server.authorization.pages.visit import Problem, Visit
from fhir_server.authorization.pages.words import Text

FACTORS: Final[tuple[Factor, ...]] = ("pwd", "otp", "hwk", "recovery")
_FIRST: Final = Text(
    "はじめてのログインです。配布されたパスワードを、ご自身で決めたものに変更してください。変更が終わるまで、ほかの画面は開けません。",
    "This is your first login. Please change the password that you were given to one of your own. Until then no other page opens.",
)
_EXPIRED: Final = Text(
    "パスワードの有効期限が過ぎました。変更が終わるまで、ほかの画面は開けません。",
    "Your password has expired. Until it is changed no other page opens.",
)
_DIFFERENT: Final = Text("新しいパスワードが、確認のものと一致しません。", "The two new passwords are not the same.")
_WRONG: Final = Text("古いパスワードが正しくないか、現在確認できません。", "The old password is wrong, or cannot be checked at present.")


async def show(visit: Visit) -> Response:
    """Show the form, and why it must be filled in."""
    return _form(visit)


async def send(visit: Visit) -> Response:
    """Change the password. Every session of the person ends, and every app; this browser goes on in a new session."""
    session, account = visit.known()
    if different := confirmed(visit):
        return _form(visit, different)
    try:
        changed = await visit.login.people.accounts.change_password(
            account.id, visit.form.get("old"), visit.form.get("new"), personal(visit.person), keep=session
        )
    except LoginFailed:
        return _form(visit, Problem(_WRONG, "old"))
    except PasswordRefused as refused:
        return _form(visit, *refusals(refused))
    except TooMany as failed:
        return _form(visit, Problem(Text(failed.ja, failed.en)), status=429)
    await visit.login.endings.user(account.id)
    await begin(visit, changed, [each for each in FACTORS if each in session.factors])
    return await steps.onward(visit, first=True)


def confirmed(visit: Visit) -> Problem | None:
    """Say that the new password was not typed twice alike."""
    return Problem(_DIFFERENT, "again") if visit.form.get("new") != visit.form.get("again") else None


def refusals(refused: PasswordRefused) -> list[Problem]:
    """Say all that a new password lacks."""
    return [Problem(Text(each.ja, each.en), "new") for each in refused.refusals]


def personal(person: Person | None) -> Personal:
    """Give what others may know of somebody, and what must not be in her password."""
    return Personal(person.words, person.birth_date) if person else Personal()


def _form(visit: Visit, *problems: Problem, status: int = 422) -> Response:
    account = visit.known()[1]
    reason = (_FIRST if account.must_change else _EXPIRED) if visit.due else None
    return visit.page(
        "password.html",
        status=status if problems else 200,
        problems=problems,
        reason=reason,
        requirements=visit.login.people.accounts.policy.requirements,
    )
