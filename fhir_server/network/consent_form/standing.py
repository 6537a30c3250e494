"""Where a consent stands now, by what it says and by the clock.

NETWORK.md §0.2, D5-D7
"""

from typing import Final

from fhir_server.exchange import Resource
from fhir_server.network.consent_form.provisions import PAUSED, STOPPED, exceptions, is_over, reason_of
from fhir_server.network.consent_form.states import SYSTEM, State, moved, stamp
from fhir_server.network.desk import Desk
from fhir_server.network.matching.persons import key, version
from fhir_server.search.expression import Has
from fhir_server.store.repository import Changed

_MOST: Final = 1000


def standing(desk: Desk, consent: Resource) -> State:
    """Give the state of a consent whose form was checked, as it is now: a pause is over by itself (D7)."""
    if consent["status"] == "inactive":
        return State.STOPPED
    now = desk.now()
    reasons = {reason_of(each) for each in exceptions(consent) if not is_over(each, now, desk.terms.zone)}
    if STOPPED in reasons:
        return State.PARTLY_STOPPED
    if PAUSED in reasons:
        return State.PAUSED
    return State.PUBLISHED if consent["status"] == "active" else State.FORM_CHECK


async def end_pauses(desk: Desk) -> int:
    """Say on the secretariat's screen which pauses are over; tells how many. What is shared does not wait for it."""
    ended = 0
    for task in await desk.find("Task", Has("business-status", f"{SYSTEM}|{State.PAUSED}"), _MOST):
        consent = await desk.read(task["focus"]["reference"])
        if consent is None or standing(desk, consent) is State.PAUSED:
            continue
        told = moved(task, standing(desk, consent), stamp(desk.now(), desk.terms.zone))
        try:
            await desk.store(told, versions={key(task): version(task)})
        except Changed:
            continue  # somebody else has said what it is now
        ended += 1
    return ended
