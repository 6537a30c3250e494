"""One person of a core hospital reads without consent: who may, what is asked, and when it is over."""

import asyncio
from dataclasses import replace

import msgspec
import pytest

from fhir_server.audit.event import Event, Seen
from fhir_server.auth.roles import Role
from fhir_server.consent.emergencies import EMERGENCIES, USES
from fhir_server.network.emergency.uses import Uses
from fhir_server.outcome import FhirError
from fhir_server.search.expression import EVERYTHING
from tests.network.emergency.world import CLINICIAN, COLLEAGUE, DOCTOR, S1, WHY, group, person


async def refused(call) -> FhirError:
    with pytest.raises(FhirError) as caught:
        await call
    return caught.value


async def test_d09_a_core_hospitals_physician_opens_all_data_for_the_purpose_he_declares(world):
    answer = await world.ask("emergency-access", DOCTOR, **WHY)
    assert answer["ends"] == "2026-04-01T10:00:00+09:00"
    opening = await world.open_for(DOCTOR)
    assert opening is not None
    assert (opening.reference, opening.kind, opening.custodians, opening.patients) == (answer["emergency"], "emergency", None, None)


async def test_c23_nothing_is_open_for_another_purpose_than_was_declared(world):
    await world.ask("emergency-access", DOCTOR, **WHY)
    assert await world.open_for(DOCTOR, "TREAT") is None
    assert await world.open_for(DOCTOR, "ETREAT") is None


async def test_d09_nothing_is_open_to_his_colleague_or_to_himself_at_another_facility(world):
    await world.ask("emergency-access", DOCTOR, **WHY)
    assert await world.open_for(COLLEAGUE) is None
    assert await world.open_for(replace(DOCTOR, organization="Organization/d")) is None
    assert await world.open_for(replace(DOCTOR, facility_roles=frozenset({"providing"}))) is None


async def test_d10_whoever_is_not_of_a_core_hospital_is_refused(world):
    assert (await refused(world.ask("emergency-access", CLINICIAN, **WHY))).status == 403
    assert await world.desk.find("Task", EVERYTHING) == []


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.PHYSICIAN, Role.UPLOADER, Role.SYSTEM, Role.TESTER)])
async def test_d10_other_roles_are_refused_at_a_core_hospital_too(world, role):
    somebody = person("x", role, "b", "core", "providing")
    assert (await refused(world.ask("emergency-access", somebody, **WHY))).status == 403


async def test_d10_a_system_is_refused_whatever_role_it_claims(world):
    assert (await refused(world.ask("emergency-access", replace(DOCTOR, fhir_user=None), **WHY))).status == 403


@pytest.mark.parametrize("text", [None, " 　 ", "急", "ああああああああ", "....!!....!!"])
async def test_f025_without_a_reason_it_is_refused(world, text):
    given = {name: value for name, value in {**WHY, "reason": text}.items() if value is not None}
    assert (await refused(world.ask("emergency-access", DOCTOR, **given))).status == 403
    assert world.audit == []


async def test_l20_the_reason_is_one_of_the_laws_cases(world):
    without = {name: value for name, value in WHY.items() if name != "reasonCode"}
    assert (await refused(world.ask("emergency-access", DOCTOR, **without))).status == 403
    assert (await refused(world.ask("emergency-access", DOCTOR, **{**WHY, "reasonCode": "curiosity"}))).status == 422


@pytest.mark.parametrize("wrong", [{"purpose": "TREAT"}, {"purpose": "HRESCH"}, {"minutes": 61}])
async def test_f025_other_purposes_and_longer_times_are_refused(world, wrong):
    assert (await refused(world.ask("emergency-access", DOCTOR, **{**WHY, **wrong}))).status == 422


async def test_l15_it_ends_by_itself_to_the_moment(world):
    await world.ask("emergency-access", DOCTOR, minutes=30, **WHY)
    world.shift(minutes=30, milliseconds=-1)
    assert await world.open_for(DOCTOR) is not None
    world.shift(milliseconds=1)
    assert await world.open_for(DOCTOR) is None


async def test_l15_it_is_recorded_after_its_end(world):
    answer = await world.ask("emergency-access", DOCTOR, **WHY)
    world.shift(days=400)
    assert await world.desk.shelf.records(EMERGENCIES).get(answer["emergency"].removeprefix("Task/")) is not None


async def test_d09_two_patients_emergencies_at_once_open_both(world):
    first = await world.ask("emergency-access", DOCTOR, patient="Patient/p1", **WHY)
    world.shift(minutes=1)
    second = await world.ask("emergency-access", DOCTOR, patient="Patient/p2", **WHY)
    opening = await world.open_for(DOCTOR)
    assert opening is not None
    assert opening.references == (second["emergency"], first["emergency"])
    assert opening.patients == ("Patient/p2", "Patient/p1")
    assert opening.expires.isoformat() == "2026-04-01T01:00:00+00:00"


async def test_d09_whether_there_is_such_a_patient_makes_no_difference(world):
    await world.store("a", {"resourceType": "Patient", "id": "p1"})
    known = await world.ask("emergency-access", DOCTOR, patient="Patient/p1", **WHY)
    unknown = await world.ask("emergency-access", DOCTOR, patient="Patient/p2", **WHY)
    assert known.keys() == unknown.keys()


async def test_c22_where_the_facility_has_a_group_who_is_no_member_is_refused(world):
    await world.store("b", group("g", "b", "b2"))
    assert (await refused(world.ask("emergency-access", DOCTOR, **WHY))).status == 403
    await world.ask("emergency-access", COLLEAGUE, **WHY)


async def test_c21_a_member_of_the_group_is_let_in_and_out_again_when_he_is_struck_off(world):
    await world.store("b", group("g", "b", "b1"))
    await world.ask("emergency-access", DOCTOR, **WHY)
    assert await world.open_for(DOCTOR) is not None
    await world.store("b", group("g", "b", "b2"))
    assert await world.open_for(DOCTOR) is None


@pytest.mark.parametrize("inactive", [{"inactive": True}, {"period": {"end": "2026-03-31"}}, {"period": {"start": "2026-04-02"}}])
async def test_c22_membership_that_is_over_or_not_yet_does_not_count(world, inactive):
    await world.store("b", group("g", "b", member=[{"entity": {"reference": "Practitioner/b1"}, **inactive}]))
    assert (await refused(world.ask("emergency-access", DOCTOR, **WHY))).status == 403


async def test_c22_a_group_that_is_not_active_does_not_count(world):
    await world.store("b", group("g", "b", "b2", active=False))
    await world.ask("emergency-access", DOCTOR, **WHY)


async def test_c22_another_facilitys_group_neither_lets_in_nor_keeps_out(world):
    await world.store("a", group("g", "b", "b1"))
    await world.store("b", group("h", "b", "b2"))
    assert (await refused(world.ask("emergency-access", DOCTOR, **WHY))).status == 403
    await world.store("b", group("h", "b", "b2", active=False))
    await world.store("a", group("g", "b", "nobody"))
    await world.ask("emergency-access", DOCTOR, **WHY)


async def test_s50_it_is_in_the_audit_log_before_it_is_open(world):
    answer = await world.ask("emergency-access", DOCTOR, patient="Patient/p1", **WHY)
    (event,) = world.audit
    assert (event.emergency, event.purpose, event.person, event.organization) == (
        answer["emergency"],
        "BTG",
        "Practitioner/b1",
        "Organization/b",
    )
    assert event.reason.startswith("life-and-body: ")
    assert event.seen[0].patient == "Patient/p1"


async def test_s50_while_nothing_can_be_audited_nothing_is_opened(world):
    world.deaf = True
    assert (await refused(world.ask("emergency-access", DOCTOR, **WHY))).status == 503
    assert await world.open_for(DOCTOR) is None
    assert await world.desk.find("Task", EVERYTHING) == []


async def test_f025_secretariat_and_the_patients_custodians_are_told_without_the_reasons_words(world):
    golden = {"resourceType": "Patient", "id": "golden-1"}
    await world.store("network", golden)
    link = [{"other": {"reference": "Patient/golden-1"}, "type": "seealso"}]
    await world.store("a", {"resourceType": "Patient", "id": "pa", "link": link})
    await world.store("b", {"resourceType": "Patient", "id": "pb", "link": link})
    await world.store("c", {"resourceType": "Patient", "id": "pc"})
    answer = await world.ask("emergency-access", DOCTOR, patient="Patient/pb", **WHY)
    (notice,) = await world.told("Organization/a")
    assert {each["reference"] for each in notice["about"]} == {answer["emergency"], "Patient/pa"}
    assert len(await world.told("Organization/network")) == 1
    assert await world.told("Organization/c") == []
    text = notice["payload"][0]["contentString"]
    assert "坂出 一郎" in text
    assert "意識がなく" not in text


async def test_f025_where_all_data_are_open_each_custodian_is_told_when_they_are_first_seen(world):
    answer = await world.ask("emergency-access", DOCTOR, **WHY)
    assert await world.told("Organization/a") == []
    uses = Uses(world.desk)
    for each in (uses, uses, Uses(world.desk)):
        await each.seen(seeing(world.audit[0], "a", "b", "network", ""))
    assert len(await world.told("Organization/a")) == 1
    assert await world.told("Organization/b") == []
    (use,) = await world.desk.shelf.records(USES).find(occasion=answer["emergency"].removeprefix("Task/"))
    assert (use.practitioner, use.custodian) == ("Practitioner/b1", "Organization/a")


async def test_f025_several_processes_that_see_the_first_at_once_tell_once(world):
    await world.ask("emergency-access", DOCTOR, **WHY)
    await asyncio.gather(*(Uses(world.desk).seen(seeing(world.audit[0], "a")) for _ in range(4)))
    assert len(await world.told("Organization/a")) == 1


async def test_f025_what_is_seen_without_an_emergency_is_nobodys_to_be_told(world):
    await Uses(world.desk).seen(msgspec.structs.replace(seeing(Event(0, "R", "read", 200), "a"), emergency=""))
    assert await world.told("Organization/a") == []


async def test_l15_what_is_seen_by_two_emergencies_is_told_in_both_reviews(world):
    for patient in ("Patient/p1", "Patient/p2"):
        await world.ask("emergency-access", DOCTOR, patient=patient, **WHY)
        world.shift(minutes=1)
    await Uses(world.desk).seen(seeing(world.audit[1], "a"))
    assert len(await world.desk.shelf.records(USES).find(custodian="Organization/a")) == 2


def seeing(event: Event, *custodians: str) -> Event:
    """An event of the same person that gave out data of these custodians."""
    seen = tuple(Seen("Patient/p1", f"Organization/{each}" if each else "", "Observation", 1) for each in custodians)
    return msgspec.structs.replace(event, seen=seen)


async def test_l15_he_ends_it_himself_and_it_is_over_at_once(world):
    answer = await world.ask("emergency-access", DOCTOR, **WHY)
    assert await world.ask("end-emergency-access", DOCTOR) == {"ended": answer["emergency"]}
    assert await world.open_for(DOCTOR) is None
    assert (await world.read(answer["emergency"]))["businessStatus"]["coding"][0]["code"] == "ended"
    assert await world.ask("end-emergency-access", DOCTOR) == {}


async def test_l15_the_secretariat_ends_it_and_others_do_not_even_learn_of_it(world):
    answer = await world.ask("emergency-access", DOCTOR, **WHY)
    theirs = await refused(world.ask("end-emergency-access", COLLEAGUE, emergency=answer["emergency"]))
    nobodys = await refused(world.ask("end-emergency-access", COLLEAGUE, emergency="Task/none"))
    assert (theirs.status, nobodys.status) == (404, 404)
    assert theirs.issues[0].diagnostics.replace(answer["emergency"], "") == nobodys.issues[0].diagnostics.replace("Task/none", "")
    await world.ask("end-emergency-access", S1, emergency=answer["emergency"])
    assert await world.open_for(DOCTOR) is None
