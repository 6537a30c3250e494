"""The secretariat's interface: for the secretariat alone, with scopes that allow it, and no secret comes out twice."""

from datetime import timedelta
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_server.auth.requester import Requester
from fhir_server.auth.roles import Role
from fhir_server.authorization.administration.door import add_administration
from fhir_server.authorization.administration.people import Newcomer, Work
from fhir_server.ssmix2.facility import organization_id
from tests.authorization.administered import B, add_facility, administered

APP = {"id": "viewer", "name": "ビューア", "method": "none", "redirectUris": ["https://app.example.org/cb"]}
SYSTEM = {"id": "ehr-b", "name": "電子カルテ", "method": "client_secret_basic", "role": "system", "facility": B}
PATHS = [
    ("GET", "/admin/users"),
    ("POST", "/admin/users"),
    ("GET", "/admin/users/hanako"),
    ("POST", "/admin/users/hanako/disable"),
    ("POST", "/admin/users/hanako/enable"),
    ("POST", "/admin/users/hanako/unlock"),
    ("POST", "/admin/users/hanako/password"),
    ("POST", "/admin/users/hanako/reset-factors"),
    ("GET", "/admin/clients"),
    ("POST", "/admin/clients"),
    ("GET", "/admin/clients/viewer"),
    ("DELETE", "/admin/clients/viewer"),
    ("POST", "/admin/clients/viewer/disable"),
    ("POST", "/admin/clients/viewer/enable"),
    ("POST", "/admin/clients/viewer/secret"),
    ("GET", "/admin/certificates"),
    ("POST", "/admin/certificates/1/revoke"),
    ("GET", "/admin/sessions"),
    ("DELETE", "/admin/sessions?all=true"),
]


@pytest.fixture
async def office(mongodb_uri, database_name):
    async with administered(mongodb_uri, database_name) as (administration, registry):
        app = FastAPI()
        authenticator = registry.identity.authenticator
        add_administration(app, lambda: administration, lambda request: authenticator.requester(request.headers.get("authorization"), None))
        await add_facility(administration)
        account, _ = await administration.people.add(Newcomer("hanako", "高松 花子", "タカマツ ハナコ", None, (Work(Role.PHYSICIAN, B),)))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:

            async def ask(method, path, role=Role.SECRETARIAT, scope="user/*.cruds", fhir_user="Practitioner/s1", **more):
                requester = Requester("s1", "admin", role, scope, "Organization/network", fhir_user=fhir_user)
                token = await registry.identity.tokens.issue(requester, timedelta(minutes=5))
                return await client.request(method, path, headers={"Authorization": f"Bearer {token}", **more.pop("headers", {})}, **more)

            yield SimpleNamespace(ask=ask, client=client, administration=administration, identity=registry.identity, hanako=account)


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_without_a_token_nothing_answers(office, method, path):
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic czE6eA=="}):
        answer = await office.client.request(method, path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SECRETARIAT] + [None])
async def test_f006_no_other_role_administers(office, role):
    for method, path in PATHS:
        answer = await office.ask(method, path, role=role)
        assert answer.status_code == 403, path
        assert answer.json()["issue"][0]["code"] == "forbidden"
    assert (await office.administration.people.find("hanako")).account.active


async def test_a_system_never_administers_whatever_role_it_claims(office):
    for method, path in PATHS:
        assert (await office.ask(method, path, fhir_user=None, scope="system/*.cruds")).status_code == 403


@pytest.mark.parametrize(
    "scope", ["", "openid", "patient/*.cruds", "user/Patient.cruds", "user/Practitioner.rs?identifier=x|y", "user/*.s", "nonsense"]
)
async def test_an_app_that_was_not_let_administer_does_not(office, scope):
    for method, path in PATHS:
        answer = await office.ask(method, path, scope=scope)
        assert answer.status_code == 403, path
        assert "insufficient_scope" in answer.headers["www-authenticate"]


async def test_an_app_that_was_let_read_changes_nothing(office):
    for method, path in PATHS:
        answer = await office.ask(method, path, scope="user/*.rs")
        assert (answer.status_code == 403) == (method != "GET"), path


async def test_a_user_is_made_for_a_person_and_the_password_is_told_once(office):
    await office.administration.people.disable("hanako")
    taken = await office.ask("POST", "/admin/users", json={"id": "hanako2", "fhirUser": office.hanako.fhir_user})
    assert taken.status_code == 409
    absent = await office.ask("POST", "/admin/users", json={"id": "x", "fhirUser": "Practitioner/none"})
    assert absent.status_code == 422
    await office.identity.people.accounts.enable("hanako")
    made = await office.ask("POST", "/admin/users/hanako/password")
    assert made.headers["cache-control"] == "no-store"
    assert (await office.identity.people.accounts.verify("hanako", made.json()["password"])).must_change
    shown = (await office.ask("GET", "/admin/users/hanako")).json()
    assert shown["roles"] == [{"role": "physician", "organization": f"Organization/{organization_id(B)}"}]
    assert not {"password", "history", "recovery", "totp"} & shown.keys()
    assert "argon2" not in str(shown)


async def test_f104_a_user_is_disabled_and_enabled(office):
    _, cookie = await office.identity.people.sessions.open(office.hanako)
    assert (await office.ask("POST", "/admin/users/hanako/disable")).json()["active"] is False
    assert await office.identity.people.sessions.get(cookie) is None
    assert (await office.ask("POST", "/admin/users/hanako/enable")).json()["active"] is True
    assert (await office.ask("POST", "/admin/users/nobody/disable")).status_code == 404


async def test_users_are_listed_by_facility(office):
    assert [each["id"] for each in (await office.ask("GET", f"/admin/users?facility={B}")).json()["users"]] == ["hanako"]
    assert (await office.ask("GET", "/admin/users?facility=3710000025")).status_code == 404
    assert (await office.ask("GET", "/admin/users?facility=x")).status_code == 400
    assert (await office.ask("GET", "/admin/users?name=x")).status_code == 400
    assert (await office.ask("GET", f"/admin/users?facility={B}&facility={B}")).status_code == 400


async def test_a_client_is_registered_by_the_same_rules_and_its_secret_told_once(office):
    made = await office.ask("POST", "/admin/clients", json=SYSTEM)
    assert made.status_code == 201
    secret = made.json()["secret"]
    stored = await office.administration.clients.find("ehr-b")
    assert await office.identity.people.passwords.verify(secret, stored.secret)
    for path in ("/admin/clients/ehr-b", "/admin/clients"):
        text = (await office.ask("GET", path)).text
        assert secret not in text
        assert "argon2" not in text
    again = (await office.ask("POST", "/admin/clients/ehr-b/secret")).json()["secret"]
    assert again != secret
    assert (await office.ask("DELETE", "/admin/clients/ehr-b")).status_code == 204
    assert (await office.ask("GET", "/admin/clients/ehr-b")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {**APP, "redirectUris": ["http://evil.example/cb"]},
        {**APP, "scope": "system/*.cruds"},
        {**APP, "secret": "mine"},
        {**APP, "active": True},
        {**APP, "method": "client_secret_post"},
        {**APP, "role": "secretariat"},
        {**SYSTEM, "role": "tester", "facility": None},
        {**SYSTEM, "facility": "3710000025"},
        {**SYSTEM, "organization": "Organization/other"},
        {},
        [],
        "x",
        {**APP, "name": {"$ne": None}},
    ],
)
async def test_a_client_that_breaks_a_rule_is_not_registered(office, body):
    answer = await office.ask("POST", "/admin/clients", json=body)
    assert answer.status_code in (400, 404, 422), answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert await office.administration.clients.all() == []


async def test_what_is_no_json_is_refused_politely(office):
    for content, type, status in (
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 50_000, "application/json", 400),
        (b"{}", "text/plain", 415),
        (b'"' + b"x" * 70_000 + b'"', "application/json", 413),
    ):
        answer = await office.ask("POST", "/admin/clients", content=content, headers={"Content-Type": type})
        assert answer.status_code == status


async def test_sessions_are_shown_without_what_opens_them_and_end_together(office):
    session, cookie = await office.identity.people.sessions.open(office.hanako)
    answer = await office.ask("GET", "/admin/sessions?user=HANAKO")
    assert [each["user"] for each in answer.json()["sessions"]] == ["hanako"]
    assert session.id not in answer.text
    assert session.csrf not in answer.text
    assert (await office.ask("DELETE", "/admin/sessions")).status_code == 400
    assert (await office.ask("DELETE", "/admin/sessions?user=hanako")).json() == {"ended": 1}
    assert await office.identity.people.sessions.get(cookie) is None
    assert (await office.ask("DELETE", f"/admin/sessions?facility={B}")).json() == {"ended": 0}
    assert (await office.ask("DELETE", "/admin/sessions?all=true")).json() == {"ended": 0}


async def test_certificates_are_listed_and_unknown_ones_not_revoked(office):
    assert (await office.ask("GET", f"/admin/certificates?facility={B}")).json() == {"certificates": []}
    assert (await office.ask("POST", "/admin/certificates/1/revoke", json={"reason": "lost"})).status_code == 404
    assert (await office.ask("POST", "/admin/certificates/1/revoke", json={"reason": "why not"})).status_code == 400


async def test_before_the_start_it_says_so():
    app = FastAPI()
    add_administration(app, lambda: None, None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        assert (await client.get("/admin/users")).status_code == 503


_SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=20)
_VALUES = _SCALARS | st.lists(_SCALARS, max_size=3) | st.dictionaries(st.text(max_size=8), _SCALARS, max_size=3)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(st.sampled_from([*SYSTEM, "jwks", "jwksUri", "redirectUris", "launchUri", "scope"]), _VALUES, max_size=4))
async def test_whatever_is_registered_is_no_failure_of_the_server(office, changes):
    answer = await office.ask("POST", "/admin/clients", json={**SYSTEM, **changes})
    assert answer.status_code < 500, answer.text
    if answer.status_code == 201:
        await office.administration.clients.remove(answer.json()["id"])
