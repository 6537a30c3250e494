"""What the secretariat asks for: link, unlink, merge, undo, and the work list side by side.

NETWORK.md 0.2, 4.5 (side by side, undo), L32. Everything here needs the role of the secretariat, a scope that lets it update Patients, and POST
where it changes anything; what is decided is told by the Provenance that is answered.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Final

from fhir_server.auth.roles import Role
from fhir_server.exchange import FhirResponse, Resource
from fhir_server.network.desk import Asked
from fhir_server.network.matching import pairs
from fhir_server.network.matching.candidates import Candidate, candidates, look
from fhir_server.network.matching.decision import Decision, Grounds, decimal, settle
from fhir_server.network.matching.joining import linking, merging, rejecting, unlinking
from fhir_server.network.matching.pairs import OPEN, REJECTED, is_match, patients_of, score_of
from fhir_server.network.matching.persons import NETWORK, REGIONAL_ID, Person, person
from fhir_server.network.matching.undoing import undoing
from fhir_server.outcome import FhirError, Issue, conflict, invalid, not_found, operation_outcome
from profiles import json

_PATIENT: Final = re.compile(r"Patient/[A-Za-z0-9\-.]{1,64}")
_NAMED: Final = re.compile(r"(Provenance|Task)/[A-Za-z0-9\-.]{1,64}")
_ANY: Final = re.compile(r"[A-Z][A-Za-z]{1,40}/[A-Za-z0-9\-.]{1,64}")


async def link(asked: Asked) -> FhirResponse:
    """Patient/[id]/$link: this Patient and `target`, a facility's or a golden one, are one person."""
    secretariat(asked)
    one, other = _subject(asked), _reference(asked, "target", _PATIENT)
    return await _decide(asked, lambda: linking(asked.desk, one, other, force=_force(asked)), _grounds(asked))


async def unlink(asked: Asked) -> FhirResponse:
    """Patient/[id]/$unlink: this Patient is not the person that he is linked with."""
    secretariat(asked)
    grounds = _grounds(asked)
    return await _decide(asked, lambda: unlinking(asked.desk, _subject(asked), grounds.reason), grounds)


async def merge(asked: Asked) -> FhirResponse:
    """Patient/[id]/$merge: this golden Patient is replaced by the golden Patient `into`."""
    secretariat(asked)
    gone, into = _subject(asked), _reference(asked, "into", _PATIENT)
    return await _decide(asked, lambda: merging(asked.desk, gone, into, force=_force(asked)), _grounds(asked))


async def undo(asked: Asked) -> FhirResponse:
    """Patient/[id]/$undo: the last decision on this person, or the one that `decision` names, never was."""
    secretariat(asked)
    named = _reference(asked, "decision", _NAMED) if asked.arguments.one("decision") is not None else None
    return await _decide(asked, lambda: undoing(asked.desk, _subject(asked), named), _grounds(asked))


async def decide(asked: Asked) -> FhirResponse:
    """Task/[id]/$decide: the two Patients of the Task are one person (accept), or are not (reject)."""
    secretariat(asked)
    outcome = asked.arguments.one("outcome")
    if outcome not in ("accept", "reject"):
        raise invalid("outcome is accept or reject", "Parameters.parameter.where(name='outcome')", code="value")
    task = await _task(asked)
    score, grade = score_of(task)
    grounds = _grounds(asked, task=f"Task/{task['id']}", score=score, grade=grade)

    async def plan() -> Decision | None:
        current = await _task(asked)
        if outcome == "reject":
            return await rejecting(asked.desk, current, grounds.reason)
        if current["status"] == REJECTED and not _force(asked):
            raise conflict("This pair has been rejected: undo that first / 先に却下を取り消してください", "Task.status")
        one, other = patients_of(current)
        return await linking(asked.desk, one, other, force=_force(asked), merge=True)

    return await _decide(asked, plan, grounds, patients_of(task)[0])


async def match_candidates(asked: Asked) -> FhirResponse:
    """Patient/[id]/$match-candidates: who else this may be, side by side; Tasks are filed for those who wait for a decision."""
    secretariat(asked)
    subject = _subject(asked)
    await look(asked.desk, subject)
    waiting = [(each, task) for each in await candidates(asked.desk, subject) if (task := _open(each)) is not None]
    shown = await asked.seen.get_several([subject, *(each.reference for each, _ in waiting)])  # as the secretariat sees, and is seen to see
    patients = {each.reference: json.decode(each.body) for each in shown if each.body is not None}
    parts = [_side_by_side(each, task, patients[each.reference]) for each, task in waiting if each.reference in patients]
    own = [{"name": "patient", "resource": patients[subject]}] if subject in patients else []
    return _answer([*own, *({"name": "candidate", "part": each} for each in parts)])


def _open(candidate: Candidate) -> Resource | None:
    return next((task for task in candidate.tasks if task["status"] == OPEN), None)


def _side_by_side(candidate: Candidate, task: Resource, patient: Resource) -> list[Resource]:
    comparison = candidate.comparison
    fields = [{"name": field, "valueCode": code} for field, code in pairs.agreements(comparison)]
    return [
        {"name": "patient", "resource": patient},
        {"name": "task", "valueReference": {"reference": f"Task/{task['id']}"}},
        {"name": "score", "valueDecimal": decimal(comparison.score)},
        {"name": "grade", "valueCode": comparison.grade.value},
        {"name": "agreement", "part": fields},
        *({"name": "guard", "valueCode": code} for code in pairs.guards(comparison)),
    ]


def secretariat(asked: Asked) -> None:
    """Raise FhirError unless the secretariat asks, with a scope to update Patients, by POST."""
    asked.require(Role.SECRETARIAT)
    asked.seen.permit.require("update", ("Patient",))
    if asked.request.by_get:
        issue = Issue("not-supported", f"${asked.request.operation} may change what is stored: use POST", ("http.method",))
        raise FhirError(issue, status=405, headers=(("Allow", "POST"),))


async def _decide(
    asked: Asked, plan: Callable[[], Awaitable[Decision | None]], grounds: Grounds, subject: str | None = None
) -> FhirResponse:
    decision, record = await settle(plan, grounds, asked.desk)
    known = await _still(asked, subject or _subject(asked))
    told: list[Resource] = []
    if known is not None and known.golden is not None:
        told.append({"name": "golden", "valueReference": {"reference": known.reference}})
        told += [{"name": "regionalId", "valueIdentifier": each} for each in known.golden["identifier"] if each["system"] == REGIONAL_ID]
    if record is not None:
        told.append({"name": "decision", "valueReference": {"reference": record}})
    if decision is not None and decision.remarks:
        told.append({"name": "outcome", "resource": operation_outcome(decision.remarks)})
    return _answer(told)


async def _still(asked: Asked, reference: str) -> Person | None:
    """The person as decided; None where the golden Patient that was asked about has gone with the decision that made it."""
    return await person(asked.desk, reference) if await asked.desk.read(reference) is not None else None


def _answer(told: list[Resource]) -> FhirResponse:
    body: Resource = {"resourceType": "Parameters"}
    return FhirResponse(200, json.encode({**body, "parameter": told} if told else body))


async def _task(asked: Asked) -> Resource:
    found = await asked.desk.read(f"Task/{asked.request.id}")
    if found is None:
        raise not_found("Task", asked.request.id or "")
    if not is_match(found):
        raise invalid("$decide is for Tasks of matching identities", "Task.code", code="value")
    return found


def _subject(asked: Asked) -> str:
    return f"Patient/{asked.request.id}"


def _reference(asked: Asked, name: str, form: re.Pattern[str]) -> str:
    where = f"Parameters.parameter.where(name='{name}')"
    value = asked.arguments.one(name)
    text = value.get("reference") if isinstance(value, dict) else None
    if not isinstance(text, str) or not form.fullmatch(text):
        raise invalid(f"{name} is a literal reference, Type/id", f"{where}.valueReference", code="value")
    return text


def _force(asked: Asked) -> bool:
    return bool(asked.arguments.one("force"))


def _grounds(asked: Asked, task: str | None = None, score: float | None = None, grade: str | None = None) -> Grounds:
    reason = str(asked.arguments.one("reason") or "").strip()
    if not reason:
        raise invalid("Say the reason / 理由を入力してください", "Parameters.parameter.where(name='reason')", code="required")
    evidence = [str(each.get("reference")) for each in asked.arguments.all("evidence")]
    if not all(_ANY.fullmatch(each) for each in evidence):
        raise invalid("evidence are literal references, Type/id", "Parameters.parameter.where(name='evidence')", code="value")
    return Grounds(reason, asked.requester.fhir_user or NETWORK, (*([task] if task else []), *evidence), score, grade)
