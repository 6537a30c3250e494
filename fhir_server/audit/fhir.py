"""Events told as AuditEvents.

https://hl7.org/fhir/R4/auditevent.html
https://profiles.ihe.net/ITI/BALP/ (Basic Audit Log Patterns: read, query, create, update, delete, each also of a patient)
NETWORK.md L09: who, from where, when, what of whom, why, and whether it was answered.
"""

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from fhir_server.audit.event import Event
from fhir_server.audit.found_by import asked_for, outcome_of, patients_of
from fhir_server.audit.log import Recorded
from fhir_server.auth.roles import ROLE_SYSTEM, TITLES, Role
from fhir_server.exchange import Resource, Version
from profiles import json

DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
EVENT_TYPE: Final = "http://terminology.hl7.org/CodeSystem/audit-event-type"
INTERACTION: Final = "http://hl7.org/fhir/restful-interaction"
ENTITY_TYPE: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"
PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
REASON: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
RESOURCE_TYPES: Final = "http://hl7.org/fhir/resource-types"
BALP_ENTITY: Final = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
OPERATION: Final = "urn:tsunagi:operation"
ACCOUNT: Final = "urn:tsunagi:account"
CLIENT: Final = "urn:tsunagi:client"

_REFERENCE: Final = re.compile(
    r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9.-]{1,64}(/_history/[0-9]{1,9})?"
)  # an id that was asked for may be anything

_SOURCE, _DESTINATION = ("110153", "Source Role ID"), ("110152", "Destination Role ID")
_OUTCOMES: Mapping[str, str] = {
    "0": "Success",
    "4": "Refused or not possible",
    "8": "The server failed",
    "12": "The server could not serve",
}
_PROFILES: Mapping[str, str] = {"C": "Create", "R": "Read", "U": "Update", "D": "Delete"}
_INTERACTIONS: Final = frozenset(
    {
        "read", "vread", "update", "patch", "delete", "history", "history-instance", "history-type", "history-system", "create", "search",
        "search-type", "search-system", "capabilities", "transaction", "batch", "operation",
    }
)  # fmt: skip


def audit_event(recorded: Recorded) -> Resource:
    """Tell an event as an AuditEvent; the same event is always told the same."""
    event = recorded.event
    at = instant(event.at)
    made: Resource = {
        "resourceType": "AuditEvent",
        "id": recorded.id,
        "meta": {"versionId": "1", "lastUpdated": at, "profile": [_profile(event)]},
        "type": {"system": EVENT_TYPE, "code": "rest", "display": "Restful Operation"},
        "subtype": _subtypes(event),
        "action": event.action,
        "recorded": at,
        "outcome": outcome_of(event),
        "outcomeDesc": f"HTTP {event.status}: {_OUTCOMES[outcome_of(event)]}",
    }
    if event.purpose:
        made["purposeOfEvent"] = [_concept(REASON, event.purpose)]
    made["agent"] = _agents(event)
    made["source"] = {
        "observer": {"display": "Tsunagi"},
        "type": [_coding("http://terminology.hl7.org/CodeSystem/security-source-type", "4")],
    }
    if entities := _entities(event):
        made["entity"] = entities
    return made


def version_of(recorded: Recorded) -> Version:
    """Give the AuditEvent as the version of a resource that is served."""
    moment = datetime.fromtimestamp(recorded.event.at / 1000, UTC)
    return Version("AuditEvent", recorded.id, 1, moment, json.encode(audit_event(recorded)), "POST")


def instant(ms: int) -> str:
    """Write a moment as a FHIR instant in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _profile(event: Event) -> str:
    patient = "Patient" if patients_of(event) else ""
    name = "Query" if event.query or event.interaction.startswith("search") else _PROFILES.get(event.action, "Query")
    return f"https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.{patient}{name}"


def _subtypes(event: Event) -> list[dict[str, str]]:
    system = INTERACTION if event.interaction in _INTERACTIONS else OPERATION
    subtypes = [{"system": system, "code": event.interaction}]
    if event.operation:
        subtypes.append({"system": OPERATION, "code": event.operation})
    return subtypes


def _agents(event: Event) -> list[dict[str, Any]]:
    """The requester, the app, the facility on whose behalf, the server, and the custodians of what was seen."""
    reading = event.action in ("R", "E")
    agents = [_requester(event)]
    if event.client:
        who = {"identifier": {"system": CLIENT, "value": event.client}}
        agents.append({"type": _concept(DICOM, *(_DESTINATION if reading else _SOURCE)), "who": who, "requestor": False})
    if event.organization:
        code = ("IRCP", "information recipient") if reading else ("AUT", "author (originator)")
        agents.append({"type": _concept(PARTICIPATION, *code), "who": {"reference": event.organization}, "requestor": False})
    server = {"type": _concept(DICOM, *(_SOURCE if reading else _DESTINATION)), "who": {"display": "Tsunagi"}, "requestor": False}
    custodians = dict.fromkeys(seen.custodian for seen in event.seen if seen.custodian)
    held = [{"type": _concept(PARTICIPATION, "CST", "custodian"), "who": {"reference": each}, "requestor": False} for each in custodians]
    return [*agents, server, *held]


def _requester(event: Event) -> dict[str, Any]:
    agent: dict[str, Any] = {"type": _concept(PARTICIPATION, "IRCP" if event.action in ("R", "E") else "AUT")}
    if event.role:
        titles = TITLES.get(Role(event.role)) if event.role in set(Role) else None
        agent["role"] = [_concept(ROLE_SYSTEM, event.role, titles[1] if titles is not None else None)]
    who: dict[str, Any] = {"reference": event.person} if event.person else {}
    if event.subject:
        who["identifier"] = {"system": ACCOUNT, "value": event.subject}
        agent["altId"] = event.subject
    agent["who"] = who or {"display": "unknown"}
    agent["requestor"] = True
    return agent


def _entities(event: Event) -> list[dict[str, Any]]:
    entities: list[dict[str, Any]] = []
    if event.request:
        what = {"identifier": {"value": event.request}}
        entities.append({"what": what, "type": _coding(BALP_ENTITY, "XrequestId")})
    person, object = _coding(ENTITY_TYPE, "1", "Person"), _coding(ENTITY_TYPE, "2", "System Object")
    patients = [each for each in patients_of(event) if _REFERENCE.fullmatch(each)]
    entities += [
        {"what": {"reference": patient}, "type": person, "role": _coding(ROLE, "1", "Patient"), **_details(event, patient)}
        for patient in patients
    ]
    entities += [
        {"what": {"reference": reference}, "type": object, "role": _coding(ROLE, "4", "Domain Resource")}
        for reference in dict.fromkeys((asked_for(event), *event.what, *event.written))
        if reference not in patients and _REFERENCE.fullmatch(reference)
    ]
    if event.query:
        query = base64.b64encode(event.query.encode()).decode()
        entities.append({"type": object, "role": _coding(ROLE, "24", "Query"), "query": query})
    for consent in event.consents:
        policy = _coding(ROLE, "13", "Security Resource")
        entities.append({"what": {"reference": consent}, "type": _coding(RESOURCE_TYPES, "Consent"), "role": policy})
    if event.emergency or event.reason:
        entities.append(_emergency(event))
    return entities


def _details(event: Event, patient: str) -> dict[str, Any]:
    """How many resources of which type and custodian were given out or written of the patient."""
    seen = [each for each in event.seen if each.patient == patient]
    if not seen:
        return {}
    return {"detail": [{"type": f"{each.custodian or '-'} {each.type}", "valueString": str(each.count)} for each in seen]}


def _emergency(event: Event) -> dict[str, Any]:
    made: dict[str, Any] = {"what": {"reference": event.emergency}} if event.emergency else {}
    made |= {"type": _coding(ENTITY_TYPE, "4", "Other"), "role": _coding(ROLE, "13", "Security Resource"), "name": "emergency"}
    return {**made, "description": event.reason} if event.reason else made


def _coding(system: str, code: str, display: str | None = None) -> dict[str, str]:
    return {"system": system, "code": code, **({"display": display} if display is not None else {})}


def _concept(system: str, code: str, display: str | None = None) -> dict[str, Any]:
    return {"coding": [_coding(system, code, display)]}
