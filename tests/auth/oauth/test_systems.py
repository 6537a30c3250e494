"""SMART Backend Services: a system proves who it is by a signed assertion and gets a token for itself."""

import asyncio
from base64 import urlsafe_b64encode

import msgspec
import pytest
from joserfc import jwk, jws

from fhir_server.auth.roles import Role
from tests.auth.oauth.world import BASE, CODE, HOSPITAL, NETWORK, asserting, ec_key, public, refusal, rsa_key


@pytest.fixture(autouse=True)
async def system(world):
    """The EHR of the hospital."""
    return await world.add_system()


async def test_a_system_gets_a_token_of_its_role_and_facility(world):
    tokens = await world.for_itself(world.assertion(), scope="system/Observation.rs system/Patient.r")
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 300
    assert "refresh_token" not in tokens
    requester = (await world.tokens.verify(tokens["access_token"])).requester
    assert (requester.subject, requester.client, requester.role) == ("ehr-b", "ehr-b", Role.SYSTEM)
    assert (requester.organization, requester.facility, requester.facility_roles) == (HOSPITAL, CODE, {"providing"})
    assert not requester.is_person


async def test_rs384_and_es384_are_what_signs(world):
    assert await world.for_itself(world.assertion(rsa_key(), "RS384"))
    assert await world.for_itself(world.assertion(ec_key(), "ES384"))


async def test_one_kid_may_name_an_rsa_and_an_ec_key(world):
    rsa, ec = (jwk.import_key({**key.as_dict(private=True), "kid": "same"}) for key in (rsa_key(), ec_key()))
    await world.change_client("ehr-b", jwks=public(rsa, ec))
    assert await world.for_itself(world.assertion(rsa, "RS384"))
    assert await world.for_itself(world.assertion(ec, "ES384"))


def unsigned(world, **header):
    """Make an assertion without signature."""
    claims = {"iss": "ehr-b", "sub": "ehr-b", "aud": "http://testserver/auth/token", "exp": int(world.clock().timestamp()) + 60, "jti": "j"}
    parts = (urlsafe_b64encode(msgspec.json.encode(part)).rstrip(b"=").decode() for part in (header, claims))
    return f"{'.'.join(parts)}."


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, 1])
async def test_s35_an_assertion_with_alg_none_is_refused(world, algorithm):
    error = await refusal(world.for_itself(unsigned(world, alg=algorithm, kid="ec-1")))
    assert error.error == "invalid_client"


async def test_s35_an_assertion_without_signature_is_refused(world):
    error = await refusal(world.for_itself(unsigned(world, alg="ES384", kid="ec-1")))
    assert error.error == "invalid_client"


async def test_s35_hs256_with_the_public_key_as_secret_is_refused(world):
    for secret in (rsa_key().as_pem(private=False), ec_key().as_pem(private=False)):
        for algorithm in ("HS256", "HS384"):
            key = jwk.OctKey.import_key(secret.replace(b"-----BEGIN", b"=====BEGIN"))  # joserfc itself would refuse the PEM
            key = jwk.import_key({**key.as_dict(private=True), "kid": "ec-1"})
            error = await refusal(world.for_itself(world.assertion(key, algorithm)))
            assert error.error == "invalid_client"
            assert "RS384" in error.description


@pytest.mark.parametrize("algorithm", ["RS256", "RS512", "PS384"])
async def test_other_algorithms_are_refused(world, algorithm):
    key = rsa_key()
    header, claims = {"alg": algorithm, "kid": "rsa-1"}, {"iss": "ehr-b", "sub": "ehr-b"}
    text = jws.serialize_compact(header, msgspec.json.encode(claims), key, algorithms=[algorithm])
    assert "RS384" in (await refusal(world.for_itself(text))).description


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"exp": 1_700_000_000}, "expired"),
        ({"exp": None}, "exp"),
        ({"exp": "soon"}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": 1e300}, "exp"),
        ({"exp": 1_775_001_600 + 331}, "5 minutes"),
        ({"aud": "https://other.example/auth/token"}, "aud"),
        ({"aud": BASE}, "aud"),
        ({"aud": "http://testserver/auth/token/"}, "aud"),
        ({"aud": ["a", "b"]}, "aud"),
        ({"aud": {"a": 1}}, "aud"),
        ({"aud": None}, "aud"),
        ({"iss": "other"}, "iss"),
        ({"sub": "other"}, "iss"),
        ({"iss": None}, "iss"),
        ({"iss": 1, "sub": 1}, "iss"),
        ({"jti": None}, "jti"),
        ({"jti": 7}, "jti"),
        ({"nbf": 1_775_001_600 + 120}, "nbf"),
        ({"iat": 1_775_001_600 + 120}, "iat"),
    ],
)
async def test_s35_wrong_claims_are_refused_and_the_developer_is_told_which(world, changed, word):
    assert int(world.clock().timestamp()) == 1_775_001_600
    error = await refusal(world.for_itself(world.assertion(**changed)))
    assert error.error == "invalid_client"
    assert word in error.description


async def test_the_audience_may_be_one_of_several(world):
    assert await world.for_itself(world.assertion(aud=["http://testserver/auth/token", "https://other.example"]))


async def test_s35_an_assertion_works_once(world):
    assertion = world.assertion(jti="once")
    assert await world.for_itself(assertion)
    assert "jti" in (await refusal(world.for_itself(assertion))).description
    world.clock.shift(seconds=329)
    assert (await refusal(world.for_itself(assertion))).error == "invalid_client", "as long as it would be accepted"


async def test_s35_of_many_that_bring_an_assertion_at_once_one_gets_a_token(world):
    assertion = world.assertion()
    results = await asyncio.gather(*(world.for_itself(assertion) for _ in range(5)), return_exceptions=True)
    assert len([each for each in results if isinstance(each, dict)]) == 1


async def test_two_clients_may_use_the_same_jti(world):
    await world.add_system("ehr-c")
    assert await world.for_itself(world.assertion(jti="same"))
    assert await world.for_itself(world.assertion(jti="same", iss="ehr-c", sub="ehr-c"))


async def test_a_stranger_cannot_find_out_which_clients_there_are(world):
    await world.add_system("off", active=False)
    await world.add_system("secret", method="client_secret_basic", secret=await world.passwords.hash("s"))
    await world.add_system("nowhere", jwks=None, jwks_uri="http://127.0.0.1:9/jwks")
    stranger = jwk.ECKey.generate_key("P-384", {"kid": "ec-1"})
    unknown_key = jwk.ECKey.generate_key("P-384", {"kid": "other"})
    answers = set()
    for client in ("ehr-b", "nobody", "off", "secret", "nowhere", "あ", "app"):
        for key in (stranger, unknown_key):
            error = await refusal(world.for_itself(world.assertion(key, iss=client, sub=client)))
            answers.add((error.error, error.description, error.status_code))
    assert answers == {("invalid_client", "Client authentication failed", 400)}


async def test_a_key_of_another_address_is_never_fetched(world):
    error = await refusal(world.for_itself(world.assertion(header={"jku": "https://evil.example/jwks"})))
    assert error.error == "invalid_client"


async def test_a_key_needs_a_name(world):
    assert "kid" in (await refusal(world.for_itself(unsigned(world, alg="ES384")))).description


@pytest.mark.parametrize(
    "text", ["", "x", "a.b", "a.b.c", "a.b.c.d", "é.é.é", "." * 3, "e30.e30.e30", "bnVsbA.bnVsbA.", "W10.W10.", "x" * 20000]
)
async def test_what_is_no_jwt_is_refused(world, text):
    fields = {"client_assertion_type": asserting("")["client_assertion_type"]} | ({"client_assertion": text} if text else {})
    error = await refusal(world.token(grant_type="client_credentials", scope="system/*.rs", **fields))
    assert error.error in ("invalid_client", "invalid_request")


async def test_weak_keys_of_a_registration_are_not_used(world):
    p256 = jwk.ECKey.generate_key("P-256", {"kid": "weak"})
    await world.change_client("ehr-b", jwks=public(p256))
    text = jws.serialize_compact({"alg": "ES256", "kid": "weak"}, b"{}", p256, algorithms=["ES256"])
    assert (await refusal(world.for_itself(text))).error == "invalid_client"
    key = jwk.import_key({**ec_key().as_dict(private=True), "kid": "weak"})
    assert (await refusal(world.for_itself(world.assertion(key)))).error == "invalid_client"


@pytest.mark.parametrize(
    "jwks",
    [
        {},
        {"keys": None},
        {"keys": [1, None, "x"]},
        {"keys": [{"kid": "ec-1", "kty": "EC"}]},
        {"keys": [{"kid": "ec-1", "kty": "EC", "crv": "P-384", "x": "!", "y": 1}]},
    ],
)
async def test_keys_that_cannot_be_read_are_no_keys(world, jwks):
    await world.change_client("ehr-b", jwks=jwks)
    assert (await refusal(world.for_itself(world.assertion()))).error == "invalid_client"


@pytest.mark.parametrize(
    "scope",
    ["patient/*.rs", "user/*.rs", "openid", "system/*.rs openid", "system/*.rs launch", "system/*.sr", "system/*.rs patient/*.rs", "*"],
)
async def test_a_system_asks_for_system_scopes_only(world, scope):
    await world.change_client("ehr-b", scope=f"system/*.cruds user/*.rs patient/*.rs {scope if scope != '*' else ''}".strip())
    assert (await refusal(world.for_itself(world.assertion(), scope=scope))).error == "invalid_scope"


async def test_a_system_gets_what_its_registration_holds(world):
    await world.change_client("ehr-b", scope="system/Observation.rs")
    assert (await world.for_itself(world.assertion(), scope="system/*.cruds"))["scope"] == "system/Observation.rs"
    assert (await refusal(world.for_itself(world.assertion(), scope="system/Patient.r"))).error == "invalid_scope"
    error = await refusal(world.token(**asserting(world.assertion()), grant_type="client_credentials"))
    assert (error.error, "scope" in error.description) == ("invalid_scope", True)


async def test_an_app_for_people_is_no_system(world):
    await world.change_client("ehr-b", role=None)
    assert (await refusal(world.for_itself(world.assertion()))).error == "unauthorized_client"
    await world.change_client("ehr-b", role=Role.SYSTEM, grant_types=("authorization_code",))
    assert (await refusal(world.for_itself(world.assertion()))).error == "unauthorized_client"
    error = await refusal(world.token(client_id="app", grant_type="client_credentials", scope="system/*.rs"))
    assert error.error == "unauthorized_client"


async def test_f104_the_system_of_a_facility_that_has_left_gets_nothing(world):
    await world.write(dict(NETWORK[0], active=False))
    assert (await refusal(world.for_itself(world.assertion()))).error == "invalid_grant"
    await world.change_client("ehr-b", organization="Organization/never")
    assert (await refusal(world.for_itself(world.assertion()))).error == "invalid_grant"


async def test_a_client_id_beside_the_assertion_must_be_the_same(world):
    assert await world.for_itself(world.assertion(), client_id="ehr-b")
    assert (await refusal(world.for_itself(world.assertion(), client_id="other"))).error == "invalid_request"


async def test_a_bound_system_needs_its_certificate_and_its_tokens_too(world):
    await world.change_client("ehr-b", bound=True)
    fields = {"grant_type": "client_credentials", "scope": "system/*.rs"}
    error = await refusal(world.token(**asserting(world.assertion()), **fields))
    assert (error.error, "certificate" in error.description) == ("invalid_client", True)
    tokens = await world.token(certificate="thumb", **asserting(world.assertion()), **fields)
    assert (await world.tokens.verify(tokens["access_token"])).requester.certificate == "thumb"
