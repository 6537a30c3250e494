"""A network of three facilities on the real database, and hands to work in it as the network, a facility and the secretariat."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from fhir_server.app import open_registry
from fhir_server.auth.requester import Requester
from fhir_server.auth.roles import Role
from fhir_server.exchange import FhirRequest, Resource
from fhir_server.interactions.writing import prepare
from fhir_server.network.desk import Asked, Desk
from fhir_server.network.matching import match, operations, pix
from fhir_server.network.terms import Terms
from fhir_server.operations.arguments import arguments
from fhir_server.operations.definition import operation
from fhir_server.search.expression import Has, Or
from fhir_server.settings import Settings
from fhir_server.store.permit import Permit
from fhir_server.store.repository import Put, Repository
from profiles import json
from profiles.definitions import r4

SYL = {"url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation", "valueCode": "SYL"}
IDE = {"url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation", "valueCode": "IDE"}
FACILITIES = {"a": "3710000025", "b": "3710000017", "c": "3740000033"}
PERFORMERS = {
    "Patient-link": operations.link,
    "Patient-unlink": operations.unlink,
    "Patient-merge": operations.merge,
    "Patient-undo": operations.undo,
    "Patient-match-candidates": operations.match_candidates,
    "Task-decide": operations.decide,
    "Patient-match": match.match,
    "Patient-ihe-pix": pix.ihe_pix,
}
SECRETARY = Requester("s1", role=Role.SECRETARIAT, scope="user/*.cruds", fhir_user="Practitioner/s1", organization="Organization/network")


def system(facility: str) -> str:
    """The system of a facility's own patient numbers."""
    return f"urn:oid:1.2.392.100495.20.3.51.1{FACILITIES[facility]}"


def patient(id: str, facility: str, number: str = "1", **elements: Any) -> Resource:
    """A facility's Patient: 高松次郎, unless told otherwise; an element that is empty is left out."""
    told: Resource = {
        "resourceType": "Patient",
        "id": id,
        "identifier": [{"system": system(facility), "value": number}],
        "name": [
            {"extension": [IDE], "use": "official", "text": "高松 次郎", "family": "高松", "given": ["次郎"]},
            {"extension": [SYL], "use": "official", "text": "タカマツ ジロウ", "family": "タカマツ", "given": ["ジロウ"]},
        ],
        "telecom": [{"system": "phone", "value": "090-1234-5678", "use": "mobile"}],
        "gender": "male",
        "birthDate": "1966-06-08",
        "address": [{"text": "香川県高松市番町一丁目8番15号", "postalCode": "760-0017"}],
    }
    return {name: value for name, value in {**told, **elements}.items() if value}


def named(kanji: tuple[str, str], kana: tuple[str, str]) -> list[Resource]:
    """A name in kanji and in kana: family, given."""
    return [
        {"extension": [extension], "use": "official", "text": " ".join(parts), "family": parts[0], "given": [parts[1]]}
        for extension, parts in ((IDE, kanji), (SYL, kana))
    ]


@dataclass
class World:
    """The network at work: `desk` is its own, `ask` asks for an operation as somebody."""

    desk: Desk

    async def store(self, facility: str, *resources: Resource) -> None:
        """Store resources as a facility does, in its custody."""
        repository = replace(self.desk.everything, permit=Permit.everything(f"Organization/{facility}"))
        await repository.commit([Put(prepare(each, self.desk.serving)) for each in resources])

    def with_terms(self, **terms: Any) -> "World":
        """The same network with other terms."""
        return World(replace(self.desk, terms=Terms(**terms)))

    async def ask(self, name: str, id: str | None = None, who: Requester = SECRETARY, seen: Repository | None = None, **given: Any) -> Any:
        """Ask for an operation; gives what is answered. Lists are repeated parameters; strings of references become References."""
        type = name.partition("-")[0]
        definition = next(each for each in (*r4().operations, *r4().networks) if each["id"] == name)
        known = operation(definition)
        body = {"resourceType": "Parameters", "parameter": [part for each in given.items() for part in _parts(known.parameters, *each)]}
        request = FhirRequest("operation", type, id, body=body, base="http://tsunagi.example/fhir", operation=known.code)
        asked = Asked(request, arguments(request, known), who, seen or self.desk.everything, self.desk)
        response = await PERFORMERS[name](asked)
        assert response.status == 200
        assert response.body is not None
        return json.decode(response.body)

    def seeing(self, *facilities: str) -> Repository:
        """What is seen of somebody who may read what these facilities have in custody."""
        limit = Or(tuple(Has("_custodian", f"Organization/{each}") for each in facilities))
        return replace(self.desk.everything, permit=Permit(otherwise=limit))

    async def read(self, reference: str) -> Resource:
        """A resource as it is stored now."""
        found = await self.desk.read(reference)
        assert found is not None, reference
        return found


def _parts(parameters: Any, name: str, value: Any) -> list[Resource]:
    kind = parameters[name].type
    made = []
    for each in value if isinstance(value, list) else [value]:
        if kind == "Resource":
            made.append({"name": name, "resource": each})
        elif kind == "Reference":
            made.append({"name": name, "valueReference": {"reference": each}})
        else:
            made.append({"name": name, f"value{kind[0].upper()}{kind[1:]}": each})
    return made


def answered(parameters: Resource, name: str) -> Any:
    """The value of a parameter that was answered, None where it was not; References as their text."""
    for each in parameters.get("parameter", ()):
        if each["name"] == name:
            value = next(value for key, value in each.items() if key != "name")
            return value["reference"] if isinstance(value, dict) and "reference" in value else value
    return None


@asynccontextmanager
async def opened(uri: str, database: str) -> AsyncIterator[World]:
    """The network on an empty database."""
    async with open_registry(
        Settings(database=database, base_url="http://tsunagi.example/fhir", sandbox=True), uri, start=False
    ) as registry:

        async def record(event: object) -> None:
            """Nothing is audited here: the service does."""

        everything = Repository(registry.mongo, Permit.everything("Organization/network"))
        yield World(Desk(everything, registry.service.serving, registry.identity.shelf, record))
