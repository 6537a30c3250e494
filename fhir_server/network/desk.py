"""What the operations of the network are given: who asks for what, and the network's own hands.

The network acts with a repository that sees everything: each operation first checks, from the requester alone, that he may ask for it
(`Asked.require`), and answers nothing that he may not know.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from fhir_server.audit.event import Event
from fhir_server.audit.log import Log
from fhir_server.auth.requester import Requester
from fhir_server.auth.roles import TITLES, Role
from fhir_server.exchange import FhirRequest, FhirResponse, Resource, Version
from fhir_server.interactions.serving import Serving
from fhir_server.interactions.writing import new_id, prepare, with_id
from fhir_server.network.terms import Terms
from fhir_server.operations.arguments import Arguments
from fhir_server.outcome import FhirError, Issue
from fhir_server.search.expression import And, Expression, OfType
from fhir_server.search.query import Query
from fhir_server.store.records import Shelf
from fhir_server.store.repository import Put, Repository
from profiles import json


@dataclass(frozen=True, slots=True)
class Desk:
    """The network's own hands: `everything` sees all; what it creates is in custody of the network.

    `record` makes an audit event durable before it returns, and raises FhirError (503) where that cannot be done; `log` is what reports are
    made of.
    """

    everything: Repository
    serving: Serving
    shelf: Shelf
    record: Callable[[Event], Awaitable[None]]
    terms: Terms = field(default_factory=Terms)
    log: Log | None = None

    def now(self) -> datetime:
        """Tell the time."""
        return self.everything.clock()

    async def read(self, reference: str) -> Resource | None:
        """Give the current content of `Type/id`, None where there is none."""
        found = await self.everything.get_several([reference])
        return json.decode(found[0].body) if found and found[0].body is not None else None

    async def find(self, type: str, expression: Expression, count: int = 1000) -> list[Resource]:
        """Give the newest resources of the type for which the expression holds."""
        page = await self.everything.find(Query(type, And((OfType((type,)), expression)), count=count))
        return [json.decode(version.body) for version in page.versions if version.body is not None]

    async def store(self, *resources: Resource, versions: dict[str, int] | None = None) -> list[Version]:
        """Create or replace these resources together, all or none; one without an id gets one.

        `versions` are for references the version that has to be current (0: none yet). Raises Changed where it is not.
        """
        expected = versions or {}
        writes = []
        for resource in resources:
            prepared = prepare(resource if "id" in resource else with_id(resource, new_id()), self.serving)
            writes.append(Put(prepared, expected=expected.get(prepared.key)))
        return await self.everything.commit(writes)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for an operation of the network: `seen` is what the requester may see himself."""

    request: FhirRequest
    arguments: Arguments
    requester: Requester
    seen: Repository
    desk: Desk

    def require(self, *roles: Role) -> None:
        """Raise FhirError (403) unless the requester has one of these roles; it follows from the token alone."""
        if self.requester.role not in roles:
            names = ", ".join(f"{TITLES[role][0]} ({role})" for role in roles)
            raise FhirError(Issue("forbidden", f"Only {names} may ask for ${self.request.operation}", ("http.path",)))


Performer: TypeAlias = Callable[[Asked], Awaitable[FhirResponse]]


def parameters(*values: tuple[str, str, object] | tuple[str, Sequence[Resource]]) -> FhirResponse:
    """Answer a Parameters resource: (name, "valueString", value) or (name, parts)."""
    made = []
    for each in values:
        if len(each) == 3:
            made.append({"name": each[0], each[1]: each[2]})
        else:
            made.append({"name": each[0], "part": list(each[1])})
    return FhirResponse(200, json.encode({"resourceType": "Parameters", "parameter": made}))
