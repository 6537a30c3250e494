"""What an app asks for, and whether the person allows it: all, a part, or nothing.

https://www.rfc-editor.org/rfc/rfc6749#section-3.3 (what is granted may be less than what was asked for)
"""

from urllib.parse import urlsplit

from fastapi import Response

from fhir_server.auth.oauth.refusals import OAuth2Error
from fhir_server.auth.oauth.requests import AuthorizationRequest
from fhir_server.authorization.pages import scope_words, steps
from fhir_server.authorization.pages.patients import PatientLine, asking
from fhir_server.authorization.pages.refusals import gone, not_allowed
from fhir_server.authorization.pages.visit import Problem, Visit
from fhir_server.authorization.pages.words import Text


async def show(visit: Visit) -> Response:
    """Show what the app asks for, unless something comes first."""
    asked = await steps.wanted(visit)
    return await _first(visit, asked) or await _form(visit, asked)


async def send(visit: Visit) -> Response:
    """Give the app its answer; the person leaves with it."""
    asked = await steps.wanted(visit)
    before = await _first(visit, asked)
    if before is not None:
        return before
    if visit.form.get("decision") == "deny":
        return visit.leave(await _answered(visit, asked, None))
    scope = scope_words.left(visit.login.scopes.parse(asked.scope), visit.form.all("scope"))
    if visit.form.get("decision") != "allow" or not scope:
        return await _form(visit, asked, Problem(Text("許可する内容を選んでください。", "Please choose what you allow.")))
    return visit.leave(await _answered(visit, asked, scope))


async def _answered(visit: Visit, asked: AuthorizationRequest, scope: str | None) -> str:
    try:
        if scope is None:
            return await visit.login.requests.deny(asked.id)
        patient = await _patient(visit, asked)
        return await visit.login.requests.finish(asked.id, visit.known()[0], patient, scope)
    except OAuth2Error:
        raise (gone() if await visit.login.requests.get(asked.id) is None else not_allowed()) from None


async def _first(visit: Visit, asked: AuthorizationRequest) -> Response | None:
    """Give the way to another page where somebody else must log in, or a patient be chosen."""
    if asked.needs_login(visit.known()[0]):
        return visit.go("login", again="1")
    if asked.needs_patient and not steps.is_patient(visit) and await _line(visit, asked) is None:
        return visit.go("patient")
    return None


async def _patient(visit: Visit, asked: AuthorizationRequest) -> str | None:
    if not asked.needs_patient:
        return None
    return visit.known()[0].fhir_user if steps.is_patient(visit) else visit.patient


async def _line(visit: Visit, asked: AuthorizationRequest) -> PatientLine | None:
    """Give the patient it is about, where the person may see her."""
    reference = asked.context.patient or await _patient(visit, asked)
    return await visit.login.patients.one(asking(visit.known()[0], visit.assignment), reference) if reference else None


async def _form(visit: Visit, asked: AuthorizationRequest, *problems: Problem) -> Response:
    chosen = visit.patient if asked.needs_patient and not steps.is_patient(visit) else None
    return visit.page(
        "consent.html",
        status=422 if problems else 200,
        problems=problems,
        leads_to=asked.redirect_uri,
        asked=asked,
        groups=scope_words.in_words(visit.login.scopes.parse(asked.scope)),
        kept=set(visit.form.all("scope")) if problems else None,
        patient=await _line(visit, asked),
        chosen=chosen.partition("/")[2] if chosen else None,
        can_choose=chosen is not None,
        place=urlsplit(asked.redirect_uri).netloc or asked.client_name,
    )
