"""Who agreed to what in a sandbox: the fixture's forms handed in, checked, published and stopped as the network does it.

NETWORK.md §0.2, §5. The steps are the network's own operations, asked for by the fixture's people; what those take today only (a pause that is
over, a facility that has left) is made of the same parts. Each step is taken once: a start that was interrupted goes on, and what somebody
has changed since stays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fhir_server.auth.members import NETWORK, person_id
from fhir_server.auth.requester import Local, Requester
from fhir_server.auth.roles import Role
from fhir_server.exchange import FhirRequest, Resource
from fhir_server.network.consent_form import records
from fhir_server.network.consent_form.form import read
from fhir_server.network.consent_form.provisions import PAUSED, exceptions, publishing, reason_of, with_exceptions
from fhir_server.network.consent_form.publishing import verified
from fhir_server.network.consent_form.standing import standing
from fhir_server.network.consent_form.states import State, moved, reached, stamp, state_of, step
from fhir_server.network.matching.persons import golden_of, key
from fhir_server.sandbox.facilities import FACILITIES
from fhir_server.sandbox.forms import form
from fhir_server.sandbox.linked import SECRETARY, Identities
from fhir_server.sandbox.network import AGREEMENTS, BY_KEY, Agreement
from fhir_server.sandbox.people import IMPORTED, logins
from fhir_server.service import Service

_FACILITIES: Final = {each.code: each for each in (*IMPORTED, *FACILITIES)}
"""By their codes; the facilities whose storages are there come first: one of them hands in the form."""
_DELETED: Final = "deleted"


@dataclass(frozen=True, slots=True)
class Agreeing:
    """The service, who is whom, and the ids that facilities have."""

    service: Service
    identities: Identities
    organization_id: Callable[[str], str]

    async def agree(self) -> None:
        """See that every consent is where the fixture has it, as far as its patient was imported."""
        for agreement in AGREEMENTS:
            if agreement.status != _DELETED:
                await self._agree(agreement)

    async def _agree(self, agreement: Agreement) -> None:
        patients = await self.identities.patients(BY_KEY[agreement.patient])
        codes = [code for code in _FACILITIES if code in agreement.facilities]
        codes.sort(key=lambda code: code not in patients)
        if codes[0] not in patients:
            return
        patient = patients[codes[0]]
        response = form(agreement, codes, key(patient), self.organization_id)
        id = records.form_id(self._organization(codes[0]), response)
        if all(_FACILITIES[code].active for code in codes):
            await self._hand_in(id, codes[0], response)
            await self._go_on(agreement, id)
        elif await self.identities.desk.read(f"Consent/{id}") is None:
            await self._as_it_was(agreement, id, codes, response, golden_of(patient) or key(patient))

    async def _hand_in(self, id: str, code: str, response: Resource) -> None:
        if await self.identities.desk.read(f"Task/{id}") is None:
            await self._ask(self._somebody_at(code), "QuestionnaireResponse", None, "submit-consent", form={"resource": response})

    async def _go_on(self, agreement: Agreement, id: str) -> None:
        task = await self._task(id)
        if state_of(task) is State.RECEIVED and agreement.status != "received":
            await self._ask(self._secretary(), "Consent", id, "check-form")
            task = await self._task(id)
        if state_of(task) is State.FORM_CHECK and agreement.status == "matching":
            await self.identities.desk.store(moved(task, State.MATCHING, self._now()))
        elif state_of(task) is State.FORM_CHECK and agreement.status != "received":
            await self._ask(self._secretary(), "Consent", id, "publish")
            task = await self._task(id)
        if reached(task, State.PUBLISHED) is not None:
            await self._change(agreement, id, task)

    async def _change(self, agreement: Agreement, id: str, task: Resource) -> None:
        """What happened after it was published: facilities added, stopped, or stopped for a time."""
        if reached(task, State.FACILITY_ADDED) is None:
            for code, _ in agreement.added:
                number = BY_KEY[agreement.patient].numbers[code]
                source = {"valueReference": {"reference": f"QuestionnaireResponse/{id}"}}
                facility = {"valueReference": {"reference": self._organization(code)}}
                given: Resource = {"organization": facility, "patientNumber": {"valueString": number}, "source": source}
                await self._ask(self._secretary(), "Consent", id, "add-facility", **given)
        if agreement.stopped is not None and reached(task, State.STOPPED) is None:
            await self._ask(self._secretary(), "Consent", id, "stop", what={"valueCode": "all"}, reason={"valueString": "利用停止届出書"})
        if agreement.paused is not None and reached(task, State.PAUSED) is None:
            await self._pause(agreement, id, task)

    async def _pause(self, agreement: Agreement, id: str, task: Resource) -> None:
        """$stop takes no time that is over, as this one may be."""
        desk = self.identities.desk
        consent = await desk.read(f"Consent/{id}")
        assert consent is not None
        assert agreement.paused is not None
        start, end = (day.isoformat() for day in agreement.paused)
        paused = records.deny(PAUSED, (), {"start": start, "end": end})
        kept = [each for each in exceptions(consent) if reason_of(each) != PAUSED]
        changed = with_exceptions(consent, [*kept, paused])
        await desk.store(changed, moved(step(task, State.PAUSED, self._now()), standing(desk, changed), self._now()))

    async def _as_it_was(self, agreement: Agreement, id: str, codes: list[str], response: Resource, golden: str) -> None:
        """A consent with a facility that has left since (D11): published on the day after it was signed."""
        desk, at = self.identities.desk, f"{agreement.signed.isoformat()}T15:00:00+09:00"
        filled, issues = read(response)
        assert filled is not None, issues
        source, organization = f"QuestionnaireResponse/{id}", self._organization(codes[0])
        stored = {**response, "id": id, "author": {"reference": organization}}
        await self.service.perform(
            FhirRequest("update", "QuestionnaireResponse", id, body=stored), Local("local", organization=organization)
        )
        proposed = records.consent(id, filled, organization, source)
        task = records.task(id, filled, organization, datetime.fromisoformat(at), desk.terms)
        consent = verified(publishing(proposed, {self._organization(code): at for code in codes}), golden, at)
        await desk.store(consent, moved(moved(task, State.FORM_CHECK, at), State.PUBLISHED, at))

    # -- who asks -------------------------------------------------------------------------------------------------------

    async def _ask(self, who: Requester, type: str, id: str | None, operation: str, **given: Resource) -> None:
        parts = [{"name": name, **value} for name, value in given.items()]
        body: dict[str, Any] = {"resourceType": "Parameters", **({"parameter": parts} if parts else {})}
        await self.service.perform(FhirRequest("operation", type, id, body=body, operation=operation), who)

    def _secretary(self) -> Requester:
        return _person(SECRETARY, Role.SECRETARIAT, NETWORK)

    def _somebody_at(self, code: str) -> Requester:
        login = next(each for each in logins() if code in each.facilities)
        return _person(login.id, login.role, self._organization(code), code)

    def _organization(self, code: str) -> str:
        return f"Organization/{self.organization_id(code)}"

    async def _task(self, id: str) -> Resource:
        task = await self.identities.desk.read(f"Task/{id}")
        assert task is not None
        return task

    def _now(self) -> str:
        desk = self.identities.desk
        return stamp(desk.now(), desk.terms.zone)


def _person(login: str, role: Role, organization: str, code: str | None = None) -> Requester:
    roles = _FACILITIES[code].roles if code is not None else frozenset[str]()
    return Requester(
        login,
        client="sandbox",
        role=role,
        scope="user/*.cruds",
        organization=organization,
        facility=code,
        facility_roles=roles,
        fhir_user=f"Practitioner/{person_id(login)}",
    )
