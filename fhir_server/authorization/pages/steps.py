"""The way through the pages: what a session lacks, and where it goes on from there (F054, F085, L02)."""

from dataclasses import dataclass

from fastapi import Response

from fhir_server.auth.directory import Assignment
from fhir_server.auth.oauth.requests import AuthorizationRequest
from fhir_server.authorization.pages.refusals import gone, no_work
from fhir_server.authorization.pages.visit import SESSION_COOKIE, Visit


@dataclass(frozen=True, slots=True)
class _Place:
    organization: str
    facility: str | None
    role: str | None


async def recognize(visit: Visit) -> None:
    """Find the session of the cookie and whom it belongs to; a session of an account that is closed is none."""
    login = visit.login
    session = await login.people.sessions.get(visit.cookies.read(visit.http, SESSION_COOKIE))
    account = await login.people.accounts.get(session.account) if session else None
    if session is None or account is None or not account.active:
        return
    visit.session, visit.account = session, account
    visit.person = await login.directory.person(account.fhir_user)


async def missing(visit: Visit, *, facility: bool) -> str | None:
    """Name the page that must come first; None where nothing is missing. With `facility` one must be chosen, too."""
    session, account = visit.known()
    lacking = visit.login.people.sessions.lacks(session, account)
    if lacking is not None:
        return lacking
    if not session.whole:
        visit.session = session = await visit.login.people.sessions.prove(session, account)
    if facility and not await has_facility(visit):
        return "facility"
    return None


async def has_facility(visit: Visit) -> bool:
    """Tell whether it is clear what the person works as; where there is only one possibility, it is chosen for her."""
    session, _ = visit.known()
    open_to_her = await work(visit)
    if is_patient(visit):
        return True
    visit.assignment = next((each for each in open_to_her if (each.organization, each.role) == (session.organization, session.role)), None)
    if visit.assignment is None and len(open_to_her) == 1:
        await choose(visit, open_to_her[0])
    return visit.assignment is not None


async def work(visit: Visit) -> tuple[Assignment, ...]:
    """Give as what the person may work now. Raises Refused where there is nothing."""
    found = await visit.login.directory.assignments(visit.known()[0].fhir_user)
    if not found:
        raise no_work()
    return found


async def choose(visit: Visit, assignment: Assignment) -> None:
    """Work as this from now on."""
    if assignment.organization is None:
        raise no_work()
    place = _Place(assignment.organization, assignment.facility, assignment.role.value)
    visit.session = await visit.login.people.sessions.choose(visit.known()[0], place)
    visit.assignment = assignment


async def onward(visit: Visit, *, first: bool = False) -> Response:
    """Send the person to what comes next: what is missing, the app's request, or her own account.

    Where she has just set up how she proves who she is (`first`), she is offered recovery codes if she has none (F055).
    """
    visit.anonymous = False
    step = await missing(visit, facility=False)
    if step is not None:
        return visit.go(step)
    if first and not visit.known()[1].recovery:
        return visit.go("recovery/codes")
    if not await has_facility(visit):
        return visit.go("facility")
    return await to_app(visit)


async def to_app(visit: Visit) -> Response:
    """Send the person to the pages of the app's request, or to her account where no app waits."""
    if visit.authorization is None:
        return visit.go("account")
    asked = await wanted(visit)
    if asked.needs_login(visit.known()[0]):
        return visit.go("login", again="1")
    return visit.go("patient" if asked.needs_patient and not is_patient(visit) else "consent")


async def wanted(visit: Visit) -> AuthorizationRequest:
    """Give what the app asks for. Raises Refused where that is gone."""
    visit.asked = await visit.login.requests.get(visit.authorization) if visit.authorization else None
    if visit.asked is None:
        raise gone()
    return visit.asked


def is_patient(visit: Visit) -> bool:
    """Tell whether the person is a patient, whose own data are all she sees."""
    return visit.known()[0].fhir_user.startswith("Patient/")
