"""GET metadata and the OpenAPI document: what the server says of itself is true."""

import json
import re

import httpx

from fhir_server.app import create_app, open_service, openapi
from fhir_server.exchange import FhirRequest
from fhir_server.interactions.handlers import HANDLERS
from fhir_server.interactions.table import INTERACTIONS
from fhir_server.service import LOCAL
from fhir_server.settings import Settings
from tests.rest.served import BASE, issue_of
from tests.shared import REPOSITORY


async def statement(client):
    response = await client.get("/metadata")
    assert response.status_code == 200
    return response.json()


async def test_the_statement_is_one_of_this_server(client):
    found = await statement(client)
    assert (found["resourceType"], found["kind"], found["fhirVersion"]) == ("CapabilityStatement", "instance", "4.0.1")
    assert found["implementation"]["url"] == BASE
    assert found["instantiates"] == ["urn:tsunagi:CapabilityStatement:tsunagi"]


async def test_the_statement_is_itself_valid(client):
    found = await statement(client)
    response = await client.put("/CapabilityStatement/me", json={**found, "id": "me"})
    assert response.status_code == 201, response.text


async def test_the_statement_lists_every_resource_type_of_r4(client):
    (rest,) = (await statement(client))["rest"]
    assert len(rest["resource"]) == 146
    assert {"Patient", "Observation", "VisionPrescription"} <= {each["type"] for each in rest["resource"]}


async def test_the_statement_is_sent_once_to_a_client_that_keeps_it(client):
    response = await client.get("/metadata")
    again = await client.get("/metadata", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_the_normative_mode_leaves_out_what_is_for_trial_use(client):
    found = (await client.get("/metadata", params={"mode": "normative"})).json()
    (rest,) = found["rest"]
    assert rest["resource"][0]["interaction"]
    assert not {"security", "searchInclude", "versioning", "conditionalCreate"} & {*rest, *rest["resource"][0]}


async def test_the_terminology_mode_names_the_code_systems_that_are_known(client):
    found = (await client.get("/metadata", params={"mode": "terminology"})).json()
    assert found["resourceType"] == "TerminologyCapabilities"
    assert {"uri": "http://hl7.org/fhir/administrative-gender"} in found["codeSystem"]
    response = await client.put("/TerminologyCapabilities/me", json={**found, "id": "me"})
    assert response.status_code == 201, response.text


async def test_a_mode_that_fhir_does_not_know_is_refused(client):
    response = await client.get("/metadata", params={"mode": "everything"})
    assert response.status_code == 400
    assert issue_of(response)["expression"] == ["http.mode"]


async def test_the_statement_says_whether_a_token_is_needed(client, mongodb_uri, database_name):
    (rest,) = (await statement(client))["rest"]
    assert rest["security"]["description"].startswith("Authentication is off")
    assert "service" not in rest["security"]
    app = create_app(Settings(database=database_name), mongodb_uri)
    async with app.outer.router.lifespan_context(app.outer), httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as other:
        (rest,) = (await statement(other))["rest"]
    assert rest["security"]["service"][0]["coding"][0]["code"] == "SMART-on-FHIR"


async def test_the_statement_says_whether_pages_of_other_origins_may_ask(client, mongodb_uri, database_name):
    (rest,) = (await statement(client))["rest"]
    assert rest["security"]["cors"] is False
    settings = Settings(database=database_name, cors_origins="https://app.example.org")
    async with open_service(settings, mongodb_uri) as service:
        answer = await service.perform(FhirRequest("capabilities", base=BASE), LOCAL)
    assert json.loads(answer.body)["rest"][0]["security"]["cors"] is True


async def test_head_answers_like_get_without_a_body(client):
    response = await client.head("/metadata")
    assert (response.status_code, response.content) == (200, b"")
    assert int(response.headers["Content-Length"]) > 1000


def test_every_interaction_has_its_handler():
    assert {interaction.code for interaction in INTERACTIONS} | {"batch"} == set(HANDLERS) | {"operation"}


def test_the_openapi_document_is_fresh():
    """When this fails: `tsunagi openapi --output openapi/openapi.json`."""
    assert (REPOSITORY / "openapi" / "openapi.json").read_bytes() == openapi()


def test_the_openapi_document_is_small_and_refers_to_what_it_holds():
    text = openapi()
    assert len(text) < 1024 * 1024
    document = json.loads(text)
    missing = [name for name in _references(document) if not _found(document, name)]
    assert not missing
    assert "/Patient" in document["paths"]


def _references(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _found(document, reference):
    node = document
    for name in reference.removeprefix("#/").split("/"):
        node = node.get(name)
        if node is None:
            return False
    return True


def test_the_openapi_document_names_each_operation_and_each_of_its_parameters_once():
    document = json.loads(openapi())
    known = document["components"]["parameters"]
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids))
    for operation in operations:
        taken = [known[each["$ref"].rpartition("/")[2]] if "$ref" in each else each for each in operation["parameters"]]
        names = [(each["in"], each["name"]) for each in taken]
        assert len(names) == len(set(names)), operation["operationId"]


def test_every_name_in_a_path_of_the_openapi_document_is_a_parameter_of_its_operations():
    document = json.loads(openapi())
    known = document["components"]["parameters"]
    for path, item in document["paths"].items():
        for operation in item.values():
            taken = [known[each["$ref"].rpartition("/")[2]] for each in operation["parameters"] if "$ref" in each]
            assert {each["name"] for each in taken if each["in"] == "path"} == set(re.findall(r"\{(\w+)\}", path)), path
