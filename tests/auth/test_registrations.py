"""What may be registered: clients that cannot hurt, and nothing that is half an app and half a system."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from fhir_server.auth.keysets import checked_keys
from fhir_server.auth.registrations import (
    Draft,
    Rules,
    checked_client_id,
    checked_facility,
    checked_redirect,
    checked_user_id,
    register,
)
from fhir_server.auth.roles import Role
from fhir_server.auth.scopes import ScopeGrammar
from fhir_server.outcome import FhirError
from fhir_server.search.parameters import Parameters
from profiles.definitions import r4

NOW = datetime(2026, 4, 1, tzinfo=UTC)
B = "3710000017"
APP = {"id": "viewer", "name": "ビューア", "method": "none", "redirect_uris": ("https://app.example.org/cb",)}
SYSTEM = {"id": "ehr-b", "name": "電子カルテ", "method": "client_secret_basic", "role": Role.SYSTEM, "facility": B}


@pytest.fixture(scope="module")
def grammar():
    return ScopeGrammar(Parameters(r4()), ZoneInfo("Asia/Tokyo"))


def key(made, kid="1", **more):
    return {**made.as_dict(private=False), "kid": kid, **more}


EC384 = key(ECKey.generate_key("P-384"))
RSA2048 = key(RSAKey.generate_key(2048))


def registered(grammar, secret=None, sandbox=False, own="", **fields):
    return register(Draft(**fields), Rules(grammar, own, sandbox), "Organization/1" if "facility" in fields else None, secret, NOW)


def test_an_app_gets_the_scopes_of_apps_and_may_refresh(grammar):
    client = registered(grammar, **APP)
    assert client.grant_types == ("authorization_code", "refresh_token")
    assert "user/*.rs" in client.scope.split()
    assert client.is_public
    assert registered(grammar, **APP, scope="launch user/Patient.rs").grant_types == ("authorization_code",)


def test_a_system_asks_for_itself_only(grammar):
    client = registered(grammar, "hash", **SYSTEM)
    assert client.grant_types == ("client_credentials",)
    assert client.scope == "system/*.cruds"
    assert registered(grammar, "hash", **{**SYSTEM, "role": Role.UPLOADER}).scope == "system/*.cud"


def test_keys_are_the_other_way_and_a_certificate_may_bind_besides(grammar):
    keyed = {**SYSTEM, "method": "private_key_jwt"}
    assert registered(grammar, **keyed, jwks={"keys": [EC384, {**RSA2048, "kid": "2"}]}).jwks
    assert registered(grammar, **keyed, jwks_uri="https://ehr.example.org/jwks").jwks_uri
    assert registered(grammar, **keyed, jwks={"keys": [EC384]}, certificates=("a" * 43,), bound=True).bound


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({**APP, "role": Role.SYSTEM}, "register a system by itself"),
        ({**APP, "facility": B}, "register a system by itself"),
        ({**APP, "scope": "system/*.rs"}, "system/ scopes are for systems"),
        ({**APP, "scope": "user/*.rx"}, "scope: Scope user"),
        ({**APP, "scope": "user/Nothing.rs"}, "no resource type"),
        ({**APP, "redirect_uris": ()}, "could do nothing"),
        ({**APP, "redirect_uris": ("https://a.example/cb",) * 21}, "at most 20"),
        ({**APP, "launch_uri": "javascript:alert(1)"}, "launch_uri"),
        ({**APP, "name": "a\nb"}, "printable"),
        ({**APP, "name": " "}, "printable"),
        ({**APP, "id": "../x"}, "client's id"),
        ({**SYSTEM, "method": "none"}, "only an app may be public"),
        ({**SYSTEM, "role": None}, "could do nothing"),
        ({**SYSTEM, "role": Role.PHYSICIAN}, "a system is one of"),
        ({**SYSTEM, "role": Role.SECRETARIAT}, "a system is one of"),
        ({**SYSTEM, "role": Role.TESTER}, "sandbox only"),
        ({**SYSTEM, "facility": None}, "belongs to a facility"),
        ({**SYSTEM, "scope": "user/*.rs"}, "system/ scopes only"),
        ({**SYSTEM, "scope": "openid system/*.rs"}, "system/ scopes only"),
        ({**SYSTEM, "launch_uri": "https://a.example/"}, "launch_uri"),
        ({**SYSTEM, "method": "private_key_jwt"}, "needs jwks or jwks_uri"),
        ({**SYSTEM, "method": "tls_client_auth"}, "needs a certificate"),
        ({**SYSTEM, "method": "tls_client_auth", "certificates": ("abc",)}, "thumbprints"),
        ({**SYSTEM, "method": "private_key_jwt", "jwks": {"keys": [EC384]}, "jwks_uri": "https://a.example/"}, "one way"),
        ({**SYSTEM, "method": "private_key_jwt", "jwks_uri": "http://ehr.example.org/jwks"}, "https://"),
        ({**SYSTEM, "method": "private_key_jwt", "jwks_uri": "file:///etc/passwd"}, "jwks_uri"),
        ({"id": "x", "name": "x", "method": "client_secret_basic", "launches": True, "scope": "system/*.rs"}, "without a role"),
    ],
)
def test_what_must_not_be_registered_is_refused_with_the_reason(grammar, fields, what):
    secret = "hash" if fields["method"] == "client_secret_basic" else None
    with pytest.raises(FhirError, match=what):
        registered(grammar, secret, **fields)


def test_a_client_with_a_secret_has_nothing_else_to_prove_who_it_is(grammar):
    with pytest.raises(FhirError, match="one way"):
        registered(grammar, "hash", **SYSTEM, jwks={"keys": [EC384]})
    with pytest.raises(FhirError, match="needs a secret"):
        registered(grammar, **SYSTEM)


def test_testers_exist_in_a_sandbox(grammar):
    tester = {"id": "tester", "name": "試験", "method": "client_secret_basic", "role": Role.TESTER}
    assert registered(grammar, "hash", sandbox=True, **tester).scope == "system/*.cruds"
    with pytest.raises(FhirError, match="sandbox only"):
        registered(grammar, "hash", **tester)


def test_an_ehr_that_only_launches_has_no_scope(grammar):
    client = registered(grammar, "hash", id="launcher", name="EHR", method="client_secret_basic", launches=True)
    assert client.scope == ""
    assert client.role is None


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.org/callback",
        "https://app.example.org:8443/callback?x=y",
        "http://127.0.0.1:8080/viewer/",
        "http://localhost/cb",
        "http://[::1]:9000/cb",
        "org.example.app:/callback",
        "org.example.app://callback",
    ],
)
def test_a_redirect_uri_is_https_or_this_machine_or_the_apps_own(uri):
    assert checked_redirect(uri) == uri


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "http://app.example.org/cb",
        "https://app.example.org/cb#x",
        "https://app.example.org/*",
        "https://*.example.org/cb",
        "https://user@app.example.org/cb",
        "https:///cb",
        "https:app.example.org",
        "//app.example.org/cb",
        "/cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "myapp:/cb",
        "file.x\n:/cb",
        "https://app.example.org/ cb",
        "https://app.example.org\\@evil.example/",
        "https://app.example.org:99999/cb",
        "https://[::1/cb",
        "HTTP://evil.example/",
        "http://127.0.0.1.evil.example/cb",
        "http://localhost.evil.example/cb",
        "org.example.app:/cb#x",
        "https://アプリ.example/cb",
        "https://app.example.org/" + "a" * 2000,
    ],
)
def test_s35_a_redirect_uri_that_others_could_read_is_refused(uri):
    with pytest.raises(FhirError):
        checked_redirect(uri)


def test_this_servers_own_pages_are_as_safe_as_itself():
    own = "http://fhir.example.lan:8080"
    assert checked_redirect(f"{own}/viewer/", own)
    for other in ("http://fhir.example.lan:80801/viewer/", "http://fhir.example.lan/viewer/", "http://fhir.example.lan:8080@evil.example/"):
        with pytest.raises(FhirError):
            checked_redirect(other, own)


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ({}, "expected"),
        ({"keys": []}, "expected"),
        ({"keys": ["x"]}, "expected"),
        ({"keys": [EC384] * 21}, "expected"),
        ({"keys": [EC384, EC384]}, "kid of its own"),
        ({"keys": [{**EC384, "kid": ""}]}, "has a kid"),
        ({"keys": [{**EC384, "d": "x"}]}, "private"),
        ({"keys": [key(OctKey.generate_key(256), k="x")]}, "private"),
        ({"keys": [key(ECKey.generate_key("P-256"))]}, "too weak"),
        ({"keys": [key(ECKey.generate_key("P-521"))]}, "too weak"),
        ({"keys": [{**EC384, "alg": "ES256"}]}, "RS384 or ES384"),
        ({"keys": [{**RSA2048, "alg": "RS256"}]}, "RS384 or ES384"),
        ({"keys": [{**RSA2048, "use": "enc"}]}, "for signatures"),
        ({"keys": [{**RSA2048, "n": "AQAB"}]}, "weak|read"),
        ({"keys": [{**EC384, "x": 1}]}, "cannot be read"),
        ({"keys": [{"kty": "OKP", "kid": "1", "crv": "Ed25519", "x": "AA"}]}, "RS384 or ES384"),
    ],
)
def test_keys_that_are_weak_private_or_of_another_algorithm_are_refused(keys, what):
    with pytest.raises(FhirError, match=what):
        checked_keys(keys)


def test_of_a_key_nothing_is_kept_that_could_lead_elsewhere():
    kept = checked_keys({"keys": [{**EC384, "x5u": "https://evil.example/", "x5c": ["x"], "jku": "https://evil.example/"}]})
    assert not {"x5u", "x5c", "jku"} & kept["keys"][0].keys()


def test_f053_the_ids_of_an_older_network_are_kept_and_case_makes_no_second_person():
    assert checked_user_id("KMIX-0012@hosp.example") == "kmix-0012@hosp.example"
    assert checked_user_id("Ａ１") == "a1"
    for wrong in ("", "a b", "-a", "a-", "山田", "a" * 65, "a\nb", "a/b", "a$b"):
        with pytest.raises(FhirError):
            checked_user_id(wrong)


def test_ids_and_codes_have_a_grammar():
    assert checked_client_id("ehr-b_2.x") == "ehr-b_2.x"
    assert checked_facility(B) == B
    for wrong in ("", "-a", "a b", "a" * 65, "é"):
        with pytest.raises(FhirError):
            checked_client_id(wrong)
