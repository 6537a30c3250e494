"""What the OpenAPI document says of who may ask is what the server does."""

import json
from urllib.parse import urljoin

import httpx
import pytest

from fhir_server.app import openapi
from fhir_server.auth.oauth.addresses import Addresses
from fhir_server.auth.roles import Role
from fhir_server.auth.scopes import OTHERS
from fhir_server.rest.openapi import security
from tests.access.secured import BASE, ask, requester, secured, stranger

__all__ = ["ask", "secured", "stranger"]

DOCUMENT = json.loads(openapi())
COMPONENTS = DOCUMENT["components"]
OPERATIONS = {operation["operationId"]: operation for item in DOCUMENT["paths"].values() for operation in item.values()}
FLOWS = COMPONENTS["securitySchemes"]["oauth2"]["flows"]


def test_everything_but_the_statement_needs_a_token_and_says_what_is_answered_without():
    assert DOCUMENT["security"] == [{"oauth2": []}, {"bearer": []}]
    assert DOCUMENT["security"] == list(security.REQUIRED)
    assert [id for id, operation in OPERATIONS.items() if "security" in operation] == ["capabilities"]
    assert OPERATIONS["capabilities"]["security"] == []
    assert not OPERATIONS["capabilities"]["responses"].keys() & {"401", "403"}
    for id, operation in OPERATIONS.items():
        if id != "capabilities":
            assert operation["responses"]["401"] == {"$ref": "#/components/responses/unauthenticated"}, id
            assert operation["responses"]["403"] == {"$ref": "#/components/responses/forbidden"}, id


@pytest.mark.parametrize("base", ["http://127.0.0.1:8080/fhir", "https://fhir.example.jp/network/fhir"])
def test_the_addresses_lead_to_the_endpoints_of_the_issuer_wherever_the_base_is(base):
    known = Addresses.of(base)
    assert urljoin(base, FLOWS["clientCredentials"]["tokenUrl"]) == known.token
    assert urljoin(base, FLOWS["authorizationCode"]["tokenUrl"]) == known.token
    assert urljoin(base, FLOWS["authorizationCode"]["refreshUrl"]) == known.token
    assert urljoin(base, FLOWS["authorizationCode"]["authorizationUrl"]) == known.authorize


async def test_every_scope_of_the_document_is_one_of_the_server(secured):
    grammar = secured.registry.identity.grammar
    scopes = [scope for flow in FLOWS.values() for scope in flow["scopes"]]
    assert set(scopes) > OTHERS
    for scope in scopes:
        assert str(grammar.parse(scope)) == scope


async def test_s35_who_has_no_token_is_answered_as_the_document_says(stranger):
    _conforms(await stranger.get("/Patient/a"), "unauthenticated")
    _conforms(await stranger.get("/Patient/a", headers={"Authorization": "Bearer forged"}), "unauthenticated")


async def test_who_may_not_is_answered_as_the_document_says(ask):
    _conforms(await ask(requester(Role.UPLOADER), "GET", "/Patient/a"), "forbidden")
    narrow = requester(Role.SYSTEM, "system/Observation.rs")
    _conforms(await ask(narrow, "GET", "/Patient/a"), "forbidden")


def _conforms(response: httpx.Response, name: str) -> None:
    described = COMPONENTS["responses"][name]
    assert response.status_code == {"unauthenticated": 401, "forbidden": 403}[name]
    assert str(response.url).startswith(BASE)
    (media_type,) = described["content"]
    assert response.headers["Content-Type"].startswith(media_type)
    assert response.json()["resourceType"] == "OperationOutcome"
    challenge = response.headers.get("WWW-Authenticate")
    assert challenge is not None or not described["headers"]["WWW-Authenticate"].get("required")
    assert challenge is None or challenge.startswith("Bearer ")
