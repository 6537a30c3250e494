"""The operations of identity as they are asked for over HTTP, by whoever may and whoever may not."""

import pytest

from fhir_server.auth.roles import Role
from tests.access.secured import Ask, ask, requester, secured, store, stranger
from tests.network.matching.world import named, patient

__all__ = ["ask", "secured", "stranger"]

SECRETARY = requester(Role.SECRETARIAT, organization="Organization/network", facility=None, facility_roles=frozenset())
DOCTOR = requester(Role.PHYSICIAN)


def parameters(**given):
    kinds = {"reason": "valueString", "force": "valueBoolean", "outcome": "valueCode", "onlyCertainMatches": "valueBoolean"}
    parts = [
        {"name": name, kinds[name]: value} if name in kinds else {"name": name, "valueReference": {"reference": value}}
        for name, value in given.items()
    ]
    return {"resourceType": "Parameters", "parameter": parts}


async def test_the_secretariat_links_and_undoes_over_http(secured, ask: Ask):
    await store(secured, patient("a1", "a"), patient("b1", "b"))
    body = parameters(target="Patient/b1", reason="確認", force=True)
    answer = await ask(SECRETARY, "POST", "/Patient/a1/$link", json=body)
    assert answer.status_code == 200, answer.text
    golden = answer.json()["parameter"][0]["valueReference"]["reference"]
    assert (await ask(SECRETARY, "GET", "/Patient/a1")).json()["link"] == [{"other": {"reference": golden}, "type": "seealso"}]
    assert (await ask(SECRETARY, "GET", f"/{golden}")).json()["identifier"][0]["value"] == "3700000001"
    assert (await ask(SECRETARY, "POST", "/Patient/a1/$undo", json=parameters(reason="取り違え"))).status_code == 200
    assert "link" not in (await ask(SECRETARY, "GET", "/Patient/a1")).json()


async def test_s56_a_facility_is_refused_and_what_changes_anything_takes_post(secured, ask: Ask):
    await store(secured, patient("a1", "a"), patient("b1", "b"))
    refused = await ask(DOCTOR, "POST", "/Patient/a1/$link", json=parameters(target="Patient/b1", reason="確認"))
    absent = await ask(DOCTOR, "POST", "/Patient/nobody/$link", json=parameters(target="Patient/b1", reason="確認"))
    assert refused.status_code == absent.status_code == 403
    assert refused.json() == absent.json()
    for name in ("unlink", "undo"):
        assert (await ask(SECRETARY, "GET", f"/Patient/a1/${name}?reason=x")).status_code == 405
    assert (await ask(SECRETARY, "GET", "/Patient/a1/$match-candidates")).status_code == 405


@pytest.mark.parametrize("id", ["a1", "nobody"])
async def test_a_body_that_lacks_the_reason_is_told_so(secured, ask: Ask, id):
    await store(secured, patient("a1", "a"))
    answer = await ask(SECRETARY, "POST", f"/Patient/{id}/$link", json=parameters(target="Patient/b1"))
    assert answer.status_code == 400
    assert "reason" in answer.json()["issue"][0]["diagnostics"]


async def test_the_work_list_is_worked_off_over_http(secured, ask: Ask):
    await store(secured, patient("a1", "a"), patient("b1", "b", name=named(("高松", "次朗"), ("タカマツ", "ジロウ"))))
    seen = (await ask(SECRETARY, "POST", "/Patient/a1/$match-candidates")).json()
    candidate = next(each for each in seen["parameter"] if each["name"] == "candidate")
    task = next(each["valueReference"]["reference"] for each in candidate["part"] if each["name"] == "task")
    listed = (await ask(SECRETARY, "GET", "/Task?code=urn:tsunagi:task|match-identity&status=requested")).json()
    assert [each["resource"]["id"] for each in listed["entry"]] == [task.partition("/")[2]]
    answer = await ask(SECRETARY, "POST", f"/{task}/$decide", json=parameters(outcome="accept", reason="電話で確認", force=True))
    assert answer.status_code == 200, answer.text
    assert (await ask(SECRETARY, "GET", f"/{task}")).json()["status"] == "completed"
