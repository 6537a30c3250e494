"""Facilities of the network: they join, leave and return (NETWORK.md F002-F005, D11).

A facility is an Organization with its 医療機関コード. One that leaves stays: what it has sent keeps its sender. But nobody asks in
its name any more, from the same moment.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from fhir_server.auth.clients import Client
from fhir_server.auth.directory import INSTITUTION
from fhir_server.auth.members import FacilityType, facility_code, organization, types_of
from fhir_server.auth.registrations import checked_facility, checked_name
from fhir_server.auth.roles import FACILITY_ROLE_SYSTEM, FACILITY_TYPE_SYSTEM, FacilityRole
from fhir_server.authorization.administration.endings import Endings
from fhir_server.authorization.administration.resources import Resource, Resources
from fhir_server.outcome import conflict, invalid
from fhir_server.store.records import Records


@dataclass(frozen=True, slots=True)
class Facility:
    """A facility as it is stored; `organization` is "Organization/1"."""

    code: str
    organization: str
    name: str
    type: str
    roles: tuple[str, ...]
    active: bool


class Facilities:
    """Adds facilities, finds them, lets them leave and return."""

    def __init__(self, resources: Resources, clients: Records[Client], endings: Endings, organization_id: Callable[[str], str]) -> None:
        self._resources = resources
        self._clients = clients
        self._endings = endings
        self._organization_id = organization_id

    async def add(self, code: str, *, name: str, kana: str | None, type: FacilityType, roles: Iterable[FacilityRole]) -> Facility:
        """Make a facility known, or complete the Organization that an import has made of its code alone."""
        checked_facility(code)
        checked_name(name)
        found = await self._organization(code)
        id = found["id"] if found is not None else self._organization_id(code)
        resource = organization(id, code, name=name, kana=kana, type=type, roles=roles)
        if found is not None:
            if types_of(found, FACILITY_TYPE_SYSTEM) or not found.get("active", True):
                raise conflict(f"Facility {code} is known already", "Organization")
            resource["meta"] = {**resource["meta"], "versionId": found["meta"]["versionId"]}
        await self._resources.put(resource)
        return _facility(resource)

    async def all(self) -> list[Facility]:
        """Give all facilities in the order of their codes."""
        found = await self._resources.search("Organization", ("identifier", f"{INSTITUTION}|"))
        return sorted(map(_facility, found), key=lambda facility: facility.code)

    async def find(self, code: str) -> Facility:
        """Give a facility; raises FhirError where its code is unknown."""
        return _facility(await self._known(code))

    async def active(self, code: str) -> Facility:
        """Give a facility that is in the network now; raises FhirError where it is unknown or has left."""
        facility = await self.find(code)
        if not facility.active:
            raise conflict(f"Facility {code} has left the network", "facility")
        return facility

    async def leave(self, code: str) -> list[str]:
        """Let a facility leave: no login, no token, no client of it is good any more. Gives the ids of the clients switched off."""
        found = await self._known(code)
        if found.get("active", True):
            await self._resources.put({**found, "active": False})
        found_clients = await self._clients.find(facility=code)
        disabled = [each.id for each in found_clients if await self._clients.change(each.id, _switched_off) is not None]
        await self._endings.facility(_facility(found).organization)
        return disabled

    async def rejoin(self, code: str) -> list[str]:
        """Let a facility return. Its clients stay off until each is enabled; gives their ids."""
        found = await self._known(code)
        if not found.get("active", True):
            await self._resources.put({**found, "active": True})
        return [client.id for client in await self._clients.find(facility=code) if not client.active]

    async def _known(self, code: str) -> Resource:
        found = await self._organization(checked_facility(code))
        if found is None:
            raise invalid(f"Facility {code} is not known: `tsunagi facility add {code}` adds it", "facility", code="not-found", status=404)
        return found

    async def _organization(self, code: str) -> Resource | None:
        """Give the Organization of a code: the member's, whatever others bear it, for anybody's system may have written those."""
        found = await self._resources.search("Organization", ("identifier", f"{INSTITUTION}|{code}"))
        found = [each for each in found if types_of(each, FACILITY_ROLE_SYSTEM)] or found
        if len(found) > 1:
            raise conflict(f"{len(found)} Organizations have the code {code}: delete all but one", "Organization.identifier")
        return found[0] if found else None


def _facility(resource: Resource) -> Facility:
    return Facility(
        code=facility_code(resource) or "",
        organization=f"Organization/{resource['id']}",
        name=resource.get("name", ""),
        type=next(iter(types_of(resource, FACILITY_TYPE_SYSTEM)), ""),
        roles=tuple(types_of(resource, FACILITY_ROLE_SYSTEM)),
        active=resource.get("active", True),
    )


def _switched_off(client: Client) -> Client | None:
    return replace(client, active=False) if client.active else None
