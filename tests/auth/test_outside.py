"""Tokens of another issuer, a Keycloak of the network: verified with its keys, read by its names of claims."""

import asyncio
import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from fhir_server.app import create_app
from fhir_server.settings import Settings
from fhir_server.store.records import now
from tests.access.records import EVERYTHING
from tests.access.secured import BASE, store
from tests.auth.test_directory import MEMBERS

KEY = RSAKey.generate_key(2048, auto_kid=True)
SECOND = ECKey.generate_key("P-384", auto_kid=True)


class Realm:
    """Another issuer's HTTP side: its discovery document and its keys; `asked` counts."""

    def __init__(self):
        self.keys, self.asked = [KEY], []
        realm = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self):
                realm.asked.append(self.path)
                documents = {
                    "/realms/k/.well-known/openid-configuration": {"issuer": realm.issuer, "jwks_uri": f"{realm.issuer}/certs"},
                    "/realms/k/certs": {"keys": [key.as_dict(private=False) for key in realm.keys]},
                }
                body = json.dumps(documents.get(self.path, {})).encode()
                self.send_response(200 if self.path in documents else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}/realms/k"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def token(self, key=KEY, alg="RS256", header=None, drop=(), **claims):
        moment = int(now().timestamp())
        said = {
            "iss": self.issuer, "aud": ["account", "tsunagi"], "sub": "u-1", "azp": "viewer", "iat": moment, "exp": moment + 300, "jti": "j1",
            "sid": "s1", "typ": "Bearer", "scope": "openid user/*.rs", "network_role": "physician", "hospital": "3710000025",
            "fhirUser": f"{BASE}/Practitioner/d1", **claims,
        }  # fmt: skip
        said = {name: value for name, value in said.items() if name not in drop}
        return jwt.encode({"alg": alg, "kid": key.kid, "typ": "JWT", **(header or {})}, said, key, algorithms=[alg])


@pytest.fixture
def realm():
    realm = Realm()
    yield realm
    realm.server.shutdown()


@pytest.fixture
async def application(realm, mongodb_uri, database_name, clock):
    settings = Settings(
        database=database_name, base_url=BASE, outside_issuer=realm.issuer, outside_audience="tsunagi",
        outside_claims="role=network_role, facility = hospital",
    )  # fmt: skip
    app = create_app(settings, mongodb_uri)
    async with app.outer.router.lifespan_context(app.outer):
        await store(app, *EVERYTHING, custodian="Organization/a")
        await store(app, *MEMBERS, custodian="Organization/a")
        yield app


@pytest.fixture
async def get(application):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url=BASE) as client:

        async def getting(token, address="/Observation/lab-p1"):
            return (await client.get(address, headers={"Authorization": f"Bearer {token}"})).status_code

        yield getting


async def test_a_token_of_the_other_issuer_lets_in_whom_it_names(realm, get):
    assert await get(realm.token()) == 200
    assert await get(realm.token(), "/AuditEvent") == 403
    assert await get(realm.token(scope="openid user/Patient.rs")) == 403
    assert await get(realm.token(network_role="secretariat")) == 403
    assert await get(realm.token(network_role="system", scope="system/*.rs"), "/Observation") == 403  # a person is no system
    assert await get(realm.token(network_role="system", scope="system/*.rs", drop=["fhirUser"]), "/Observation") == 200
    assert await get(realm.token(scope="launch/patient patient/*.rs", patient="p1"), "/Observation/lab-p1") == 200
    assert await get(realm.token(scope="launch/patient patient/*.rs", patient="p1"), "/Observation/lab-p2") == 404


@pytest.mark.parametrize(
    "missing",
    [
        {"drop": ["network_role"]}, {"drop": ["hospital"]}, {"drop": ["scope"]}, {"hospital": "3710000066"}, {"hospital": "3799999999"},
        {"organization": "Organization/b"},
    ],
)  # fmt: skip
async def test_what_it_does_not_say_is_not_guessed(realm, get, missing):
    assert await get(realm.token(**missing)) == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://evil.example"}, {"aud": "account"}, {"aud": None}, {"exp": 1}, {"exp": "x"}, {"exp": True}, {"exp": float("1e300")},
        {"nbf": 4102444800}, {"iat": 4102444800}, {"typ": "ID"}, {"typ": "Refresh"}, {"nonce": "n"}, {"at_hash": "h"}, {"network_role": "king"},
        {"network_role": ["physician"]}, {"hospital": {"$ne": None}}, {"sub": None}, {"cnf": "x"}, {"drop": ["exp"]}, {"drop": ["sub"]},
    ],
)  # fmt: skip
async def test_s35_what_is_wrong_with_it_shuts_the_door(realm, get, wrong):
    assert await get(realm.token(**wrong)) == 401


async def test_s35_another_key_algorithm_or_none_shuts_the_door(realm, get):
    stranger = RSAKey.generate_key(2048, {"kid": KEY.kid})
    secret = OctKey.import_key("a secret that somebody else has", {"kid": KEY.kid})
    assert await get(realm.token(stranger)) == 401
    assert await get(realm.token(secret, "HS256")) == 401
    header, body, _ = realm.token().split(".")
    assert await get(f"{header}.{body}.") == 401
    assert await get(realm.token()) == 200


async def test_a_new_key_of_the_issuer_is_fetched_but_not_for_every_strangers_kid(realm, application, get):
    assert await get(realm.token()) == 200
    asked = len(realm.asked)
    assert await asyncio.gather(*(get(realm.token(SECOND, "ES384", jti=str(n))) for n in range(10))) == [401] * 10
    assert len(realm.asked) == asked
    realm.keys.append(SECOND)
    application.registry.identity.authenticator._outside.__self__._looked = float("-inf")
    assert await get(realm.token(SECOND, "ES384")) == 200


async def test_its_tokens_are_cut_as_ours_are(realm, application, get, clock):
    token = realm.token()
    assert await get(token) == 200
    await application.registry.identity.cuts.cut("facility", "Organization/a")
    assert await get(token) == 401
    clock.shift(timedelta(seconds=2))
    assert await get(realm.token()) == 200


async def test_our_own_tokens_go_on(application, get):
    from fhir_server.auth.roles import Role
    from tests.access.secured import requester, token

    assert await get(await token(application, requester(Role.PHYSICIAN, organization="Organization/a"))) == 200


async def test_our_own_tokens_of_a_key_that_another_process_has_just_made_go_on(application, get):
    from fhir_server.auth.keys import Keys
    from fhir_server.auth.roles import Role
    from fhir_server.auth.tokens import Tokens
    from tests.access.secured import requester

    identity = application.registry.identity
    elsewhere = Keys(identity.shelf, identity.sealer, now)
    await elsewhere.rotate()
    made = await Tokens(elsewhere, identity.cuts, identity.tokens.issuer, BASE, now).issue(
        requester(Role.PHYSICIAN, organization="Organization/a"), timedelta(minutes=5)
    )
    assert await get(made) == 200


async def test_a_token_that_would_outlive_what_is_remembered_of_cuts_is_honoured_for_a_day(realm, application, get, clock):
    """Cuts are known for a day: another issuer's token of a month would come to life again after it."""
    month = int(now().timestamp()) + 30 * 24 * 3600
    token = realm.token(exp=month)
    assert await get(token) == 200
    assert await get(realm.token(exp=month, sub="u-2", sid="s2", jti="j2")) == 200
    await application.registry.identity.cuts.cut("user", "u-1")
    assert await get(token) == 401
    clock.shift(timedelta(hours=25))
    await application.registry.identity.cuts.refresh()
    assert await get(token) == 401
    assert await get(realm.token(exp=month, jti="j3", sub="u-3", sid="s3")) == 200
