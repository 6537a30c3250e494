"""The OAuth endpoints over HTTP: status codes, headers, forms, other origins, rate limits."""

import dataclasses

import httpx
import pytest
from fastapi import FastAPI

from fhir_server.auth.oauth.discovery import smart_configuration
from fhir_server.auth.throttle import WINDOWS, Throttle
from fhir_server.authorization.endpoints import OAuth, Rates, add_oauth
from fhir_server.outcome import FhirError, Issue
from tests.auth.oauth.world import CALLBACK, EVIL, ORIGIN, ROOT, VERIFIER, answered, asked, asserting, basic, open_world

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def world(mongodb_uri, database_name):
    """The authorization server with a hospital, a physician, a patient and an app."""
    async with open_world(mongodb_uri, database_name) as world:
        await world.shelf.ensure((WINDOWS,))
        world.oauth = OAuth(world.server, Throttle(world.shelf.records(WINDOWS), world.clock), types=("Patient", "Observation"))
        yield world


@pytest.fixture
async def http(world):
    """A client of the application."""
    app = FastAPI()
    add_oauth(app, lambda: world.oauth)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ROOT) as client:
        yield client


async def exchanged(world, http, **headers):
    code = await world.code(scope="launch/patient patient/*.rs offline_access openid fhirUser")
    form = {"grant_type": "authorization_code", "client_id": "app", "redirect_uri": CALLBACK, "code_verifier": VERIFIER, "code": code}
    return await http.post("/auth/token", data=form, headers=headers)


@pytest.mark.parametrize("method", ["get", "post"])
async def test_a_good_request_goes_to_the_login_page(world, http, method):
    sent = {"params" if method == "get" else "data": asked()}
    answer = await getattr(http, method)("/auth/authorize", **sent)
    assert answer.status_code == 303
    place, _, id = answer.headers["location"].partition("?authorization=")
    assert place == "http://testserver/auth/login"
    assert (await world.server.requests.get(id)).client == "app"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_the_app_is_told_by_redirect_and_a_stranger_on_a_page(http):
    wrong = await http.get("/auth/authorize", params=asked(scope="nonsense"))
    assert wrong.status_code == 303
    told = answered(wrong.headers["location"])
    assert (told["error"], told["state"], told["iss"]) == ("invalid_scope", "s1", "http://testserver")
    strange = await http.get("/auth/authorize", params=asked(redirect_uri=f"{EVIL}/<script>"))
    assert strange.status_code == 400
    assert "location" not in strange.headers
    assert strange.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in strange.headers["content-security-policy"]
    assert "<script>" not in strange.text
    assert "evil.example" not in strange.text


async def test_a_repeated_parameter_is_refused(http):
    query = "&".join(
        f"{name}={httpx.QueryParams({'x': value})['x']}" for name, value in asked().items() if name not in ("aud", "redirect_uri")
    )
    answer = await http.get(f"/auth/authorize?{query}&redirect_uri={CALLBACK}&aud=http://testserver/fhir&state=s2")
    told = answered(answer.headers["location"])
    assert told["error"] == "invalid_request"
    assert "state" not in told
    body = "grant_type=client_credentials&grant_type=refresh_token"
    assert (await http.post("/auth/token", content=body, headers=FORM)).json()["error"] == "invalid_request"


async def test_tokens_are_never_stored(world, http):
    answer = await exchanged(world, http)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    assert {"access_token", "token_type", "expires_in", "scope", "patient", "id_token", "refresh_token"} <= answer.json().keys()


async def test_refusals_are_those_of_rfc_6749(world, http):
    answer = await http.post("/auth/token", data={"grant_type": "refresh_token", "refresh_token": "x.y", "client_id": "app"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    answer = await http.post("/auth/token", data={"grant_type": "client_credentials"}, headers={"Authorization": basic("a", "b")})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert answer.headers["cache-control"] == "no-store"


async def test_a_system_gets_its_token(world, http):
    await world.add_system()
    form = {"grant_type": "client_credentials", "scope": "system/*.rs", **asserting(world.assertion())}
    answer = await http.post("/auth/token", data=form)
    assert answer.status_code == 200
    assert answer.json()["scope"] == "system/*.rs"


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{}", {"Content-Type": "application/json"}, 400),
        (b"grant_type=x", {}, 400),
        (b"grant_type=%ff", FORM, 400),
        (b"grant_type=\xff", FORM, 400),
        (b"&".join(b"a%d=1" % n for n in range(1000)), FORM, 400),
        (b"a=" + b"x" * 70_000, FORM, 413),
        (b"", FORM, 400),
        (b"grant_type=x&client_id=app", {"Content-Type": "Application/X-WWW-Form-Urlencoded; charset=UTF-8"}, 400),
    ],
)
async def test_what_is_no_form_is_refused(http, content, headers, status):
    answer = await http.post("/auth/token", content=content, headers=headers)
    assert answer.status_code == status
    assert answer.json()["error"] in ("invalid_request", "invalid_client", "unsupported_grant_type")


async def test_the_token_endpoint_takes_post_only(http):
    for method in ("GET", "PUT", "DELETE"):
        assert (await http.request(method, "/auth/token")).status_code == 405


async def test_introspection_and_revocation(world, http):
    tokens = (await exchanged(world, http)).json()
    secret = await world.passwords.hash("s")
    await world.add_system("watcher", method="client_secret_basic", jwks=None, secret=secret, introspects=True)
    watcher = {"Authorization": basic("watcher", "s")}
    asked_ = await http.post("/auth/introspect", data={"token": tokens["access_token"]}, headers=watcher)
    assert asked_.json()["active"] is True
    assert asked_.headers["cache-control"] == "no-store"
    revoked = await http.post("/auth/revoke", data={"token": tokens["access_token"], "client_id": "app"})
    assert (revoked.status_code, revoked.content) == (200, b"")
    again = await http.post("/auth/introspect", data={"token": tokens["access_token"]}, headers=watcher)
    assert again.json() == {"active": False}


async def test_an_ehr_launches_by_form_or_json(world, http):
    secret = await world.passwords.hash("s")
    await world.add_system("ehr", method="client_secret_basic", jwks=None, secret=secret, launches=True)
    headers = {"Authorization": basic("ehr", "s")}
    for body in ({"data": {"patient": "Patient/p1"}}, {"json": {"patient": "Patient/p1", "intent": "x"}}):
        answer = await http.post("/auth/launch", headers=headers, **body)
        assert answer.status_code == 200
        assert len(answer.json()["launch"]) > 40
    for body in ({"json": ["x"]}, {"json": {"patient": 1}}, {"content": b'{"a":' * 3000, "headers": {"Content-Type": "application/json"}}):
        answer = await http.post("/auth/launch", **{"headers": headers, **body})
        assert answer.status_code == 400
    answer = await http.post("/auth/launch", headers={"Authorization": "Bearer x"}, data={"patient": "Patient/p1"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_discovery_and_keys_may_be_read_from_everywhere(world, http):
    metadata = await http.get("/.well-known/oauth-authorization-server")
    openid = await http.get("/.well-known/openid-configuration")
    smart = await http.get("/fhir/.well-known/smart-configuration")
    jwks = await http.get("/auth/jwks")
    for answer in (metadata, openid, smart, jwks):
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "*"
    assert metadata.json()["token_endpoint"] == "http://testserver/auth/token"
    assert openid.json()["id_token_signing_alg_values_supported"] == ["ES256"]
    assert smart.json() == smart_configuration(world.addresses, ("Patient", "Observation"))
    (key,) = jwks.json()["keys"]
    assert (key["kty"], key["alg"]) == ("EC", "ES256")
    assert "d" not in key


async def test_the_pages_of_registered_apps_may_ask_for_tokens_and_no_others(world, http):
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    allowed = await http.options("/auth/token", headers={"Origin": ORIGIN, **preflight})
    assert allowed.headers["access-control-allow-origin"] == "https://app.example.org"
    assert allowed.headers["access-control-allow-methods"] == "POST"
    assert "access-control-allow-credentials" not in allowed.headers
    answer = await exchanged(world, http, origin="https://app.example.org")
    assert answer.headers["access-control-allow-origin"] == "https://app.example.org"
    for origin in ("https://evil.example", "null", "https://app.example.org.evil.example", "http://app.example.org"):
        refused = await http.options("/auth/token", headers={"Origin": origin, **preflight})
        assert "access-control-allow-origin" not in refused.headers
        assert "access-control-allow-origin" not in (await exchanged(world, http, origin=origin)).headers


async def test_who_asks_too_often_is_told_when_to_come_back(world, http):
    world.oauth = dataclasses.replace(world.oauth, rates=Rates(token=2, authorize=1))
    for status in (400, 400, 429):
        answer = await http.post("/auth/token", data={"grant_type": "x", "client_id": "app"})
        assert answer.status_code == status
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert answer.json()["error"] == "temporarily_unavailable"
    assert [(await http.get("/auth/authorize", params=asked())).status_code for _ in range(2)] == [303, 429]
    world.clock.shift(seconds=60)
    assert (await http.post("/auth/token", data={"grant_type": "x", "client_id": "app"})).status_code == 400


async def test_before_start_the_endpoints_are_not_there_yet(world, http):
    world.oauth = None
    for path in ("/auth/authorize", "/auth/jwks", "/.well-known/openid-configuration"):
        assert (await http.get(path)).status_code == 503
    assert (await http.post("/auth/token", data={})).status_code == 503


async def test_a_certificate_that_does_not_count_is_refused_in_words(world, http):
    def certificate(_):
        raise FhirError(Issue("security", "The client certificate has been revoked"))

    world.oauth = dataclasses.replace(world.oauth, certificate=certificate)
    answer = await http.post("/auth/token", data={"grant_type": "x", "client_id": "app"})
    assert (answer.status_code, answer.json()["error"]) == (403, "invalid_client")
    assert "revoked" in answer.json()["error_description"]


async def test_a_connection_with_a_certificate_gets_tokens_bound_to_it(world, http):
    await world.add_system("mutual", method="tls_client_auth", jwks=None, certificates=("thumb",))
    world.oauth = dataclasses.replace(world.oauth, certificate=lambda _: "thumb")
    form = {"grant_type": "client_credentials", "scope": "system/*.rs", "client_id": "mutual"}
    token = (await http.post("/auth/token", data=form)).json()["access_token"]
    assert (await world.tokens.verify(token)).requester.certificate == "thumb"
    metadata = (await http.get("/.well-known/oauth-authorization-server")).json()
    assert "tls_client_auth" in metadata["token_endpoint_auth_methods_supported"]


async def test_s53_headers_that_anybody_can_write_change_no_address(world, http):
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.example"}
    answer = await http.get("/auth/authorize", params=asked(), headers=headers)
    assert answer.headers["location"].startswith("http://testserver/")
    assert "evil" not in (await http.get("/.well-known/openid-configuration", headers=headers)).text
