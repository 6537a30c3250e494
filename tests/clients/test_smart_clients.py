"""SMART clients that others wrote log in: client-py (`fhirclient`) for a person, it and fhirpy for a system.

https://github.com/smart-on-fhir/client-py
https://github.com/beda-software/fhir-py
https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html
"""

import time
import uuid
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fhirclient.client import FHIRClient
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient
from fhirclient.server import FHIRPermissionDeniedException, FHIRUnauthorizedException
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import ForbiddenError
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from fhir_server.auth.registrations import Draft
from fhir_server.auth.roles import Role
from fhir_server.settings import Settings
from tests.authorization.launching import DOCTOR, PASSWORD, stored
from tests.authorization.viewing import HOSPITAL
from tests.clients import running
from tests.clients.person import allow

CALLBACK = "http://127.0.0.1:9/callback"
SCOPES = "openid fhirUser offline_access patient/*.rs"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KEYS = {"RS384": RSAKey.generate_key(2048, {"kid": "r"}), "ES384": ECKey.generate_key("P-384", {"kid": "e"})}


def public(key, algorithm):
    return {**key.as_dict(private=False), "alg": algorithm, "use": "sig", "kid": key.kid}


PUBLIC_APP = Draft(id="client-py", name="client-py", method="none", scope=f"launch/patient {SCOPES}", redirect_uris=(CALLBACK,))
SECRET_APP = Draft(
    id="client-py-secret", name="client-py", method="client_secret_basic", scope=f"launch/patient {SCOPES}", redirect_uris=(CALLBACK,)
)
SYSTEM = Draft(
    id="ehr",
    name="電子カルテ",
    method="private_key_jwt",
    scope="system/Patient.rs system/Observation.rs",
    role=Role.SYSTEM,
    facility=HOSPITAL,
    jwks={"keys": [public(key, algorithm) for algorithm, key in KEYS.items()]},
)
SECRET = "a secret of this test: 5f2c9e7b1d"


@pytest.fixture(scope="module")
def base(mongodb_uri, worker_database, tmp_path_factory):
    """The address of a server as a person starts it, with the network's people and these clients."""
    connection, name = worker_database
    database = f"{name}_smart"
    connection.drop_database(database)
    settings = {"mongodb_uri": mongodb_uri, "database": database, "access_log": "false"}
    with running.serving(tmp_path_factory.mktemp("smart"), "-m", "fhir_server", "serve", until="Tsunagi serves", **settings) as address:
        stored(mongodb_uri, Settings(database=database, base_url=address), (PUBLIC_APP, None), (SECRET_APP, SECRET), (SYSTEM, None))
        yield address
    connection.drop_database(database)


def client_py(base, **settings):
    return FHIRClient(settings={"app_id": "client-py", "api_base": base, "redirect_uri": CALLBACK, "scope": SCOPES, **settings})


def launched(client):
    """Complete the launch as the README of client-py says; a person allows it."""
    assert not client.prepare()
    client.handle_callback(allow(client.authorize_url, DOCTOR.login, PASSWORD, patient="タカマツ"))
    assert client.ready
    return client


@pytest.mark.parametrize("registered", [{}, {"app_id": "client-py-secret", "app_secret": SECRET}], ids=["public", "confidential"])
def test_client_py_completes_a_standalone_launch_and_reads_the_patient(base, registered):
    client = launched(client_py(base, **registered))
    assert (client.patient_id, client.patient.birthDate.isostring) == ("jiro", "1958-07-14")
    found = Observation.where(struct={"patient": client.patient_id, "_sort": "-date"}).perform_resources(client.server)
    assert {each.id for each in found} == {"a1", "a2", "a3", "a4", "protein"}
    assert client.launch_context["token_type"].lower() == "bearer"


def test_client_py_asks_with_pkce_s256(base):
    client = client_py(base)
    client.prepare()
    asked = parse_qs(urlsplit(client.authorize_url).query)
    assert asked["code_challenge_method"] == ["S256"]


def test_s35_a_code_is_of_no_use_without_the_verifier_of_its_request(base):
    client = client_py(base)
    client.prepare()
    callback = allow(client.authorize_url, DOCTOR.login, PASSWORD, patient="タカマツ")
    client.server.auth.code_verifier = "x" * 43
    with pytest.raises(Exception, match="400"):
        client.handle_callback(callback)
    assert not client.ready


def test_client_py_renews_its_token(base):
    client = launched(client_py(base))
    before = client.server.auth.access_token
    assert client.reauthorize()
    assert client.server.auth.access_token != before
    assert Patient.read("jiro", client.server).id == "jiro"


def test_client_py_is_refused_what_it_was_not_granted(base):
    client = launched(client_py(base, scope="openid fhirUser patient/Patient.rs"))
    assert client.patient.id == "jiro"
    with pytest.raises(FHIRPermissionDeniedException) as refused:
        Observation.where(struct={"patient": "jiro"}).perform(client.server)
    assert 'error="insufficient_scope", scope="patient/Observation.s"' in refused.value.response.headers["WWW-Authenticate"]


def test_client_py_without_a_token_is_answered_nothing_but_the_statement(base):
    client = client_py(base)
    assert client.server.capabilityStatement.fhirVersion == "4.0.1"
    with pytest.raises(FHIRUnauthorizedException):
        Patient.read("jiro", client.server)


def assertion(base, algorithm, **claims):
    """What a system proves itself with."""
    now = int(time.time())
    key = KEYS[algorithm]
    token = base.replace("/fhir", "/auth/token")
    content = {"iss": "ehr", "sub": "ehr", "aud": token, "jti": str(uuid.uuid4()), "iat": now, "exp": now + 120, **claims}
    return jwt.encode({"alg": algorithm, "kid": key.kid, "typ": "JWT"}, content, key, algorithms=[algorithm])


def asked_for_itself(base, proof, scope="system/Patient.rs system/Observation.rs"):
    discovered = httpx.get(f"{base}/.well-known/smart-configuration").json()
    fields = {"grant_type": "client_credentials", "scope": scope, "client_assertion_type": ASSERTION, "client_assertion": proof}
    return httpx.post(discovered["token_endpoint"], data=fields)


@pytest.mark.parametrize("algorithm", KEYS)
def test_fhirpy_reads_with_a_backend_services_login(base, algorithm):
    answer = asked_for_itself(base, assertion(base, algorithm))
    assert answer.status_code == 200, answer.text
    given = answer.json()
    assert given["token_type"].lower() == "bearer"
    assert "refresh_token" not in given
    fhir = SyncFHIRClient(base, authorization=f"Bearer {given['access_token']}")
    assert fhir.reference("Patient", "jiro").to_resource()["birthDate"] == "1958-07-14"
    assert len(fhir.resources("Observation").search(patient="jiro").limit(2).fetch_all()) == 5
    with pytest.raises(ForbiddenError, match=r"system/Condition\.s"):
        fhir.resources("Condition").search(patient="jiro").fetch()


def test_client_py_completes_a_backend_services_login_too(base):
    client = client_py(base, app_id="ehr", jwt_token=assertion(base, "ES384"), scope="system/Patient.rs")
    client.wants_patient = False
    client.prepare()
    client.authorize()
    assert Patient.read("jiro", client.server).birthDate.isostring == "1958-07-14"


def test_s35_an_assertion_proves_once(base):
    proof = assertion(base, "ES384")
    assert asked_for_itself(base, proof).status_code == 200
    again = asked_for_itself(base, proof)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_client")


@pytest.mark.parametrize(
    "claims",
    [{"aud": "http://elsewhere.example/token"}, {"iss": "client-py"}, {"exp": 1}, {"jti": None}],
    ids=lambda claims: next(iter(claims)),
)
def test_s35_an_assertion_that_is_not_quite_right_proves_nothing(base, claims):
    refused = asked_for_itself(base, assertion(base, "ES384", **claims))
    assert refused.status_code in (400, 401)
    assert refused.json()["error"] == "invalid_client"
    assert "access_token" not in refused.text
