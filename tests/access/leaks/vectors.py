"""Put a consent and data of a new patient into the server, and see who finds what: by read and by search, at once and settled.

The facilities are those of the engine's own vectors (tests/consent/judging.py): A enforces, B, C and D ask. The data are at A.
"""

import json
import re
from dataclasses import dataclass
from itertools import count
from typing import Any

from fhir_server.auth.requester import Requester
from fhir_server.auth.roles import Role
from tests.access.leaks.world import Served
from tests.access.secured import requester, store
from tests.access.sharing import NETWORK, organization, settle
from tests.consent.judging import A, B, C, D
from tests.rest.served import patient

_ROLES = frozenset({"providing", "sharing", "viewing"})
_OWN = re.compile(r'"(Patient|Observation|Encounter|DocumentReference|DiagnosticReport|List|Specimen|ServiceRequest)/(\w+)')
_SHARED = {"Organization", "Practitioner", "PractitionerRole", "Group"}
_numbers = count(1)
_POLICY = {"policy": [{"uri": "urn:example:policy"}]}
"""A Consent names a policy or a rule (ppc-1); of this one the network knows nothing (C32)."""


def stored(consent: dict[str, Any]) -> dict[str, Any]:
    """The consent as it may be stored: FHIR knows no empty elements."""
    return {name: value for name, value in (_POLICY | consent).items() if value not in ({}, [])}


def asking(organization: str = B, practitioner: str = "e", purpose: str = "TREAT", **facts: Any) -> Requester:
    """A physician of a facility."""
    known = {"organization": organization, "facility_roles": _ROLES, "fhir_user": f"Practitioner/{practitioner}", "purpose": purpose}
    return requester(Role.PHYSICIAN, **{**known, **facts})


@dataclass
class Judge:
    """Judges by the whole server; every judgement is about a person of its own."""

    served: Served

    async def founded(self) -> "Judge":
        """Store the facilities."""
        each = [organization(letter, id=letter.lower()) for letter in "ABCD"]
        ward = {"resourceType": "Organization", "id": "ward", "name": "病棟", "active": True, "partOf": {"reference": B}}
        await store(self.served.app, *each, ward | {"type": each[0]["type"]}, custodian=NETWORK)
        return self

    async def put(self, *resources: dict[str, Any], custodian: str | None = A) -> None:
        """Store what is there for every vector: groups, people."""
        await store(self.served.app, *resources, custodian=custodian)

    async def __call__(
        self,
        consents: list[dict[str, Any]],
        expected: dict[Requester, str],
        *resources: dict[str, Any],
        elsewhere: tuple[dict[str, Any], ...] = (),
        beside: tuple[dict[str, Any], ...] = (),
    ) -> "Person":
        """See that each requester finds of the resources those whose ids are expected; `elsewhere` are at C, and those `beside` not asked for."""
        person = Person(self.served, next(_numbers), (*resources, *elsewhere))
        await store(self.served.app, *map(person.own, (patient(id="p"), *beside, *resources)), custodian=A)
        if elsewhere:
            await store(self.served.app, *map(person.own, elsewhere), custodian=C)
        await store(self.served.app, *(person.own(stored(each)) for each in consents), custodian=A)
        await person.sees(expected)
        await settle(self.served.app)
        await person.sees(expected)
        return person


@dataclass
class Person:
    """One patient of a vector with her data."""

    served: Served
    number: int
    resources: tuple[dict[str, Any], ...]

    def own(self, resource: dict[str, Any]) -> dict[str, Any]:
        """The resource as this patient's: its id and the references among her data bear her number."""
        text = _OWN.sub(rf'"\1/\2-{self.number}', json.dumps(resource))
        return {**json.loads(text), "id": f"{resource['id']}-{self.number}"}

    async def sees(self, expected: dict[Requester, str]) -> None:
        """See that it is so, by read and by search."""
        for who, ids in expected.items():
            wanted = {f"{id}-{self.number}" for id in ids.split()}
            assert await self.read(who) == wanted, (who.organization, who.fhir_user, who.purpose, "read")
            assert await self.found(who) == wanted, (who.organization, who.fhir_user, who.purpose, "search")

    async def read(self, who: Requester) -> set[str]:
        """The ids of what can be read."""
        entries = [{"request": {"method": "GET", "url": f"{each['resourceType']}/{each['id']}-{self.number}"}} for each in self.resources]
        answer = (await self.served.ask(who, "POST", "", json={"resourceType": "Bundle", "type": "batch", "entry": entries})).json()
        statuses = {each["response"]["status"][:3] for each in answer["entry"] if "resource" not in each}
        assert statuses <= {"404"}
        return {each["resource"]["id"] for each in answer["entry"] if each["response"]["status"].startswith("200")}

    async def found(self, who: Requester) -> set[str]:
        """The ids of what a search finds, and counts."""
        types = ",".join(sorted({each["resourceType"] for each in self.resources}))
        ids = ",".join(f"{each['id']}-{self.number}" for each in self.resources)
        bundle = (await self.served.ask(who, "GET", f"/?_type={types}&_id={ids}&_total=accurate")).json()
        found = [each["resource"]["id"] for each in bundle.get("entry", ())]
        assert bundle["total"] == len(found)
        return set(found)


__all__ = ["A", "B", "C", "D", "Judge", "Person", "asking"]
