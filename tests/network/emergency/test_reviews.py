"""Every emergency is reviewed, by somebody else, in time."""

import asyncio
from dataclasses import replace

import msgspec
import pytest

from fhir_server.network.emergency.reviews import escalate
from fhir_server.network.emergency.uses import Uses
from fhir_server.outcome import FhirError
from tests.network.emergency.test_break_glass import refused, seeing
from tests.network.emergency.test_disaster import opened
from tests.network.emergency.world import DOCTOR, S1, S2, WHY

FOUND = {"finding": "救急搬送記録と照合し、適切と判断"}


async def test_d09_the_review_waits_for_the_secretariat_and_says_when_it_is_due(world):
    answer = await world.ask("emergency-access", DOCTOR, patient="Patient/p1", **WHY)
    task = await world.read(answer["emergency"])
    assert (task["status"], task["owner"]["reference"]) == ("requested", "Organization/network")
    assert task["restriction"]["period"]["end"] == "2026-04-08T10:00:00+09:00"
    assert task["reasonCode"]["coding"][0]["code"] == "life-and-body"
    assert "for" not in task  # it stays when the patient is erased


async def test_d09_it_is_signed_off_with_a_finding_once_it_is_over(world):
    answer = await world.ask("emergency-access", DOCTOR, **WHY)
    id = answer["emergency"].removeprefix("Task/")
    assert (await refused(world.ask("Task-sign-off", S1, id, **FOUND))).status == 422
    world.shift(hours=1)
    assert (await refused(world.ask("Task-sign-off", S1, id, finding=" "))).status == 403
    await world.ask("Task-sign-off", S1, id, **FOUND)
    task = await world.read(answer["emergency"])
    assert task["status"] == "completed"
    assert task["output"][-1]["valueReference"]["reference"] == "Practitioner/s1"
    assert (await refused(world.ask("Task-sign-off", S2, id, **FOUND))).status == 409


async def test_d09_who_used_it_does_not_review_it_as_secretariat(world):
    answer = await world.ask("emergency-access", DOCTOR, **WHY)
    world.shift(hours=1)
    himself = replace(S1, fhir_user=DOCTOR.fhir_user)
    assert (await refused(world.ask("Task-sign-off", himself, answer["emergency"].removeprefix("Task/"), **FOUND))).status == 403
    same_account = replace(S1, subject=DOCTOR.subject)
    assert (await refused(world.ask("Task-sign-off", same_account, answer["emergency"].removeprefix("Task/"), **FOUND))).status == 403


async def test_d09_others_than_the_secretariat_sign_nothing_off(world):
    answer = await world.ask("emergency-access", DOCTOR, **WHY)
    world.shift(hours=1)
    assert (await refused(world.ask("Task-sign-off", DOCTOR, answer["emergency"].removeprefix("Task/"), **FOUND))).status == 403


async def test_d09_another_task_is_no_review(world):
    await world.store("network", {"resourceType": "Task", "id": "t", "status": "requested", "intent": "order"})
    assert (await refused(world.ask("Task-sign-off", S1, "t", **FOUND))).status == 404


async def test_l15_the_review_of_a_disaster_lists_all_uses(world):
    answer = await opened(world)
    uses = Uses(world.desk)
    for doctor in ("b1", "b2"):
        who = {"subject": doctor, "person": f"Practitioner/{doctor}", "organization": "Organization/b"}
        await uses.seen(seeing(msgspec.structs.replace(world.audit[0], **who), "a", "c"))
    assert len(await world.told("Organization/c")) == 1  # once for each facility that reads
    world.shift(days=3)
    await escalate(world.desk)
    task = await world.read(f"Task/{answer['disaster']}")
    assert task["businessStatus"]["coding"][0]["code"] == "ended"
    assert len(task["output"]) == 4
    await world.ask("Task-sign-off", S1, answer["disaster"], **FOUND)
    assert len((await world.read(f"Task/{answer['disaster']}"))["output"]) == 7


async def test_d09_a_late_review_becomes_urgent_and_the_council_and_the_auditors_are_told_once(world):
    role = [{"coding": [{"system": "urn:tsunagi:role", "code": "auditor"}]}]
    auditor = {"resourceType": "PractitionerRole", "id": "u1", "active": True, "code": role}
    left = {"resourceType": "PractitionerRole", "id": "u2", "active": False, "code": role}
    await world.store("network", auditor, left)
    answer = await world.ask("emergency-access", DOCTOR, **WHY)
    world.shift(days=7)
    assert await escalate(world.desk) == 0
    world.shift(hours=1)
    assert sum(await asyncio.gather(*(escalate(world.desk) for _ in range(3)))) == 1
    assert await escalate(world.desk) == 0
    assert (await world.read(answer["emergency"]))["priority"] == "urgent"
    assert len(await world.told("PractitionerRole/u1")) == 1
    assert await world.told("PractitionerRole/u2") == []
    assert len(await world.told("Organization/network")) == 2  # that it was opened, that its review is late


async def test_d09_what_was_signed_off_in_time_is_left_alone(world):
    answer = await world.ask("emergency-access", DOCTOR, **WHY)
    world.shift(hours=1)
    await world.ask("Task-sign-off", S1, answer["emergency"].removeprefix("Task/"), **FOUND)
    world.shift(days=30)
    assert await escalate(world.desk) == 0


async def test_d09_of_two_that_sign_off_at_once_one_does(world):
    answer = await world.ask("emergency-access", DOCTOR, **WHY)
    world.shift(hours=1)
    id = answer["emergency"].removeprefix("Task/")
    found = await asyncio.gather(*(world.ask("Task-sign-off", each, id, **FOUND) for each in (S1, S2)), return_exceptions=True)
    (failure,) = [each for each in found if isinstance(each, BaseException)]
    assert isinstance(failure, FhirError)
    assert failure.status == 409


@pytest.mark.parametrize("broken", [{"restriction": None}, {"restriction": {"period": {"end": "2026"}}}])
async def test_d09_a_review_that_somebody_made_unreadable_is_late(world, broken):
    answer = await world.ask("emergency-access", DOCTOR, **WHY)
    task = await world.read(answer["emergency"])
    await world.store("network", {name: value for name, value in {**task, **broken}.items() if value is not None})
    assert await escalate(world.desk) == 1
