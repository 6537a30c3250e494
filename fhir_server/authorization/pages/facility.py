"""For which facility, and as what, a person works now: one ID, several facilities, a switch (F085)."""

from fastapi import Response

from fhir_server.authorization.pages import steps
from fhir_server.authorization.pages.visit import Problem, Visit
from fhir_server.authorization.pages.words import Text


async def show(visit: Visit) -> Response:
    """Show what there is to choose from."""
    return await _form(visit)


async def send(visit: Visit) -> Response:
    """Choose one of those."""
    wanted = visit.form.get("choice")
    chosen = next((each for each in await steps.work(visit) if f"{each.organization}|{each.role.value}" == wanted), None)
    if chosen is None:
        return await _form(visit, Problem(Text("施設を選んでください。", "Please choose a facility.")))
    await steps.choose(visit, chosen)
    return await steps.to_app(visit)


async def _form(visit: Visit, *problems: Problem) -> Response:
    if steps.is_patient(visit):
        return await steps.to_app(visit)
    await steps.has_facility(visit)
    return visit.page("facility.html", status=422 if problems else 200, problems=problems, choices=await steps.work(visit))
