"""Role × endpoint: what each role may do with each type, asked over HTTP with scopes that would allow everything."""

import pytest

from fhir_server.access import roles
from fhir_server.app.definitions import r4
from fhir_server.auth.roles import Role
from fhir_server.interactions.statement import requirements, served
from fhir_server.search.expression import EVERYTHING as EVERYTHING_MAY
from tests.access.records import EVERYTHING
from tests.access.secured import requester, store

# what may be done: r read, s search, c create, u update, d delete; one letter where it is allowed
MATRIX = {
    # type               physician pharmacist nurse   clerk   secretariat auditor patient uploader system  tester
    "Patient":          ("rs cu",  "rs",      "rs",   "rs cu", "rs cu",   "",     "rs",   "cu",    "rs cu", "rs cud"),
    "Observation":      ("rs cud", "rs",      "rs cu", "",     "",        "",     "rs",   "cu",    "rs cud", "rs cud"),
    "Condition":        ("rs cud", "rs",      "rs",   "",      "",        "",     "rs",   "cu",    "rs cud", "rs cud"),
    "Encounter":        ("rs cud", "rs",      "rs cu", "rs cu", "",       "",     "rs",   "cu",    "rs cud", "rs cud"),
    "Coverage":         ("rs cud", "rs",      "rs",   "rs cu", "",        "",     "rs",   "cu",    "rs cud", "rs cud"),
    "Consent":          ("rs",     "rs",      "rs",   "rs",    "rs cud",  "",     "rs",   "",      "rs",    "rs cud"),
    "AuditEvent":       ("",       "",        "",     "",      "",        "rs",   "",     "",      "",      "rs cud"),
    "Task":             ("",       "",        "",     "",      "rs cud",  "",     "",     "",      "",      "rs cud"),
    "Organization":     ("rs",     "rs",      "rs",   "rs",    "rs cud",  "rs",   "rs",   "cu",    "rs cu", "rs cud"),
    "PractitionerRole": ("rs",     "rs",      "rs",   "rs",    "rs cud",  "rs",   "rs",   "cu",    "rs cu", "rs cud"),
    "Questionnaire":    ("rs",     "rs",      "rs",   "rs",    "rs",      "",     "rs",   "",      "rs",    "rs cud"),
    "Medication":       ("rs cud", "rs cu",   "rs",   "",      "",        "",     "",     "cu",    "rs cud", "rs cud"),
}  # fmt: skip
ROLES = (
    Role.PHYSICIAN, Role.PHARMACIST, Role.NURSE, Role.CLERK, Role.SECRETARIAT, Role.AUDITOR, Role.PATIENT, Role.UPLOADER, Role.SYSTEM,
    Role.TESTER,
)  # fmt: skip
OF = {type: next(each for each in EVERYTHING if each["resourceType"] == type and each["id"] not in ("facility-a", "r1")) for type in MATRIX
      if type != "PractitionerRole"}  # fmt: skip
OF["PractitionerRole"] = {"resourceType": "PractitionerRole", "id": "r2", "active": True, "practitioner": {"reference": "Practitioner/d1"}}


def requests(type):
    """Every way to a resource of the type, with the letter that it needs."""
    resource = OF[type]
    id = resource["id"]
    new = {name: value for name, value in resource.items() if name != "id"}
    yield "r", ("GET", f"/{type}/{id}", {})
    yield "r", ("GET", f"/{type}/{id}/_history/1", {})
    yield "r", ("GET", f"/{type}/{id}/_history", {})
    yield "rs", ("GET", f"/{type}/_history", {})
    yield "s", ("GET", f"/{type}?_id={id}", {})
    yield "s", ("POST", f"/{type}/_search", {"data": {"_id": id}})
    yield "s", ("GET", f"/?_type={type}&_id={id}", {})
    yield "c", ("POST", f"/{type}", {"json": new})
    yield "u", ("PUT", f"/{type}/{id}", {"json": {**resource, "language": "ja"}})
    yield "d", ("DELETE", f"/{type}/{id}", {})
    entry = {"request": {"method": "GET", "url": f"{type}/{id}"}}
    yield "r", ("POST", "", {"json": {"resourceType": "Bundle", "type": "batch", "entry": [entry]}})
    entry = {"request": {"method": "PUT", "url": f"{type}/{id}"}, "resource": {**resource, "language": "en"}}
    yield "u", ("POST", "", {"json": {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}})


def status(response):
    """The status of the answer, or of the only entry of a batch."""
    body = response.json() if response.content else {}
    if body.get("type") == "batch-response":
        return int(body["entry"][0]["response"]["status"][:3])
    return response.status_code


@pytest.mark.parametrize("role", ROLES)
async def test_f003_f006_l30_each_role_may_do_what_the_table_says_and_nothing_else(secured, ask, role):
    who = requester(role)
    changed = True
    for type, allowed in MATRIX.items():
        letters = set(allowed[ROLES.index(role)].replace(" ", ""))
        for needed, (method, address, sent) in requests(type):
            if changed:
                await store(secured, *EVERYTHING, OF["PractitionerRole"])
            answer = status(await ask(who, method, address, **sent))
            changed = method != "GET" and answer != 403
            if set(needed) <= letters:
                assert answer in (200, 201, 204), (role, needed, method, address, answer)
            else:
                assert answer == 403, (role, needed, method, address, answer)


@pytest.mark.parametrize("role", [role for role in ROLES if role in roles.OF_A_FACILITY])
async def test_who_acts_for_no_facility_of_the_network_may_do_nothing(secured, ask, role):
    await store(secured, *EVERYTHING)
    for facts in ({"organization": None}, {"facility_roles": frozenset()}):
        for method, address in (("GET", "/Patient/p1"), ("GET", "/Observation"), ("DELETE", "/Condition/condition-p1")):
            assert (await ask(requester(role, **facts), method, address)).status_code == 403


async def test_f004_a_facility_that_only_views_uploads_nothing(secured, ask):
    await store(secured, *EVERYTHING)
    for role in (Role.PHYSICIAN, Role.SYSTEM, Role.UPLOADER):
        viewing = requester(role, facility_roles=frozenset({"viewing", "referring"}))
        assert (await ask(viewing, "POST", "/Observation", json={**OF["Observation"], "id": "new"})).status_code == 403
        assert (await ask(viewing, "PUT", "/Patient/p1", json=OF["Patient"])).status_code == 403
        assert (await ask(viewing, "GET", "/Patient/p1")).status_code == (403 if role is Role.UPLOADER else 200)


async def test_a_patient_sees_his_own_record_and_nobody_elses(secured, ask):
    await store(secured, *EVERYTHING)
    me = requester(Role.PATIENT)
    for scope in ("user/*.cruds", "patient/*.cruds"):
        who = requester(Role.PATIENT, scope, patient="Patient/p1")
        assert (await ask(who, "GET", "/Observation/lab-p1")).status_code == 200
        assert (await ask(who, "GET", "/Observation/lab-p2")).status_code == 404
        found = (await ask(who, "GET", "/Observation?_total=accurate")).json()
        assert {each["resource"]["id"] for each in found["entry"]} == {"lab-p1", "vital-p1"}
        assert found["total"] == 2
    assert (await ask(requester(Role.PATIENT, "patient/*.rs", patient="Patient/p2"), "GET", "/Observation")).json().get("entry") is None
    assert (await ask(me, "GET", "/Patient")).json()["entry"][0]["resource"]["id"] == "p1"


@pytest.mark.parametrize("role", [Role.PHYSICIAN, Role.CLERK, Role.SYSTEM, Role.UPLOADER])
async def test_only_the_secretariat_gives_roles_in_the_network(secured, ask, role):
    """Whoever could write a PractitionerRole of the network, or a member's Organization, could make himself anything."""
    await store(secured, *EVERYTHING)
    given = {"resourceType": "PractitionerRole", "practitioner": {"reference": "Practitioner/d1"},
             "organization": {"reference": "Organization/facility-a"},
             "code": [{"coding": [{"system": "urn:tsunagi:role", "code": "secretariat"}]}]}  # fmt: skip
    member = {
        "resourceType": "Organization",
        "id": "other",
        "name": "保険者",
        "type": [{"coding": [{"system": "urn:tsunagi:facility-role", "code": "core"}]}],
    }
    who = requester(role)
    assert (await ask(who, "POST", "/PractitionerRole", json=given)).status_code == 403
    assert (await ask(who, "PUT", "/PractitionerRole/r1", json={**given, "id": "r1"})).status_code == 403
    assert (await ask(who, "PUT", "/PractitionerRole/r1", json={"resourceType": "PractitionerRole", "id": "r1"})).status_code == 403
    assert (await ask(who, "PUT", "/Organization/other", json=member)).status_code == 403
    assert (
        await ask(who, "PUT", "/Organization/facility-a", json={"resourceType": "Organization", "id": "facility-a", "name": "x"})
    ).status_code == 403
    assert (await ask(requester(Role.SECRETARIAT), "POST", "/PractitionerRole", json=given)).status_code == 201


def test_every_type_of_the_groups_is_one_that_is_served_and_stands_in_one_group():
    types = frozenset(served(requirements(r4())))
    groups = (roles.DIRECTORY, roles.PERSONS, roles.ADMINISTRATIVE, roles.GOVERNANCE, roles.DEFINITIONS)
    listed = [type for group in groups for type in group]
    assert set(listed) <= types
    assert len(listed) == len(set(listed))
    for rows in roles.table(types).values():
        assert set(rows) <= types
        assert all(letters and set(letters) <= set("cruds") for letters in rows.values())


async def test_an_equal_permit_is_made_once_so_that_reads_share_queries(secured):
    access = secured.registry.service._access
    first, second = [await access.permit(requester(Role.SYSTEM)) for _ in range(2)]
    assert first.covers("read", "Patient") is second.covers("read", "Patient")
    assert first.covers("search-type", "Organization") is EVERYTHING_MAY
