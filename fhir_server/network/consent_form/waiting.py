"""The operation Consent/$form-queue: the forms on the secretariat's desk, with the clock of what was promised.

NETWORK.md F015, F073, F074, §0.2. Answers ids, states and times; who the patient is, the secretariat reads in the Consent.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Final

from fhir_server.auth.roles import Role
from fhir_server.exchange import FhirResponse, Resource
from fhir_server.network.consent_form.hours import elapsed
from fhir_server.network.consent_form.states import SYSTEM, TASKS, State, concept, reached, state_of
from fhir_server.network.desk import Asked, parameters
from fhir_server.outcome import invalid
from fhir_server.search.expression import And, Has

_WAITING: Final = (State.RECEIVED, State.FORM_CHECK, State.MATCHING)
_MOST: Final = 1000


async def form_queue(asked: Asked) -> FhirResponse:
    """List the forms in one state, the oldest first; without `state` those that wait, with `original` those whose original has not come.

    Each with the office minutes since it arrived, whether that is more than promised, and the median from arrival to publication of the
    published ones listed. Raises FhirError (400) for a state that there is not.
    """
    asked.require(Role.SECRETARIAT)
    states = _states(asked.arguments.one("state"), originals=asked.arguments.one("original") is True)
    found: list[Resource] = []
    for state in states:
        found += await asked.desk.find(
            "Task", And((Has("code", f"{TASKS}|publish-consent"), Has("business-status", f"{SYSTEM}|{state}"))), _MOST
        )
    if asked.arguments.one("original") is True:
        found = [each for each in found if reached(each, State.ORIGINAL_RECEIVED) is None]
    found.sort(key=lambda each: str(each["authoredOn"]))
    rows = [("form", _row(each, asked)) for each in found]
    taken = [minutes for each in found if (minutes := _taken(each, asked)) is not None]
    return parameters(
        ("total", "valueInteger", len(found)),
        *([("medianMinutes", "valueInteger", round(median(taken)))] if taken else []),
        *rows,
    )


def _states(asked: Any, *, originals: bool) -> Sequence[State]:
    if asked is None:
        return (State.PUBLISHED, State.FACILITY_ADDED) if originals else _WAITING
    if asked not in list(State):
        raise invalid(f"state is one of {', '.join(State)}", "Parameters.parameter.where(name='state')", code="value")
    return (State(asked),)


def _row(task: Resource, asked: Asked) -> list[Resource]:
    state = state_of(task) or State.RECEIVED
    minutes = _minutes(task["authoredOn"], asked.desk.now(), asked)
    published = _taken(task, asked)
    late = (minutes if published is None else published) > asked.desk.terms.consent_hours * 60
    row: list[Resource] = [
        {"name": "consent", "valueReference": task["focus"]},
        {"name": "task", "valueReference": {"reference": f"Task/{task['id']}"}},
        {"name": "facility", "valueReference": task["requester"]},
        {"name": "state", "valueCodeableConcept": concept(state)},
        {"name": "received", "valueDateTime": task["authoredOn"]},
        {"name": "due", "valueDateTime": task["restriction"]["period"]["end"]},
        {"name": "officeMinutes", "valueInteger": minutes if published is None else published},
        {"name": "late", "valueBoolean": late},
    ]
    flags = [each["valueString"] for each in task.get("input", ()) if "valueString" in each]
    row += [{"name": "flag", "valueString": each} for each in flags]
    return row + ([{"name": "reason", "valueString": task["statusReason"]["text"]}] if "statusReason" in task else [])


def _taken(task: Resource, asked: Asked) -> int | None:
    """Office minutes from arrival to the first publication; None before."""
    times = [each["valueDateTime"] for each in task.get("output", ()) if each["type"]["coding"][0]["code"] == State.PUBLISHED]
    return _minutes(task["authoredOn"], datetime.fromisoformat(times[0]), asked) if times else None


def _minutes(start: str, end: datetime, asked: Asked) -> int:
    return elapsed(datetime.fromisoformat(start), end, asked.desk.terms.zone) // timedelta(minutes=1)
