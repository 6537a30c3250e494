"""Where a consent stands, from its form's arrival to its end: the states on the secretariat's screen, each with its times.

NETWORK.md §0.2, F015, F065, F073. The state is the Task's businessStatus; every step it took is an output of the Task with its time.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from fhir_server.exchange import Resource
from fhir_server.outcome import Issue

SYSTEM: Final = "urn:tsunagi:consent-state"
INPUT: Final = "urn:tsunagi:consent-input"
TASKS: Final = "urn:tsunagi:task"


class State(StrEnum):
    """A step in the life of a consent form."""

    RECEIVED = "received"
    FORM_CHECK = "form-check"
    RETURNED = "returned"
    DISSENT = "dissent"
    MATCHING = "matching"
    PUBLISHED = "published"
    FACILITY_ADDED = "facility-added"
    PARTLY_STOPPED = "partly-stopped"
    PAUSED = "paused"
    STOPPED = "stopped"
    RESUMED = "resumed"
    DELETED = "deleted"
    ORIGINAL_RECEIVED = "original-received"
    UNLINKED = "unlinked"


TITLES: Final = {
    State.RECEIVED: ("受付", "received"),
    State.FORM_CHECK: ("記載確認", "form checked"),
    State.RETURNED: ("差戻し", "returned to the facility"),
    State.DISSENT: ("不同意", "the patient did not agree"),
    State.MATCHING: ("名寄せ中", "identities being matched"),
    State.PUBLISHED: ("公開設定済", "published"),
    State.FACILITY_ADDED: ("施設追加", "published, with a facility added"),
    State.PARTLY_STOPPED: ("一部停止", "stopped for some facilities"),
    State.PAUSED: ("一時停止", "stopped for a time"),
    State.STOPPED: ("全停止", "stopped"),
    State.RESUMED: ("再開", "resumed"),
    State.DELETED: ("削除済", "deleted"),
    State.ORIGINAL_RECEIVED: ("原本受領", "signed original received"),
    State.UNLINKED: ("同意済・未連携", "agreed, not linked yet"),
}
"""What people read."""

_STATUS: Final = {
    State.RECEIVED: "requested",
    State.FORM_CHECK: "accepted",
    State.MATCHING: "in-progress",
    State.RETURNED: "rejected",
    State.DELETED: "completed",
}


def concept(state: State) -> Resource:
    """Give the state as a CodeableConcept."""
    ja, en = TITLES[state]
    return {"coding": [{"system": SYSTEM, "code": state.value, "display": ja}], "text": f"{ja} ({en})"}


def stamp(moment: datetime, zone: Any) -> str:
    """Write a moment as FHIR does, to the millisecond, on the network's clocks."""
    return moment.astimezone(zone).isoformat(timespec="milliseconds")


def moved(task: Resource, state: State, at: str) -> Resource:
    """Give the Task one step further, with the time of the step."""
    noted = step(task, state, at)
    return {**noted, "status": _STATUS.get(state, "completed"), "businessStatus": concept(state)}


def step(task: Resource, state: State, at: str) -> Resource:
    """Give the Task with the time of a step that leaves its state."""
    output = {"type": concept(state), "valueDateTime": at}
    return {**task, "lastModified": at, "output": [*task.get("output", ()), output]}


def state_of(task: Resource) -> State | None:
    """Give the state that a Task tells; None where it tells none of ours."""
    return _state(task.get("businessStatus", {}))


def times(task: Resource) -> list[tuple[State, str]]:
    """Give every step with its time, in the order taken."""
    found = [(_state(each["type"]), each.get("valueDateTime", "")) for each in task.get("output", ())]
    return [(state, at) for state, at in found if state is not None]


def reached(task: Resource, state: State) -> str | None:
    """Give the time when the state was reached last; None where it never was."""
    return next((at for found, at in reversed(times(task)) if found is state), None)


def waiting(task: Resource, reasons: Sequence[tuple[str, str]]) -> Resource:
    """Give the Task with the facilities that are agreed on and not linked, (name, reason), as its statusReason (F015)."""
    if not reasons:
        return {name: value for name, value in task.items() if name != "statusReason"}
    told = "、".join(f"{name} ({reason})" for name, reason in reasons)
    return {**task, "statusReason": {**concept(State.UNLINKED), "text": f"{TITLES[State.UNLINKED][0]}: {told}"}}


def flag(issue: Issue) -> Resource:
    """Give a Task.input that tells the desk what to look at; its text names nobody."""
    return {"type": {"coding": [{"system": INPUT, "code": "flag"}], "text": ", ".join(issue.expression)}, "valueString": issue.diagnostics}


def named(code: str, reference: str) -> Resource:
    """Give a Task.input that names a resource: the form, its source."""
    return {"type": {"coding": [{"system": INPUT, "code": code}]}, "valueReference": {"reference": reference}}


def added(organization: str, number: str | None) -> Resource:
    """Give a Task.input for a facility that was added after the form, with the patient's number there."""
    reference: Resource = {"reference": organization}
    if number is not None:
        reference["identifier"] = {"value": number}
    return {"type": {"coding": [{"system": INPUT, "code": "added"}]}, "valueReference": reference}


def reference_of(task: Resource, code: str) -> str | None:
    """Give the reference of a Task.input."""
    found = (each for each in task.get("input", ()) if codes(each["type"], INPUT) == [code])
    return next((each["valueReference"]["reference"] for each in found if "valueReference" in each), None)


def _state(concept: Resource) -> State | None:
    found = codes(concept, SYSTEM)
    return State(found[0]) if found and found[0] in list(State) else None


def codes(concept: Resource, system: str) -> list[str]:
    """Give the codes of one system in a CodeableConcept."""
    return [each.get("code", "") for each in concept.get("coding", ()) if each.get("system") == system]
