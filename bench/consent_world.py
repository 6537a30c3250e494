"""The network of bench/consent.py: two hospitals, patients known to both, each with a consent that names both.

Everything goes through the repository as the server's own writes do, in batches; consents through the register, as publications do.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import growth_data as data
from rich.console import Console

from fhir_server.app import Registry
from fhir_server.auth.requester import Requester
from fhir_server.auth.roles import FACILITY_ROLE_SYSTEM, Role
from fhir_server.store.permit import Permit
from fhir_server.store.repository import Prepared, Put, Repository

A, B, NETWORK = "Organization/hospital-a", "Organization/hospital-b", "Organization/network"
ROLES = ("providing", "sharing", "viewing")
LARGE, WHOLE = 10_000, 149  # resources of the first patient, and of each of the next few
FEW = 50
_AT_ONCE = 500
_CODES = "http://terminology.hl7.org/CodeSystem"


def physician(organization: str) -> Requester:
    """A physician of a hospital."""
    return Requester(
        "somebody",
        role=Role.PHYSICIAN,
        client="viewer",
        scope="user/*.cruds",
        organization=organization,
        facility=organization.partition("/")[2],
        facility_roles=frozenset(ROLES),
        fhir_user=f"Practitioner/of-{organization.partition('/')[2]}",
    )


SECRETARY = Requester(
    "secretary", role=Role.SECRETARIAT, client="portal", scope="user/*.cruds", organization=NETWORK, fhir_user="Practitioner/s"
)


def hospital(organization: str) -> dict[str, Any]:
    """A member of the network."""
    types = [{"coding": [{"system": FACILITY_ROLE_SYSTEM, "code": role}]} for role in ROLES]
    return {"resourceType": "Organization", "id": organization.partition("/")[2], "name": "病院", "active": True, "type": types}


def golden(index: int) -> dict[str, Any]:
    """The golden Patient of a person."""
    return {
        **_bare(index),
        "id": f"golden-{index:012d}",
        "identifier": [{"system": "urn:tsunagi:regional-patient-id", "value": f"37{index:08d}"}],
    }


def patient(index: int, letter: str) -> dict[str, Any]:
    """A hospital's own Patient, linked to the golden one."""
    link = [{"other": {"reference": f"Patient/golden-{index:012d}"}, "type": "seealso"}]
    return {
        **_bare(index),
        "id": f"{letter}{index:011d}",
        "identifier": [{"system": f"urn:hospital:{letter}", "value": f"{index:010d}"}],
        "link": link,
    }


def _bare(index: int) -> dict[str, Any]:
    return {name: value for name, value in data.patient(index).items() if name not in ("id", "identifier")}


def results(index: int, count: int) -> Iterator[dict[str, Any]]:
    """Laboratory results of a patient of hospital A."""
    rng = random.Random(index)
    for order in range(count):
        made = data.result(order % 100, rng.randrange(40))
        when = datetime(2015, 1, 1, tzinfo=data.TOKYO) + timedelta(hours=order * 9 + rng.randrange(9))
        id = f"{index:06d}{order:06d}"
        yield {
            **made,
            "id": id,
            "identifier": [{"system": "urn:hospital:a:results", "value": id}],
            "subject": {"reference": f"Patient/a{index:011d}"},
            "effectiveDateTime": when.isoformat(),
        }


def consent(index: int, *organizations: str, special: bool = False, **facts: Any) -> dict[str, Any]:
    """The network's form, published; `special` excludes what is labelled as psychiatric, which only a query can tell."""
    recipient = {"coding": [{"system": f"{_CODES}/v3-ParticipationType", "code": "IRCP"}]}
    provision: dict[str, Any] = {
        "type": "permit",
        "purpose": [{"system": f"{_CODES}/v3-ActReason", "code": "TREAT"}],
        "actor": [{"role": recipient, "reference": {"reference": each}} for each in organizations],
    }
    if special:
        provision["provision"] = [{"type": "deny", "securityLabel": [{"system": f"{_CODES}/v3-ActCode", "code": "PSY"}]}]
    return {
        "resourceType": "Consent",
        "id": f"consent-{index:012d}",
        "status": "active",
        "scope": {"coding": [{"system": f"{_CODES}/consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": f"Patient/golden-{index:012d}"},
        "dateTime": "2026-03-01",
        "organization": [{"reference": A}],
        "policy": [{"uri": "urn:tsunagi:policy:listed"}],
        "verification": [{"verified": True, "verificationDate": "2026-03-02T10:00:00+09:00"}],
        "provision": provision,
        **facts,
    }


class World:
    """Writes it. `registry` is an open server's."""

    def __init__(self, registry: Registry, persons: int, each: int) -> None:
        self.registry, self.persons, self.each = registry, persons, each

    async def load(self) -> None:
        """Everything but the consents; links before the register knows anybody, so that only consents are decided on."""
        await self.store(NETWORK, (hospital(A), hospital(B)), through=True)
        await self.store(NETWORK, (golden(index) for index in range(self.persons)))
        for letter, organization in (("a", A), ("b", B)):
            await self.store(organization, (patient(index, letter) for index in range(self.persons)))
        await self.store(A, (each for index in range(self.persons) for each in results(index, self.count(index))))

    def count(self, index: int) -> int:
        """How many results a person has."""
        return LARGE if index == 0 else WHOLE if index <= FEW else self.each

    async def store(self, custodian: str, resources: Iterable[dict[str, Any]], *, through: bool = False) -> None:
        """Store them in this custody, in transactions; `through` the register where it is about consents and members."""
        mongo = self.registry.mongo
        repository = Repository(mongo, Permit.everything(custodian), around=self.registry.network.register.around if through else None)
        waiting = iter(resources)
        done = 0
        while batch := list(islice(waiting, _AT_ONCE)):
            await repository.commit([Put(self.prepared(each)) for each in batch])
            done += len(batch)
            if done % 20_000 == 0:
                Console(stderr=True).print(f"{done:,} {batch[0]['resourceType']}")

    async def publish(self, numbers: Sequence[int], *organizations: str, special: bool = False) -> None:
        """Have the consents of these persons say so from now on."""
        await self.store(NETWORK, (consent(each, *organizations, special=special) for each in numbers), through=True)

    async def pending(self, numbers: Sequence[int]) -> None:
        """Have these persons' documents say less than their consents."""
        await self.publish(numbers, A)
        await self.publish(numbers, A, B)

    def prepared(self, resource: dict[str, Any]) -> Prepared:
        """The resource as the repository wants it."""
        assert self.registry.mongo.index is not None
        return Prepared(resource["resourceType"], resource["id"], resource, self.registry.mongo.index(resource))


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)
