"""The operation Consent/[id]/$add-facility: one more facility shares (施設追加).

NETWORK.md F014, F063, L17, L18. A consent of listed facilities (リスト指定) needs what the patient signed for the new one; under a general
one (一括) the patient is told, and the facility shares after a time in which he may say no.
"""

from datetime import timedelta
from typing import Final

from fhir_server.auth.roles import Role
from fhir_server.exchange import FhirResponse, Resource
from fhir_server.network.consent_form.asking import decider, require_scope, text_of
from fhir_server.network.consent_form.desk_work import Step, Work, require_task, take
from fhir_server.network.consent_form.evidence import require_evidence
from fhir_server.network.consent_form.letters import shown
from fhir_server.network.consent_form.members import member
from fhir_server.network.consent_form.provisions import (
    OPT_OUT,
    exceptions,
    organizations,
    published_at,
    publishing,
    with_actor,
    with_exceptions,
)
from fhir_server.network.consent_form.publishing import released
from fhir_server.network.consent_form.records import POLICY, deny
from fhir_server.network.consent_form.rows import form_of, linked, rows_of
from fhir_server.network.consent_form.states import State, added, stamp
from fhir_server.network.desk import Asked
from fhir_server.network.notices import Kind, communication
from fhir_server.outcome import FhirError, Issue, conflict

_ORGANIZATION: Final = "Parameters.parameter.where(name='organization')"


async def add_facility(asked: Asked) -> FhirResponse:
    """Add a facility to a published consent; who shares already keeps its 公開日時 and is told of the new one.

    Raises FhirError: 409 for a consent that is not published, 422 for a facility that is no member, or without what the patient signed.
    """
    asked.require(Role.SECRETARIAT)
    require_scope(asked, "Consent", "u")
    named, number = asked.arguments.one("organization").get("reference"), text_of(asked, "patientNumber", 64)
    facility = await member(asked.desk, named) if isinstance(named, str) and named.startswith("Organization/") else None
    if facility is None:
        raise FhirError(Issue("business-rule", "This facility is no member of the network now / 参加施設ではありません", (_ORGANIZATION,)))

    async def plan(work: Work) -> Step | None:
        task = require_task(work)
        if work.consent["status"] != "active":
            raise conflict("Facilities are added to a published consent / 公開済みの同意にのみ追加できます", "Consent.status")
        if named in organizations(work.consent):
            return None
        general = any(each.get("uri") == f"{POLICY}all" for each in work.consent.get("policy", ()))
        golden = work.consent["patient"]["reference"]
        source = await require_evidence(asked, golden, needed=not general)
        consent = publishing(with_actor(work.consent, str(named)), published_at(work.consent))  # agreed, not linked: until released
        widened = Work(consent, {**task, "input": [*task.get("input", ()), added(str(named), number)]})
        starts: str | None = None
        besides: tuple[Resource, ...] = ()
        if general:
            widened, starts, besides = _opposable(asked, widened, str(named), str(facility.get("name", named)))
        step = await _released(asked, widened, starts)
        return _with(step, widened, besides, source)

    return await take(asked, plan)


async def _released(asked: Asked, widened: Work, starts: str | None) -> Step | None:
    task = require_task(widened)
    form = await form_of(asked.desk, task)
    rows = rows_of(task, form.rows)
    golden, parties = await linked(asked.desk, rows, widened.consent, decider(asked))
    return await released(asked.desk, widened, golden, parties, state=State.FACILITY_ADDED, starts=starts)


def _with(step: Step | None, widened: Work, besides: tuple[Resource, ...], source: str | None) -> Step:
    """The step is recorded as an addition, whether the facility shares already or is not linked yet."""
    return Step(
        "add-facility",
        step.consent if step is not None and step.consent is not None else widened.consent,
        step.task if step is not None and step.task is not None else widened.task,
        besides,
        step.letters if step is not None else (),
        step.remarks if step is not None else (),
        evidence=(source,) if source is not None else (),
    )


def _opposable(asked: Asked, work: Work, organization: str, name: str) -> tuple[Work, str, tuple[Resource, ...]]:
    """L18: the patient is told, and may say no before the facility sees anything."""
    desk = asked.desk
    moment = desk.now() + timedelta(days=desk.terms.opt_out_days)
    until = stamp(moment, desk.terms.zone)
    waits = deny(OPT_OUT, (organization,), {"end": until})
    consent = with_exceptions(work.consent, [*exceptions(work.consent), waits])
    facts = {"facility": name, "starts": shown(moment, desk.terms.zone)}
    event = f"Consent/{consent['id']}|{organization}|{until}"
    golden = consent["patient"]["reference"]
    letter = communication(desk, golden, Kind.ADDITION_COMING, facts, event=event, about=(f"Consent/{consent['id']}",))
    return Work(consent, work.task), until, (letter,)
