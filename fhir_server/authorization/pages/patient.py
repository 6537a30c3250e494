"""A patient is chosen where an app needs one and nothing has named her (scope launch/patient).

What is typed is sent by POST and answered at once: names and birth dates stand in no address, so in no log and no history.
"""

from fastapi import Response

from fhir_server.auth.throttle import TooMany
from fhir_server.authorization.pages import birth_date, steps
from fhir_server.authorization.pages.patients import Found, asking
from fhir_server.authorization.pages.visit import Problem, Visit
from fhir_server.authorization.pages.words import Text
from fhir_server.outcome import FhirError

_A_MINUTE = 60


async def show(visit: Visit) -> Response:
    """Show the form; nobody is listed before she is looked for."""
    return await _page(visit)


async def send(visit: Visit) -> Response:
    """Search, or go on with the patient chosen."""
    if "choose" in visit.form:
        return await _chosen(visit)
    text, typed = visit.form.line("text")[:256], visit.form.line("birth")[:64]
    birth = birth_date.read(typed, visit.today) if typed else None
    if typed and birth is None:
        return await _page(
            visit,
            Problem(
                Text("生年月日を読み取れません。例のように入力してください。", "This is no birth date that can be read; see the examples."),
                "birth",
            ),
        )
    if not text and birth is None:
        return await _page(
            visit,
            Problem(Text("氏名、患者番号、生年月日のどれかを入力してください。", "Please enter a name, a number or a birth date."), "text"),
        )
    try:
        await visit.login.people.throttle.allow("patients", visit.known()[1].id, _A_MINUTE, 60)
        found = await visit.login.patients.find(
            asking(visit.known()[0], visit.assignment), text, birth.isoformat() if birth else None, visit.form.get("page") or None
        )
    except TooMany as failed:
        return await _page(visit, Problem(Text(failed.ja, failed.en)), status=429)
    except FhirError as failure:
        if failure.status >= 500:
            raise
        return await _page(visit, _unfit(failure.status))
    return await _page(visit, found=found)


async def _chosen(visit: Visit) -> Response:
    patient = await visit.login.patients.one(asking(visit.known()[0], visit.assignment), visit.form.get("choose"))
    if patient is None:
        return await _page(visit, Problem(Text("この患者は選べません。", "This patient cannot be chosen.")))
    return visit.go("consent", patient=patient.reference.partition("/")[2])


async def _page(visit: Visit, *problems: Problem, found: Found | None = None, status: int = 422) -> Response:
    asked = await steps.wanted(visit) if visit.authorization else None
    if asked is None:
        return visit.go("account")
    if not asked.needs_patient or steps.is_patient(visit):
        return visit.go("consent")
    today = visit.today
    return visit.page(
        "patient.html",
        status=status if problems else 200,
        problems=problems,
        asked=asked,
        found=found,
        text=visit.form.line("text")[:256],
        birth=visit.form.line("birth")[:64],
        first=_first(visit.form.get("first")),
        ages=[birth_date.age(each.birth, today) for each in found.lines] if found else [],
    )


def _unfit(status: int) -> Problem:
    if status == 403:
        return Problem(Text("あなたの権限では患者を検索できません。", "You may not look for patients."))
    return Problem(Text("このことばでは検索できません。", "This cannot be searched for."), "text")


def _first(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 and int(text) > 0 else 1
