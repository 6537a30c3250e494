"""The review that every emergency and every disaster leaves: a Task of the secretariat, signed off by somebody else, escalated when late.

NETWORK.md D9, L12, L15 (the report lists all uses). The Task has the id of the record. It names the patient in words, as the audit log does: when
her data are erased (D8), the review stays.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from fhir_server.auth.members import NETWORK
from fhir_server.auth.roles import ROLE_SYSTEM, Role
from fhir_server.consent.emergencies import DISASTERS, EMERGENCIES, USES, Disaster, Emergency, Standing, Use
from fhir_server.exchange import FhirResponse, Resource
from fhir_server.network.desk import Asked, Desk, parameters
from fhir_server.network.emergency.asking import posted
from fhir_server.network.emergency.reasons import SYSTEM as REASONS
from fhir_server.network.emergency.reasons import checked_text, titles
from fhir_server.network.emergency.telling import file, reference, stamp, written
from fhir_server.network.notices import Kind, communication
from fhir_server.outcome import FhirError, Issue, conflict, not_found
from fhir_server.search.expression import And, Has, Or
from fhir_server.store.repository import Changed
from profiles.primitives import date_span

TASKS: Final = "urn:tsunagi:task"
REVIEW: Final = "review-emergency"
PARTS: Final = "urn:tsunagi:emergency"
_OPEN: Final = ("requested", "in-progress")


def review(desk: Desk, record: Emergency | Disaster, by: str) -> Resource:
    """Make the Task of the record's review; it is due when the record has ended and the days that the terms give are over."""
    now = desk.now()
    due = record.ends + timedelta(days=desk.terms.review_days)
    told: dict[str, str] = {"ends": stamp(desk, record.ends)}
    if isinstance(record, Emergency):
        code, title = record.reason_code, "緊急時の閲覧の確認 / review of an emergency access"
        told |= {"purpose": record.purpose, "organization": record.organization, "patient": record.patient or ""}
    else:
        code, title = "disaster", "災害モードの確認 / review of a disaster"
        told |= {"area": "、".join(record.area) or "all", "approver": record.approver}
    system = {"system": REASONS, "code": code, "display": titles(desk.serving.definitions)[code][0]}
    return {
        "resourceType": "Task",
        "id": record.id,
        "status": "requested",
        "businessStatus": _concept("open", "閲覧中 / open"),
        "intent": "order",
        "priority": "routine",
        "code": {"coding": [{"system": TASKS, "code": REVIEW}]},
        "description": title,
        "authoredOn": stamp(desk, now),
        "requester": {"reference": by},
        "owner": {"reference": NETWORK},
        "reasonCode": {"coding": [system], "text": record.reason},
        "restriction": {"period": {"end": stamp(desk, due)}},
        "input": [_part(name, "valueString", value) for name, value in told.items() if value],
    }


async def sign_off(asked: Asked) -> FhirResponse:
    """Task/[id]/$sign-off: the secretariat says what it found; never whoever used or opened it himself.

    Raises FhirError: 403, 404, 409 where it is signed already, 422 while it is still open.
    """
    asked.require(Role.SECRETARIAT)
    posted(asked, "update", "Task")
    finding = checked_text(asked.arguments.one("finding"), "finding")
    task = await _task(asked)
    record = await record_of(asked.desk, task["id"])
    uses = await asked.desk.shelf.records(USES).find(occasion=task["id"])
    if {asked.requester.subject, asked.requester.fhir_user} & _involved(record, uses):
        text = "Whoever opened or used it does not review it / 当事者は確認できません"
        raise FhirError(Issue("forbidden", text, ("Task",)))
    if record is not None and record.is_open(asked.desk.now()):
        raise FhirError(Issue("business-rule", "It is still open: end it first, or wait until it has ended", ("Task",)))
    if task["status"] not in _OPEN:
        raise _signed()
    outcome = "justified" if asked.arguments.one("justified") is not False else "unjustified"
    signed = [_part("finding", "valueString", finding), _part("outcome", "valueCode", outcome)]
    signed.append(_part("reviewer", "valueReference", {"reference": asked.requester.fhir_user or NETWORK}))
    done = {**task, "status": "completed", "businessStatus": _concept("signed-off", "確認済 / signed off")}
    done |= {"output": [*_uses(asked.desk, uses), *signed], "executionPeriod": {"end": stamp(asked.desk, asked.desk.now())}}
    await _replace(asked.desk, task, done)
    return parameters(("task", "valueReference", {"reference": f"Task/{task['id']}"}), ("outcome", "valueCode", outcome))


async def ended(desk: Desk, id: str) -> None:
    """Say in the review that it is over, and list all uses there were (L15)."""
    task = await desk.read(f"Task/{id}")
    if task is not None and task["status"] in _OPEN:
        over = {**task, "businessStatus": _concept("ended", "終了 / ended")}
        if uses := _uses(desk, await desk.shelf.records(USES).find(occasion=id)):
            over["output"] = uses
        if over != task:
            await desk.store(over, versions={f"Task/{id}": int(task["meta"]["versionId"])})


async def escalate(desk: Desk) -> int:
    """Look after the reviews: say of which the access is over, and escalate those that are late; tells how many became urgent.

    May run as often as wanted, in several processes at once.
    """
    waiting = And((Has("code", f"{TASKS}|{REVIEW}"), Or(tuple(Has("status", each) for each in _OPEN))))
    count = 0
    for task in await desk.find("Task", waiting):
        try:
            await _over(desk, task)
            count += await _urgent(desk, await desk.read(f"Task/{task['id']}") or task)
        except Changed:
            continue  # another process was faster
    return count


async def _over(desk: Desk, task: Resource) -> None:
    record = await record_of(desk, task["id"])
    if record is None or record.is_open(desk.now()) or desk.now() < record.ends:
        return
    if task.get("businessStatus") != _concept("ended", "終了 / ended"):
        await ended(desk, task["id"])
    if isinstance(record, Emergency) and record.open_to:
        await desk.shelf.records(EMERGENCIES).change(record.id, lambda each: msgspec.structs.replace(each, open_to=""))
    if isinstance(record, Disaster) and record.standing == Standing.APPROVED:
        await desk.shelf.records(DISASTERS).change(record.id, lambda each: msgspec.structs.replace(each, standing=Standing.CLOSED))


async def _urgent(desk: Desk, task: Resource) -> bool:
    """The notices come first: where a process dies in between, the next look files nothing twice and makes the Task urgent."""
    due = _due(task) or desk.now()
    if due > desk.now() or task.get("priority") == "urgent" or task["status"] not in _OPEN:
        return False
    facts = {"record": f"Task/{task['id']}", "due": written(desk, due)}
    recipients = [NETWORK, *await _auditors(desk)]
    await file(desk, *(_overdue(desk, each, facts) for each in recipients))
    await desk.store({**task, "priority": "urgent"}, versions={f"Task/{task['id']}": int(task["meta"]["versionId"])})
    return True


def _due(task: Resource) -> datetime | None:
    """When it is due; what no longer says so is due now."""
    try:
        return datetime.fromisoformat(task["restriction"]["period"]["end"]).astimezone()
    except (KeyError, TypeError, ValueError):
        return None


def _overdue(desk: Desk, recipient: str, facts: Mapping[str, str]) -> Resource:
    return communication(desk, recipient, Kind.REVIEW_OVERDUE, facts, event=facts["record"], about=(facts["record"],))


async def _auditors(desk: Desk) -> list[str]:
    found = await desk.find("PractitionerRole", Has("role", f"{ROLE_SYSTEM}|{Role.AUDITOR}"))
    return [reference(each) for each in found if each.get("active") is not False and _covers(each, desk.now())]


def _covers(role: Resource, moment: datetime) -> bool:
    end = role.get("period", {}).get("end")
    return end is None or moment.timestamp() * 1000 <= date_span(end)[1]


async def record_of(desk: Desk, id: str) -> Emergency | Disaster | None:
    """Give what a review is of; None where the access was never opened after all."""
    return await desk.shelf.records(EMERGENCIES).get(id) or await desk.shelf.records(DISASTERS).get(id)


async def _task(asked: Asked) -> Resource:
    task = await asked.desk.read(f"Task/{asked.request.id}")
    codings = (task or {}).get("code", {}).get("coding", ())
    if task is None or not any(each.get("system") == TASKS and each.get("code") == REVIEW for each in codings):
        raise not_found("Task", str(asked.request.id))
    return task


def _involved(record: Emergency | Disaster | None, uses: Sequence[Use]) -> set[str]:
    """Accounts and people that used it, or opened it for themselves."""
    found = {each for use in uses for each in (use.subject, use.practitioner)}
    return found | {record.subject, record.practitioner} if isinstance(record, Emergency) else found


def _uses(desk: Desk, uses: Sequence[Use]) -> list[Resource]:
    ordered = sorted(uses, key=lambda each: (each.first, each.id))
    return [
        _part("use", "valueString", f"{stamp(desk, each.first)} {each.practitioner} {each.organization} <- {each.custodian}")
        for each in ordered
    ]


async def _replace(desk: Desk, before: Resource, after: Resource) -> None:
    try:
        await desk.store(after, versions={f"Task/{before['id']}": int(before["meta"]["versionId"])})
    except Changed:
        raise _signed() from None


def _signed() -> FhirError:
    return conflict("The review is signed off already, or changes at this moment", "Task.status")


def _part(name: str, element: str, value: Any) -> Resource:
    return {"type": {"coding": [{"system": PARTS, "code": name}]}, element: value}


def _concept(code: str, text: str) -> Resource:
    return {"coding": [{"system": PARTS, "code": code}], "text": text}
