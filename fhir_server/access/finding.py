"""What has to be found out for a request beside who asks, before it can be said what he may read.

Nearly always nothing: only where a consent names groups, authors or encounters, in an emergency, or for a patient.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from fhir_server.access.policies import Asked
from fhir_server.access.visibility import Facts
from fhir_server.auth.requester import Requester
from fhir_server.auth.roles import Role
from fhir_server.consent.emergencies import PURPOSES, Emergencies
from fhir_server.consent.question import Known
from fhir_server.consent.register import Snapshot
from fhir_server.exchange import Resource, Version
from fhir_server.outcome import FhirError, Issue
from fhir_server.search.codings import mentions
from fhir_server.search.expression import EVERYTHING, And, Has, OfType
from fhir_server.search.parameters import Parameters
from fhir_server.search.query import Query
from fhir_server.store.belonging import Belonging
from fhir_server.store.golden import PREFIX
from fhir_server.store.repository import Repository
from profiles import json
from profiles.primitives import date_span

_MOST = 1000
_STEPS = 3
_OF_MEMBERS = {"Group": "member", "CareTeam": "participant"}


class Finding:
    """Finds out the facts of a request."""

    def __init__(self, everything: Repository, parameters: Parameters, emergencies: Emergencies, clock: Callable[[], datetime]) -> None:
        self._everything = everything
        self._parameters = parameters
        self._emergencies = emergencies
        self._clock = clock

    async def facts(self, requester: Requester, snapshot: Snapshot, asked: Asked) -> Facts:
        """Give the facts for the requester at this moment."""
        if requester.role is Role.PATIENT:
            own = await self._persons((requester.fhir_user,))
            return Facts(own=own, chosen=own if requester.patient in own else await self._persons((requester.patient,)))
        golden = (requester.patient or "").startswith(PREFIX)
        chosen = await self._persons((requester.patient,)) if golden else (requester.patient,) if requester.patient else ()
        if requester.organization is None:
            return Facts(chosen=chosen)
        people = await self._people(requester, asked.actors, snapshot.moment)
        finds = asked.chains or asked.authors
        known = Known(await self._reached(asked.chains), await self._roles(asked.authors)) if finds else Known()
        if requester.purpose not in PURPOSES:
            return Facts(people, known, chosen=chosen)
        opening = await self._emergencies.open_for(requester, requester.purpose, self._clock())
        opened = await self._persons(opening.patients) if opening is not None and opening.patients is not None else ()
        return Facts(people, known, opening, opened, chosen=chosen)

    async def _persons(self, patients: Sequence[str | None]) -> tuple[str, ...]:
        """Every Patient of the same persons."""
        found: dict[str, None] = {}
        for patient in patients:
            if patient is not None and patient.startswith("Patient/"):
                shared = await self._everything.sharing.of(patient)
                found |= dict.fromkeys([patient, *(shared.members if shared is not None and not shared.locks else ())])
                found |= dict.fromkeys(await self._everything.members(patient))
        return tuple(found)

    async def _people(self, requester: Requester, actors: frozenset[str], moment: int) -> frozenset[str]:
        """Who he is, and to which groups and teams that consents name he belongs at this moment (C19)."""
        own = {requester.fhir_user} if requester.fhir_user is not None else set()
        named = sorted(each for each in actors if each.partition("/")[0] in {*_OF_MEMBERS, "PractitionerRole"})
        whose = own | ({requester.organization} if requester.organization is not None else set())
        for version in await self._everything.get_several(named) if named else ():
            if _belongs(json.decode(version.body or b"{}"), whose, moment):
                own.add(version.reference)
        return frozenset(each for each in own if each is not None)

    async def _roles(self, named: frozenset[str]) -> dict[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for practitioner in sorted(each for each in named if each.startswith("Practitioner/")):
            asked = And((OfType(("PractitionerRole",)), Has("practitioner", practitioner)))
            page = await self._everything.find(Query("PractitionerRole", asked, count=_MOST))
            found[practitioner] = frozenset(version.reference for version in page.versions)
        return found

    async def _reached(self, named: frozenset[str]) -> dict[str, frozenset[str]]:
        return {instance: await self._joined(instance) for instance in sorted(named)}

    async def _joined(self, instance: str) -> frozenset[str]:
        """What a chain of references joins with an instance: what refers to it, and what that refers to in turn (C13)."""
        asked = Belonging(instance, (), self._referring(instance.partition("/")[0]))
        page = await self._everything.belongings(asked, EVERYTHING, _MOST)
        if page.after is not None:
            raise FhirError(Issue("too-costly", "A consent names something that more resources refer to than can be followed"))
        found = {version.reference for version in page.versions}
        waiting = list(page.versions)
        for _ in range(_STEPS):
            onward = sorted({each for version in waiting for each in self._clinical(version)} - found)[:_MOST]
            waiting = await self._everything.get_several(onward) if onward else []
            found |= {version.reference for version in waiting}
        return frozenset(found)

    def _clinical(self, version: Version) -> list[str]:
        """What a resource refers to that is of the same patient's record, not who she is nor who treats her."""
        body: Resource = json.decode(version.body or b"{}")
        held = self._parameters.compartment("Patient")
        named = mentions(body, self._parameters.base).references
        return [each for each in named if (type := each.partition("/")[0]) in held and type not in ("Patient", "RelatedPerson", "Group")]

    def _referring(self, type: str) -> dict[str, tuple[str, ...]]:
        """The parameters by which resources of a patient's record may refer to one of this type."""
        found: dict[str, list[str]] = {}
        for other in self._parameters.compartment("Patient"):
            for code, parameter in self._parameters.of(other).items():
                if parameter.type == "reference" and type in parameter.targets and not parameter.stands_for:
                    found.setdefault(code, []).append(other)
        return {code: tuple(types) for code, types in found.items()}


def _belongs(resource: Resource, whose: Collection[str], moment: int) -> bool:
    if resource.get("active") is False or resource.get("status") in ("inactive", "suspended", "entered-in-error"):
        return False
    if resource["resourceType"] == "PractitionerRole":
        return (resource.get("practitioner") or {}).get("reference") in whose and _covers(resource.get("period"), moment)
    members = resource.get(_OF_MEMBERS[resource["resourceType"]], ())
    return any(
        (each.get("entity") or each.get("member") or {}).get("reference") in whose
        and each.get("inactive") is not True
        and _covers(each.get("period"), moment)
        for each in members
    )


def _covers(period: Mapping[str, str] | None, moment: int) -> bool:
    start, end = (period or {}).get("start"), (period or {}).get("end")
    return (start is None or date_span(start)[0] <= moment) and (end is None or moment <= date_span(end)[1])
