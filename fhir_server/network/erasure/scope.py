"""Who goes with a patient who is to be erased.

NETWORK.md D8. Of a facility's Patient only she; her golden Patient too when nobody else points to it. Of a golden Patient all
facilities' Patients, and the golden ones that were merged into her.
"""

from dataclasses import dataclass

from fhir_server.exchange import Resource
from fhir_server.network.desk import Desk
from fhir_server.network.matching.persons import GOLDEN, custodian, golden_of, is_golden, key
from fhir_server.search.expression import Has


@dataclass(frozen=True, slots=True)
class Scope:
    """`patients` ("Patient/1") in the order of their references, with their custodians, "" where there is none."""

    patients: tuple[str, ...]
    custodians: tuple[str, ...]


async def scope(desk: Desk, patient: str) -> Scope:
    """Give who is erased when this Patient is; she need not be stored any more, for her past is."""
    found = {patient: await desk.read(patient)}
    golden = patient if is_golden(patient) else golden_of(found[patient] or {})
    if is_golden(patient):
        for each in await _pointing(desk, patient):
            found[key(each)] = each
    elif golden is not None and not [each for each in await _pointing(desk, golden) if key(each) != patient]:
        found[golden] = await desk.read(golden)
    ordered = sorted(found)
    return Scope(tuple(ordered), tuple(_custodian(found[each]) for each in ordered))


async def _pointing(desk: Desk, golden: str) -> list[Resource]:
    """Everybody whose link leads to her, and, from there, who was merged before."""
    known: dict[str, Resource] = {}
    waiting = [golden]
    while waiting:
        for each in await desk.find("Patient", Has("link", waiting.pop())):
            reference = key(each)
            if reference not in known and reference != golden and not _replaces_only(each, golden):
                known[reference] = each
                waiting += [reference] if reference.startswith(GOLDEN) else []
    return list(known.values())


def _replaces_only(patient: Resource, golden: str) -> bool:
    """Whether this is the golden Patient that took the place of the other: she stays."""
    return is_golden(key(patient)) and any(
        link.get("type") == "replaces" and link.get("other", {}).get("reference") == golden for link in patient.get("link", ())
    )


def _custodian(patient: Resource | None) -> str:
    return (custodian(patient) if patient is not None else None) or ""
