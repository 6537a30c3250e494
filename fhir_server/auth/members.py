"""The members of the network as FHIR resources: Organization, Practitioner, PractitionerRole.

Where a person works and as what is said by PractitionerRoles (NETWORK.md F002-F008, F085), what a facility is to the network
by the types of its Organization. A person's resources have ids that follow from the login ID, so that adding somebody twice
changes nothing.

https://jpfhir.jp/fhir/core/1.2.0/StructureDefinition-jp-organization.html
https://jpfhir.jp/fhir/core/1.2.0/StructureDefinition-jp-practitioner.html
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final
from uuid import UUID, uuid5

from fhir_server.auth.directory import INSTITUTION
from fhir_server.auth.roles import FACILITY_ROLE_SYSTEM, FACILITY_TYPE_SYSTEM, OF_PEOPLE, ROLE_SYSTEM, TITLES, FacilityRole, Role
from fhir_server.outcome import invalid
from fhir_server.store import custody

LOGIN_SYSTEM: Final = "urn:tsunagi:login"
"""System of login IDs: a Practitioner who has one has an account, and is the secretariat's to change (fhir_server.access)."""
NETWORK: Final = custody.NETWORK
"""The network itself: where its secretariat and its auditors work."""

_NAMESPACE: Final = UUID("2f0c6f6e-0c1b-5d0e-9a52-6a9d3a3b7c11")
_PROFILE: Final = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_"
_EXTENSION: Final = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Organization_"
_PREFECTURE: Final = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/PrefectureNo-2digits"
_FEE_TABLE: Final = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationFeeScoreType"
_NUMBER: Final = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/MedicalOrganizationID"
_REPRESENTATION: Final = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
_SPACES: Final = re.compile(r"[ \u3000]+")
_KANA: Final = re.compile(r"[ァ-ヶー・ 　]+")

Resource = dict[str, Any]


class FacilityType(StrEnum):
    """What kind of institution a facility is."""

    HOSPITAL = "hospital"
    CLINIC = "clinic"
    PHARMACY = "pharmacy"


@dataclass(frozen=True, slots=True)
class Post:
    """As what a person works, and where: `organization` is "Organization/1"."""

    role: Role
    organization: str


def organization(id: str, code: str, *, name: str, kana: str | None, type: FacilityType, roles: Iterable[FacilityRole]) -> Resource:
    """Build the Organization of a facility. Its kana name is an alias: Organization has one name only."""
    resource: Resource = {
        "resourceType": "Organization",
        "id": id,
        "meta": {"profile": [f"{_PROFILE}Organization"]},
        "extension": [
            {"url": f"{_EXTENSION}PrefectureNo", "valueCoding": {"system": _PREFECTURE, "code": code[:2]}},
            {"url": f"{_EXTENSION}InsuranceOrganizationCategory", "valueCoding": {"system": _FEE_TABLE, "code": code[2]}},
            {"url": f"{_EXTENSION}InsuranceOrganizationNo", "valueIdentifier": {"system": _NUMBER, "value": code[3:]}},
        ],
        "identifier": [{"system": INSTITUTION, "value": code}],
        "active": True,
        "type": [
            {"coding": [{"system": FACILITY_TYPE_SYSTEM, "code": type.value}]},
            *({"coding": [{"system": FACILITY_ROLE_SYSTEM, "code": role.value}]} for role in sorted(set(roles))),
        ],
        "name": name,
    }
    if kana:
        resource["alias"] = [kana]
    return resource


def network() -> Resource:
    """Build the Organization of the network itself; its secretariat may give it another name."""
    return {
        "resourceType": "Organization",
        "id": NETWORK.partition("/")[2],
        "active": True,
        "type": [{"coding": [{"system": FACILITY_TYPE_SYSTEM, "code": "network"}]}],
        "name": "地域医療ネットワーク事務局",
    }


def practitioner(login: str, name: str, kana: str | None, birth: date | None) -> Resource:
    """Build the Practitioner of a person; `name` is family and given name with a space between."""
    resource: Resource = {
        "resourceType": "Practitioner",
        "id": person_id(login),
        "meta": {"profile": [f"{_PROFILE}Practitioner"]},
        "identifier": [{"system": LOGIN_SYSTEM, "value": login}],
        "active": True,
        "name": [_human_name(name, "IDE", "name")],
    }
    if kana:
        if not _KANA.fullmatch(kana):
            raise invalid("kana: a name in katakana, family and given name with a space between", "kana", code="value")
        resource["name"].append(_human_name(kana, "SYL", "kana"))
    if birth is not None:
        resource["birthDate"] = birth.isoformat()
    return resource


def is_marked(practitioner: Resource) -> bool:
    """Tell whether a Practitioner says that she has an account."""
    return any(each.get("system") == LOGIN_SYSTEM for each in practitioner.get("identifier", ()))


def marked(practitioner: Resource, login: str) -> Resource:
    """Give a Practitioner who says that she has an account."""
    return {**practitioner, "identifier": [*practitioner.get("identifier", ()), {"system": LOGIN_SYSTEM, "value": login}]}


def practitioner_role(login: str, fhir_user: str, post: Post, since: date) -> Resource:
    """Build the PractitionerRole that says as what a person works, and where."""
    if post.role not in OF_PEOPLE or post.role is Role.PATIENT:
        raise invalid(f"role: a person is one of {', '.join(role for role in OF_PEOPLE if role is not Role.PATIENT)}", "role", code="value")
    return {
        "resourceType": "PractitionerRole",
        "id": post_id(login, post),
        "meta": {"profile": [f"{_PROFILE}PractitionerRole"]},
        "active": True,
        "period": {"start": since.isoformat()},
        "practitioner": {"reference": fhir_user},
        "organization": {"reference": post.organization},
        "code": [{"coding": [{"system": ROLE_SYSTEM, "code": post.role.value, "display": TITLES[post.role][0]}]}],
    }


def person_id(login: str) -> str:
    """Give the id of the Practitioner with this login ID."""
    return str(uuid5(_NAMESPACE, f"Practitioner|{login}"))


def post_id(login: str, post: Post) -> str:
    """Give the id of the PractitionerRole of a person's work in one role at one facility."""
    return str(uuid5(_NAMESPACE, f"PractitionerRole|{login}|{post.organization}|{post.role}"))


def post_of(resource: Resource) -> Post | None:
    """Read a PractitionerRole; None where it is not in force or gives no role of the network."""
    codings = [coding for concept in resource.get("code", ()) for coding in concept.get("coding", ())]
    code = next((coding.get("code") for coding in codings if coding.get("system") == ROLE_SYSTEM), None)
    organization = resource.get("organization", {}).get("reference")
    if resource.get("active") is False or code not in {role.value for role in OF_PEOPLE} or organization is None:
        return None
    return Post(Role(code), organization)


def facility_code(resource: Resource) -> str | None:
    """Give the 医療機関コード of an Organization."""
    return next((each.get("value") for each in resource.get("identifier", ()) if each.get("system") == INSTITUTION), None)


def types_of(resource: Resource, system: str) -> list[str]:
    """Give the codes of one system among an Organization's types."""
    codings = [coding for concept in resource.get("type", ()) for coding in concept.get("coding", ())]
    return [str(coding.get("code")) for coding in codings if coding.get("system") == system]


def _human_name(text: str, representation: str, field: str) -> Resource:
    parts = [part for part in _SPACES.split(text.strip()) if part]
    if not parts or len(text) > 200 or not text.replace("\u3000", " ").isprintable():
        raise invalid(
            f'{field}: a name of 1 to 200 characters, family and given name with a space between: "高松 花子"', field, code="value"
        )
    name: Resource = {
        "extension": [{"url": _REPRESENTATION, "valueCode": representation}],
        "use": "usual",
        "text": " ".join(parts),
        "family": parts[0],
    }
    if parts[1:]:
        name["given"] = parts[1:]
    return name
