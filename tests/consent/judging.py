"""Judge a resource by consents in both ways: in memory, and by the expression that queries carry. They have to agree."""

from collections.abc import Mapping
from typing import Any

from fhir_server.consent.decision import Decision, decide
from fhir_server.consent.directive import Directive, directive
from fhir_server.consent.expression import permitted
from fhir_server.consent.facts import facts
from fhir_server.consent.question import Question
from fhir_server.consent.vocabulary import vocabulary
from fhir_server.search.entries import entries
from fhir_server.search.holding import Subject, holds
from fhir_server.store.custody import in_custody
from profiles.primitives import TOKYO, date_span
from tests.search.judge import parameters

NOW = "2026-04-01T09:00:00+09:00"
A, B, C, D = (f"Organization/{letter}" for letter in "abcd")
PURPOSE = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
SENSITIVITY = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
TYPES = "http://hl7.org/fhir/resource-types"


def moment(text: str = NOW) -> int:
    return date_span(text, TOKYO)[0]


def actor(reference: str, role: str = "IRCP") -> dict[str, Any]:
    system = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
    return {"role": {"coding": [{"system": system, "code": role}]}, "reference": {"reference": reference}}


def purpose(*codes: str) -> list[dict[str, str]]:
    return [{"system": PURPOSE, "code": code} for code in codes]


def labels(*codes: str) -> list[dict[str, str]]:
    return [{"system": CONFIDENTIALITY if code in "ULMNRV" else SENSITIVITY, "code": code} for code in codes]


def data(meaning: str, *references: str) -> list[dict[str, Any]]:
    return [{"meaning": meaning, "reference": {"reference": each}} for each in references]


def rule(type: str | None = "permit", *exceptions: dict[str, Any], to: str | None = None, **elements: Any) -> dict[str, Any]:
    """A rule of Consent.provision; `to` names one recipient."""
    made: dict[str, Any] = {"type": type} if type is not None else {}
    if to is not None:
        made["actor"] = [actor(to)]
    return {**made, **elements, **({"provision": list(exceptions)} if exceptions else {})}


def consent(provision: dict[str, Any] | None, id: str = "c", **elements: Any) -> dict[str, Any]:
    """An active Consent of Patient/p, published a month ago, that A enforces."""
    made: dict[str, Any] = {
        "resourceType": "Consent",
        "id": id,
        "status": "active",
        "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": "Patient/p"},
        "dateTime": "2026-03-01",
        "organization": [{"reference": A}],
        "verification": [{"verified": True, "verificationDate": "2026-03-02T10:00:00+09:00"}],
        **({"provision": provision} if provision is not None else {}),
    }
    return {name: value for name, value in {**made, **elements}.items() if value is not None}


def form(*facilities: str, exceptions: tuple[dict[str, Any], ...] = (), id: str = "c", **elements: Any) -> dict[str, Any]:
    """The network's own form: these facilities share with each other."""
    named = [actor(each) for each in facilities]
    root = rule("permit", *exceptions, purpose=purpose("TREAT"), actor=named)
    return consent(root, id, policy=[{"uri": "urn:tsunagi:policy:listed"}], **elements)


def permitting(*exceptions: dict[str, Any], **conditions: Any) -> list[dict[str, Any]]:
    """A consent to what fits these conditions."""
    return [consent(rule("permit", *exceptions, **conditions))]


def denying(**conditions: Any) -> list[dict[str, Any]]:
    """A consent to everything but what fits these conditions."""
    return [consent(rule("permit", rule("deny", **conditions)))]


def read(*consents: dict[str, Any]) -> tuple[Directive, ...]:
    return tuple(directive(each, TOKYO) for each in consents)


def asks(*organizations: str, people: tuple[str, ...] = (), purpose: str = "TREAT", at: str = NOW) -> Question:
    return Question(organizations or (B,), frozenset(people), purpose, moment(at))


def observation(id: str = "o", security: tuple[dict[str, str], ...] | list[dict[str, str]] = (), **elements: Any) -> dict[str, Any]:
    """A result of Patient/p of 2026-02-01."""
    made = {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2345-7"}]},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-02-01T10:00:00+09:00",
        **({"meta": {"security": list(security)}} if security else {}),
        **elements,
    }
    return {name: value for name, value in made.items() if value is not None}


def judged(
    consents: tuple[dict[str, Any], ...] | list[dict[str, Any]],
    question: Question,
    resource: dict[str, Any] | None = None,
    custodian: str | None = A,
    reached: Mapping[str, frozenset[str]] | None = None,
    roles: Mapping[str, frozenset[str]] | None = None,
) -> Decision:
    """Decide in memory, and see that the compiled expression says the same of the resource's entries."""
    resource = resource or observation()
    directives = read(*consents)
    known = {"reached": reached, "roles": roles}
    found = facts(resource, custodian, parameters(), TOKYO)
    decision = decide(directives, question, found, vocabulary(), **known)
    compiled = permitted(directives, question, resource["resourceType"], parameters(), vocabulary(), **known)
    stored = in_custody(entries(resource, parameters(), TOKYO), custodian)
    assert holds(compiled, Subject(resource["resourceType"], resource["id"], stored)) == decision.permits
    return decision


def sees(*arguments: Any, **named: Any) -> bool:
    return judged(*arguments, **named).permits


def outcome(*arguments: Any, **named: Any) -> str:
    return judged(*arguments, **named).outcome
