"""A network with two core hospitals and a clinic on the real database, and hands to ask for its operations as anybody."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from fhir_server.audit.event import Event
from fhir_server.auth.requester import Requester
from fhir_server.auth.roles import Role
from fhir_server.consent import emergencies
from fhir_server.consent.emergencies import Emergencies, Opening
from fhir_server.exchange import FhirRequest, Resource
from fhir_server.interactions.serving import Serving
from fhir_server.interactions.statement import requirements, served
from fhir_server.interactions.writing import prepare
from fhir_server.network.desk import Asked, Desk, Performer
from fhir_server.network.emergency import access, disaster, reviews
from fhir_server.network.notices import MAILS
from fhir_server.operations.arguments import arguments
from fhir_server.operations.definition import operation
from fhir_server.outcome import FhirError, Issue
from fhir_server.search.expression import Has
from fhir_server.search.limits import Limits
from fhir_server.search.paging import Tokens
from fhir_server.search.parameters import Parameters
from fhir_server.store.mongo import Mongo
from fhir_server.store.permit import Permit
from fhir_server.store.records import Shelf
from fhir_server.store.repository import Put, Repository
from profiles import json
from profiles.definitions import r4
from profiles.validator import Validator
from terminology.service import r4 as r4_terminology

START = datetime(2026, 4, 1, 9, 0, tzinfo=ZoneInfo("Asia/Tokyo"))
PERFORMERS: dict[str, Performer] = {
    "emergency-access": access.emergency_access,
    "end-emergency-access": access.end_emergency_access,
    "Task-sign-off": reviews.sign_off,
    "propose-disaster": disaster.propose_disaster,
    "approve-disaster": disaster.approve_disaster,
    "close-disaster": disaster.close_disaster,
}


def person(name: str, role: Role, organization: str, *facility_roles: str) -> Requester:
    return Requester(
        name,
        client="app",
        role=role,
        scope="user/*.cruds",
        organization=f"Organization/{organization}",
        facility_roles=frozenset(facility_roles),
        fhir_user=f"Practitioner/{name}",
    )


DOCTOR = person("b1", Role.PHYSICIAN, "b", "core", "providing", "sharing")
COLLEAGUE = person("b2", Role.PHYSICIAN, "b", "core", "providing", "sharing")
CLINICIAN = person("a1", Role.PHYSICIAN, "a", "providing", "sharing")
S1, S2, S3 = (person(each, Role.SECRETARIAT, "network") for each in ("s1", "s2", "s3"))
WHY = {"purpose": "BTG", "reasonCode": "life-and-body", "reason": "意識がなく、同意を得られない"}


@dataclass
class World:
    """`audit` is what was recorded; with `deaf` nothing can be."""

    desk: Desk
    now: list[datetime]
    audit: list[Event] = field(default_factory=list)
    deaf: bool = False

    def shift(self, **time: float) -> None:
        self.now[0] += timedelta(**time)

    async def record(self, event: Event) -> None:
        if self.deaf:
            raise FhirError(Issue("transient", "The audit log is away"))
        self.audit.append(event)

    async def store(self, facility: str, *resources: Resource) -> None:
        """Store resources as a facility does, in its custody."""
        repository = replace(self.desk.everything, permit=Permit.everything(f"Organization/{facility}"))
        await repository.commit([Put(prepare(each, self.desk.serving)) for each in resources])

    async def ask(self, name: str, who: Requester, id: str | None = None, performers: Any = None, **given: Any) -> dict[str, Any]:
        """Ask for an operation; gives what is answered, lists for what repeats."""
        definition = next(each for each in r4().networks if each["id"] == name)
        known = operation(definition)
        sent = {"resourceType": "Parameters", "parameter": [part for each in given.items() for part in _parts(known.parameters, *each)]}
        type = next(iter(known.types or ()), None)
        request = FhirRequest("operation", type, id, body=sent, operation=known.code)
        asked = Asked(request, arguments(request, known), who, self.desk.everything, self.desk)
        response = await (performers or PERFORMERS)[name](asked)
        answer: dict[str, Any] = {}
        for part in json.decode(response.body or b"{}").get("parameter", ()):
            value = next(value for key, value in part.items() if key != "name")
            answer.setdefault(part["name"], []).append(value["reference"] if isinstance(value, dict) and "reference" in value else value)
        return {name: values[0] if len(values) == 1 else values for name, values in answer.items()}

    async def open_for(self, who: Requester, purpose: str = "BTG") -> Opening | None:
        return await Emergencies(self.desk.shelf, self.desk.everything).open_for(who, purpose, self.desk.now())

    async def read(self, reference: str) -> Resource:
        found = await self.desk.read(reference)
        assert found is not None, reference
        return found

    async def told(self, recipient: str) -> list[Resource]:
        return await self.desk.find("Communication", Has("recipient", recipient))


def _parts(parameters: Any, name: str, value: Any) -> list[Resource]:
    kind = parameters[name].type
    made = []
    for each in value if isinstance(value, list) else [value]:
        shown = {"reference": each} if kind == "Reference" else each
        made.append({"name": name, f"value{kind[0].upper()}{kind[1:]}": shown})
    return made


def facility(id: str, *roles: str, city: str = "高松市", **elements: Any) -> Resource:
    types = [{"coding": [{"system": "urn:tsunagi:facility-role", "code": role}]} for role in roles]
    address = [{"state": "香川県", "city": city}]
    return {"resourceType": "Organization", "id": id, "active": True, "type": types, "name": f"施設{id}", "address": address, **elements}


def group(id: str, organization: str, *members: str, **elements: Any) -> Resource:
    return {
        "resourceType": "Group",
        "id": id,
        "active": True,
        "type": "practitioner",
        "actual": True,
        "code": {"coding": [{"system": "urn:tsunagi:group", "code": "emergency"}]},
        "managingEntity": {"reference": f"Organization/{organization}"},
        "member": [{"entity": {"reference": f"Practitioner/{each}"}} for each in members],
        **elements,
    }


@asynccontextmanager
async def opened(uri: str, database: str) -> AsyncIterator[World]:
    """The network: A a clinic in 高松市, B and D core hospitals, C a pharmacy in 琴平町."""
    mongo = await Mongo.connect(uri, database)
    try:
        now = [START]
        everything = Repository(mongo, Permit.everything("Organization/network"), clock=lambda: now[0])
        shelf = Shelf(mongo.database, clock=lambda: now[0])
        await shelf.ensure((*emergencies.KINDS, MAILS))
        world = World(Desk(everything, serving(), shelf, _nothing), now)
        world.desk = replace(world.desk, record=world.record)
        practitioner = {"resourceType": "Practitioner", "id": "b1", "name": [{"text": "坂出 一郎"}]}
        kotohira = [{"state": "香川県", "district": "仲多度郡", "city": "琴平町"}]
        await world.store(
            "network",
            {"resourceType": "Organization", "id": "network", "active": True, "name": "事務局"},
            facility("a", "providing", "sharing"),
            facility("b", "core", "providing", "sharing", telecom=[{"system": "email", "value": "b@hospital.example"}]),
            facility("c", "providing", address=kotohira),
            facility("d", "core", "viewing", city="坂出市"),
            practitioner,
        )
        yield world
    finally:
        await mongo.close()


async def _nothing(event: Event) -> None:
    """Nobody listens yet."""


@cache
def serving() -> Serving:
    """The definitions at work, and no interactions."""
    known = Parameters(r4()).at("http://tsunagi.example/fhir")
    return Serving(
        r4(),
        known,
        Validator(r4(), r4_terminology()),
        ZoneInfo("Asia/Tokyo"),
        Limits(),
        served(requirements(r4())),
        lambda _: b"{}",
        {},
        Tokens(b"secret", 600),
    )
