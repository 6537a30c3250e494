"""The operations Consent/[id]/$check-form and $original-received: the secretariat has looked at a form, or has its signed original.

NETWORK.md §0.2, F072, F073
"""

from fhir_server.auth.roles import Role
from fhir_server.exchange import FhirResponse
from fhir_server.network.consent_form.asking import require_scope, text_of
from fhir_server.network.consent_form.desk_work import Step, Work, require_task, take
from fhir_server.network.consent_form.states import State, moved, reached, stamp, state_of, step
from fhir_server.network.desk import Asked
from fhir_server.outcome import FhirError, Issue, conflict


async def check_form(asked: Asked) -> FhirResponse:
    """Note that a form is as it should be, or (accepted false, with a reason) return it to the facility, which hands in another one.

    Raises FhirError: 409 for a form that was published, returned or refused already, 422 for a return without a reason.
    """
    asked.require(Role.SECRETARIAT)
    require_scope(asked, "Consent", "u")
    accepted, reason = asked.arguments.one("accepted") is not False, text_of(asked, "reason")
    if not accepted and reason is None:
        place = "Parameters.parameter.where(name='reason')"
        raise FhirError(Issue("business-rule", "Say why the form is returned / 差戻しの理由が必要です", (place,)))

    async def plan(work: Work) -> Step | None:
        task, at = require_task(work), stamp(asked.desk.now(), asked.desk.terms.zone)
        if state_of(task) is State.FORM_CHECK and accepted:
            return None
        if state_of(task) not in (State.RECEIVED, State.FORM_CHECK, State.MATCHING) or work.consent["status"] != "proposed":
            raise conflict("This form is not waiting to be checked / 記載確認待ちではありません", "Consent.status")
        if accepted:
            return Step("check-form", task=moved(task, State.FORM_CHECK, at), reason=reason)
        returned = {**work.consent, "status": "entered-in-error"}
        return Step("return-form", returned, moved(task, State.RETURNED, at), reason=reason)

    return await take(asked, plan)


async def original_received(asked: Asked) -> FhirResponse:
    """Note that the signed original of a form on paper has come by post (F073)."""
    asked.require(Role.SECRETARIAT)
    require_scope(asked, "Consent", "u")

    async def plan(work: Work) -> Step | None:
        task = require_task(work)
        if reached(task, State.ORIGINAL_RECEIVED) is not None:
            return None
        return Step("receive-original", task=step(task, State.ORIGINAL_RECEIVED, stamp(asked.desk.now(), asked.desk.terms.zone)))

    return await take(asked, plan)
