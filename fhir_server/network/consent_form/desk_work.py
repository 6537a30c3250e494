"""The steps that the secretariat, or the patient, takes with a consent: read, decided, stored together, begun again if somebody was faster.

A step never works on what it has not read: Consent and Task are replaced only in the versions that were read.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from fhir_server.exchange import FhirResponse, Resource
from fhir_server.interactions.writing import new_id
from fhir_server.network.consent_form import records
from fhir_server.network.consent_form.asking import consent_of, who
from fhir_server.network.consent_form.states import concept, stamp, state_of
from fhir_server.network.desk import Asked, parameters
from fhir_server.network.matching.persons import key, version
from fhir_server.network.notices import post
from fhir_server.outcome import FhirError, Issue, conflict, operation_outcome
from fhir_server.store.repository import Changed

_ATTEMPTS: Final = 8
_PAUSE: Final = 0.02


@dataclass(frozen=True, slots=True)
class Work:
    """A Consent and the Task of its form (None where it came without one), as they were read."""

    consent: Resource
    task: Resource | None


@dataclass(frozen=True, slots=True)
class Step:
    """What a step makes of them: what to store, under which name it is recorded, what to tell whom.

    `consent` None: it stays as it is. `besides` are new resources stored together with it, `letters` among them the notices; `remarks` are for
    whoever asked.
    """

    activity: str
    consent: Resource | None = None
    task: Resource | None = None
    besides: tuple[Resource, ...] = ()
    letters: tuple[Resource, ...] = ()
    remarks: tuple[Issue, ...] = ()
    evidence: tuple[str, ...] = field(default=())
    reason: str | None = None


async def take(asked: Asked, plan: Callable[[Work], Awaitable[Step | None]]) -> FhirResponse:
    """Plan and store one step; a plan that gives None found it taken already. Answers where the consent stands then.

    Raises FhirError as the plan does, 404 where there is no such Consent, 503 where others change it all the time.
    """
    for attempt in range(_ATTEMPTS):
        work = await _read(asked)
        step = await plan(work)
        if step is None:
            return _answer(work.consent, work.task, ())
        try:
            await _store(asked, work, step)
        except Changed:
            await asyncio.sleep(_PAUSE * attempt)
            continue
        with suppress(FhirError):  # it is done and told; what is not posted now, the courier finds
            await post(asked.desk, step.letters)
        return _answer(step.consent or work.consent, step.task or work.task, step.remarks)
    raise FhirError(Issue("transient", "Others change the same consent all the time; try again", ("Consent",)))


def require_task(work: Work) -> Resource:
    """Give the Task of a form; raises FhirError (409) for a Consent that came without one: nobody has checked it."""
    if work.task is None:
        raise conflict("This consent did not come as a form: there is nothing to check or publish", "Consent")
    return work.task


async def _read(asked: Asked) -> Work:
    consent = await consent_of(asked)
    return Work(consent, await asked.desk.read(f"Task/{consent['id']}"))


async def _store(asked: Asked, work: Work, step: Step) -> None:
    changed = [each for each in (step.consent, step.task) if each is not None]
    befores = {key(each): version(each) for each in (work.consent, work.task) if each is not None}
    new = [*step.besides, *step.letters]
    versions = {**{key(each): befores.get(key(each), 0) for each in changed}, **{key(each): 0 for each in new}}
    await asked.desk.store(*changed, *new, _record(asked, work, step), versions=versions)


def _record(asked: Asked, work: Work, step: Step) -> Resource:
    at = stamp(asked.desk.now(), asked.desk.terms.zone)
    agent = records.person("author", who(asked), asked.requester.organization)
    more: Resource = {"id": new_id()}
    if step.evidence:
        more["entity"] = [{"role": "source", "what": {"reference": each}} for each in step.evidence]
    if step.reason is not None:
        more["reason"] = [{"text": step.reason}]
    return records.provenance([key(work.consent)], step.activity, at, [agent], **more)


def _answer(consent: Resource, task: Resource | None, remarks: tuple[Issue, ...]) -> FhirResponse:
    state = state_of(task) if task is not None else None
    return parameters(
        ("consent", "valueReference", {"reference": key(consent)}),
        ("status", "valueCode", consent["status"]),
        *([("state", "valueCodeableConcept", concept(state))] if state is not None else []),
        *([("reason", "valueString", task["statusReason"]["text"])] if task is not None and "statusReason" in task else []),
        *([("outcome", "resource", operation_outcome(remarks))] if remarks else []),
    )
