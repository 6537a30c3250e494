"""Whom a write concerns: the persons whose consents, and the facilities whose membership, it changes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fhir_server.auth.members import NETWORK
from fhir_server.auth.roles import FACILITY_ROLE_SYSTEM
from fhir_server.exchange import Resource
from fhir_server.search.expression import And, Expression, HasPrefix, OfType, Or, Present
from fhir_server.search.query import Query
from fhir_server.store.custody import subjects
from fhir_server.store.golden import PREFIX
from fhir_server.store.permit import Permit
from fhir_server.store.repository import Repository
from fhir_server.store.writing import Delete, Write
from profiles import json

_WATCHED: Final = frozenset({"Consent", "Patient", "Organization", "OrganizationAffiliation"})
_MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class Concerned:
    """The persons ("Patient/1") and facilities ("Organization/1") that a write concerns."""

    persons: tuple[str, ...] = ()
    facilities: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.persons or self.facilities)


class Finder:
    """Finds whom a write concerns, from what is stored and what is to be."""

    def __init__(self, everything: Repository) -> None:
        self._everything = everything
        self._sharing = everything.sharing

    async def concerned(self, permit: Permit, writes: Sequence[Write]) -> Concerned:
        """Give whom the writes concern; nobody for nearly all."""
        watched = [write for write in writes if write.key.partition("/")[0] in _WATCHED]
        if not watched:
            return Concerned()
        persons: dict[str, None] = {}
        facilities: dict[str, None] = {}
        for write in watched:
            match write.key.partition("/")[0]:
                case "Consent":
                    persons |= dict.fromkeys(await self._of_consent(write))
                case "Patient":
                    persons |= dict.fromkeys(await self._of_patient(permit, write))
                case "Organization":
                    facilities |= dict.fromkeys(await self._of_organization(write))
                case _:
                    facilities |= dict.fromkeys(await self._of_affiliation(write))
        return Concerned(tuple(persons), tuple(facilities))

    async def facilities(self) -> tuple[str, ...]:
        """Give every Organization that is a facility of the network, or part of another one."""
        asked: Expression = Or((HasPrefix("type", f"{FACILITY_ROLE_SYSTEM}|"), Present("partof")))
        page = await self._everything.find(Query("Organization", And((OfType(("Organization",)), asked)), count=_MOST))
        return tuple(version.reference for version in page.versions)

    async def _of_consent(self, write: Write) -> list[str]:
        patients = [
            *(await self._stored_patients(write.key)),
            *([] if isinstance(write, Delete) else subjects(write.prepared.entries, write.key)),
        ]
        return [person for patient in dict.fromkeys(patients) for person in await self._persons(patient)]

    async def _persons(self, patient: str) -> list[str]:
        """The golden one that a patient is linked to, and the patient herself."""
        shared = await self._sharing.of(patient)
        golden = _golden(await self._stored(patient)) if not patient.startswith(PREFIX) else []
        return list(dict.fromkeys([*([shared.id] if shared is not None else []), *golden, patient]))

    async def _of_patient(self, permit: Permit, write: Write) -> list[str]:
        """A Patient matters where its links change: most writes of one change none."""
        shared = await self._sharing.of(write.key)
        if isinstance(write, Delete):
            return [shared.id, write.key] if shared is not None else []
        resource = write.prepared.resource
        keeps = "link" not in resource and "link" in permit.fixed.get("Patient", ())
        if keeps or (shared is None and "link" not in resource):
            return []
        after = _golden(resource)
        if shared is not None and after == [shared.id] and not write.key.startswith(PREFIX):
            return []
        return list(dict.fromkeys([*after, *([shared.id] if shared is not None else []), write.key]))

    async def _of_organization(self, write: Write) -> list[str]:
        known = {each.id for each in await self._sharing.facilities()}
        if write.key in known or (not isinstance(write, Delete) and _is_facility(write.prepared.resource)):
            return [write.key]
        return []

    async def _of_affiliation(self, write: Write) -> list[str]:
        bodies = [await self._stored(write.key), {} if isinstance(write, Delete) else write.prepared.resource]
        return [reference for body in bodies if (reference := _reference(body, "participatingOrganization"))]

    async def _stored_patients(self, key: str) -> Sequence[str]:
        found = await self._everything.get_several([key])
        return found[0].patients if found else ()

    async def _stored(self, key: str) -> Resource:
        found = await self._everything.get_several([key])
        return json.decode(found[0].body) if found and found[0].body is not None else {}


def is_of_network(affiliation: Resource) -> bool:
    """Tell whether an OrganizationAffiliation is a membership in the network."""
    return _reference(affiliation, "organization") == NETWORK and affiliation.get("active") is not False


def _is_facility(organization: Resource) -> bool:
    codings = [coding for concept in organization.get("type", ()) for coding in concept.get("coding", ())]
    return "partOf" in organization or any(coding.get("system") == FACILITY_ROLE_SYSTEM for coding in codings)


def _golden(patient: Resource) -> list[str]:
    links: Iterable[Any] = patient.get("link", ())
    others = [(link.get("other") or {}).get("reference", "") for link in links if isinstance(link, dict)]
    return [other for other in others if other.startswith(PREFIX)]


def _reference(resource: Resource, element: str) -> str | None:
    value = (resource.get(element) or {}).get("reference")
    return value if isinstance(value, str) else None
