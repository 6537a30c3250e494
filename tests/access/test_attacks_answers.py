"""More ways out: what an update that changes nothing, a search of a hidden type in a batch, or a reading token might tell."""

import pytest

from fhir_server.auth.roles import Role
from tests.access.records import EVERYTHING
from tests.access.secured import requester, store
from tests.rest.served import observation

WRITER = requester(Role.PHYSICIAN, "user/Observation.cu")
PATIENT_WRITER = requester(Role.PHYSICIAN, "patient/Observation.cu patient/Patient.r", patient="Patient/p1")


@pytest.mark.parametrize("who", [WRITER, PATIENT_WRITER], ids=["user", "patient"])
async def test_s27_a_scope_to_write_alone_is_no_way_to_read(secured, ask, who):
    await store(secured, *EVERYTHING, {**observation("Patient/p1"), "id": "secret", "note": [{"text": "hidden words"}]})
    mine = {**observation("Patient/p1"), "id": "secret"}
    headers = {"Prefer": "return=representation"}
    entries = [
        {"request": {"method": "PUT", "url": "Observation/secret", "ifNoneMatch": "*"}, "resource": mine},
        {"request": {"method": "POST", "url": "Observation", "ifNoneExist": "_id=secret"}, "resource": mine},
        {"request": {"method": "PUT", "url": "Observation?_id=secret"}, "resource": mine},
        {"request": {"method": "GET", "url": "Observation/secret"}},
        {"request": {"method": "GET", "url": "Observation/secret/_history"}},
        {"request": {"method": "GET", "url": "Observation/secret/$meta"}},
        {"request": {"method": "GET", "url": "Observation/$lastn?code=x"}},
        {"request": {"method": "GET", "url": "Patient/p1/Observation"}},
        {"request": {"method": "GET", "url": "Patient?_id=p1&_revinclude=Observation:subject"}},
        {"request": {"method": "GET", "url": "Patient/p1/$everything"}},
    ]
    for entry in entries:
        for type in ("batch", "transaction"):
            bundle = {"resourceType": "Bundle", "type": type, "entry": [entry]}
            answer = await ask(who, "POST", "", json=bundle, headers=headers)
            assert "hidden words" not in answer.text, (type, entry["request"])
    for method, address, sent in (
        ("PUT", "/Observation/secret", {"json": mine, "headers": {**headers, "If-None-Match": "*"}}),
        ("PUT", "/Observation/secret", {"json": mine, "headers": {**headers, "If-Match": 'W/"7"'}}),
        ("POST", "/Observation", {"json": mine, "headers": {**headers, "If-None-Exist": "_id=secret"}}),
        ("PATCH", "/Observation/secret", {"json": [], "headers": {**headers, "Content-Type": "application/json-patch+json"}}),
        ("POST", "/Observation/secret/$validate", {"json": {"resourceType": "Parameters"}}),
        ("POST", "/Observation/_search", {"data": {"_id": "secret"}}),
    ):
        answer = await ask(who, method, address, **sent)
        assert "hidden words" not in answer.text, (method, address)


async def test_s09_s27_a_conditional_write_is_judged_by_what_the_permit_shows(secured, ask):
    """Whether something hidden answers the criteria makes no difference to the answer, not even whether it is one or several."""
    await store(secured, *EVERYTHING)
    who = requester(Role.PHYSICIAN, "patient/Observation.cruds", patient="Patient/p1")
    about = {**observation("Patient/p1"), "status": "final"}
    for criteria in ("subject=Patient/p2", "_id=lab-p2", "subject=Patient/p9", "_id=none"):
        answer = await ask(who, "DELETE", f"/Observation?{criteria}")
        assert answer.status_code == 204, criteria
        created = await ask(who, "POST", "/Observation", json=about, headers={"If-None-Exist": criteria})
        assert created.status_code == 201, criteria
        entry = {"request": {"method": "DELETE", "url": f"Observation?{criteria}"}}
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
        assert (await ask(who, "POST", "", json=bundle)).json()["entry"][0]["response"]["status"].startswith("204")
    assert (await ask(requester(Role.PHYSICIAN), "GET", "/Observation/lab-p2")).status_code == 200
