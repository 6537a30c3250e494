"""The operation QuestionnaireResponse/$submit-consent: a facility hands in a patient's form.

NETWORK.md F014, F066-F073, L16-L19; CONSENT.md C40, SECURITY.md S32: a facility hands in forms of its own patients, which it
explained itself and the patient signed. Nothing is shared by it: the Consent is proposed until the secretariat has checked and published it.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fhir_server.exchange import FhirResponse, Resource
from fhir_server.interactions.writing import prepare
from fhir_server.network.consent_form import deciding, records
from fhir_server.network.consent_form.asking import require_facility, require_scope, who
from fhir_server.network.consent_form.form import Form, compared, read
from fhir_server.network.consent_form.members import Place, place
from fhir_server.network.consent_form.scans import kept
from fhir_server.network.consent_form.states import concept, stamp, state_of
from fhir_server.network.desk import Asked, Desk, parameters
from fhir_server.network.matching.persons import key
from fhir_server.outcome import FhirError, Issue, conflict, operation_outcome
from fhir_server.store.permit import Permit
from fhir_server.store.repository import Changed, Put
from profiles import json


async def submit_consent(asked: Asked) -> FhirResponse:
    """Take a filled form: answer the Consent, its Task and what the desk is going to look at.

    Raises FhirError: 403 for who may not hand in this form, 404 for a patient who is not to be seen, 422 with every reason for which the form
    cannot be taken, 409 where another form was sent under the same identifier. The same form again changes nothing.
    """
    organization = require_facility(asked)
    require_scope(asked, "QuestionnaireResponse", "c")
    response: Resource = asked.arguments.one("form")
    prepare({**response, "id": "form"}, asked.desk.serving)
    form, issues = read(response)
    if form is None:
        raise FhirError(*issues, status=422)
    _require_own(form, organization)
    patient = await _own_patient(asked, form, organization)
    form = await _checked(asked.desk, form, patient)
    id = records.form_id(organization, response)
    return await _stored(asked, id, form, response, organization)


def _require_own(form: Form, organization: str) -> None:
    """C40, S32: the first row is the facility that explained, which is the one that hands in."""
    first = form.rows[0]
    if first.organization != organization:
        text = "The first row is the facility that explained, which hands in its own forms only / 1行目は自施設に限ります"
        raise FhirError(Issue("forbidden", text, (first.place,)))


async def _own_patient(asked: Asked, form: Form, organization: str) -> Resource:
    """Read the form's patient as the requester sees him; raises as a read does, and 422 for another facility's patient."""
    version = await asked.seen.get("Patient", form.subject.partition("/")[2])
    if version.custodian != organization:
        text = "The patient is not this facility's own / 自施設の患者ではありません"
        raise FhirError(Issue("business-rule", text, ("QuestionnaireResponse.subject",)))
    patient: Resource = json.decode(version.body or b"{}")
    return patient


async def _checked(desk: Desk, form: Form, patient: Resource) -> Form:
    """Give the form with what is to be looked at; raises FhirError (422) with everything for which it cannot be taken."""
    today = desk.now().astimezone(desk.terms.zone).date()
    wrong, notes = compared(form, patient)
    wrong += deciding.errors(form, today)
    wrong += _number(form, patient)
    places = [await place(desk, row) for row in form.rows]
    for row, found in zip(form.rows, places, strict=True):
        if found is None:
            text = "This facility is no member of the network now / 参加施設ではありません"
            wrong.append(Issue("business-rule", text, (row.place,)))
    if wrong:
        raise FhirError(*wrong, status=422)
    return form.noted(
        *notes, *deciding.notes(form, desk.terms.consent_ages), *_lacking(form, [each for each in places if each is not None])
    )


def _number(form: Form, patient: Resource) -> list[Issue]:
    """F069: the first row has the number that the facility itself gave the patient."""
    numbers = {each.get("value") for each in patient.get("identifier", ())}
    if form.rows[0].number in numbers:
        return []
    text = "The first row has not the number of the facility's patient / 1行目の患者IDが自施設の患者と異なります"
    return [Issue("business-rule", text, (form.rows[0].place,))]


def _lacking(form: Form, places: Sequence[Place]) -> list[Issue]:
    """F014: where the patient has no number; the facility that asks learns only what it has written itself."""
    notes = []
    for row, found in zip(form.rows, places, strict=True):
        if found.lacking is not None:
            ja, en = found.lacking
            notes.append(Issue("business-rule", f"{found.name}: {en} / {ja}", (row.place,), "information" if row.number else "warning"))
    return notes


# -- what is stored -------------------------------------------------------------------------------------------------------


async def _stored(asked: Asked, id: str, form: Form, response: Resource, organization: str) -> FhirResponse:
    desk, now = asked.desk, asked.desk.now()
    at = stamp(now, desk.terms.zone)
    where, evidence, attachment = await kept(asked, id, form, organization, at)
    kept_response = _response(response, id, organization, at, attachment)
    before = await desk.read(f"QuestionnaireResponse/{id}")
    if before is not None and _content(before) != _content(kept_response):
        text = "Another form was handed in under this identifier / 同じ識別子の別の様式が提出済みです"
        raise conflict(text, "QuestionnaireResponse.identifier")
    if before is None or await desk.read(f"Consent/{id}") is None:
        await _keep_evidence(desk, organization, [kept_response, *evidence])
        await _file(asked, id, form, organization, where or f"QuestionnaireResponse/{id}")
    return await _answer(desk, id, form)


def _response(response: Resource, id: str, organization: str, at: str, attachment: Resource | None) -> Resource:
    """The form as it was sent; an image in it has become a Binary of its own."""
    kept = {"resourceType": "QuestionnaireResponse", **response, "id": id}
    kept.pop("meta", None)
    kept.setdefault("authored", at)
    kept.setdefault("author", {"reference": organization})
    return {**kept, "item": [_without_image(item, attachment) for item in kept["item"]]} if attachment is not None else kept


def _without_image(item: Any, attachment: Resource) -> Any:
    made = dict(item)
    if "item" in made:
        made["item"] = [_without_image(each, attachment) for each in made["item"]]
    if any("data" in each.get("valueAttachment", ()) for each in made.get("answer", ())):
        titles = {name: value for name, value in made["answer"][0]["valueAttachment"].items() if name in ("title", "creation", "language")}
        made["answer"] = [{"valueAttachment": {**attachment, **titles}}]
    return made


def _content(response: Resource) -> Resource:
    return {name: value for name, value in response.items() if name not in ("id", "meta", "authored")}


async def _keep_evidence(desk: Desk, organization: str, resources: Sequence[Resource]) -> None:
    """Store what the facility gave, in its own custody: first, so that no Consent is ever without its evidence (F072)."""
    theirs = replace(desk.everything, permit=Permit.everything(custodian=organization))
    await theirs.commit([Put(prepare(each, desk.serving), only_create=True) for each in resources])


async def _file(asked: Asked, id: str, form: Form, organization: str, source: str) -> None:
    """Store Consent, Task, Provenance and, of a proxy, RelatedPerson and reviews: all or none."""
    desk, now = asked.desk, asked.desk.now()
    made = [
        records.consent(id, form, organization, source),
        records.task(id, form, organization, now, desk.terms),
        _told(asked, id, form, organization),
    ]
    if form.by_proxy:
        made.append(records.proxy(id, form))
        days = deciding.reviews(form, desk.terms.consent_ages, now.astimezone(desk.terms.zone).date()) if form.agrees else []
        made += [records.review(id, form, day, now, desk.terms) for day in days]
    try:
        await desk.store(*made, versions={key(each): 0 for each in made})
    except Changed:
        return  # the same form, sent twice at once: the other one has stored it


def _told(asked: Asked, id: str, form: Form, organization: str) -> Resource:
    """F008: who explained, who is responsible, who decided, who handed in."""
    at = stamp(asked.desk.now(), asked.desk.terms.zone)
    agents = [
        records.person("responsible", {"display": form.responsible}, organization),
        records.person("explainer", {"display": form.explainer}, organization),
        records.person("signer", {"reference": f"RelatedPerson/{id}" if form.by_proxy else form.subject}),
        records.person("enterer", who(asked), organization),
    ]
    entity = [{"role": "source", "what": {"reference": f"QuestionnaireResponse/{id}"}}]
    return records.provenance([f"Consent/{id}"], "submit", at, agents, id=id, occurredDateTime=form.decided.isoformat(), entity=entity)


async def _answer(desk: Desk, id: str, form: Form) -> FhirResponse:
    task = await desk.read(f"Task/{id}") or {}
    state = state_of(task)
    told = [each for each in form.notes if each.severity == "warning"]
    done = Issue("informational", "The form was received / 受け付けました", (), "information")
    return parameters(
        ("consent", "valueReference", {"reference": f"Consent/{id}"}),
        ("task", "valueReference", {"reference": f"Task/{id}"}),
        *([("state", "valueCodeableConcept", concept(state))] if state is not None else []),
        ("outcome", "resource", operation_outcome(told or [done])),
    )
