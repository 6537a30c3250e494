"""What is made of a consent form: the resources that are stored of it.

NETWORK.md §1.14, F008, F067-F073. Everything made of one form has the form's id, so that sending it twice makes it once.
"""

from base64 import b64encode
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from hashlib import sha1, sha256
from typing import Any, Final
from uuid import UUID, uuid5

from fhir_server.exchange import Resource
from fhir_server.network.consent_form.form import Form
from fhir_server.network.consent_form.hours import due
from fhir_server.network.consent_form.states import TASKS, State, flag, moved, named, stamp
from fhir_server.network.terms import Terms
from profiles import json

NETWORK: Final = "Organization/network"
POLICY: Final = "urn:tsunagi:policy:"
METHOD: Final = "urn:tsunagi:StructureDefinition:consent-method"
REASON: Final = "urn:tsunagi:StructureDefinition:provision-reason"
PUBLISHED_AT: Final = "urn:tsunagi:StructureDefinition:published-at"
ACTIVITY: Final = "urn:tsunagi:consent-activity"

_NAMESPACE: Final = UUID("6a1f6f0e-54c3-5b0b-9a8e-3f0f3c1f4d66")
_LOINC: Final = {"system": "http://loinc.org", "code": "59284-0", "display": "Consent Document"}
_SCOPE: Final = {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
_PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_PURPOSE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_PEOPLE: Final = "urn:tsunagi:consent-person"
_TITLES: Final = {
    "responsible": "説明責任者 (responsible for the explanation)",
    "explainer": "説明者 (explained)",
    "signer": "同意者 (decided)",
    "enterer": "入力者 (handed in)",
    "author": "決定者 (decided for the network)",
}


def form_id(organization: str, response: Resource) -> str:
    """Give the id of a form: of the identifier that the facility gave it, or of its content."""
    identifier = response.get("identifier") or {}
    if identifier.get("value"):
        return str(uuid5(_NAMESPACE, f"{organization}|{identifier.get('system', '')}|{identifier['value']}"))
    content = {name: value for name, value in response.items() if name not in ("id", "meta")}
    return str(uuid5(_NAMESPACE, f"{organization}|{sha256(json.encode(content)).hexdigest()}"))


def actor(organization: str, published: str | None = None) -> Resource:
    """Give an actor of a network consent: recipient and custodian at once (F012); `published` is its own 公開日時 (F065)."""
    made: Resource = {
        "role": {"coding": [{"system": _PARTICIPATION, "code": "IRCP", "display": "information recipient"}]},
        "reference": {"reference": organization},
    }
    return {"extension": [{"url": PUBLISHED_AT, "valueDateTime": published}], **made} if published is not None else made


def deny(reason: str, organizations: Sequence[str] = (), period: Resource | None = None) -> Resource:
    """Give an exception to what is permitted, with its reason: unlinked, stopped, paused or opt-out."""
    made: Resource = {"extension": [{"url": REASON, "valueCode": reason}], "type": "deny"}
    if period is not None:
        made["period"] = period
    return {**made, "actor": [actor(each) for each in organizations]} if organizations else made


def consent(id: str, form: Form, organization: str, source: str) -> Resource:
    """Give the Consent of a form before anybody has checked it: proposed, or rejected where the patient said no (F072)."""
    made: Resource = {
        "resourceType": "Consent",
        "id": id,
        "extension": [{"url": METHOD, "valueCode": form.method}],
        "status": "proposed" if form.agrees else "rejected",
        "scope": {"coding": [_SCOPE]},
        "category": [{"coding": [_LOINC]}],
        "patient": {"reference": form.subject},
        "dateTime": form.decided.isoformat(),
        "performer": [{"reference": f"RelatedPerson/{id}" if form.by_proxy else form.subject}],
        "organization": [{"reference": organization}],
        "sourceReference": {"reference": source},
        "policy": [{"uri": f"{POLICY}{form.policy}"}],
        "provision": {
            "type": "permit" if form.agrees else "deny",
            "actor": [actor(row.organization) for row in form.rows],
            "purpose": [{"system": _PURPOSE, "code": "TREAT", "display": "treatment"}],
        },
    }
    return made


def proxy(id: str, form: Form) -> Resource:
    """Give the RelatedPerson of a proxy (代諾者), with the relationship (F070, F071)."""
    agreement = form.block("agreement")
    relationship = form.relationship
    phones = [("home", agreement.text("phone")), ("mobile", agreement.text("mobile"))]
    made: Resource = {
        "resourceType": "RelatedPerson",
        "id": id,
        "active": True,
        "patient": {"reference": form.subject},
        "relationship": [{"coding": [relationship]} if isinstance(relationship, dict) else {"text": relationship}],
        "name": [{"text": agreement.text("name")}],
    }
    telecom = [{"system": "phone", "use": use, "value": value} for use, value in phones if value]
    return {**made, "telecom": telecom} if telecom else made


def task(id: str, form: Form, organization: str, received: datetime, terms: Terms) -> Resource:
    """Give the secretariat's Task of a form: received, due within the office hours promised (F074)."""
    at = stamp(received, terms.zone)
    until = due(received, timedelta(hours=terms.consent_hours), terms.zone)
    made: Resource = {
        "resourceType": "Task",
        "id": id,
        "status": "requested",
        "intent": "order",
        "priority": "routine",
        "code": {"coding": [{"system": TASKS, "code": "publish-consent", "display": "同意の公開設定"}]},
        "focus": {"reference": f"Consent/{id}"},
        "for": {"reference": form.subject},
        "authoredOn": at,
        "requester": {"reference": organization},
        "owner": {"reference": NETWORK},
        "restriction": {"period": {"end": stamp(until, terms.zone)}},
        "input": [named("form", f"QuestionnaireResponse/{id}"), *(flag(issue) for issue in form.notes)],
    }
    return moved(made, State.RECEIVED if form.agrees else State.DISSENT, at)


def review(id: str, form: Form, day: date, received: datetime, terms: Terms) -> Resource:
    """Give the Task to ask a patient himself on the birthday for whom a proxy agreed as a child (L19)."""
    return {
        "resourceType": "Task",
        "id": f"{id}-{day.isoformat()}",
        "status": "requested",
        "intent": "plan",
        "code": {"coding": [{"system": TASKS, "code": "renew-consent", "display": "本人への同意の再確認"}]},
        "focus": {"reference": f"Consent/{id}"},
        "for": {"reference": form.subject},
        "authoredOn": stamp(received, terms.zone),
        "owner": {"reference": NETWORK},
        "restriction": {"period": {"start": day.isoformat()}},
    }


def document(id: str, form: Form, organization: str, at: str, attachment: Resource) -> Resource:
    """Give the DocumentReference of the signed form (F073)."""
    return {
        "resourceType": "DocumentReference",
        "id": id,
        "status": "current",
        "type": {"coding": [_LOINC]},
        "subject": {"reference": form.subject},
        "date": at,
        "author": [{"reference": organization}],
        "custodian": {"reference": organization},
        "description": "様式6 患者同意書 (署名済み)",
        "content": [{"attachment": attachment}],
    }


def scanned(id: str, content_type: str, content: bytes) -> tuple[Resource, Resource]:
    """Give the Binary of an image of the signed form, and the Attachment that refers to it."""
    binary = {
        "resourceType": "Binary",
        "id": id,
        "contentType": content_type,
        "securityContext": {"reference": f"DocumentReference/{id}"},
        "data": b64encode(content).decode(),
    }
    hashed = b64encode(sha1(content, usedforsecurity=False).digest()).decode()  # FHIR's Attachment.hash is SHA-1
    return binary, {"contentType": content_type, "url": f"Binary/{id}", "size": len(content), "hash": hashed}


def person(code: str, who: Resource, organization: str | None = None) -> Resource:
    """Give a Provenance.agent: responsible, explainer, signer, enterer or author."""
    made: Resource = {"type": {"coding": [{"system": _PEOPLE, "code": code, "display": _TITLES[code]}]}, "who": who}
    return {**made, "onBehalfOf": {"reference": organization}} if organization is not None else made


def provenance(targets: Sequence[str], activity: str, at: str, agents: Sequence[Resource], **more: Any) -> Resource:
    """Give the Provenance of one step: what was done to what, by whom; `more` are further elements (reason, entity, id)."""
    coding = [{"system": ACTIVITY, "code": activity}]
    made = {"resourceType": "Provenance", "target": [{"reference": each} for each in targets], "recorded": at}
    return {**made, "activity": {"coding": coding}, "agent": list(agents), **more}
