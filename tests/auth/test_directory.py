"""Who works where, as the resources say; and whoever's place in the network ends is out at once."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from fhir_server.auth.accounts.account import ACCOUNTS, Account
from fhir_server.auth.directory import Directory
from fhir_server.auth.roles import Role
from fhir_server.store.permit import Permit
from fhir_server.store.records import now
from fhir_server.store.repository import Repository
from tests.access.secured import requester, store, token

ROLE, FACILITY_ROLE = "urn:tsunagi:role", "urn:tsunagi:facility-role"


def organization(id, code, *roles, **elements):
    return {
        "resourceType": "Organization", "id": id, "active": True, "name": f"施設{id}",
        "identifier": [{"system": "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no", "value": code}],
        "type": [{"coding": [{"system": FACILITY_ROLE, "code": role}]} for role in roles], **elements,
    }  # fmt: skip


def role(id, code, organization="Organization/a", practitioner="Practitioner/d1", **elements):
    return {
        "resourceType": "PractitionerRole", "id": id, "active": True, "practitioner": {"reference": practitioner},
        "organization": {"reference": organization}, "code": [{"coding": [{"system": ROLE, "code": code}]}], **elements,
    }  # fmt: skip


KANA = [{"url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation", "valueCode": "SYL"}]
DOCTOR = {
    "resourceType": "Practitioner", "id": "d1", "birthDate": "1980-02-03",
    "name": [{"extension": KANA, "text": "イシ イチコ"}, {"text": "医師 一子"}],
}  # fmt: skip
MEMBERS = [
    organization("a", "3710000025", "providing", "viewing", "nonsense"),
    organization("b", "3710000017", "core", "providing"),
    organization("left", "3710000066", "providing", active=False),
    DOCTOR,
    role("r1", "physician"),
    role("r2", "physician", "Organization/b"),
]


@pytest.fixture
async def directory(secured, clock):
    await store(secured, *MEMBERS)
    return Directory(Repository(secured.registry.mongo, Permit.everything()), now, ZoneInfo("Asia/Tokyo"))


async def held(directory):
    return {(each.role, each.facility) for each in await directory.assignments("Practitioner/d1")}


async def test_f085_a_physician_of_two_facilities_has_two_assignments(directory):
    assignments = await directory.assignments("Practitioner/d1")
    assert {(each.role, each.facility, each.facility_roles) for each in assignments} == {
        (Role.PHYSICIAN, "3710000025", frozenset({"providing", "viewing"})),
        (Role.PHYSICIAN, "3710000017", frozenset({"core", "providing"})),
    }


@pytest.mark.parametrize(
    "change",
    [
        role("r2", "physician", "Organization/b", active=False),
        role("r2", "physician", "Organization/b", period={"end": "2026-03-31"}),
        role("r2", "physician", "Organization/b", period={"start": "2026-04-02"}),
        role("r2", "physician", "Organization/left"),
        role("r2", "physician", "Organization/none"),
        role("r2", "king", "Organization/b"),
        role("r2", "patient", "Organization/b"),
        role("r2", "uploader", "Organization/b"),
        role("r2", "physician", "Organization/b", practitioner="Practitioner/d2"),
        {**role("r2", "physician", "Organization/b"), "code": [{"coding": [{"system": "urn:other", "code": "physician"}]}]},
        organization("b", "3710000017", "core", active=False),
    ],
)
async def test_d11_d12_what_has_ended_or_never_began_is_no_assignment(secured, directory, change):
    await store(secured, change)
    assert await held(directory) == {(Role.PHYSICIAN, "3710000025")}


async def test_a_role_ends_with_its_last_day_in_japan(secured, directory, clock):
    await store(secured, role("r2", "physician", "Organization/b", period={"start": "2026-04-01", "end": "2026-04-01"}))
    assert len(await held(directory)) == 2
    clock.shift(timedelta(hours=14, minutes=59))
    assert len(await held(directory)) == 2
    clock.shift(timedelta(minutes=1))
    assert len(await held(directory)) == 1


async def test_who_is_inactive_or_gone_has_no_assignment(secured, directory):
    await store(secured, {**DOCTOR, "active": False})
    assert await held(directory) == set()
    assert await directory.assignments("Practitioner/none") == ()
    assert await directory.assignments("Patient/none") == ()


async def test_a_person_has_a_name_in_kanji_and_one_in_kana(directory):
    person = await directory.person("Practitioner/d1")
    assert (person.name, person.kana, person.birth_date) == ("医師 一子", "イシ イチコ", "1980-02-03")
    assert set(person.words) == {"医師", "一子", "イシ", "イチコ"}


async def test_a_facility_is_found_by_its_code_or_reference(directory):
    found = await directory.facility_of("3710000017")
    assert (found.organization, found.roles, found.active) == ("Organization/b", frozenset({"core", "providing"}), True)
    assert await directory.facility("Organization/b") == found
    assert not (await directory.facility_of("3710000066")).active
    assert await directory.facility_of("3799999999") is None


# -- changes ------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def logged_in(secured, ask, directory):
    """A physician with an account and a token of hers."""
    await secured.registry.identity.shelf.records(ACCOUNTS).add(Account(id="somebody", fhir_user="Practitioner/d1", created=now()))
    who = requester(Role.PHYSICIAN, organization="Organization/a")
    assert (await ask(who, "GET", "/Organization/a")).status_code == 200
    return who


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (role("r1", "physician", active=False), 401),
        (role("r1", "nurse"), 401),
        (role("r1", "physician", practitioner="Practitioner/d2"), 401),
        ({**DOCTOR, "active": False}, 401),
        (organization("a", "3710000025", "providing", active=False), 401),
        (organization("b", "3710000017", "core", active=False), 200),
        (role("r3", "nurse", practitioner="Practitioner/d2"), 200),
        ({**DOCTOR, "id": "d2"}, 200),
    ],
)
async def test_f104_d11_whose_place_in_the_network_changes_is_out_at_once(secured, ask, logged_in, change, status):
    secretariat = requester(Role.SECRETARIAT, fhir_user="Practitioner/s1", organization="Organization/network")
    address = f"/{change['resourceType']}/{change['id']}"
    assert (await ask(secretariat, "PUT", address, json=change)).status_code in (200, 201)
    assert (await ask(logged_in, "GET", "/Organization/a")).status_code == status


async def test_a_role_that_is_deleted_is_out_at_once(secured, ask, logged_in):
    await ask(requester(Role.SECRETARIAT, fhir_user="Practitioner/s1"), "DELETE", "/PractitionerRole/r1")
    assert (await ask(logged_in, "GET", "/Organization/a")).status_code == 401


async def test_an_import_that_only_stores_results_cuts_nobody(secured, ask, logged_in):
    await store(secured, {**DOCTOR, "id": "new"}, {"resourceType": "Organization", "id": "insurer", "name": "保険者"})
    await store(secured, {"resourceType": "Organization", "id": "insurer", "name": "保険者 二"})
    assert (await ask(logged_in, "GET", "/Organization/a")).status_code == 200


async def test_a_cut_reaches_the_other_processes_within_a_poll(secured, stranger, logged_in, mongodb_uri, database_name):
    import asyncio
    import time

    import httpx

    from fhir_server.app import create_app
    from fhir_server.settings import Settings
    from tests.access.secured import BASE

    other = create_app(Settings(database=database_name, base_url=BASE), mongodb_uri)
    text = await token(secured, logged_in)
    headers = {"Authorization": f"Bearer {text}"}
    async with (
        other.outer.router.lifespan_context(other.outer),
        httpx.AsyncClient(transport=httpx.ASGITransport(other), base_url=BASE) as there,
    ):
        assert (await there.get("/Organization/a", headers=headers)).status_code == 200
        await secured.registry.identity.cuts.cut("user", "somebody")
        assert (await stranger.get("/Organization/a", headers=headers)).status_code == 401
        started = time.monotonic()
        while (await there.get("/Organization/a", headers=headers)).status_code == 200:
            assert time.monotonic() - started < 20
            await asyncio.sleep(0.05)
