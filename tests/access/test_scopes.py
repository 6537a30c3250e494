"""Scope × way: what scopes leave of what a role may do, on every way to a resource."""

import pytest

from fhir_server.auth.roles import Role
from tests.access.records import CATEGORY, EVERYTHING
from tests.access.secured import requester, store

LAB = f"category={CATEGORY}|laboratory"
NEW = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": "Patient/p1"}}


def ids(response):
    return {each["resource"]["id"] for each in response.json().get("entry", ())}


# scope, role, patient -> the Observations that are found, what a read of lab-p1, vital-p1, lab-p2 gives
SEEN = [
    ("user/*.rs", Role.PHYSICIAN, None, {"lab-p1", "vital-p1", "lab-p2", "vital-p2"}, (200, 200, 200)),
    ("user/Observation.rs", Role.PHYSICIAN, None, {"lab-p1", "vital-p1", "lab-p2", "vital-p2"}, (200, 200, 200)),
    ("user/Observation.read", Role.PHYSICIAN, None, {"lab-p1", "vital-p1", "lab-p2", "vital-p2"}, (200, 200, 200)),
    ("user/*.*", Role.PHYSICIAN, None, {"lab-p1", "vital-p1", "lab-p2", "vital-p2"}, (200, 200, 200)),
    ("user/Observation.r", Role.PHYSICIAN, None, None, (200, 200, 200)),
    ("user/Observation.s", Role.PHYSICIAN, None, {"lab-p1", "vital-p1", "lab-p2", "vital-p2"}, (403, 403, 403)),
    ("user/Observation.write", Role.PHYSICIAN, None, None, (403, 403, 403)),
    ("user/Patient.rs", Role.PHYSICIAN, None, None, (403, 403, 403)),
    (f"user/Observation.rs?{LAB}", Role.PHYSICIAN, None, {"lab-p1", "lab-p2"}, (200, 404, 200)),
    ("patient/*.rs", Role.PHYSICIAN, "Patient/p1", {"lab-p1", "vital-p1"}, (200, 200, 404)),
    ("patient/*.read", Role.PHYSICIAN, "Patient/p1", {"lab-p1", "vital-p1"}, (200, 200, 404)),
    (f"patient/Observation.rs?{LAB}", Role.PHYSICIAN, "Patient/p1", {"lab-p1"}, (200, 404, 404)),
    ("patient/*.rs", Role.PHYSICIAN, None, None, (403, 403, 403)),  # MSRC-128308: no patient, no access
    ("patient/*.rs", Role.PHYSICIAN, "Patient/p3", set(), (404, 404, 404)),
    ("system/*.rs", Role.SYSTEM, None, {"lab-p1", "vital-p1", "lab-p2", "vital-p2"}, (200, 200, 200)),
    ("system/*.rs", Role.PHYSICIAN, None, None, (403, 403, 403)),  # a person is no system
    ("user/*.rs", Role.SYSTEM, None, None, (403, 403, 403)),  # and a system no person
    ("patient/*.rs", Role.SYSTEM, "Patient/p1", None, (403, 403, 403)),
    ("openid fhirUser launch/patient", Role.PHYSICIAN, "Patient/p1", None, (403, 403, 403)),
    ("user/*.rs patient/*.rs", Role.PHYSICIAN, "Patient/p1", None, (403, 403, 403)),  # mixed: understood as nothing
    ("user/*.rs nonsense", Role.PHYSICIAN, None, None, (403, 403, 403)),
]


@pytest.mark.parametrize(("scope", "role", "patient", "found", "reads"), SEEN, ids=[f"{scope}-{role}" for scope, role, *_ in SEEN])
async def test_scopes_narrow_every_way_to_a_resource(secured, ask, scope, role, patient, found, reads):
    await store(secured, *EVERYTHING)
    who = requester(role, scope, patient=patient)
    for id, expected in zip(("lab-p1", "vital-p1", "lab-p2"), reads, strict=True):
        for address in (f"/Observation/{id}", f"/Observation/{id}/_history/1", f"/Observation/{id}/_history"):
            assert (await ask(who, "GET", address)).status_code == expected, address
    for method, address, sent in (
        ("GET", "/Observation?_total=accurate", {}),
        ("POST", "/Observation/_search", {"data": {"_total": "accurate"}}),
        ("GET", "/?_type=Observation&_total=accurate", {}),
    ):
        answer = await ask(who, method, address, **sent)
        assert answer.status_code == (403 if found is None else 200), address
        if found is not None:
            assert (ids(answer), answer.json()["total"]) == (found, len(found)), address
    history = await ask(who, "GET", "/Observation/_history")
    assert history.status_code == (200 if found is not None and 403 not in reads else 403)
    if history.status_code == 200:
        assert ids(history) == found


WRITES = [
    ("user/Observation.c", 201, 403, 403),
    ("user/Observation.u", 403, 200, 403),
    ("user/Observation.d", 403, 403, 204),
    ("user/Observation.rs", 403, 403, 403),
    ("user/Observation.write", 201, 200, 204),
    ("user/*.cud", 201, 200, 204),
    ("user/Condition.cud", 403, 403, 403),
    ("patient/Observation.cud", 201, 200, 204),
]


@pytest.mark.parametrize(("scope", "create", "update", "delete"), WRITES, ids=[scope for scope, *_ in WRITES])
async def test_scopes_narrow_every_write(secured, ask, scope, create, update, delete):
    await store(secured, *EVERYTHING)
    who = requester(Role.PHYSICIAN, scope, patient="Patient/p1")
    changed = {**NEW, "id": "lab-p1"}
    assert (await ask(who, "POST", "/Observation", json=NEW)).status_code == create
    assert (await ask(who, "PUT", "/Observation/lab-p1", json=changed)).status_code == update
    for method, url, resource, expected in (
        ("POST", "Observation", NEW, create),
        ("PUT", "Observation/lab-p1", {**changed, "status": "amended"}, update),
        ("DELETE", "Observation/lab-p1", None, delete),
    ):
        entry = {"request": {"method": method, "url": url}, **({"resource": resource} if resource else {})}
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
        assert (await ask(who, "POST", "", json=bundle)).status_code == (403 if expected == 403 else 200)
        if method == "DELETE" and expected == 204:
            await store(secured, *EVERYTHING)
    assert (await ask(who, "DELETE", "/Observation/lab-p1")).status_code == delete


async def test_s31_a_write_of_a_patient_scope_stays_with_the_patient(secured, ask):
    await store(secured, *EVERYTHING)
    who = requester(Role.PHYSICIAN, "patient/Observation.cruds", patient="Patient/p1")
    theirs = {**NEW, "subject": {"reference": "Patient/p2"}}
    assert (await ask(who, "POST", "/Observation", json=theirs)).status_code == 403
    assert (await ask(who, "PUT", "/Observation/lab-p1", json={**theirs, "id": "lab-p1"})).status_code == 403
    assert (await ask(who, "PUT", "/Observation/lab-p2", json={**NEW, "id": "lab-p2"})).status_code == 403
    patch = [{"op": "replace", "path": "/subject/reference", "value": "Patient/p2"}]
    headers = {"Content-Type": "application/json-patch+json"}
    assert (await ask(who, "PATCH", "/Observation/lab-p1", json=patch, headers=headers)).status_code == 403
    assert (await ask(who, "PATCH", "/Observation/lab-p2", json=patch, headers=headers)).status_code == 404
    assert (await ask(who, "DELETE", "/Observation/lab-p2")).status_code == 204  # as what never was
    everything = requester(Role.PHYSICIAN)
    for id in ("lab-p1", "lab-p2"):
        read = await ask(everything, "GET", f"/Observation/{id}")
        assert (read.status_code, read.json()["subject"]["reference"]) == (200, f"Patient/{id[-2:]}")


async def test_s37_a_granular_scope_holds_for_what_is_included(secured, ask):
    await store(secured, *EVERYTHING)
    who = requester(Role.PHYSICIAN, f"user/Patient.rs user/Observation.rs?{LAB}")
    assert ids(await ask(who, "GET", "/Patient?_id=p1&_revinclude=Observation:subject")) == {"p1", "lab-p1"}
    assert ids(await ask(who, "GET", "/Patient/p1/Observation")) == {"lab-p1"}
    only = requester(Role.PHYSICIAN, f"user/Observation.rs?{LAB}")
    assert ids(await ask(only, "GET", "/Observation?_id=lab-p1&_include=Observation:subject")) == {"lab-p1"}
    record = await ask(requester(Role.PHYSICIAN, f"patient/Patient.r patient/Observation.s?{LAB}", patient="Patient/p1"),
                       "GET", "/Patient/p1/$everything")  # fmt: skip
    assert ids(record) == {"p1", "lab-p1"}


async def test_s10_s11_what_is_out_of_scope_cannot_be_asked_about(secured, ask):
    await store(secured, *EVERYTHING)
    who = requester(Role.PHYSICIAN, "user/Observation.rs")
    for address in (
        "/Observation?patient.birthdate=1984-03-02",
        "/Observation?patient.birthdate=1900-01-01",
        "/Patient?_has:Observation:patient:code=x",
    ):
        answer = await ask(who, "GET", address)
        assert answer.status_code == 403
        assert answer.json()["issue"][0]["code"] == "forbidden"


async def test_a_patients_compartment_is_exactly_that_of_the_definition(secured, ask):
    """Observation.focus makes no member; what belongs to no patient's compartment is not there for patient/ scopes."""
    focus = {**NEW, "id": "focus", "subject": {"reference": "Patient/p2"}, "focus": [{"reference": "Patient/p1"}]}
    performed = {**NEW, "id": "performed", "subject": {"reference": "Patient/p2"}, "performer": [{"reference": "Patient/p1"}]}
    await store(secured, *EVERYTHING, focus, performed)
    who = requester(Role.PHYSICIAN, "patient/*.rs", patient="Patient/p1")
    assert ids(await ask(who, "GET", "/Observation")) == {"lab-p1", "vital-p1", "performed"}
    for type in ("Organization", "Practitioner", "Medication", "Device", "Questionnaire"):
        assert (await ask(who, "GET", f"/{type}")).status_code == 403
    assert ids(await ask(who, "GET", "/Patient")) == {"p1"}


async def test_s35_a_token_that_does_not_say_whose_it_is_opens_no_record(secured, ask):
    """MSRC-128308: a patient's token without fhirUser must not be one without limits."""
    await store(secured, *EVERYTHING)
    for scope, facts in (("user/*.cruds", {}), ("patient/*.cruds", {"patient": "Patient/p1"}), ("system/*.cruds", {})):
        for user in (None, "", "Practitioner/d1", "Patient/"):
            who = requester(Role.PATIENT, scope, fhir_user=user, **facts)
            for address in ("/Observation/lab-p1", "/Observation", "/Patient/p1", "/Patient/p1/$everything"):
                answer = await ask(who, "GET", address)
                assert answer.status_code in (403, 404) or not answer.json().get("entry"), (scope, user, address)


async def test_a_refusal_says_which_scope_is_missing_and_nothing_of_what_is_stored(secured, ask):
    await store(secured, *EVERYTHING)
    who = requester(Role.PHYSICIAN, "user/Patient.rs")
    answers = [await ask(who, "GET", f"/Observation/{id}") for id in ("lab-p1", "none")]
    assert answers[0].text == answers[1].text
    assert "user/Observation.r" in answers[0].json()["issue"][0]["diagnostics"]
    assert answers[0].headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="user/Observation.r"'
    by_role = await ask(requester(Role.SECRETARIAT), "GET", "/Observation/lab-p1")
    assert "role secretariat" in by_role.json()["issue"][0]["diagnostics"]
    no_patient = await ask(requester(Role.PHYSICIAN, "patient/*.rs"), "GET", "/Observation/lab-p1")
    assert "launch/patient" in no_patient.json()["issue"][0]["diagnostics"]
