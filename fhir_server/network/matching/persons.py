"""Persons: the Patient of each facility, and the golden Patient of the network that says they are one.

NETWORK.md F089; https://profiles.ihe.net/ITI/PMIR/ (the links). Each facility's Patient points to the golden one by
`link` (seealso). The golden one does not point back: that would tell a facility where else the patient goes.

Beside each golden Patient stands a Linkage with the same id, which the secretariat alone may read: its members, and those that were members
once. Every decision on a person writes it, so that of two decisions at once on the same person the second begins again.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from fhir_server.exchange import Resource
from fhir_server.network.desk import Desk
from fhir_server.outcome import conflict, not_found
from fhir_server.search.expression import ForPatient, Has

GOLDEN: Final = "Patient/golden-"
REGIONAL_ID: Final = "urn:tsunagi:regional-patient-id"
"""System of 地域患者ID: 10 digits."""
CUSTODIAN: Final = "urn:tsunagi:custodian"
NETWORK: Final = "Organization/network"
_COPIED: Final[tuple[str, ...]] = ("name", "gender", "birthDate")
_MOST_MEMBERS: Final = 1000
_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class Person:
    """A golden Patient with its members, or one Patient that has no golden one."""

    members: tuple[Resource, ...]
    golden: Resource | None = None
    linkage: Resource | None = None

    @property
    def reference(self) -> str:
        """The golden Patient, or the only member."""
        return key(self.golden if self.golden is not None else self.members[0])

    @property
    def replaced(self) -> bool:
        """Whether the golden Patient has been merged into another one."""
        return self.golden is not None and any(each.get("type") == "replaced-by" for each in self.golden.get("link", ()))

    def with_members(self, members: Iterable[Resource]) -> "Person":
        """Give the person with other members."""
        return replace(self, members=tuple(members))


def key(resource: Resource) -> str:
    """Give the literal reference of a resource."""
    return f"{resource['resourceType']}/{resource['id']}"


def version(resource: Resource | None) -> int:
    """Give the version of a resource as it was read; 0 where there is none."""
    return int(resource["meta"]["versionId"]) if resource is not None else 0


def is_golden(reference: str) -> bool:
    """Tell whether the reference is that of a golden Patient."""
    return reference.startswith(GOLDEN)


def golden_of(patient: Resource) -> str | None:
    """Give the golden Patient that a facility's Patient points to."""
    return next((other for other in _others(patient, "seealso") if is_golden(other)), None)


def successor_of(golden: Resource) -> str | None:
    """Give the golden Patient that this one has been merged into."""
    return next(iter(_others(golden, "replaced-by")), None)


def _others(patient: Resource, type: str) -> list[str]:
    links = [each for each in patient.get("link", ()) if each.get("type") == type]
    return [each["other"]["reference"] for each in links if isinstance(each.get("other", {}).get("reference"), str)]


def custodian(resource: Resource) -> str | None:
    """Give the facility in whose custody the resource is, "Organization/1"."""
    tags = resource.get("meta", {}).get("tag", ())
    return next((f"Organization/{tag['code']}" for tag in tags if tag.get("system") == CUSTODIAN and "code" in tag), None)


def pointing(patient: Resource, golden: str | None) -> Resource:
    """Give a facility's Patient pointing to this golden one, or to none; its other links stay."""
    kept = [each for each in patient.get("link", ()) if not is_golden(str(each.get("other", {}).get("reference")))]
    return with_links(patient, [*kept, *([link(golden, "seealso")] if golden is not None else ())])


def with_links(patient: Resource, links: Sequence[Resource]) -> Resource:
    """Give the Patient with exactly these links; without any, it has no such element."""
    if not links:
        return {name: value for name, value in patient.items() if name != "link"}
    return {**patient, "link": list(links)}


def link(other: str, type: str) -> Resource:
    """Give one Patient.link."""
    return {"other": {"reference": other}, "type": type}


def new_golden(patient: Resource, number: str) -> Resource:
    """Make the golden Patient of a person with the 地域患者ID `number`: name, sex and birth date, and nothing of where she goes."""
    told = {name: patient[name] for name in _COPIED if name in patient}
    identifier = {"use": "official", "system": REGIONAL_ID, "value": number}
    return {"resourceType": "Patient", "id": f"golden-{uuid.uuid4()}", "identifier": [identifier], "active": True, **told}


def linkage_of(golden: str, members: Sequence[str], before: Resource | None) -> Resource:
    """Make the Linkage of a golden Patient: `members` now, and as historical those that were members before."""
    former = [each["resource"]["reference"] for each in (before or {}).get("item", ()) if each["type"] != "source"]
    past = [each for each in dict.fromkeys(former) if each not in members]
    types = [("source", golden), *(("alternate", each) for each in members), *(("historical", each) for each in past)]
    return {
        "resourceType": "Linkage",
        "id": golden.partition("/")[2],
        "active": bool(members),
        "author": {"reference": NETWORK},
        "item": [{"type": type, "resource": {"reference": reference}} for type, reference in types],
    }


async def linkage(desk: Desk, golden: str) -> Resource | None:
    """Read the Linkage of a golden Patient."""
    return await desk.read(f"Linkage/{golden.partition('/')[2]}")


async def members(desk: Desk, golden: str) -> tuple[Resource, ...]:
    """Give the facilities' Patients that point to this golden one, in the order of their references."""
    found = await desk.find("Patient", Has("link", golden), _MOST_MEMBERS)
    return tuple(sorted((each for each in found if not is_golden(key(each))), key=key))


async def consents(desk: Desk, golden: str) -> list[Resource]:
    """Give the Consents that name this golden Patient herself, whatever their state."""
    found = await desk.find("Consent", ForPatient(golden))  # those of her members are found with her
    return [each for each in found if (each.get("patient") or {}).get("reference") == golden]


async def patient(desk: Desk, reference: str) -> Resource:
    """Read a Patient; raises FhirError (404) where there is none."""
    found = await desk.read(reference)
    if found is None or found["resourceType"] != "Patient":
        raise not_found("Patient", reference.partition("/")[2])
    return found


async def person(desk: Desk, reference: str) -> Person:
    """Give the person that a Patient, golden or not, belongs to. Raises FhirError (404) where there is no such Patient."""
    for _ in range(_ATTEMPTS):
        found = await patient(desk, reference)
        golden = reference if is_golden(reference) else golden_of(found)
        if golden is None:
            return Person((found,))
        record = await linkage(desk, golden)  # first: whatever changes after this, its version tells
        resource = await desk.read(golden)
        belonging = await members(desk, golden)
        if resource is not None and (golden == reference or reference in map(key, belonging)):
            return Person(belonging, resource, record)
    raise conflict("The golden Patient that this one points to is gone, or changes all the time; try again", "Patient.link")
