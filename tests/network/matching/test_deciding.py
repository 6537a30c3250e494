"""Link, unlink, merge and undo: who is who, decided by the secretariat, and reversible."""

import asyncio
from typing import Any

import pytest

from fhir_server.auth.requester import Requester
from fhir_server.auth.roles import Role
from fhir_server.network.matching.past import decisions, linked_at
from fhir_server.network.matching.persons import REGIONAL_ID
from fhir_server.outcome import FhirError
from tests.network.matching.world import SECRETARY, World, answered, named, patient

WHY = "照合の上、同一人物と確認"


async def linked(world: World, one: str = "a1", other: str = "b1", **given: Any) -> str:
    """Link two Patients and give the golden one."""
    return answered(await world.ask("Patient-link", one, target=f"Patient/{other}", reason=WHY, **given), "golden")


async def two(world: World) -> None:
    await world.store("a", patient("a1", "a"))
    await world.store("b", patient("b1", "b"))


async def test_l32_linking_two_facilities_patients_makes_a_golden_one_that_does_not_point_back(world):
    await two(world)
    golden = await linked(world)
    assert golden.startswith("Patient/golden-")
    for each in ("Patient/a1", "Patient/b1"):
        assert (await world.read(each))["link"] == [{"other": {"reference": golden}, "type": "seealso"}]
    made = await world.read(golden)
    assert "link" not in made
    assert made["birthDate"] == "1966-06-08"
    assert not {"address", "telecom"} & made.keys()
    assert [tag["code"] for tag in made["meta"]["tag"]] == ["network"]
    assert [tag["code"] for tag in (await world.read("Patient/a1"))["meta"]["tag"]] == ["a"]


async def test_f089_a_new_regional_id_has_ten_digits_and_is_never_given_twice(world):
    await two(world)
    await world.store("c", patient("c1", "c", birthDate="1970-01-02"), patient("c2", "c", birthDate="1980-02-03"))
    first = await world.read(await linked(world))
    await world.ask("Patient-undo", "a1", reason="誤り")
    second = await world.read(await linked(world))
    numbers = [each["identifier"][0]["value"] for each in (first, second)]
    assert numbers == ["3700000001", "3700000002"]
    await world.desk.store({**patient("brought", "a"), "identifier": [{"system": REGIONAL_ID, "value": "3700000003"}]})
    third = await world.read(await linked(world, "c1", "c2", force=True))
    assert third["identifier"][0]["value"] == "3700000004"


async def test_a_third_facilitys_patient_joins_the_golden_one_that_there_is(world):
    await two(world)
    await world.store("c", patient("c1", "c"))
    golden = await linked(world)
    assert await linked(world, "c1", "a1") == golden
    record = await world.read(golden.replace("Patient/", "Linkage/"))
    assert [(each["type"], each["resource"]["reference"]) for each in record["item"]] == [
        ("source", golden),
        ("alternate", "Patient/a1"),
        ("alternate", "Patient/b1"),
        ("alternate", "Patient/c1"),
    ]


async def test_linking_again_changes_nothing(world):
    await two(world)
    golden = await linked(world)
    again = await world.ask("Patient-link", "b1", target=golden, reason=WHY)
    assert answered(again, "golden") == golden
    assert answered(again, "decision") is None
    assert (await world.read("Patient/b1"))["meta"]["versionId"] == "2"


async def test_f065_every_decision_tells_who_when_why_and_on_what_evidence(world, clock):
    await two(world)
    answer = await world.ask("Patient-link", "a1", target="Patient/b1", reason=WHY, evidence=["Consent/form-1"])
    record = await world.read(answered(answer, "decision"))
    assert record["recorded"] == "2026-04-01T09:00:00.000+09:00"
    assert record["agent"][0]["who"] == {"reference": "Practitioner/s1"}
    assert record["reason"] == [{"text": WHY}]
    assert {"role": "source", "what": {"reference": "Consent/form-1"}} in record["entity"]
    assert {"role": "revision", "what": {"reference": "Patient/a1/_history/1"}} in record["entity"]
    assert {"reference": "Patient/a1/_history/2"} in record["target"]


async def test_f065_each_facility_has_its_own_time_of_linking_and_keeps_it(world, clock):
    await two(world)
    await world.store("c", patient("c1", "c"))
    golden = await linked(world)
    clock.shift(3600)
    await linked(world, "c1", "a1")
    times = await linked_at(world.desk, golden)
    assert {name: each.hour for name, each in times.items()} == {"Patient/a1": 9, "Patient/b1": 9, "Patient/c1": 10}
    await world.ask("Patient-unlink", "b1", reason="別人")
    assert set(await linked_at(world.desk, golden)) == {"Patient/a1", "Patient/c1"}


async def test_l32_two_patients_of_one_facility_are_linked_by_force_alone_and_with_a_reason(world):
    await world.store("a", patient("a1", "a", "1"), patient("a2", "a", "2"))
    with pytest.raises(FhirError) as refused:
        await linked(world, "a1", "a2")
    assert refused.value.status == 422
    answer = await world.ask("Patient-link", "a1", target="Patient/a2", reason="重複カルテ", force=True)
    assert answered(answer, "outcome")["issue"][0]["severity"] == "warning"
    for reason in ("", "  "):
        with pytest.raises(FhirError) as refused:
            await world.ask("Patient-link", "a1", target="Patient/a2", reason=reason, force=True)
        assert refused.value.status == 400


async def test_l32_twins_are_linked_only_with_a_warning(world):
    await world.store("a", patient("a1", "a"))
    await world.store("b", patient("b1", "b", name=named(("高松", "三郎"), ("タカマツ", "サブロウ"))))
    answer = await world.ask("Patient-link", "a1", target="Patient/b1", reason=WHY)
    issues = answered(answer, "outcome")["issue"]
    assert any("双" in each["diagnostics"] or "twin" in each["diagnostics"] for each in issues)
    assert not any("高松" in each["diagnostics"] for each in issues)


async def test_of_two_secretaries_who_link_at_once_one_wins_and_nothing_is_half_done(world):
    await two(world)
    await world.store("c", patient("c1", "c"))
    results = await asyncio.gather(
        *(linked(world, one, other) for one, other in (("a1", "b1"), ("b1", "c1"), ("a1", "b1"))), return_exceptions=True
    )
    goldens = {each for each in results if isinstance(each, str)}
    assert {each.status for each in results if isinstance(each, FhirError)} <= {409}, results
    held = {(await world.read(f"Patient/{each}"))["link"][0]["other"]["reference"] for each in ("a1", "b1", "c1")}
    assert held == goldens
    assert len(held) == 1
    assert len(await decisions(world.desk, held.pop())) == 2


@pytest.mark.parametrize("name", ["Patient-link", "Patient-unlink", "Patient-undo", "Patient-match-candidates"])
@pytest.mark.parametrize("role", [Role.PHYSICIAN, Role.AUDITOR, Role.PATIENT, Role.SYSTEM, None])
async def test_s56_nobody_but_the_secretariat_says_who_is_who(world, name, role):
    await two(world)
    given: dict[str, Any] = {} if name == "Patient-match-candidates" else {"reason": WHY}
    given |= {"target": "Patient/b1"} if name == "Patient-link" else {}
    somebody = Requester("x", role=role, scope="user/*.cruds", fhir_user="Practitioner/d1", organization="Organization/a")
    with pytest.raises(FhirError) as refused:
        await world.ask(name, "a1", who=somebody, **given)
    assert refused.value.status == 403
    with pytest.raises(FhirError) as scoped:
        await world.ask(name, "a1", who=SECRETARY, seen=world.seeing(), **given)
    assert scoped.value.status == 403
    assert "link" not in await world.read("Patient/a1")


@pytest.mark.parametrize("target", ["Patient/nobody", "Patient/golden-nobody"])
async def test_linking_with_nobody_is_not_found(world, target):
    await two(world)
    with pytest.raises(FhirError) as missing:
        await world.ask("Patient-link", "a1", target=target, reason=WHY)
    assert missing.value.status == 404


@pytest.mark.parametrize("target", ["Patient/a1", "Practitioner/x", "http://elsewhere/Patient/1", "Patient/../x"])
async def test_what_cannot_be_linked_is_refused(world, target):
    await two(world)
    with pytest.raises(FhirError) as refused:
        await world.ask("Patient-link", "a1", target=target, reason=WHY)
    assert refused.value.status == 400
