"""Writes that would reach further than the token, and answers to writes that would tell what may not be read (S31, S56, L30)."""

import pytest

from fhir_server.auth.roles import Role
from tests.access.records import EVERYTHING
from tests.access.secured import requester, store
from tests.rest.served import observation, patient

LINKED = patient(id="p3", link=[{"other": {"reference": "Patient/p1"}, "type": "seealso"}])
ABOUT_P2 = {**observation("Patient/p2"), "performer": [{"reference": "Patient/p1"}]}
P1 = requester(Role.PHYSICIAN, "patient/*.cruds", patient="Patient/p1")


def about(subject):
    return {"subject": {"reference": f"Patient/{subject}"}}


async def test_s31_naming_the_patient_in_passing_does_not_make_a_record_hers(secured, ask):
    """An app for p1 could else write into the record of p2 whatever it says that p1 had performed, asserted or recorded."""
    await store(secured, *EVERYTHING, {**ABOUT_P2, "id": "performed"})
    author = [{"reference": "Patient/p1"}]
    condition = {"resourceType": "Condition", **about("p2"), "asserter": author[0], "code": {"text": "x"}}
    document = {
        "resourceType": "DocumentReference",
        "status": "current",
        **about("p2"),
        "author": author,
        "content": [{"attachment": {"title": "x"}}],
    }
    for new in (ABOUT_P2, condition, document):
        assert (await ask(P1, "POST", f"/{new['resourceType']}", json=new)).status_code == 403, new["resourceType"]
        entry = {"request": {"method": "POST", "url": new["resourceType"]}, "resource": new}
        assert (await ask(P1, "POST", "", json={"resourceType": "Bundle", "type": "transaction", "entry": [entry]})).status_code == 403
    assert (await ask(P1, "GET", "/Observation/performed")).status_code == 200  # the definition of the compartment has it so
    assert (await ask(P1, "PUT", "/Observation/performed", json={**ABOUT_P2, "id": "performed", "status": "amended"})).status_code == 403
    patch = [{"op": "replace", "path": "/status", "value": "amended"}]
    headers = {"Content-Type": "application/json-patch+json"}
    assert (await ask(P1, "PATCH", "/Observation/performed", json=patch, headers=headers)).status_code == 403
    await ask(P1, "DELETE", "/Observation/performed")
    assert (await ask(requester(Role.PHYSICIAN), "GET", "/Observation/performed")).json()["status"] == ABOUT_P2["status"]
    hers = {**ABOUT_P2, **about("p1")}
    assert (await ask(P1, "POST", "/Observation", json=hers)).status_code == 201


async def test_s56_a_patient_scope_does_not_write_a_patient_who_is_linked(secured, ask):
    await store(secured, *EVERYTHING, patient(id="p3"))
    await secured.registry.network.desk.store(LINKED)
    assert (await ask(P1, "GET", "/Patient/p3")).status_code == 200
    assert (await ask(P1, "PUT", "/Patient/p3", json={**LINKED, "active": False})).status_code == 403
    assert (await ask(P1, "PUT", "/Patient/p1", json=patient(id="p1", active=True))).status_code == 200


@pytest.mark.parametrize("prefer", ["return=representation", "return=minimal", ""])
async def test_l30_no_answer_to_a_write_tells_an_uploader_what_is_stored(secured, ask, prefer):
    await store(secured, *EVERYTHING)
    who, secret = requester(Role.UPLOADER), "000p1"
    mine = observation("Patient/p2", id="lab-p1")
    headers = {"Prefer": prefer} if prefer else {}
    entry = {"request": {"method": "PUT", "url": "Patient/p1", "ifNoneMatch": "*"}, "resource": patient(id="p1")}
    conditional = {"request": {"method": "POST", "url": "Patient", "ifNoneExist": "birthdate=1984-03-02"}, "resource": patient()}
    by_search = {"request": {"method": "PUT", "url": "Patient?birthdate=1984-03-02"}, "resource": patient()}
    reference = {"request": {"method": "POST", "url": "Observation"}, "resource": observation("Patient?birthdate=1984-03-02")}
    asked = [
        ("PUT", "/Patient/p1", patient(id="p1"), {"If-None-Match": "*"}), ("PUT", "/Observation/lab-p1", mine, {"If-Match": 'W/"99"'}),
        ("POST", "/Patient", patient(), {"If-None-Exist": "birthdate=1984-03-02"}), ("PUT", "/Patient?birthdate=1984-03-02", patient(), {}),
        *(("POST", "", {"resourceType": "Bundle", "type": type, "entry": [each]}, {}) for type in ("transaction", "batch")
          for each in (entry, conditional, by_search)),
        ("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": [reference]}, {}),
        ("POST", "/Patient/p1/$validate", {"resourceType": "Parameters"}, {}), ("DELETE", "/Patient/p1", None, {}),
        ("PATCH", "/Patient/p1", [], {"Content-Type": "application/json-patch+json"}), ("GET", "/Patient/p1/$meta", None, {}),
    ]  # fmt: skip
    for method, address, body, more in asked:
        answer = await ask(who, method, address, headers=headers | more, **({"json": body} if body is not None else {}))
        assert secret not in answer.text, (method, address)
        inner = answer.json() if answer.content else {}
        statuses = [each["response"]["status"][:3] for each in inner.get("entry", ())] or [str(answer.status_code)]
        there = {"200"} if inner.get("type") == "transaction-response" and body["entry"] == [entry] else set()  # left as it is
        assert all("resource" not in each for each in inner.get("entry", ())), (method, address)
        assert set(statuses) <= {"400", "403", "404", "409", "412", "422"} | there, (body, statuses, answer.text)
