"""Patient/$ihe-pix (PIXm, ITI-83): the numbers of one patient at the facilities that the requester may see."""

import pytest

from fhir_server.auth.requester import Requester
from fhir_server.auth.roles import Role
from fhir_server.network.matching.persons import REGIONAL_ID
from fhir_server.outcome import FhirError
from tests.network.matching.world import World, answered, patient, system

DOCTOR = Requester("d1", role=Role.PHYSICIAN, scope="user/*.rs", fhir_user="Practitioner/d1", organization="Organization/a")


async def linked(world: World) -> str:
    await world.store("a", patient("a1", "a", "0000011111"))
    await world.store("b", patient("b1", "b", "22222"))
    await world.store("c", patient("c1", "c", "33333"))
    await world.ask("Patient-link", "a1", target="Patient/b1", reason="確認")
    return answered(await world.ask("Patient-link", "a1", target="Patient/c1", reason="確認"), "golden")


async def pix(world: World, source: str, *facilities: str, **given):
    return await world.ask("Patient-ihe-pix", who=DOCTOR, seen=world.seeing(*facilities), sourceIdentifier=source, **given)


def told(parameters) -> tuple[list, list]:
    found = parameters.get("parameter", ())
    identifiers = [each["valueIdentifier"]["value"] for each in found if each["name"] == "targetIdentifier"]
    return identifiers, [each["valueReference"]["reference"] for each in found if each["name"] == "targetId"]


A1 = f"{system('a')}|0000011111"


async def test_the_numbers_at_other_facilities_are_told_the_regional_one_too(world):
    golden = await linked(world)
    identifiers, ids = told(await pix(world, A1, "a", "b", "c", "network"))
    assert identifiers == ["3700000001", "22222", "33333"]
    assert ids == [golden, "Patient/b1", "Patient/c1"]
    identifiers, ids = told(await pix(world, f"{REGIONAL_ID}|3700000001", "a", "b", "c", "network"))
    assert identifiers == ["0000011111", "22222", "33333"]


async def test_d03_only_what_the_requester_may_see_is_told(world):
    await linked(world)
    assert told(await pix(world, A1, "a", "b")) == (["22222"], ["Patient/b1"])
    assert told(await pix(world, A1, "a")) == ([], [])


async def test_target_systems_limit_what_is_told(world):
    await linked(world)
    assert told(await pix(world, A1, "a", "b", "c", "network", targetSystem=[system("c")])) == (["33333"], ["Patient/c1"])
    assert told(await pix(world, A1, "a", "b", "c", targetSystem=[system("b"), system("c")]))[0] == ["22222", "33333"]


async def test_s33_a_hidden_patients_number_is_as_unknown_as_one_that_nobody_has(world):
    await linked(world)
    answers = []
    for number in (f"{system('b')}|22222", f"{system('b')}|99999"):
        with pytest.raises(FhirError) as missing:
            await pix(world, number, "a")
        answers.append((missing.value.status, missing.value.issues))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404


@pytest.mark.parametrize(
    ("source", "given", "status"),
    [
        ("urn:oid:1.2.3|1", {}, 400),
        ("22222", {}, 400),
        (f"{system('a')}|", {}, 400),
        ("|1", {}, 400),
        (A1, {"targetSystem": ["urn:oid:1.2.3"]}, 403),
    ],
)
async def test_systems_that_the_network_does_not_know_are_refused(world, source, given, status):
    with pytest.raises(FhirError) as refused:
        await pix(world, source, "a", **given)
    assert refused.value.status == status


async def test_a_merged_regional_id_leads_to_the_one_that_stays(world):
    stays = await linked(world)
    await world.store("a", patient("a2", "a", "4"))
    await world.store("b", patient("b2", "b", "5"))
    gone = answered(await world.ask("Patient-link", "a2", target="Patient/b2", reason="確認"), "golden")
    await world.ask("Patient-merge", gone.partition("/")[2], into=stays, reason="同一人物", force=True)
    identifiers, _ = told(await pix(world, f"{REGIONAL_ID}|3700000002", "a", "b", "c", "network"))
    assert {"3700000001", "0000011111", "22222", "33333", "4", "5"} <= set(identifiers)
