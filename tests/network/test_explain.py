"""Why a facility sees a patient's data, or does not: told to whom it concerns, without any of the data."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from fhir_server.auth.roles import Role
from fhir_server.consent.question import Reason
from fhir_server.network.explain import explain
from fhir_server.network.explanations import TEXTS
from fhir_server.store.permit import Permit
from tests.network.emergency.test_break_glass import refused
from tests.network.emergency.world import CLINICIAN, DOCTOR, S1, WHY, World, facility, opened, person
from tests.network.erasure.patients import GOLDEN, consent, patient

PERFORMERS = {"Consent-explain": explain}
AUDITOR = person("u1", Role.AUDITOR, "network")
PUBLISHED = {"verification": [{"verified": True, "verificationDate": "2026-03-01"}], "dateTime": "2026-02-01"}


@pytest.fixture
async def world(mongodb_uri: str, database_name: str) -> AsyncIterator[World]:
    """One person is pa at A, pb at B and pc at C; pd at D is not linked with them."""
    async with opened(mongodb_uri, database_name) as world:
        await world.store("network", patient(GOLDEN))
        for each in "abc":
            await world.store(each, patient(f"p{each}", GOLDEN))
        await world.store("d", patient("pd"))
        yield world


def agreed(*facilities: str, id: str = "c1", provision: Any = None, **elements: Any) -> dict[str, Any]:
    """A published consent of the network's form that names these facilities."""
    actors = [
        {"role": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]}}
        | {"reference": {"reference": f"Organization/{each}"}}
        for each in facilities
    ]
    treat = [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}]
    root = {"type": "permit", "purpose": treat, "actor": actors, **(provision or {})}
    return consent(id, GOLDEN, **{**PUBLISHED, "provision": root, **elements})


def deny(**parts: Any) -> dict[str, Any]:
    return {"provision": [{"type": "deny", **parts}]}


async def why(world: World, who: Any = S1, patient: str = f"Patient/{GOLDEN}", reader: str = "b", **given: Any) -> dict[str, str]:
    """The code for each custodian; "" where it is said of none."""
    return {part.get("custodian", ""): part["code"] for part in (await whole(world, who, patient, reader, **given))["reason"]}


async def whole(world: World, who: Any = S1, patient: str = f"Patient/{GOLDEN}", reader: str = "b", **given: Any) -> dict[str, Any]:
    answer = await world.ask("Consent-explain", who, performers=PERFORMERS, patient=patient, organization=f"Organization/{reader}", **given)
    return {"permitted": answer["permitted"], "reason": [_read(each) for each in _listed(answer["reason"])]}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value[0], list) else [value]


def _read(parts: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in parts:
        value = next(value for name, value in part.items() if name != "name")
        found[part["name"]] = value.get("code", value.get("reference")) if isinstance(value, dict) else value
    return found


async def test_d02_who_is_named_with_the_custodian_sees_its_data(world):
    await world.store("network", agreed("a", "b"))
    answer = await whole(world)
    assert answer["permitted"] is True
    assert {each.get("custodian"): each["code"] for each in answer["reason"]} == {
        "Organization/a": "consented",
        "Organization/c": "custodian-not-named",
    }
    assert answer["reason"][0]["consent"] == "Consent/c1"


async def test_d03_where_the_reader_is_not_named_it_sees_nothing(world):
    await world.store("network", agreed("a", "c"))
    assert await why(world) == {"Organization/a": "not-named", "Organization/c": "not-named"}


async def test_d04_without_a_consent_or_before_its_publication(world):
    assert (await why(world))["Organization/a"] == "no-consent"
    await world.store("network", agreed("a", "b", verification=[{"verified": False}]))
    assert (await why(world))["Organization/a"] == "not-published"


async def test_d04_what_is_not_linked_is_said_to_be_so(world):
    await world.store("network", agreed("b", "d"))
    assert (await why(world))["Organization/d"] == "not-linked"
    assert await why(world, DOCTOR_OF_D, "Patient/pd", "d") == {"Organization/d": "own-data", "": "not-linked"}


async def test_d05_a_full_stop_is_told(world):
    await world.store("network", agreed("a", "b", status="inactive"))
    assert (await why(world))["Organization/a"] == "stopped"


async def test_d06_a_partial_stop_is_told(world):
    actor = agreed("b")["provision"]["actor"]
    await world.store("network", agreed("a", "b", provision=deny(actor=actor)))
    assert (await why(world))["Organization/a"] == "partly-stopped"


async def test_d07_a_temporary_stop_is_told_with_its_end(world):
    await world.store("network", agreed("a", "b", provision=deny(period={"start": "2026-03-30", "end": "2026-04-30"})))
    answer = await whole(world)
    stop = next(each for each in answer["reason"] if each["custodian"] == "Organization/a")
    assert (stop["code"], stop["until"]) == ("temporarily-stopped", "2026-04-30T23:59:59+09:00")
    world.shift(days=30)
    assert (await why(world))["Organization/a"] == "consented"


async def test_c02_another_purpose_is_told(world):
    await world.store("network", agreed("a", "b"))
    assert (await why(world, purpose="HRESCH"))["Organization/a"] == "purpose"


async def test_c04_an_expired_consent_and_one_to_come_are_told(world):
    await world.store("network", agreed("a", "b", provision={"period": {"end": "2026-03-31"}}))
    assert (await why(world))["Organization/a"] == "expired"
    await world.store("network", agreed("a", "b", provision={"period": {"start": "2026-04-02"}}))
    answer = await whole(world)
    assert (answer["reason"][0]["code"], answer["reason"][0]["until"]) == ("not-yet", "2026-04-02T00:00:00+09:00")


async def test_d11_a_reader_that_has_left_is_no_member_and_neither_are_its_data(world):
    await world.store("network", agreed("a", "b"), facility("b", "core", active=False))
    assert await why(world) == {"": "not-a-member"}
    assert (await why(world, reader="a"))["Organization/b"] == "custodian-left"


async def test_d01_its_own_data_a_facility_always_sees(world):
    assert (await why(world, CLINICIAN, "Patient/pa", "a"))["Organization/a"] == "own-data"


async def test_d04_a_facility_is_not_told_where_else_the_patient_goes(world):
    await world.store("network", agreed("a", "c"))  # B is not in it
    assert await why(world, DOCTOR, "Patient/pb", "b") == {"Organization/b": "own-data", "": "no-consent"}
    without = await whole(world, DOCTOR, "Patient/pb", "b")
    await world.store("network", agreed("a", "c", status="inactive"))
    assert await whole(world, DOCTOR, "Patient/pb", "b") == without


async def test_d02_a_facility_is_told_of_those_that_stand_in_its_own_consent(world):
    await world.store("network", agreed("a", "b", "d"))
    told = await why(world, DOCTOR, "Patient/pb", "b")
    assert told == {"Organization/a": "consented", "Organization/b": "own-data", "Organization/d": "not-linked"}


async def test_d02_a_consent_that_names_nobody_is_told_by_what_is_seen_by_it(world):
    general = agreed(provision={"actor": []})
    general["provision"].pop("actor")
    await world.store("network", general)
    told = await why(world, DOCTOR, "Patient/pb", "b")
    assert told == {"Organization/a": "consented", "Organization/b": "own-data", "Organization/c": "consented"}


async def test_d03_a_custodian_asks_why_another_facility_sees_its_patient(world):
    await world.store("network", agreed("a", "b"))
    assert await why(world, CLINICIAN, "Patient/pa", "b") == {"Organization/a": "consented"}
    assert await why(world, CLINICIAN, "Patient/pa", "c") == {"Organization/a": "not-named"}


async def test_d04_of_anothers_patient_a_facility_learns_what_it_learns_of_none(world):
    for who, reader in ((CLINICIAN, "a"), (DOCTOR_OF_D, "d")):
        answers = [await refused(whole(world, who, reference, reader)) for reference in ("Patient/pb", f"Patient/{GOLDEN}", "Patient/none")]
        assert {each.status for each in answers} == {404}
        assert len({each.issues[0].diagnostics.split(" ", 1)[1] for each in answers}) == 1


async def test_c40_a_patient_asks_about_herself_and_nobody_else(world):
    await world.store("network", agreed("a", "b"))
    herself = replace(S1, role=Role.PATIENT, fhir_user="Patient/pa", organization=None)
    assert (await why(world, herself, "Patient/pa"))["Organization/a"] == "consented"
    assert (await why(world, herself))["Organization/a"] == "consented"
    assert (await refused(whole(world, herself, "Patient/pd"))).status == 404


async def test_c40_a_consent_is_named_only_to_who_may_read_it(world):
    await world.store("network", agreed("a", "b"))
    known = world.desk.everything
    world.desk = replace(world.desk)
    answer = await whole(world, AUDITOR)
    assert answer["permitted"] is True
    limited = LimitedWorld(
        world.desk, world.now, seen=replace(known, permit=Permit({("read", "AuditEvent"): Permit.everything().otherwise}))
    )
    assert all("consent" not in each for each in (await whole(limited, AUDITOR))["reason"])


async def test_d09_an_emergency_that_is_open_is_told(world):
    from fhir_server.network.emergency.access import emergency_access

    await world.ask("emergency-access", DOCTOR, performers={"emergency-access": emergency_access}, **WHY)
    told = [each["code"] for each in (await whole(world, DOCTOR, "Patient/pb", "b", purpose="BTG"))["reason"]]
    assert "emergency" in told


async def test_other_roles_are_refused(world):
    assert (await refused(whole(world, person("x", Role.UPLOADER, "a", "providing"), "Patient/pa", "a"))).status == 403


def test_every_reason_has_a_text():
    assert {each.value for each in Reason} <= set(TEXTS)


DOCTOR_OF_D = person("d1", Role.PHYSICIAN, "d", "core", "viewing")


class LimitedWorld(World):
    """The same network, asked by somebody who sees less."""

    def __init__(self, desk, now, seen):
        super().__init__(desk, now)
        self.seen = seen

    async def ask(self, name, who, id=None, performers=None, **given):
        async def limited(asked):
            return await performers[name](replace(asked, seen=self.seen))

        return await super().ask(name, who, id, {name: limited}, **given)
