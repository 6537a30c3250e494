"""The people and clients of the sandbox: who logs in, as what, and with which clients."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from joserfc.jwk import ECKey
from msgspec.structs import replace

from fhir_server.auth.accounts.guessable import Personal
from fhir_server.auth.accounts.policy import POLICIES
from fhir_server.auth.members import NETWORK
from fhir_server.auth.registrations import Rules, register
from fhir_server.auth.roles import OF_PEOPLE, Role
from fhir_server.auth.scopes import ScopeGrammar
from fhir_server.authorization import viewer
from fhir_server.authorization.launcher import BY
from fhir_server.sandbox.facilities import FACILITIES, HOSPITAL_B, HOSPITAL_F
from fhir_server.sandbox.network import USERS
from fhir_server.sandbox.people import KEYED, PASSWORD, clients, fhir_user, logins, resources, secret_of
from fhir_server.search.parameters import Parameters
from fhir_server.ssmix2.facility import organization_id, patient_id
from profiles.definitions import r4
from profiles.validator import Validator
from terminology.service import r4 as r4_terminology

ISSUER = "http://127.0.0.1:8080"


def test_everybody_of_the_fixture_logs_in_and_every_role_of_people_is_there():
    ids = [login.id for login in logins()]
    assert ids[: len(USERS)] == [user.key.lower() for user in USERS]
    assert len(set(ids)) == len(ids)
    assert {login.role for login in logins()} == set(OF_PEOPLE)


@pytest.mark.parametrize("policy", POLICIES.values(), ids=lambda policy: policy.code)
async def test_f057_the_passwords_are_ones_that_every_policy_accepts(policy):
    for login in logins():
        assert await policy.refusals(PASSWORD, login.id, Personal((login.name, login.kana))) == ()


def test_all_resources_are_valid_and_refer_to_each_other():
    made = resources(organization_id)
    validator = Validator(r4(), r4_terminology())
    for resource in made:
        assert not [issue for issue in validator.validate(resource) if issue.severity in ("error", "fatal")], resource
    known = {f"{each['resourceType']}/{each['id']}" for each in made}
    assert len(known) == len(made)
    for role in (each for each in made if each["resourceType"] == "PractitionerRole"):
        assert role["practitioner"]["reference"] in known
        assert role["organization"]["reference"] in known
    assert NETWORK in known


def test_a_facility_that_has_left_is_not_active_d11():
    organizations = {each["id"]: each for each in resources(organization_id) if each["resourceType"] == "Organization"}
    assert {facility.code for facility in FACILITIES if not organizations[organization_id(facility.code)]["active"]} == {HOSPITAL_F.code}


def test_the_patient_logs_in_as_the_patient_of_the_core_hospital():
    (login,) = [each for each in logins() if each.role is Role.PATIENT]
    assert fhir_user(login, patient_id) == f"Patient/{patient_id(HOSPITAL_B.code, '0200000101')}"


def test_every_client_obeys_the_rules_of_registrations_and_testers_need_a_sandbox():
    rules = Rules(ScopeGrammar(Parameters(r4()), ZoneInfo("Asia/Tokyo")), ISSUER, sandbox=True)
    keys = {"keys": [ECKey.generate_key("P-384", {"kid": "1"}).as_dict(private=False)]}
    registered = {}
    for draft in clients(ISSUER):
        draft = replace(draft, jwks=keys) if draft.id == KEYED else draft
        secret = secret_of(draft.id) if draft.method == "client_secret_basic" else None
        organization = "Organization/1" if draft.facility else None
        registered[draft.id] = register(draft, rules, organization, secret, datetime(2026, 4, 1, tzinfo=UTC))
    assert {id for id, client in registered.items() if client.role is Role.TESTER} == {"tester"}
    assert registered["launcher"].launches
    assert BY in registered


def test_the_viewer_returns_to_where_it_is_served():
    (draft,) = [draft for draft in clients(ISSUER) if draft.id == viewer.CLIENT]
    assert draft.redirect_uris == (viewer.redirect_uri(ISSUER),)
    assert draft.launch_uri == viewer.launch_uri(ISSUER)
    assert set(viewer.SCOPE.split()) <= set(draft.scope.split())
