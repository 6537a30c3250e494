"""The operations Consent/[id]/$stop and $resume: the patient withdraws, wholly, for some facilities, or for a while (利用停止).

NETWORK.md D5-D7, F076-F079. It holds with the write that says so: the next request sees it. The patient does it himself, a facility hands in
the 患者情報利用停止届出書 of its own patient, the secretariat enters one. Nobody but the patient and the secretariat resumes.
"""

from typing import Any, Final

from fhir_server.auth.roles import Role
from fhir_server.exchange import FhirResponse, Resource
from fhir_server.network.consent_form import provisions
from fhir_server.network.consent_form.asking import AT_A_FACILITY, patient_of, require_own, require_scope, text_of
from fhir_server.network.consent_form.desk_work import Step, Work, take
from fhir_server.network.consent_form.dissents import check_no_dissent, everybody
from fhir_server.network.consent_form.evidence import require_evidence
from fhir_server.network.consent_form.provisions import OF_THE_PATIENT, PAUSED, STOPPED, concerns, exceptions, reason_of
from fhir_server.network.consent_form.records import deny
from fhir_server.network.consent_form.standing import standing
from fhir_server.network.consent_form.states import State, moved, stamp, step
from fhir_server.network.desk import Asked, Desk
from fhir_server.outcome import FhirError, Issue, conflict
from profiles.primitives import date_span

_ALL, _FACILITIES, _PERIOD = "all", "facilities", "period"
_IN_FORCE: Final = ("active", "proposed")


async def stop(asked: Asked) -> FhirResponse:
    """Stop the sharing: `what` all, facilities (those named in `organization`, for good or from `start` to `end`) or period.

    Raises FhirError: 404 for a consent of somebody that the requester does not speak for, 409 for one that is not in force, 422 for facilities
    that are not named in it or a time that is over.
    """
    asked.require(Role.SECRETARIAT, Role.PATIENT, *AT_A_FACILITY)
    require_scope(asked, "Consent", "u")
    what, reason = asked.arguments.one("what"), text_of(asked, "reason")
    period = _period(asked, what)

    async def plan(work: Work) -> Step | None:
        if asked.requester.role is not Role.SECRETARIAT:
            await require_own(asked, work.consent)
        if work.consent["status"] == "inactive":
            return None
        if work.consent["status"] not in _IN_FORCE:
            raise conflict("This consent is not in force / 有効な同意ではありません", "Consent.status")
        source = await require_evidence(asked, patient_of(work.consent), needed=asked.requester.role in AT_A_FACILITY)
        if what != _ALL:
            _require_form(work.consent)
        consent = {**work.consent, "status": "inactive"} if what == _ALL else _narrowed(asked, work.consent, what, period)
        if consent == work.consent:
            return None
        evidence = (source,) if source is not None else ()
        return Step("stop", consent, _told(asked.desk, work.task, consent), evidence=evidence, reason=reason)

    return await take(asked, plan)


def _require_form(consent: Resource) -> None:
    """Raise FhirError (422) for a consent of another kind: what its exceptions mean is not known here, but it can be stopped as a whole."""
    if not provisions.is_of_network(consent):
        text = "This consent does not list facilities; it can be stopped as a whole / 施設を列挙した同意ではありません"
        raise FhirError(Issue("business-rule", text, ("Consent.policy",)))


def _narrowed(asked: Asked, consent: Resource, what: str, period: Resource | None) -> Resource:
    named = _organizations(asked, consent) if what == _FACILITIES else []
    found = exceptions(consent)
    if period is not None:
        made = deny(PAUSED, named, period)
        return consent if made in found else provisions.with_exceptions(consent, [*found, made])
    before = [each for each in found if reason_of(each) == STOPPED]
    stopped = list(dict.fromkeys([*(one for each in before for one in concerns(each)), *named]))
    kept = [each for each in found if reason_of(each) != STOPPED]
    return provisions.with_exceptions(consent, [*kept, deny(STOPPED, stopped)])


def _organizations(asked: Asked, consent: Resource) -> list[str]:
    place = "Parameters.parameter.where(name='organization')"
    named = [str(each.get("reference")) for each in asked.arguments.all("organization")]
    if not named or not set(named) <= set(provisions.organizations(consent)):
        text = "Name facilities of this consent, as Organization/1 / 同意書に記載された施設を指定してください"
        raise FhirError(Issue("business-rule", text, (place,)))
    return list(dict.fromkeys(named))


def _period(asked: Asked, what: Any) -> Resource | None:
    """The time of a temporary stop; from now on where no start is given. Raises FhirError (422) where it makes no sense."""
    start, end = asked.arguments.one("start"), asked.arguments.one("end")
    place = "Parameters.parameter.where(name='what')"
    if what not in (_ALL, _FACILITIES, _PERIOD):
        raise FhirError(Issue("business-rule", "what is all, facilities or period", (place,)))
    if ((what == _PERIOD) != (end is not None) and what != _FACILITIES) or (start is not None and end is None):
        text = "A temporary stop has an end, another one has none / 一時停止には終了日が必要です"
        raise FhirError(Issue("business-rule", text, (place,)))
    if end is None:
        return None
    zone, now = asked.desk.terms.zone, asked.desk.now()
    begins = date_span(start, zone)[0] if start is not None else now.timestamp() * 1000
    ends = date_span(end, zone)[1]
    if ends < begins or ends < now.timestamp() * 1000:
        place = "Parameters.parameter.where(name='end')"
        raise FhirError(Issue("business-rule", "The time is over, or ends before it begins / 終了日が正しくありません", (place,)))
    return {"start": start if start is not None else stamp(now, zone), "end": end}


async def resume(asked: Asked) -> FhirResponse:
    """Resume what the patient had stopped: all of it, or for the facilities named in `organization`; a full stop as a whole.

    Raises FhirError: 404 as $stop, 409 for a consent that is not stopped, 422 for a full stop without what the patient signed, or a dissent.
    """
    asked.require(Role.SECRETARIAT, Role.PATIENT)
    require_scope(asked, "Consent", "u")
    reason = text_of(asked, "reason")

    async def plan(work: Work) -> Step | None:
        if asked.requester.role is not Role.SECRETARIAT:
            await require_own(asked, work.consent)
        patient = patient_of(work.consent)
        full = work.consent["status"] == "inactive"
        if not full and work.consent["status"] not in _IN_FORCE:
            raise conflict("This consent is not stopped / 停止中の同意ではありません", "Consent.status")
        source = await require_evidence(asked, patient, needed=full and asked.requester.role is Role.SECRETARIAT)
        if not full:
            _require_form(work.consent)
        consent = await _again(asked.desk, work.consent) if full else _widened(asked, work.consent)
        if consent == work.consent:
            return None
        evidence = (source,) if source is not None else ()
        return Step("resume", consent, _told(asked.desk, work.task, consent, resumed=True), evidence=evidence, reason=reason)

    return await take(asked, plan)


async def _again(desk: Desk, consent: Resource) -> Resource:
    """A consent that was never published goes back to the secretariat's desk."""
    await check_no_dissent(desk, consent, await everybody(desk, patient_of(consent)))
    return {**consent, "status": "active" if consent.get("verification") else "proposed"}


def _widened(asked: Asked, consent: Resource) -> Resource:
    named = _organizations(asked, consent) if asked.arguments.all("organization") else []
    return provisions.without(consent, lambda each: reason_of(each) in OF_THE_PATIENT, named)


def _told(desk: Desk, task: Resource | None, consent: Resource, *, resumed: bool = False) -> Resource | None:
    if task is None:
        return None
    at = stamp(desk.now(), desk.terms.zone)
    return moved(step(task, State.RESUMED, at) if resumed else task, standing(desk, consent), at)
