"""The work list of the secretariat: one Task for two Patients who may be one person.

https://hl7.org/fhir/R4/task.html; NETWORK.md 0.2 (名寄せ中), L32

The id of a Task follows from its two Patients, so that a pair is proposed once. `requested` waits for the secretariat; `completed`: they are
one person; `rejected`: they are not, and never proposed again; `cancelled`: the decision was undone. Names stand in the two Patients alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any, Final
from uuid import UUID, uuid5

from fhir_server.exchange import Resource
from fhir_server.identity.score import Comparison
from fhir_server.network.desk import Desk
from fhir_server.network.matching.decision import Change, decimal
from fhir_server.network.matching.persons import NETWORK, Person, key
from fhir_server.search.expression import And, Has
from profiles import json

TASK_SYSTEM: Final = "urn:tsunagi:task"
MATCH: Final = "match-identity"
INPUT: Final = "urn:tsunagi:task-input"
AGREEMENT: Final = "urn:tsunagi:match-agreement"
STATE: Final = "urn:tsunagi:task-state"

OPEN, ACCEPTED, REJECTED, CANCELLED = "requested", "completed", "rejected", "cancelled"
_STATES: Final[Mapping[str, str]] = {
    OPEN: "名寄せ待ち / waits for the secretariat",
    ACCEPTED: "同一人物 / one person",
    REJECTED: "別人 / not the same person",
    CANCELLED: "取消 / undone",
}
_NAMESPACE: Final = UUID("6b7a5b52-6f2e-5a55-8f8e-1f0f6f0c2a7d")


def task_id(one: str, other: str) -> str:
    """Give the id of the Task of two Patients, in whichever order."""
    return f"match-{uuid5(_NAMESPACE, ' '.join(sorted((one, other))))}"


def task_of(one: str, other: str) -> str:
    """Give the reference of the Task of two Patients."""
    return f"Task/{task_id(one, other)}"


def is_match(task: Resource) -> bool:
    """Tell whether the Task is about two Patients who may be one person."""
    codings = task.get("code", {}).get("coding", ())
    return any(each.get("system") == TASK_SYSTEM and each.get("code") == MATCH for each in codings)


def patients_of(task: Resource) -> tuple[str, str]:
    """Give the two Patients of a Task."""
    return str(task["focus"]["reference"]), str(_values(task, "candidate")[0]["reference"])


def score_of(task: Resource) -> tuple[float | None, str | None]:
    """Give the score and the grade that the Task was filed with."""
    scores, grades = _values(task, "score"), _values(task, "grade")
    return (float(scores[0]) if scores else None), (str(grades[0]) if grades else None)


def guards_of(task: Resource) -> list[str]:
    """Give the codes of what speaks against the match, as the Task was filed with."""
    return [str(each) for each in _values(task, "guard")]


def _values(task: Resource, code: str) -> list[Any]:
    found = []
    for each in task.get("input", ()):
        if any(coding.get("system") == INPUT and coding.get("code") == code for coding in each["type"].get("coding", ())):
            found += [value for name, value in each.items() if name.startswith("value")]
    return found


def proposed(one: str, other: str, comparison: Comparison, before: Resource | None, desk: Desk) -> Resource:
    """Make the Task that asks whether these two are one person."""
    found: list[tuple[str, str, str, object]] = [
        (INPUT, "score", "valueDecimal", decimal(comparison.score)),
        (INPUT, "grade", "valueCode", str(comparison.grade)),
        *((INPUT, "guard", "valueCode", code) for code in guards(comparison)),
        *((AGREEMENT, field, "valueCode", code) for field, code in agreements(comparison)),
    ]
    task = _task(one, other, OPEN, desk)
    task["input"] += [{"type": {"coding": [{"system": system, "code": code}]}, name: value} for system, code, name, value in found]
    return {**task, "authoredOn": before["authoredOn"]} if before is not None else task


def settled(task: Resource, status: str, reason: str, desk: Desk) -> Change:
    """Give the Task in another state, and why."""
    told = {"status": status, "statusReason": {"text": reason}, "businessStatus": _state(status), "lastModified": _now(desk)}
    return Change(task, {**task, **told})


def apart(one: str, other: str, reason: str, desk: Desk) -> Change:
    """Make the Task of two Patients who are not one person, and were never proposed to be."""
    return Change(None, {**_task(one, other, REJECTED, desk), "statusReason": {"text": reason}})


def _task(one: str, other: str, status: str, desk: Desk) -> Resource:
    now = _now(desk)
    return {
        "resourceType": "Task",
        "id": task_id(one, other),
        "status": status,
        "businessStatus": _state(status),
        "intent": "order",
        "code": {"coding": [{"system": TASK_SYSTEM, "code": MATCH}], "text": "名寄せの確認 / Are these two Patients one person?"},
        "focus": {"reference": one},
        "authoredOn": now,
        "lastModified": now,
        "requester": {"reference": NETWORK},
        "owner": {"reference": NETWORK},
        "input": [{"type": {"coding": [{"system": INPUT, "code": "candidate"}]}, "valueReference": {"reference": other}}],
    }


def _now(desk: Desk) -> str:
    return desk.now().astimezone(desk.terms.zone).isoformat(timespec="seconds")


def _state(status: str) -> Resource:
    return {"coding": [{"system": STATE, "code": status, "display": _STATES[status]}]}


def guards(comparison: Comparison) -> list[str]:
    """Give the codes of what speaks against a match."""
    return [str(guard.code) for guard in comparison.guards]


def agreements(comparison: Comparison) -> list[tuple[str, str]]:
    """Give for each field how well it agrees, in codes."""
    return [(str(field), str(code)) for field, code in comparison.agreements.items()]


def waiting() -> And:
    """Give what finds the Tasks that wait for the secretariat."""
    return And((Has("code", f"{TASK_SYSTEM}|{MATCH}"), Has("status", OPEN)))


async def tasks_between(desk: Desk, one: Person, other: Person) -> list[Resource]:
    """Give the Tasks, in whatever state, of every pair of a member of the one and a member of the other."""
    return await tasks(desk, product(map(key, one.members), map(key, other.members)))


async def tasks(desk: Desk, pairs: Iterable[tuple[str, str]]) -> list[Resource]:
    """Give the Tasks that there are of these pairs of Patients."""
    references: Sequence[str] = list(dict.fromkeys(task_of(one, other) for one, other in pairs if one != other))
    found = await desk.everything.get_several(references)
    return [json.decode(each.body) for each in found if each.body is not None]


def same_input(one: Resource, other: Resource) -> bool:
    """Tell whether two Tasks propose the same on the same grounds."""
    return bool(_plain(one) == _plain(other))


def _plain(task: Resource) -> list[tuple[str, str]]:
    """The inputs without regard to who is the focus."""
    found = [(str(each["type"]), str(value)) for each in task["input"] for name, value in each.items() if name.startswith("value")]
    return sorted([pair for pair in found if "'candidate'" not in pair[0]] + [("patients", " ".join(sorted(patients_of(task))))])
