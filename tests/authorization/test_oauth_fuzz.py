"""Whatever is sent to the OAuth endpoints, the answer is a refusal or a redirect, never a failure of the server."""

import json
from base64 import urlsafe_b64encode
from urllib.parse import urlencode

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from fhir_server.auth.throttle import WINDOWS, Throttle
from fhir_server.authorization.endpoints import OAuth, Rates, add_oauth
from tests.auth.oauth.world import APP_SCOPE, ROOT, asked, asserting, open_world

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

NAMES = some.sampled_from(
    [
        *asked(),
        "grant_type",
        "code",
        "code_verifier",
        "refresh_token",
        "client_assertion",
        "client_assertion_type",
        "client_secret",
        "token",
        "launch",
        "prompt",
        "max_age",
        "nonce",
        "request",
        "patient",
        "user",
    ]
)
WORDS = some.sampled_from(
    [
        *asked().values(),
        *APP_SCOPE.split(),
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "system/*.rs",
        "patient/Observation.rs?category=laboratory",
        "ehr-b",
        "none",
        "",
        "\0",
        "$where",
        '{"$ne":null}',
        "__proto__",
        "a.b",
        "a.b.c",
        *asserting("e30.e30.e30").values(),
    ]
)
VALUES = WORDS | some.text(max_size=40) | some.text(alphabet='/*.?=& rscud+%"\\', max_size=40)
FIELDS = some.lists(some.tuples(NAMES | some.text(max_size=10), VALUES), max_size=12)
HEADERS = some.dictionaries(
    some.sampled_from(["authorization", "origin", "content-type"]),
    some.sampled_from(["application/x-www-form-urlencoded", "Basic YTpi", "Basic =", "Bearer x.y.z", "null", "https://app.example.org"])
    | some.text(alphabet=[chr(each) for each in range(32, 127)], max_size=40).map(str.strip),
)
JSONS = some.recursive(
    some.none() | some.booleans() | some.floats() | some.text(max_size=20) | some.integers(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(max_size=5), inner),
)


@pytest.fixture
async def http(mongodb_uri, database_name):
    """A client of the application, which has no limits here."""
    async with open_world(mongodb_uri, database_name) as world:
        await world.add_system()
        rates = Rates(authorize=10**6, token=10**6, introspect=10**6, launch=10**6)
        oauth = OAuth(world.server, Throttle(world.shelf.records(WINDOWS), world.clock), rates=rates)
        app = FastAPI()
        add_oauth(app, lambda: oauth)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ROOT) as client:
            yield client


def is_refusal(answer):
    return 400 <= answer.status_code < 500


@QUICK
@given(fields=FIELDS, whole=some.booleans())
async def test_whatever_is_asked_of_the_authorization_endpoint_is_refused_or_sent_on(http, fields, whole):
    query = urlencode([*(asked().items() if whole else ()), *fields], errors="surrogatepass")
    answer = await http.get(f"/auth/authorize?{query}")
    assert is_refusal(answer) or answer.status_code == 303
    if answer.status_code == 303:
        assert answer.headers["location"].startswith(("http://testserver/auth/login?", "https://app.example.org/callback?"))


@QUICK
@given(changed=some.dictionaries(NAMES, VALUES, min_size=1, max_size=3))
async def test_a_good_request_with_anything_changed_is_refused_or_sent_on(http, changed):
    answer = await http.get("/auth/authorize", params={**asked(), **changed})
    assert is_refusal(answer) or answer.status_code == 303


@QUICK
@given(path=some.sampled_from(["token", "introspect", "revoke", "launch"]), fields=FIELDS, headers=HEADERS)
async def test_whatever_is_sent_as_a_form_is_refused(http, path, fields, headers):
    body = urlencode(fields, errors="surrogatepass")
    answer = await http.post(f"/auth/{path}", content=body, headers={"content-type": "application/x-www-form-urlencoded", **headers})
    assert is_refusal(answer) or (path == "revoke" and answer.status_code == 200)
    assert "error" in answer.text or path == "revoke"


@QUICK
@given(body=some.binary(max_size=200))
async def test_whatever_bytes_are_sent_are_refused(http, body):
    for path, media in (("token", "application/x-www-form-urlencoded"), ("launch", "application/json")):
        assert is_refusal(await http.post(f"/auth/{path}", content=body, headers={"content-type": media}))


@QUICK
@given(header=JSONS, claims=JSONS, alg=some.sampled_from(["ES384", "RS384", "none", "HS256"]))
async def test_whatever_an_assertion_says_it_is_refused(http, header, claims, alg):
    if isinstance(header, dict):
        header = {"alg": alg, "kid": "ec-1", **header}
    if isinstance(claims, dict):
        claims = {"iss": "ehr-b", "sub": "ehr-b", "aud": "http://testserver/auth/token", "jti": "j", "exp": 1_775_001_700, **claims}
    parts = (urlsafe_b64encode(json.dumps(part).encode("utf-8", "surrogatepass")).rstrip(b"=").decode() for part in (header, claims, "x"))
    form = {"grant_type": "client_credentials", "scope": "system/*.rs", **asserting(".".join(parts))}
    answer = await http.post("/auth/token", data=form)
    assert is_refusal(answer)
    assert answer.json()["error"] == "invalid_client"


async def test_a_deep_header_is_refused_wherever_a_token_is_read(http):
    deep = ".".join([urlsafe_b64encode(b'{"a":' * 1100).rstrip(b"=").decode(), "e30", "e30"])
    for path, form in (("token", {"grant_type": "client_credentials", **asserting(deep)}), ("launch", {})):
        answer = await http.post(
            f"/auth/{path}", data=form or {"patient": "p1"}, headers={} if form else {"authorization": f"Bearer {deep}"}
        )
        assert is_refusal(answer)
