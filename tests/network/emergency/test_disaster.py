"""Disaster mode: two persons open an area, the clock ends it."""

import asyncio

import pytest

from fhir_server.auth.roles import Role
from fhir_server.consent.emergencies import DISASTERS
from fhir_server.outcome import FhirError
from tests.network.emergency.test_break_glass import refused
from tests.network.emergency.world import CLINICIAN, DOCTOR, S1, S2, S3, WHY, person

ASKED = {"area": "高松市", "end": "2026-04-03", "reason": "南海トラフ地震による大規模災害"}


async def opened(world, **asked):
    answer = await world.ask("propose-disaster", S1, **{**ASKED, **asked})
    return await world.ask("approve-disaster", S2, disaster=answer["disaster"])


async def test_d09_a_disaster_that_two_persons_opened_lets_core_hospitals_read_its_area(world):
    answer = await opened(world)
    assert answer["standing"] == "approved"
    opening = await world.open_for(DOCTOR, "ETREAT")
    assert opening is not None
    assert (opening.kind, opening.reference, opening.patients) == ("disaster", f"Task/{answer['disaster']}", None)
    assert set(opening.custodians or ()) == {"Organization/a", "Organization/b"}


async def test_d09_nothing_is_open_before_the_second_person_approves(world):
    answer = await world.ask("propose-disaster", S1, **ASKED)
    assert answer["standing"] == "proposed"
    assert await world.open_for(DOCTOR, "ETREAT") is None


async def test_d09_whoever_proposed_does_not_approve_with_another_account_either(world):
    answer = await world.ask("propose-disaster", S1, **ASKED)
    assert (await refused(world.ask("approve-disaster", S1, disaster=answer["disaster"]))).status == 403
    other = person("s1", Role.SECRETARIAT, "network")
    assert (await refused(world.ask("approve-disaster", other, disaster=answer["disaster"]))).status == 403
    assert await world.open_for(DOCTOR, "ETREAT") is None


async def test_d09_everywhere_means_every_custodian(world):
    await opened(world, area="all")
    opening = await world.open_for(DOCTOR, "ETREAT")
    assert opening is not None
    assert opening.custodians is None


@pytest.mark.parametrize("area", ["琴平町", "仲多度郡琴平町", "香川県琴平町", "香川県仲多度郡琴平町", "香川県 仲多度郡 琴平町"])
async def test_d09_a_municipality_is_known_however_it_is_written(world, area):
    answer = await world.ask("propose-disaster", S1, **{**ASKED, "area": area})
    assert answer["custodian"] == "Organization/c"


@pytest.mark.parametrize(
    "wrong", [{"area": "東京都"}, {"area": ["all", "高松市"]}, {"end": "2026-04-16"}, {"end": "2026-03-31"}, {"start": "2026-04-04"}]
)
async def test_d09_an_area_without_facilities_and_a_time_too_long_are_refused(world, wrong):
    assert (await refused(world.ask("propose-disaster", S1, **{**ASKED, **wrong}))).status == 422


async def test_d09_without_a_reason_it_is_refused(world):
    assert (await refused(world.ask("propose-disaster", S1, **{**ASKED, "reason": " "}))).status == 403


@pytest.mark.parametrize("who", [DOCTOR, CLINICIAN, person("u1", Role.AUDITOR, "network")])
async def test_d10_only_the_secretariat_opens_one(world, who):
    assert (await refused(world.ask("propose-disaster", who, **ASKED))).status == 403


async def test_d10_others_read_nothing_by_it_and_no_desk_of_a_core_hospital_does(world):
    await opened(world)
    assert await world.open_for(CLINICIAN, "ETREAT") is None
    assert await world.open_for(person("b9", Role.CLERK, "b", "core"), "ETREAT") is None
    assert await world.open_for(person("b8", Role.NURSE, "b", "core"), "ETREAT") is not None


async def test_c23_it_is_for_emergency_treatment_only(world):
    await opened(world)
    assert await world.open_for(DOCTOR, "TREAT") is None
    assert await world.open_for(DOCTOR, "BTG") is None


async def test_d09_it_ends_by_itself_when_its_last_day_ends_in_tokyo(world):
    await opened(world)
    world.shift(days=2, hours=15, milliseconds=-1)
    assert await world.open_for(DOCTOR, "ETREAT") is not None
    world.shift(milliseconds=1)
    assert await world.open_for(DOCTOR, "ETREAT") is None


async def test_d09_it_opens_at_its_time(world):
    await opened(world, start="2026-04-02")
    assert await world.open_for(DOCTOR, "ETREAT") is None
    world.shift(hours=15)
    assert await world.open_for(DOCTOR, "ETREAT") is not None


async def test_d09_one_person_closes_it_at_once(world):
    answer = await opened(world)
    closed = await world.ask("close-disaster", S1, disaster=answer["disaster"])
    assert closed["standing"] == "closed"
    assert await world.open_for(DOCTOR, "ETREAT") is None
    assert (await refused(world.ask("approve-disaster", S3, disaster=answer["disaster"]))).status == 409


async def test_d09_of_two_that_approve_at_once_one_does(world):
    answer = await world.ask("propose-disaster", S1, **ASKED)
    found = await asyncio.gather(
        *(world.ask("approve-disaster", each, disaster=answer["disaster"]) for each in (S2, S3)), return_exceptions=True
    )
    (failure,) = [each for each in found if isinstance(each, BaseException)]
    assert isinstance(failure, FhirError)
    assert failure.status == 409
    record = await world.desk.shelf.records(DISASTERS).get(answer["disaster"])
    assert record.approver in ("Practitioner/s2", "Practitioner/s3")


async def test_d09_of_closing_and_approving_at_once_nothing_stays_open(world):
    for _ in range(5):
        answer = await world.ask("propose-disaster", S1, **ASKED)
        await asyncio.gather(
            world.ask("approve-disaster", S2, disaster=answer["disaster"]),
            world.ask("close-disaster", S1, disaster=answer["disaster"]),
            return_exceptions=True,
        )
        await world.ask("close-disaster", S1, disaster=answer["disaster"])
        assert await world.open_for(DOCTOR, "ETREAT") is None


async def test_s50_while_nothing_can_be_audited_no_disaster_is_opened(world):
    answer = await world.ask("propose-disaster", S1, **ASKED)
    world.deaf = True
    assert (await refused(world.ask("approve-disaster", S2, disaster=answer["disaster"]))).status == 503
    assert await world.open_for(DOCTOR, "ETREAT") is None


async def test_d09_core_hospitals_the_areas_facilities_and_the_secretariat_are_told_of_both_ends(world):
    answer = await opened(world)
    assert [len(await world.told(f"Organization/{each}")) for each in ("a", "b", "c", "d", "network")] == [1, 1, 0, 1, 1]
    await world.ask("close-disaster", S2, disaster=answer["disaster"])
    assert [len(await world.told(f"Organization/{each}")) for each in ("a", "b", "c", "d", "network")] == [2, 2, 0, 2, 2]


async def test_d09_an_emergency_for_one_patient_does_not_narrow_a_disaster_of_everywhere(world):
    await world.ask("emergency-access", DOCTOR, patient="Patient/p1", **{**WHY, "purpose": "ETREAT"})
    await opened(world, area="all")
    opening = await world.open_for(DOCTOR, "ETREAT")
    assert opening is not None
    assert opening.kind == "disaster"
