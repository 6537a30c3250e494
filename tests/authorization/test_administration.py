"""Facilities, people and clients: they come, change and leave, and what was theirs ends at once."""

from datetime import date, timedelta

import pytest

from fhir_server.auth.accounts.refusals import LoginFailed
from fhir_server.auth.registrations import Draft
from fhir_server.auth.requester import LOCAL, Requester
from fhir_server.auth.roles import Role
from fhir_server.auth.tokens import InvalidToken
from fhir_server.authorization.administration.people import Newcomer, Work
from fhir_server.authorization.administration.resources import Resources
from fhir_server.outcome import FhirError
from fhir_server.ssmix2.facility import organization_id
from tests.authorization.administered import A, B, add_facility, administered

HANAKO = Newcomer("Hanako", "高松 花子", "タカマツ ハナコ", date(1980, 2, 3), (Work(Role.PHYSICIAN, B),))


@pytest.fixture
async def network(mongodb_uri, database_name):
    async with administered(mongodb_uri, database_name) as (administration, registry):
        yield administration, registry


def resources(registry):
    return Resources(lambda request: registry.service.perform(request, LOCAL))


async def test_a_facility_has_the_id_that_an_import_gives_it(network):
    administration, registry = network
    facility = await add_facility(administration)
    assert facility.organization == f"Organization/{organization_id(B)}"
    stored = await resources(registry).read(facility.organization)
    assert stored["identifier"] == [{"system": "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no", "value": B}]
    known = await registry.identity.directory.facility_of(B)
    assert known.roles == {"core", "providing"}
    assert known.name == "病院Ｂ"


async def test_a_facility_that_an_import_made_known_is_completed_and_no_second_one_made(network):
    administration, registry = network
    system = "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no"
    bare = {"resourceType": "Organization", "id": organization_id(B), "identifier": [{"system": system, "value": B}], "active": True}
    await resources(registry).put(bare)
    await add_facility(administration)
    assert [each.name for each in await administration.facilities.all()] == ["病院Ｂ"]


async def test_a_facility_is_not_added_twice(network):
    administration, _ = network
    await add_facility(administration)
    with pytest.raises(FhirError, match="known already"):
        await add_facility(administration)


@pytest.mark.parametrize("code", ["", "371000001", "37100000170", "9910000017", "371000001a", "3710000017\n", "３７１００００017"])
async def test_a_code_that_is_no_medical_institutions_is_refused(network, code):
    administration, _ = network
    with pytest.raises(FhirError, match="10 digits"):
        await add_facility(administration, code)


async def test_a_user_logs_in_with_the_first_password_and_must_change_it_f054(network):
    administration, registry = network
    await add_facility(administration)
    account, password = await administration.people.add(HANAKO)
    assert account.id == "hanako"
    logged_in = await registry.identity.people.accounts.verify("HANAKO", password)
    assert logged_in.must_change
    person = await registry.identity.directory.person(account.fhir_user)
    assert (person.name, person.kana, person.birth_date) == ("高松 花子", "タカマツ ハナコ", "1980-02-03")
    (assignment,) = await registry.identity.directory.assignments(account.fhir_user)
    assert (assignment.role, assignment.facility) == (Role.PHYSICIAN, B)


async def test_f085_a_physician_of_two_facilities_has_one_id(network):
    administration, registry = network
    await add_facility(administration)
    await add_facility(administration, A, "診療所Ａ")
    account, _ = await administration.people.add(HANAKO)
    await administration.people.assign("hanako", Work(Role.PHYSICIAN, A))
    assert {each.facility for each in await registry.identity.directory.assignments(account.fhir_user)} == {A, B}
    assert [each.account.id for each in await administration.people.all(A)] == ["hanako"]


async def test_l01_nobody_gets_two_ids_and_no_id_two_people(network):
    administration, _ = network
    await add_facility(administration)
    account, _ = await administration.people.add(HANAKO)
    with pytest.raises(FhirError, match="exists already"):
        await administration.people.add(HANAKO)
    with pytest.raises(FhirError, match="account already"):
        await administration.people.open_account("other", account.fhir_user)


async def test_the_secretariat_works_for_the_network_itself(network):
    administration, registry = network
    account, _ = await administration.people.add(Newcomer("s1", "事務 良子", "ジム ヨシコ", None, (Work(Role.SECRETARIAT),)))
    (assignment,) = await registry.identity.directory.assignments(account.fhir_user)
    assert (assignment.role, assignment.organization, assignment.facility) == (Role.SECRETARIAT, "Organization/network", None)


@pytest.mark.parametrize(
    ("newcomer", "what"),
    [
        (Newcomer("x", "高松 花子", None, None, (Work(Role.PHYSICIAN),)), "works at a facility"),
        (Newcomer("x", "高松 花子", None, None, ()), "has a role"),
        (Newcomer("x", "高松 花子", None, None, (Work(Role.TESTER, B),)), "a person is one of"),
        (Newcomer("x", "高松 花子", None, None, (Work(Role.PATIENT, B),)), "a person is one of"),
        (Newcomer("x", "", None, None, (Work(Role.NURSE, B),)), "name"),
        (Newcomer("x", "高松 花子", "たかまつ", None, (Work(Role.NURSE, B),)), "katakana"),
        (Newcomer("x y", "高松 花子", None, None, (Work(Role.NURSE, B),)), "user's ID"),
        (Newcomer("x", "高松 花子", None, None, (Work(Role.NURSE, A),)), "not known"),
        (Newcomer("x", patient="Patient/none"), "no Patient/none"),
        (Newcomer("x", patient="Practitioner/1"), "no Practitioner/1"),
    ],
)
async def test_who_cannot_be_added_leaves_nothing_behind(network, newcomer, what):
    administration, registry = network
    await add_facility(administration)
    with pytest.raises(FhirError, match=what):
        await administration.people.add(newcomer)
    assert await administration.people.all() == []
    assert await resources(registry).search("Practitioner") == []


async def test_a_long_list_comes_page_by_page_and_whole(network, monkeypatch):
    administration, _ = network
    codes = [f"37100000{number}" for number in range(10, 17)]
    for code in codes:
        await add_facility(administration, code)
    monkeypatch.setattr("fhir_server.authorization.administration.resources._PAGE", "2")
    assert [each.code for each in await administration.facilities.all()] == codes


async def token_of(registry, account, **more):
    (assignment,) = await registry.identity.directory.assignments(account.fhir_user)
    requester = Requester(
        account.id, "viewer", assignment.role, "user/*.rs", assignment.organization, assignment.facility, fhir_user=account.fhir_user
    )
    return await registry.identity.tokens.issue(requester, timedelta(minutes=5))


async def test_f104_who_is_disabled_has_no_session_and_no_token_from_that_moment(network):
    administration, registry = network
    await add_facility(administration)
    account, password = await administration.people.add(HANAKO)
    token = await token_of(registry, account)
    _, cookie = await registry.identity.people.sessions.open(account)
    assert await administration.people.disable("hanako") == 1
    assert await registry.identity.people.sessions.get(cookie) is None
    with pytest.raises(InvalidToken):
        await registry.identity.tokens.verify(token)
    with pytest.raises(LoginFailed):
        await registry.identity.people.accounts.verify("hanako", password)
    await administration.people.enable("hanako")
    assert await registry.identity.people.accounts.verify("hanako", password)


async def test_f104_a_role_that_ended_is_none_any_more(network):
    administration, registry = network
    await add_facility(administration)
    account, _ = await administration.people.add(HANAKO)
    token = await token_of(registry, account)
    await administration.people.unassign("hanako", Work(Role.PHYSICIAN, B))
    assert await registry.identity.directory.assignments(account.fhir_user) == ()
    with pytest.raises(InvalidToken):
        await registry.identity.tokens.verify(token)
    with pytest.raises(FhirError, match="no physician there"):
        await administration.people.unassign("hanako", Work(Role.PHYSICIAN, B))
    await administration.people.assign("hanako", Work(Role.PHYSICIAN, B))
    assert len(await registry.identity.directory.assignments(account.fhir_user)) == 1


async def test_d11_a_facility_that_leaves_takes_its_people_and_clients_with_it(network):
    administration, registry = network
    await add_facility(administration)
    account, _ = await administration.people.add(HANAKO)
    token = await token_of(registry, account)
    client, _ = await administration.clients.add(
        Draft(id="ehr-b", name="電子カルテ", method="client_secret_basic", role=Role.SYSTEM, facility=B)
    )
    assert await administration.facilities.leave(B) == ["ehr-b"]
    with pytest.raises(InvalidToken):
        await registry.identity.tokens.verify(token)
    assert await registry.identity.directory.assignments(account.fhir_user) == ()
    assert not (await administration.clients.find(client.id)).active
    with pytest.raises(FhirError, match="has left"):
        await administration.clients.enable(client.id)
    assert await administration.facilities.rejoin(B) == ["ehr-b"]
    assert (await administration.clients.enable(client.id)).active
    assert len(await registry.identity.directory.assignments(account.fhir_user)) == 1


async def test_a_new_first_password_ends_lock_sessions_and_the_old_one(network):
    administration, registry = network
    await add_facility(administration)
    account, password = await administration.people.add(HANAKO)
    _, cookie = await registry.identity.people.sessions.open(account)
    new = await administration.people.new_password("hanako")
    assert await registry.identity.people.sessions.get(cookie) is None
    with pytest.raises(LoginFailed):
        await registry.identity.people.accounts.verify("hanako", password)
    assert (await registry.identity.people.accounts.verify("hanako", new)).must_change


async def test_f056_a_secret_is_told_once_and_stored_as_a_hash(network):
    administration, registry = network
    await add_facility(administration)
    draft = Draft(id="ehr-b", name="電子カルテ", method="client_secret_basic", role=Role.SYSTEM, facility=B)
    _, secret = await administration.clients.add(draft)
    stored = await administration.clients.find("ehr-b")
    assert stored.secret.startswith("$argon2id$")
    assert await registry.identity.people.passwords.verify(secret, stored.secret)
    assert stored.organization == f"Organization/{organization_id(B)}"
    new = await administration.clients.renew_secret("ehr-b")
    stored = await administration.clients.find("ehr-b")
    assert not await registry.identity.people.passwords.verify(secret, stored.secret)
    assert await registry.identity.people.passwords.verify(new, stored.secret)


async def test_a_client_that_is_removed_or_disabled_has_no_token_any_more(network):
    administration, registry = network
    await add_facility(administration)
    await administration.clients.add(Draft(id="ehr-b", name="電子カルテ", method="client_secret_basic", role=Role.SYSTEM, facility=B))
    for end in (administration.clients.disable, administration.clients.remove):
        token = await registry.identity.tokens.issue(Requester("ehr-b", "ehr-b", Role.SYSTEM, "system/*.rs"), timedelta(minutes=5))
        assert await registry.identity.tokens.verify(token)
        await end("ehr-b")
        with pytest.raises(InvalidToken):
            await registry.identity.tokens.verify(token)


async def test_two_clients_never_share_an_id(network):
    administration, _ = network
    draft = Draft(id="viewer", name="ビューア", method="none", redirect_uris=("https://app.example.org/cb",))
    await administration.clients.add(draft)
    with pytest.raises(FhirError, match="exists already"):
        await administration.clients.add(draft)


async def test_f102_the_whole_network_is_cut_at_once(network):
    administration, registry = network
    await add_facility(administration)
    account, _ = await administration.people.add(HANAKO)
    token = await token_of(registry, account)
    _, cookie = await registry.identity.people.sessions.open(account)
    assert await administration.endings.network() == 1
    assert await registry.identity.people.sessions.get(cookie) is None
    with pytest.raises(InvalidToken):
        await registry.identity.tokens.verify(token)
    assert await registry.identity.tokens.verify(await token_of(registry, account))
