"""Undo and merge: every decision can be taken back, and what was agreed to goes with the person who stays."""

import asyncio
from typing import Any

import pytest

from fhir_server.outcome import FhirError
from tests.network.matching.test_deciding import WHY, linked, two
from tests.network.matching.world import World, answered, patient


def content(resource: Any) -> Any:
    return {name: value for name, value in resource.items() if name != "meta"}


async def test_l32_undoing_brings_back_exactly_what_was_there_any_number_of_steps(world):
    await two(world)
    await world.store("c", patient("c1", "c"))
    before = {each: content(await world.read(f"Patient/{each}")) for each in ("a1", "b1", "c1")}
    golden = await linked(world)
    await linked(world, "c1", "b1")
    await world.ask("Patient-undo", "a1", reason="取り違え")
    assert content(await world.read("Patient/c1")) == before["c1"]
    assert (await world.read("Patient/b1"))["link"]
    await world.ask("Patient-undo", "b1", reason="取り違え")
    for name, each in before.items():
        now = content(await world.read(f"Patient/{name}"))
        assert now == each
        assert list(now) == list(each)
    assert await world.desk.read(golden) is None
    with pytest.raises(FhirError) as nothing:
        await world.ask("Patient-undo", "a1", reason="もう一度")
    assert nothing.value.status == 409
    assert (await world.desk.everything.get_version("Patient", "a1", "2")).body is not None


async def test_undoing_leaves_what_the_facility_has_written_meanwhile(world):
    await two(world)
    await linked(world)
    moved = {**await world.read("Patient/a1"), "address": [{"text": "香川県丸亀市大手町二丁目3番1号"}]}
    await world.store("a", moved)
    await world.ask("Patient-undo", "b1", reason="取り違え")
    now = await world.read("Patient/a1")
    assert now["address"] == moved["address"]
    assert "link" not in now


async def test_a_decision_in_between_is_undone_where_no_later_one_has_changed_the_same(world):
    await two(world)
    await world.store("c", patient("c1", "c"))
    await linked(world)
    third = answered(await world.ask("Patient-link", "c1", target="Patient/a1", reason=WHY), "decision")
    unlinked = answered(await world.ask("Patient-unlink", "c1", reason="別人"), "decision")
    with pytest.raises(FhirError) as later:
        await world.ask("Patient-undo", "c1", reason="x", decision=third)
    assert later.value.status == 409
    await world.ask("Patient-undo", "c1", reason="同一人物だった", decision=unlinked)
    assert (await world.read("Patient/c1"))["link"]


async def test_who_was_unlinked_is_linked_again_by_force_alone_until_that_is_undone(world):
    await two(world)
    await world.store("c", patient("c1", "c"))
    golden = await linked(world)
    await linked(world, "c1", "a1")
    await world.ask("Patient-unlink", "c1", reason="別人")
    assert "link" not in await world.read("Patient/c1")
    with pytest.raises(FhirError) as refused:
        await linked(world, "c1", "a1")
    assert refused.value.status == 422
    await world.ask("Patient-undo", "c1", reason="同一人物だった")
    assert (await world.read("Patient/c1"))["link"][0]["other"]["reference"] == golden


async def test_merging_two_golden_patients_points_their_members_to_the_one_that_stays(world):
    await two(world)
    await world.store("c", patient("c1", "c"), patient("c2", "c", "2"))
    stays = await linked(world)
    gone = await linked(world, "c1", "c2", force=True)
    before = {each: content(await world.read(each)) for each in (stays, gone, "Patient/c1", "Patient/c2")}
    with pytest.raises(FhirError) as refused:
        await linked(world, "a1", "c1")
    assert refused.value.status == 409
    await world.ask("Patient-merge", gone.partition("/")[2], into=stays, reason=WHY)
    old, new = await world.read(gone), await world.read(stays)
    assert old["active"] is False
    assert old["link"] == [{"other": {"reference": stays}, "type": "replaced-by"}]
    assert new["link"] == [{"other": {"reference": gone}, "type": "replaces"}]
    assert (await world.read("Patient/c1"))["link"] == [{"other": {"reference": stays}, "type": "seealso"}]
    with pytest.raises(FhirError) as merged:
        await world.ask("Patient-link", "c1", target=gone, reason=WHY)
    assert merged.value.status == 409
    await world.ask("Patient-undo", "a1", reason="取り違え")
    assert {each: content(await world.read(each)) for each in before} == before


def consent(id: str, golden: str) -> Any:
    scope = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]}
    category = [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}]
    made = {"resourceType": "Consent", "id": id, "status": "active", "scope": scope, "category": category}
    return {**made, "patient": {"reference": golden}, "policy": [{"uri": "urn:tsunagi:policy:listed"}], "provision": {"type": "deny"}}


async def test_what_a_merged_person_has_refused_holds_for_the_one_that_stays(world):
    await two(world)
    await world.store("c", patient("c1", "c"))
    stays, gone = (
        await linked(world),
        answered(await world.ask("Patient-link", "c1", target=await alone(world, "b2"), reason=WHY), "golden"),
    )
    await world.desk.store(consent("refusal", gone))
    before = content(await world.read("Consent/refusal"))
    await world.ask("Patient-merge", gone.partition("/")[2], into=stays, reason=WHY, force=True)
    assert (await world.read("Consent/refusal"))["patient"] == {"reference": stays}
    await world.ask("Patient-undo", "c1", reason="取り違え")
    assert content(await world.read("Consent/refusal")) == before


async def alone(world: World, id: str) -> str:
    """Another Patient of facility b."""
    await world.store("b", patient(id, "b", "2"))
    return f"Patient/{id}"


async def test_undoing_leaves_a_golden_patient_whom_a_consent_names_without_members(world):
    await two(world)
    golden = await linked(world)
    await world.desk.store(consent("agreed", golden))
    await world.ask("Patient-undo", "a1", reason="取り違え")
    assert (await world.read(golden))["active"] is True
    assert "link" not in await world.read("Patient/a1")
    assert (await world.ask("Patient-link", "a1", target=golden, reason=WHY))["parameter"][0]["valueReference"]["reference"] == golden


async def test_of_a_link_and_a_merge_at_once_none_is_left_pointing_to_what_was_merged(world):
    await two(world)
    await world.store("c", patient("c1", "c"), patient("c2", "c", "2"), patient("c3", "c", "3", birthDate="1950-03-04"))
    stays, gone = await linked(world), await linked(world, "c1", "c2", force=True)
    results = await asyncio.gather(
        world.ask("Patient-merge", gone.partition("/")[2], into=stays, reason=WHY),
        world.ask("Patient-link", "c3", target=gone, reason=WHY, force=True),
        return_exceptions=True,
    )
    assert all(each.status == 409 for each in results if isinstance(each, BaseException))
    for each in ("c1", "c2"):
        assert (await world.read(f"Patient/{each}"))["link"][0]["other"]["reference"] == stays
    assert (await world.read("Patient/c3")).get("link", [{"other": {"reference": stays}}])[0]["other"]["reference"] == stays
