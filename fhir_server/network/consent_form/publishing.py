"""The operation Consent/[id]/$publish: from now on the facilities that the patient named share (公開設定).

NETWORK.md D2, D4, F014, F015, F061-F065, F072. A form must be signed and checked, nobody may have recorded a dissent, and the patients of
the facilities must be linked (名寄せ). Facilities whose patient is not linked yet are agreed on but do not share: publish again once they are.
"""

from collections.abc import Mapping, Sequence

from fhir_server.auth.roles import Role
from fhir_server.exchange import FhirResponse, Resource
from fhir_server.network.consent_form.asking import decider, require_scope
from fhir_server.network.consent_form.desk_work import Step, Work, require_task, take
from fhir_server.network.consent_form.letters import letters
from fhir_server.network.consent_form.provisions import published_at, publishing
from fhir_server.network.consent_form.rows import Party, form_of, linked, rows_of
from fhir_server.network.consent_form.standing import standing
from fhir_server.network.consent_form.states import State, moved, reached, stamp, state_of, waiting
from fhir_server.network.desk import Asked, Desk
from fhir_server.outcome import FhirError, Issue, conflict


async def publish(asked: Asked) -> FhirResponse:
    """Publish a checked form for the facilities whose patients are linked; tell each of them once.

    Asked again it publishes what has been linked since, or changes nothing. Where fewer than two are linked, it waits (名寄せ中). Raises
    FhirError: 409 for a form that was not checked, or was stopped or returned, 422 for one without a signature or against a dissent.
    """
    asked.require(Role.SECRETARIAT)
    require_scope(asked, "Consent", "u")

    async def plan(work: Work) -> Step | None:
        task = require_task(work)
        _check_ready(work, task)
        form = await form_of(asked.desk, task)
        golden, parties = await linked(asked.desk, rows_of(task, form.rows), work.consent, decider(asked))
        return await released(asked.desk, work, golden, parties)

    return await take(asked, plan)


def _check_ready(work: Work, task: Resource) -> None:
    consent = work.consent
    if consent["status"] not in ("proposed", "active"):
        raise conflict("This consent was stopped, returned or refused / 停止・差戻し・不同意の同意書です", "Consent.status")
    if "sourceReference" not in consent:
        raise FhirError(Issue("business-rule", "A form that nobody signed cannot be published / 署名がありません", ("Consent.source",)))
    if reached(task, State.FORM_CHECK) is None:
        raise conflict("The form has not been checked yet / 記載確認がまだです", "Task.businessStatus")


async def released(
    desk: Desk, work: Work, golden: str | None, parties: Sequence[Party], *, state: State = State.PUBLISHED, starts: str | None = None
) -> Step | None:
    """Plan what to publish for the facilities that are linked now; None where that is so already.

    Who shared before keeps its 公開日時 (F063); a new one has `starts`, or now.
    """
    task, at = require_task(work), stamp(desk.now(), desk.terms.zone)
    before = published_at(work.consent)
    times = {each.organization: before.get(each.organization, starts or at) for each in parties if each.is_linked}
    lacking = [(each.name, each.lacking) for each in parties if not each.is_linked]
    in_force = work.consent["status"] == "active"
    if golden is None or (len(times) < 2 and not in_force):
        moving = task if state_of(task) is State.MATCHING else moved(task, State.MATCHING, at)
        return _waits(task, waiting(moving, lacking), lacking)
    consent = {**publishing(work.consent, times), "patient": {"reference": golden}}
    if consent == work.consent and in_force:
        return _waits(task, waiting(task, lacking), lacking)
    mails: list[Resource] = []
    if set(times) - set(before) or not in_force:
        consent = verified({**consent, "patient": work.consent["patient"]}, golden, at)
        person = await desk.read(golden)
        assert person is not None
        mails = letters(desk, person, consent, parties, times, before=before)
    now = standing(desk, consent)
    told = waiting(moved(task, state if now is State.PUBLISHED else now, at), lacking)
    return Step("publish", consent, told, letters=tuple(mails), remarks=_remarks(lacking))


def _waits(task: Resource, told: Resource, lacking: Sequence[tuple[str, str]]) -> Step | None:
    """同意済・未連携, with the reasons (F015); None where they are told already."""
    return Step("match", task=told, remarks=_remarks(lacking)) if told != task else None


def verified(consent: Resource, golden: str, at: str) -> Resource:
    """Give the Consent in force for the golden Patient from this moment on (D4, F065)."""
    by_patient = consent["performer"] == [consent["patient"]]
    signer = golden if by_patient else consent["performer"][0]["reference"]
    verification: Mapping[str, object] = {"verified": True, "verifiedWith": {"reference": signer}, "verificationDate": at}
    return {
        **consent,
        "status": "active",
        "patient": {"reference": golden},
        "performer": [{"reference": signer}],
        "verification": [*consent.get("verification", ()), verification],
    }


def _remarks(lacking: Sequence[tuple[str, str]]) -> tuple[Issue, ...]:
    return tuple(
        Issue("incomplete", f"同意済・未連携: {name} ({reason})", ("Consent.provision.actor",), "warning") for name, reason in lacking
    )
