"""The decisions on a person as their Provenances tell them: which hold, when each facility's Patient was linked (名寄せ日時, F065)."""

from collections.abc import Sequence
from datetime import datetime

from fhir_server.exchange import Resource
from fhir_server.network.desk import Desk
from fhir_server.network.matching.decision import DECISION, SYSTEM, Activity
from fhir_server.network.matching.persons import is_golden, key, members
from fhir_server.search.expression import And, Has, Or

_MOST = 1000


async def decisions(desk: Desk, *references: str) -> list[Resource]:
    """Give the decisions that hold and touch any of these Patients, the last one first: neither those undone nor the undoing."""
    touching = Or(tuple(Has("target", each) for each in references))
    found = await desk.find("Provenance", And((touching, Has("_tag", f"{SYSTEM}|{DECISION}"))), _MOST)
    undone = {each for record in found for each in entities(record, "removal")}
    return [record for record in found if activity(record) is not Activity.UNDO and key(record) not in undone]


async def linked_at(desk: Desk, golden: str) -> dict[str, datetime]:
    """Give for each facility's Patient who is linked with this golden one since when: the time of the decision that linked them (F065)."""
    current = {key(each) for each in await members(desk, golden)}
    times: dict[str, datetime] = {}
    for record in await decisions(desk, golden):
        if activity(record) in (Activity.LINK, Activity.MERGE):
            for each in current & {reference for reference, number in targets(record) if number is not None}:
                times.setdefault(each, datetime.fromisoformat(record["recorded"]))
    return times


def activity(record: Resource) -> Activity | None:
    """Give what was decided; None where the Provenance tells of something else."""
    codes = [each["code"] for each in record.get("activity", {}).get("coding", ()) if each.get("system") == SYSTEM]
    return Activity(codes[0]) if codes and codes[0] in list(Activity) else None


def targets(record: Resource) -> list[tuple[str, int | None]]:
    """Give what the decision touched: references, with the version that it left where it changed something."""
    return [_versioned(str(each["reference"])) for each in record["target"]]


def entities(record: Resource, role: str) -> list[str]:
    """Give the references of the Provenance's entities in this role."""
    return [str(each["what"]["reference"]) for each in record.get("entity", ()) if each["role"] == role]


def befores(record: Resource) -> dict[str, int]:
    """Give the versions before the decision."""
    return {reference: number for reference, number in map(_versioned, entities(record, "revision")) if number is not None}


def _versioned(reference: str) -> tuple[str, int | None]:
    name, _, number = reference.partition("/_history/")
    return name, int(number) if number else None


def patients(record: Resource) -> Sequence[str]:
    """Give the Patients that the decision touched, the golden ones last."""
    return sorted((each for each, _ in targets(record) if each.startswith("Patient/")), key=is_golden)
