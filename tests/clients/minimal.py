"""The least that each resource type may hold, made from its StructureDefinition: what a server must take of any type."""

from functools import cache

from profiles.definitions import r4
from profiles.validator import Validator
from terminology.service import Terminology

VALUES = {
    "boolean": True, "integer": 1, "positiveInt": 1, "unsignedInt": 1, "decimal": 1, "base64Binary": "YQ==",
    "date": "2026-04-01", "dateTime": "2026-04-01", "instant": "2026-04-01T09:00:00+09:00", "time": "09:00:00",
    "uri": "http://tsunagi.example/a", "url": "http://tsunagi.example/a", "canonical": "http://tsunagi.example/a",
    "oid": "urn:oid:1.2.3", "uuid": "urn:uuid:5d3a4a9c-6a0a-4b8e-9d3f-1f3f0d6f7a01",
}  # fmt: skip

# What invariants ask for beyond the cardinalities.
SOMEBODY = {"reference": "Patient/a"}
MORE = {
    "AllergyIntolerance": {
        "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]}
    },
    "Appointment": {"status": "proposed", "participant": [{"status": "accepted", "actor": SOMEBODY}]},
    "AppointmentResponse": {"actor": SOMEBODY},
    "Bundle": {"type": "collection"},
    "CapabilityStatement": {"kind": "requirements", "description": "a", "rest": [{"mode": "server"}]},
    "ConceptMap": {"name": "A"},
    "Consent": {"policyRule": {"text": "a"}},
    "EventDefinition": {"trigger": [{"type": "named-event", "name": "a"}]},
    "ImmunizationRecommendation": {"recommendation": [{"forecastStatus": {"text": "a"}, "vaccineCode": [{"text": "a"}]}]},
    "InsurancePlan": {"name": "a"},
    "Linkage": {"item": [{"type": type, "resource": SOMEBODY} for type in ("source", "alternate")]},
    "Organization": {"name": "a"},
    "StructureDefinition": {"kind": "resource", "type": "Patient", "differential": {"element": [{"id": "Patient", "path": "Patient"}]}},
    "TerminologyCapabilities": {"kind": "requirements", "description": "a"},
}


@cache
def _terminology():
    return Terminology()


@cache
def validator():
    return Validator(r4(), _terminology())


def resource(type):
    """Give a valid resource of this type."""
    return {"resourceType": type, **_object(type), **MORE.get(type, {})}


def _object(key):
    shape = r4().shapes[key]
    names = [names[0] for names in shape.required.values()]
    made = {name: _value(shape.properties[name]) for name in names}
    if not made and key not in r4().shapes.resource_types:
        made = {
            name: _value(shape.properties[name])
            for name in ("display", "text", "value", "url", "code", "start", "family")
            if name in shape.properties
        }
        made = dict(list(made.items())[:1])
    return made


def _value(property):
    if property.type == "code" and property.binding:
        value = min(code for _, code in _terminology().members(property.binding).known or {("", "text/plain")})
    elif property.primitive:
        value = VALUES.get(property.type, "a")
    elif property.type == "Reference":
        value = {"reference": f"{min(property.targets)}/a" if property.targets else "Patient/a"}
    elif property.type == "Resource":
        value = {"resourceType": "Basic", "code": {"text": "a"}}
    elif property.type == "CodeableConcept" and property.binding:
        system, code = min(_terminology().members(property.binding).known)
        value = {"coding": [{"system": system, "code": code}]}
    else:
        value = _object(property.key)
    return [value] if property.many else value
