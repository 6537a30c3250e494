"""Who has forgotten ID or password, and recovery codes: printed once, in place of a secret question (F052, F055)."""

from fastapi import Response

from fhir_server.auth.accounts.refusals import LoginFailed, PasswordRefused
from fhir_server.auth.throttle import TooMany
from fhir_server.authorization.pages import confirming
from fhir_server.authorization.pages.password import confirmed, personal, refusals
from fhir_server.authorization.pages.visit import Problem, Visit
from fhir_server.authorization.pages.words import Text


async def show(visit: Visit) -> Response:
    """Show the form for a forgotten password, or what to do about a forgotten ID: the same to everybody."""
    return _form(visit)


async def send(visit: Visit) -> Response:
    """Set a new password by means of a recovery code; the answer does not tell an ID that exists from one that does not."""
    if different := confirmed(visit):
        return _form(visit, different)
    try:
        await _recovered(visit)
    except LoginFailed as failed:
        return _form(visit, Problem(Text(failed.ja, failed.en), "login"))
    except PasswordRefused as refused:
        return _form(visit, *refusals(refused))
    except TooMany as failed:
        return _form(visit, Problem(Text(failed.ja, failed.en)), status=429)
    return visit.go("login", recovered="1")


async def show_codes(visit: Visit) -> Response:
    """Say what recovery codes are for."""
    return _codes(visit)


async def send_codes(visit: Visit) -> Response:
    """Make new codes and show them, this once: they cannot be shown on a page that one is sent on to."""
    wrong = await confirming.failed(visit)
    if wrong is not None:
        return _codes(visit, wrong)
    return _codes(visit, codes=await visit.login.people.accounts.new_recovery_codes(visit.known()[1].id))


async def _recovered(visit: Visit) -> None:
    accounts, form, source = visit.login.people.accounts, visit.form, visit.login.source(visit.http)
    account = await accounts.of_recovery_code(form.line("login"), form.get("code"), source)
    person = await visit.login.directory.person(account.fhir_user)
    await accounts.recover(account.id, form.get("code"), form.get("new"), personal(person))
    await visit.login.endings.user(account.id)


def _form(visit: Visit, *problems: Problem, status: int = 422) -> Response:
    return visit.page(
        "recovery.html",
        status=status if problems else 200,
        problems=problems,
        what="id" if visit.http.query_params.get("what") == "id" else "password",
        entered=visit.form.line("login")[:256],
        requirements=visit.login.people.accounts.policy.requirements,
    )


def _codes(visit: Visit, *problems: Problem, codes: tuple[str, ...] = ()) -> Response:
    return visit.page(
        "codes.html", status=422 if problems else 200, problems=problems, codes=codes, confirms=not codes and confirming.needed(visit)
    )
