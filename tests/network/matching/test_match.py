"""Patient/$match: whoever the requester may see, the best first, and no trace of anybody else."""

import pytest

from fhir_server.auth.requester import Requester
from fhir_server.auth.roles import Role
from fhir_server.outcome import FhirError
from tests.network.matching.test_work_list import insured
from tests.network.matching.world import World, named, patient

DOCTOR = Requester("d1", role=Role.PHYSICIAN, scope="user/*.rs", fhir_user="Practitioner/d1", organization="Organization/a")
GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"


def asked(**elements):
    """Who is sought: not stored, no id."""
    return {name: value for name, value in patient("x", "a", **elements).items() if name not in ("id", "identifier")}


async def ids(world: World, sought, *facilities: str, **given) -> list[str]:
    bundle = await world.ask("Patient-match", who=DOCTOR, seen=world.seeing(*facilities), resource=sought, **given)
    assert bundle["type"] == "searchset"
    assert bundle["total"] == len([each for each in bundle.get("entry", ()) if each["search"]["mode"] == "match"])
    return [each["resource"]["id"] for each in bundle.get("entry", ()) if each["search"]["mode"] == "match"]


async def test_the_best_match_comes_first_with_score_and_grade(world):
    near = patient("a2", "a", "2", name=named(("高松", "三郎"), ("タカマツ", "サブロウ")))
    await world.store("a", near, patient("a1", "a"))
    bundle = await world.ask("Patient-match", who=DOCTOR, seen=world.seeing("a"), resource=asked())
    first = bundle["entry"][0]
    assert first["resource"]["id"] == "a1"
    assert first["fullUrl"] == "http://tsunagi.example/fhir/Patient/a1"
    scores = [each["search"]["score"] for each in bundle["entry"]]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= each <= 1 for each in scores)
    assert first["search"]["extension"][0]["url"] == GRADE
    assert first["search"]["extension"][0]["valueCode"] in ("certain", "probable", "possible")


async def test_s25_who_is_hidden_leaves_no_trace_in_a_match(world):
    await world.store("a", patient("a1", "a"))
    alone = await world.ask("Patient-match", who=DOCTOR, seen=world.seeing("a"), resource=asked())
    await world.store("b", patient("b1", "b"), insured("b2", "b", "2"))
    assert await world.ask("Patient-match", who=DOCTOR, seen=world.seeing("a"), resource=asked()) == alone
    assert set(await ids(world, asked(), "a", "b")) == {"a1", "b1", "b2"}


async def test_nobody_who_matches_is_an_empty_searchset(world):
    assert await ids(world, asked(), "a") == []


async def test_only_certain_matches_are_those_of_one_person(world):
    await world.store("a", insured("a1", "a"), patient("a2", "a", "2"))
    await world.store("b", insured("b1", "b"))
    sought = asked() | {"identifier": insured("x", "a")["identifier"][1:]}
    assert await ids(world, sought, "a", onlyCertainMatches=True) == ["a1"]
    assert await ids(world, sought, "a", "b", onlyCertainMatches=True) == []
    await world.ask("Patient-link", "a1", target="Patient/b1", reason="確認")
    assert set(await ids(world, sought, "a", "b", onlyCertainMatches=True)) == {"a1", "b1"}


async def test_count_limits_how_many_are_answered(world):
    await world.store("a", *(patient(f"a{number}", "a", str(number)) for number in range(5)))
    assert len(await ids(world, asked(), "a", count=2)) == 2
    with pytest.raises(FhirError) as refused:
        await ids(world, asked(), "a", count=0)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Observation"},
        {"resourceType": "Patient"},
        {"resourceType": "Patient", "gender": "male"},
        {"resourceType": "Patient", "name": "高松"},
        {"resourceType": "Patient", "birthDate": "昭和41年"},
        {"resourceType": "Patient", "birthDate": "1966-06-08", "name": [{"family": ["x"]}]},
    ],
)
async def test_what_cannot_be_sought_is_refused(world, resource):
    with pytest.raises(FhirError) as refused:
        await ids(world, resource, "a")
    assert refused.value.status == 400
    assert "高松" not in str(refused.value)


async def test_who_may_not_search_patients_may_not_match_them(world):
    with pytest.raises(FhirError) as refused:
        await world.ask("Patient-match", who=DOCTOR, seen=world.seeing(), resource=asked())
    assert refused.value.status == 403
