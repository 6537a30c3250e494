"""Writes of the directory that would give rights, take them from others, or tell who has an account (S31, F003-F006, L04)."""

import pytest

from fhir_server.auth.accounts.account import ACCOUNTS, Account
from fhir_server.auth.members import practitioner
from fhir_server.auth.roles import Role
from fhir_server.store.records import now
from tests.access.records import EVERYTHING
from tests.access.secured import requester, store

NETWORK = {
    "resourceType": "Organization",
    "id": "network",
    "active": True,
    "type": [{"coding": [{"system": "urn:tsunagi:facility-type", "code": "network"}]}],
    "name": "事務局",
}
MEMBER = practitioner("jiro@clinic", "高松 次郎", "タカマツ ジロウ", None)
PERSON = f"/Practitioner/{MEMBER['id']}"
WRITERS = [requester(Role.SYSTEM), requester(Role.UPLOADER)]


@pytest.mark.parametrize("who", WRITERS, ids=lambda who: who.role)
async def test_s31_no_system_of_a_facility_closes_the_network_itself(secured, ask, who):
    """The secretariat and the auditors work for Organization/network: inactive, it would let none of them in."""
    await store(secured, *EVERYTHING, NETWORK)
    assert (await ask(who, "PUT", "/Organization/network", json={**NETWORK, "active": False})).status_code == 403
    assert (await ask(who, "PUT", "/Organization/other", json={**NETWORK, "id": "other"})).status_code == 403
    joining = {**NETWORK, "id": "new", "type": [{"coding": [{"system": "urn:tsunagi:facility-type", "code": "hospital"}]}]}
    assert (await ask(who, "PUT", "/Organization/new", json=joining)).status_code == 403  # it would stand in the way of one that joins
    assert (await ask(requester(Role.SECRETARIAT), "PUT", "/Organization/network", json={**NETWORK, "name": "x"})).status_code == 200


@pytest.mark.parametrize("who", WRITERS, ids=lambda who: who.role)
@pytest.mark.parametrize("change", [{"active": False}, {"active": True}, {"name": [{"text": "x"}]}, {"identifier": []}])
async def test_s31_f104_no_system_of_a_facility_changes_whoever_has_an_account(secured, ask, who, change):
    """Inactive she could not log in; active again she could, after the secretariat has shut her out."""
    await store(secured, *EVERYTHING, {**MEMBER, "active": "active" in change and not change["active"]})
    await secured.registry.identity.shelf.records(ACCOUNTS).add(Account(id="jiro", fhir_user=PERSON[1:], created=now()))
    person = requester(Role.PHYSICIAN, fhir_user=PERSON[1:])
    assert (await ask(person, "GET", "/Patient/p1")).status_code == 200
    changed = {name: value for name, value in {**MEMBER, **change}.items() if value != []}
    assert (await ask(who, "PUT", PERSON, json=changed)).status_code == 403
    assert (await ask(person, "GET", "/Patient/p1")).status_code == 200
    assert (await ask(requester(Role.SECRETARIAT), "PUT", PERSON, json=changed)).status_code == 200


@pytest.mark.parametrize("who", WRITERS, ids=lambda who: who.role)
async def test_s31_nobody_but_the_secretariat_makes_a_practitioner_somebody_with_an_account(secured, ask, who):
    await store(secured, *EVERYTHING)
    assert (await ask(who, "PUT", PERSON, json=MEMBER)).status_code == 403
    assert (await ask(who, "PUT", "/Practitioner/d1", json={**MEMBER, "id": "d1"})).status_code == 403
    plain = {"resourceType": "Practitioner", "id": "new", "name": [{"text": "医師 二子"}]}
    assert (await ask(who, "PUT", "/Practitioner/new", json=plain)).status_code == 201


async def test_l04_a_patient_does_not_learn_login_ids_from_the_directory(secured, ask):
    """With an ID, everybody can lock it by wrong passwords; the staff know each other's."""
    await store(secured, *EVERYTHING, MEMBER)
    patient = requester(Role.PATIENT)
    for address in ("/Practitioner?identifier=urn:tsunagi:login|", "/Practitioner", "/Practitioner?name=高松", "/Practitioner/_history"):
        answer = await ask(patient, "GET", address)
        assert answer.status_code == 200
        assert "jiro" not in answer.text.replace("=urn", ""), address
        assert MEMBER["id"] not in answer.text, address
    assert (await ask(patient, "GET", PERSON)).status_code == 404
    assert (await ask(patient, "GET", "/Practitioner/d1")).status_code == 200
    assert (await ask(requester(Role.PHYSICIAN), "GET", PERSON)).status_code == 200


async def test_s31_whoever_gets_an_account_later_is_the_secretariats_to_change_from_then_on(secured, ask):
    await store(secured, *EVERYTHING)
    body = {"id": "d1", "fhirUser": "Practitioner/d1"}
    assert (await ask(requester(Role.SECRETARIAT), "POST", "http://tsunagi.example/admin/users", json=body)).status_code == 201
    stored = (await ask(requester(Role.SECRETARIAT), "GET", "/Practitioner/d1")).json()
    for who in WRITERS:
        assert (await ask(who, "PUT", "/Practitioner/d1", json={**stored, "active": False})).status_code == 403
        assert (await ask(who, "PUT", "/Practitioner/d1", json={"resourceType": "Practitioner", "id": "d1"})).status_code == 403


async def test_d11_a_facility_cannot_keep_itself_from_being_shut_out_by_a_second_organization_of_its_code(secured, ask):
    """The code names the member: what else bears it is not asked for, and stands in nobody's way."""
    from fhir_server.app.doors import administration_of
    from fhir_server.auth.members import FacilityType
    from fhir_server.auth.roles import FacilityRole
    from fhir_server.settings import Settings
    from tests.access.secured import BASE

    await store(secured, *EVERYTHING)
    managed = administration_of(Settings(base_url=BASE), secured.registry)
    code = "3710000017"
    member = await managed.facilities.add(code, name="病院Ｂ", kana=None, type=FacilityType.HOSPITAL, roles=[FacilityRole.PROVIDING])
    system = requester(Role.SYSTEM, organization=member.organization, facility=code)
    twin = {"resourceType": "Organization", "id": "aa-twin", "name": "病院Ｂ",
            "identifier": [{"system": "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no", "value": code}]}  # fmt: skip
    assert (await ask(system, "PUT", "/Organization/aa-twin", json=twin)).status_code == 201
    assert (await managed.facilities.find(code)).organization == member.organization
    await managed.facilities.leave(code)
    assert (await ask(system, "GET", "/Patient/p1")).status_code == 401
    assert not (await secured.registry.identity.directory.facility(member.organization)).active
