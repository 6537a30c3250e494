"""Facilities and people as the login needs them: read from Organization, Practitioner, PractitionerRole and Patient.

What somebody may do follows from these resources (F003-F006): the secretariat changes them over REST or by command, and the
next token says what they say now.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fhir_server.auth.roles import FACILITY_ROLE_SYSTEM, OF_PEOPLE, ROLE_SYSTEM, FacilityRole, Role
from fhir_server.exchange import Resource, Version
from fhir_server.outcome import FhirError
from fhir_server.search.expression import And, Has, OfType
from fhir_server.search.query import Query
from fhir_server.store.repository import Repository
from profiles import json
from profiles.primitives import date_span

INSTITUTION: Final = "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no"
"""System of the 10-digit 医療機関コード, as the mappers write it."""

_KANA: Final = ("SYL", "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation")
_MOST: Final = 100
_FACILITY_ROLES: Final = frozenset(each.value for each in FacilityRole)
_PEOPLE: Final = frozenset(each.value for each in OF_PEOPLE) - {Role.PATIENT.value}


@dataclass(frozen=True, slots=True)
class Facility:
    """A member of the network: `organization` is "Organization/1", `code` its 10 digits where it has them."""

    organization: str
    code: str | None
    name: str
    roles: frozenset[str]
    active: bool


@dataclass(frozen=True, slots=True)
class Assignment:
    """As what somebody may log in: a role at a facility; a patient has a role and no facility."""

    role: Role
    organization: str | None = None
    facility: str | None = None
    facility_name: str = ""
    facility_roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Person:
    """Whom an account belongs to: names as written and in kana, and the birth date where it is known."""

    reference: str
    name: str
    kana: str
    birth_date: str | None
    active: bool

    @property
    def words(self) -> tuple[str, ...]:
        """What must not be in a password of hers (F057)."""
        return tuple(word for text in (self.name, self.kana) for word in text.split() if word)


class Directory:
    """Reads with a repository that sees everything: nothing of it is shown to anybody but the person herself and her session."""

    def __init__(self, repository: Repository, clock: Callable[[], datetime], zone: Any) -> None:
        self._repository = repository
        self._clock = clock
        self._zone = zone

    async def facility(self, organization: str) -> Facility | None:
        """Give the facility of a reference `Organization/1`, None where there is none."""
        found = await self._read(organization)
        return _facility(organization, found) if found is not None else None

    async def facility_of(self, code: str) -> Facility | None:
        """Give the facility of a 10-digit code; of several the one that takes part."""
        organizations = await self._find("Organization", "identifier", f"{INSTITUTION}|{code}")
        facilities = [_facility(version.reference, json.decode(version.body or b"{}")) for version in organizations]
        return next((each for each in facilities if each.active and each.roles), facilities[0] if facilities else None)

    async def person(self, fhir_user: str) -> Person | None:
        """Give the person of a reference `Practitioner/1` or `Patient/1`, None where there is none."""
        found = await self._read(fhir_user)
        if found is None:
            return None
        names = [name for name in found.get("name", ()) if isinstance(name, dict)]
        kana = next((name for name in names if _is_kana(name)), {})
        written = next((name for name in names if name is not kana), kana)
        return Person(fhir_user, _text(written), _text(kana), found.get("birthDate"), found.get("active") is not False)

    async def assignments(self, fhir_user: str) -> tuple[Assignment, ...]:
        """Give as what the person may act now: nothing for whoever is inactive, or whose facility has left (D11)."""
        person = await self.person(fhir_user)
        if person is None or not person.active:
            return ()
        if fhir_user.startswith("Patient/"):
            return (Assignment(Role.PATIENT),)
        found: list[Assignment] = []
        for version in await self._find("PractitionerRole", "practitioner", fhir_user):
            found += await self._of(json.decode(version.body or b"{}"))
        return tuple(dict.fromkeys(found))

    async def _of(self, role: Resource) -> list[Assignment]:
        if role.get("active") is False or not self._covers_now(role.get("period")):
            return []
        organization = (role.get("organization") or {}).get("reference", "")
        facility = await self.facility(organization) if organization.startswith("Organization/") else None
        if facility is None or not facility.active:
            return []
        return [
            Assignment(Role(code), facility.organization, facility.code, facility.name, facility.roles)
            for code in _codes(role.get("code", ()), ROLE_SYSTEM)
            if code in _PEOPLE
        ]

    def _covers_now(self, period: Mapping[str, Any] | None) -> bool:
        moment = self._clock().timestamp() * 1000
        start, end = (period or {}).get("start"), (period or {}).get("end")
        return (start is None or date_span(start, self._zone)[0] <= moment) and (end is None or moment <= date_span(end, self._zone)[1])

    async def _read(self, reference: str) -> Resource | None:
        type, _, id = reference.partition("/")
        try:
            body = (await self._repository.get(type, id)).body
        except FhirError as failure:
            if failure.status in (404, 410):
                return None
            raise
        return json.decode(body) if body is not None else None

    async def _find(self, type: str, parameter: str, value: str) -> tuple[Version, ...]:
        query = Query(type, And((OfType((type,)), Has(parameter, value))), count=_MOST)
        return (await self._repository.find(query)).versions


def _facility(organization: str, resource: Resource) -> Facility:
    code = next((each.get("value") for each in resource.get("identifier", ()) if each.get("system") == INSTITUTION), None)
    roles = frozenset(code for code in _codes(resource.get("type", ()), FACILITY_ROLE_SYSTEM) if code in _FACILITY_ROLES)
    return Facility(organization, code, str(resource.get("name", "")), roles, resource.get("active") is not False)


def _codes(concepts: Iterable[Mapping[str, Any]], system: str) -> list[str]:
    return [
        coding["code"]
        for concept in concepts
        for coding in concept.get("coding", ())
        if coding.get("system") == system and "code" in coding
    ]


def _is_kana(name: Mapping[str, Any]) -> bool:
    code, url = _KANA
    return any(each.get("url") == url and each.get("valueCode") == code for each in name.get("extension", ()))


def _text(name: Mapping[str, Any]) -> str:
    return str(name.get("text") or " ".join([name.get("family", ""), *name.get("given", ())]).strip())
