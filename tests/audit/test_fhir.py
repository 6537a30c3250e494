"""Events told as AuditEvents: valid FHIR, with who, when, what of whom, why and with which outcome."""

import base64

import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from fhir_server.audit.event import Seen
from fhir_server.audit.fhir import audit_event
from fhir_server.audit.log import Recorded, place_of
from fhir_server.audit.search import is_of_the_log
from profiles.definitions import r4
from profiles.validator import Validator
from terminology.service import r4 as terminology

ID = "audit-1a20ef0cb2c9f46a8-12-3"

KINDS = {
    "read": {},
    "search": {"action": "E", "interaction": "search-type", "id": "", "query": "patient=Patient/p1&code=1234", "consents": ("Consent/c1", "Consent/c2")},
    "denied": {"status": 404, "seen": (), "consents": ()},
    "failed": {"status": 500, "seen": ()},
    "away": {"status": 503, "seen": ()},
    "create": {"action": "C", "interaction": "create", "status": 201, "id": "", "written": ("Observation/o9/_history/1", "Patient/p1/_history/3"), "consents": ()},
    "delete": {"action": "D", "interaction": "delete", "status": 204},
    "operation": {"action": "E", "interaction": "operation", "operation": "everything", "type": "Patient", "id": "p1"},
    "emergency": {"purpose": "ETREAT", "emergency": "Task/e1", "reason": "意識不明で搬送"},
    "reason-alone": {"purpose": "BTG", "reason": "意識不明"},
    "system": {"person": "", "role": "system", "purpose": "TREAT"},
    "nobody": {"subject": "", "person": "", "client": "", "organization": "", "role": "", "request": "", "purpose": "", "status": 401, "type": "", "id": "", "seen": (), "consents": ()},
    "nonsense": {"id": "../../etc/passwd?x=<y>", "type": "Observation", "status": 404, "seen": (), "what": ("no reference",)},
    "own kind": {"interaction": "export-file", "role": "unheard-of"},
    "many": {"seen": (Seen("Patient/p1", "Organization/a", "Observation", 3), Seen("Patient/p2", "Organization/c", "Condition", 1), Seen("", "", "Organization", 2))},
}  # fmt: skip


@pytest.fixture(scope="module")
def validator():
    return Validator(r4(), terminology())


@pytest.mark.parametrize("kind", KINDS)
def test_l09_every_event_is_told_as_a_valid_audit_event(happened, validator, kind):
    made = audit_event(Recorded(ID, happened(**KINDS[kind])))
    assert [issue for issue in validator.validate(made) if issue.severity in ("error", "fatal")] == []
    AuditEvent.model_validate(made)


def test_l09_it_says_who_when_what_of_whom_why_and_with_which_outcome(happened):
    made = audit_event(Recorded(ID, happened(**KINDS["search"])))
    requester = next(agent for agent in made["agent"] if agent["requestor"])
    assert (made["action"], made["outcome"], made["recorded"]) == ("E", "0", "2026-04-01T00:00:00.000Z")
    assert requester["who"] == {"reference": "Practitioner/b1", "identifier": {"system": "urn:tsunagi:account", "value": "dr-b"}}
    assert requester["role"][0]["coding"][0]["code"] == "physician"
    assert made["purposeOfEvent"][0]["coding"][0]["code"] == "TREAT"
    assert {agent["who"]["reference"] for agent in made["agent"] if "reference" in agent["who"]} == {
        "Practitioner/b1",
        "Organization/b",
        "Organization/a",
    }
    references = [entity["what"]["reference"] for entity in made["entity"] if "reference" in entity.get("what", {})]
    assert references == ["Patient/p1", "Consent/c1", "Consent/c2"]
    (query,) = [entity["query"] for entity in made["entity"] if "query" in entity]
    assert base64.b64decode(query).decode() == "patient=Patient/p1&code=1234"


@pytest.mark.parametrize(("status", "outcome"), [(200, "0"), (304, "0"), (401, "4"), (404, "4"), (500, "8"), (503, "12")])
def test_s50_the_outcome_follows_the_status(happened, status, outcome):
    assert audit_event(Recorded(ID, happened(status=status)))["outcome"] == outcome


def test_l24_the_same_event_is_always_told_the_same(happened):
    assert audit_event(Recorded(ID, happened())) == audit_event(Recorded(ID, happened()))
    assert place_of(ID) == ("1a20ef0cb2c9f46a8", 12, 3)


@pytest.mark.parametrize(("id", "ours"), [(ID, True), ("audit-1", False), ("o1", False), ("audit-" + "a" * 17 + "-1-2x", False)])
def test_s51_ids_of_the_log_are_told_from_others(id, ours):
    assert is_of_the_log(id) is ours
