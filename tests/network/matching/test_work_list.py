"""The work list: candidates found, proposed once, decided by the secretariat, or linked where the network or the consent form says so."""

import asyncio

import pytest

from fhir_server.network.matching.candidates import by_form, look
from fhir_server.network.matching.pairs import task_of, waiting
from fhir_server.network.matching.past import linked_at
from fhir_server.network.matching.persons import golden_of
from fhir_server.outcome import FhirError
from tests.network.matching.world import World, answered, named, patient

INSURED = {"system": "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID", "value": "00012345:見本123:4567890:01"}


def insured(id: str, facility: str, number: str = "1", **elements):
    made = patient(id, facility, number, **elements)
    return {**made, "identifier": [*made["identifier"], INSURED]}


async def open_tasks(world: World) -> list:
    return await world.desk.find("Task", waiting())


async def test_l32_a_likely_match_waits_as_one_task_without_any_name(world):
    await world.store("a", patient("a1", "a"))
    await world.store("b", patient("b1", "b", telecom=[]))
    assert await look(world.desk, "Patient/a1") == [task_of("Patient/a1", "Patient/b1")]
    [task] = await open_tasks(world)
    assert task["status"] == "requested"
    assert task["code"]["coding"] == [{"system": "urn:tsunagi:task", "code": "match-identity"}]
    assert task["focus"] == {"reference": "Patient/a1"}
    codes = [each["type"]["coding"][0]["code"] for each in task["input"]]
    assert codes[:3] == ["candidate", "score", "grade"]
    assert len(codes) > 3
    assert not any(secret in str(task) for secret in ("高松", "タカマツ", "1966", "9012345678", "番町"))


async def test_looking_again_from_either_side_changes_nothing(world):
    await world.store("a", patient("a1", "a"))
    await world.store("b", patient("b1", "b"))
    first = await look(world.desk, "Patient/a1")
    assert await look(world.desk, "Patient/b1") == first == await look(world.desk, "Patient/a1")
    [task] = await open_tasks(world)
    assert task["meta"]["versionId"] == "1"
    await asyncio.gather(*(look(world.desk, f"Patient/{each}") for each in ("a1", "b1", "a1", "b1")))
    assert (await open_tasks(world)) == [task]


async def test_somebody_else_is_not_proposed(world):
    await world.store("a", patient("a1", "a"))
    other = patient(
        "b1", "b", name=named(("讃岐", "花子"), ("サヌキ", "ハナコ")), birthDate="1984-03-02", gender="female", telecom=[], address=[]
    )
    await world.store("b", other)
    assert await look(world.desk, "Patient/a1") == []


async def test_a_person_is_proposed_once_however_many_patients_she_has(world):
    await world.store("a", patient("a1", "a"))
    await world.store("b", patient("b1", "b"))
    await world.store("c", patient("c1", "c"))
    await world.ask("Patient-link", "a1", target="Patient/b1", reason="確認")
    assert len(await look(world.desk, "Patient/c1")) == 1
    await look(world.desk, "Patient/a1")
    await look(world.desk, "Patient/b1")
    assert len(await open_tasks(world)) == 1


async def test_l32_a_certain_match_links_by_itself_only_where_the_network_allows_it(world):
    await world.store("a", insured("a1", "a"))
    await world.store("b", insured("b1", "b"))
    assert len(await look(world.desk, "Patient/a1")) == 1
    assert "link" not in await world.read("Patient/a1")
    assert await look(world.with_terms(automatic_linking=True).desk, "Patient/a1") == []
    golden = golden_of(await world.read("Patient/b1"))
    assert golden is not None
    assert golden_of(await world.read("Patient/a1")) == golden
    assert await open_tasks(world) == []


async def test_l32_what_is_not_certain_waits_even_where_links_are_automatic(world):
    await world.store("a", patient("a1", "a"), insured("a2", "a", "2"))
    await world.store("b", patient("b1", "b", gender="unknown"))
    for each in ("a1", "b1", "a2"):
        await look(world.with_terms(automatic_linking=True).desk, f"Patient/{each}")
    assert not [each for each in ("a1", "a2", "b1") if "link" in await world.read(f"Patient/{each}")]


async def test_l32_twins_never_link_by_themselves(world):
    await world.store("a", insured("a1", "a"))
    await world.store("b", insured("b1", "b", name=named(("高松", "三郎"), ("タカマツ", "サブロウ"))))
    await look(world.with_terms(automatic_linking=True).desk, "Patient/a1")
    assert "link" not in await world.read("Patient/a1")


async def test_the_secretariat_sees_candidates_side_by_side(world):
    await world.store("a", patient("a1", "a"))
    await world.store("b", patient("b1", "b"))
    answer = await world.ask("Patient-match-candidates", "a1")
    assert answered(answer, "patient")["id"] == "a1"
    parts = {each["name"]: each for each in answered(answer, "candidate")}
    assert parts["patient"]["resource"]["id"] == "b1"
    assert parts["task"]["valueReference"] == {"reference": task_of("Patient/a1", "Patient/b1")}
    assert 0 < parts["score"]["valueDecimal"] <= 1
    assert parts["grade"]["valueCode"] in ("certain", "probable", "possible")
    assert parts["agreement"]["part"]


async def decided(world: World, outcome: str, **given) -> dict:
    [task] = await open_tasks(world)
    return await world.ask("Task-decide", task["id"], outcome=outcome, reason="電話で確認", **given)


async def test_accepting_a_task_links_the_two_and_keeps_its_score_as_evidence(world):
    await world.store("a", patient("a1", "a"))
    await world.store("b", patient("b1", "b"))
    [waits] = await look(world.desk, "Patient/a1")
    answer = await decided(world, "accept")
    assert (await world.read("Patient/b1"))["link"][0]["other"]["reference"] == answered(answer, "golden")
    assert (await world.read(waits))["status"] == "completed"
    record = await world.read(answered(answer, "decision"))
    assert {"role": "source", "what": {"reference": waits}} in record["entity"]
    assert [each["url"] for each in record["extension"]] == ["urn:tsunagi:match-score", "urn:tsunagi:match-grade"]
    await world.ask("Patient-undo", "a1", reason="取り違え", decision=waits)
    assert (await world.read(waits))["status"] == "requested"
    assert "link" not in await world.read("Patient/b1")


async def test_a_rejected_pair_is_never_proposed_again_until_that_is_undone(world):
    await world.store("a", patient("a1", "a"))
    await world.store("b", patient("b1", "b"))
    await world.store("c", patient("c1", "c"))
    await look(world.desk, "Patient/a1")
    [task] = [each for each in await open_tasks(world) if each["id"] in task_of("Patient/a1", "Patient/b1")]
    await world.ask("Task-decide", task["id"], outcome="reject", reason="別人")
    await world.ask("Task-decide", task["id"], outcome="reject", reason="別人")
    terms = world.with_terms(automatic_linking=True)
    for each in ("a1", "b1"):
        assert task_of("Patient/a1", "Patient/b1") not in await look(terms.desk, f"Patient/{each}")
    await world.ask("Patient-link", "c1", target="Patient/b1", reason="確認")
    assert task_of("Patient/a1", "Patient/c1") not in await look(world.desk, "Patient/c1"), "c1 is who a1 is not"
    with pytest.raises(FhirError) as refused:
        await world.ask("Task-decide", task["id"], outcome="accept", reason="やはり同一")
    assert refused.value.status == 409
    await world.ask("Patient-undo", "b1", reason="誤り", decision=f"Task/{task['id']}")
    assert f"Task/{task['id']}" in [f"Task/{each['id']}" for each in await open_tasks(world)]


async def test_linking_by_hand_settles_the_task_that_waited(world):
    await world.store("a", patient("a1", "a"))
    await world.store("b", patient("b1", "b"))
    [waits] = await look(world.desk, "Patient/a1")
    await world.ask("Patient-link", "b1", target="Patient/a1", reason="確認")
    assert (await world.read(waits))["status"] == "completed"
    await world.ask("Patient-undo", "a1", reason="誤り")
    assert (await world.read(waits))["status"] == "requested"


async def test_of_two_secretaries_who_decide_otherwise_at_once_one_wins(world):
    await world.store("a", patient("a1", "a"))
    await world.store("b", patient("b1", "b"))
    [waits] = await look(world.desk, "Patient/a1")
    results = await asyncio.gather(decided(world, "accept"), decided(world, "reject"), return_exceptions=True)
    lost = [each for each in results if isinstance(each, FhirError)]
    assert [each.status for each in lost] == [409]
    linked = "link" in await world.read("Patient/a1")
    assert (await world.read(waits))["status"] == ("completed" if linked else "rejected")


async def test_f069_the_consent_form_links_the_patients_that_it_lists(world):
    await world.store("a", patient("a1", "a", telecom=[], address=[{"text": "香川県丸亀市大手町二丁目3番1号"}]))
    await world.store("b", patient("b1", "b"))
    golden = await by_form(world.desk, ["Patient/a1", "Patient/b1"], "Consent/c", "Practitioner/s1")
    assert set(await linked_at(world.desk, golden)) == {"Patient/a1", "Patient/b1"}
    assert await by_form(world.desk, ["Patient/b1", "Patient/a1"], "Consent/c") == golden
    assert (await world.read("Patient/a1"))["meta"]["versionId"] == "2"


async def test_f069_whom_a_form_lists_but_whose_birth_date_differs_waits_for_the_secretariat(world):
    await world.store("a", patient("a1", "a"))
    await world.store("b", patient("b1", "b", birthDate="1966-08-06"))
    await world.store("c", patient("c1", "c", name=named(("高松", "三郎"), ("タカマツ", "サブロウ"))))
    golden = await by_form(world.desk, ["Patient/a1", "Patient/b1", "Patient/c1"], "Consent/c")
    assert set(await linked_at(world.desk, golden)) == {"Patient/a1"}
    waits = {f"Task/{each['id']}" for each in await open_tasks(world)}
    assert waits == {task_of("Patient/a1", "Patient/b1"), task_of("Patient/a1", "Patient/c1")}


async def test_d04_a_form_that_lists_one_patient_gives_him_a_golden_one(world):
    await world.store("a", patient("a1", "a"))
    golden = await by_form(world.desk, ["Patient/a1"], "Consent/c")
    assert golden_of(await world.read("Patient/a1")) == golden
    for patients, status in (([], 422), (["Patient/nobody"], 404)):
        with pytest.raises(FhirError) as refused:
            await by_form(world.desk, patients, "Consent/c")
        assert refused.value.status == status


async def test_decide_is_for_tasks_of_matching_identities(world):
    other = {"resourceType": "Task", "id": "t", "status": "requested", "intent": "order", "code": {"text": "x"}}
    await world.desk.store(other)
    for id, outcome, status in (("t", "accept", 400), ("none", "accept", 404), ("t", "maybe", 400)):
        with pytest.raises(FhirError) as refused:
            await world.ask("Task-decide", id, outcome=outcome, reason="x")
        assert refused.value.status == status
