"""GET metadata and the OpenAPI document: what the server says of itself is true."""

import json

from fhir_server.app import openapi
from fhir_server.interactions.handlers import HANDLERS
from fhir_server.interactions.table import INTERACTIONS
from fhir_server.search.parameters import Parameters
from profiles.definitions import r4
from tests.rest.served import BASE
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


VALUES = {"date": "2026", "number": "1", "quantity": "1", "reference": "1", "token": "a", "string": "a", "uri": "http://a"}


async def test_every_search_parameter_of_the_statement_is_understood(client):
    (rest,) = (await statement(client))["rest"]
    known = Parameters(r4())
    refused = []
    for resource in rest["resource"]:
        for stated in [*resource.get("searchParam", []), *rest["searchParam"]]:
            parameter = known.of(resource["type"])[stated["name"]]
            value = "$".join(VALUES[part.type] for part in parameter.components or (parameter,))
            response = await client.get(f"/{resource['type']}", params={stated["name"]: value, "_count": "0"})
            if response.status_code != 200:
                refused.append((resource["type"], stated["name"], response.text[:200]))
    assert not refused


async def test_head_answers_like_get_without_a_body(client):
    response = await client.head("/metadata")
    assert (response.status_code, response.content) == (200, b"")
    assert int(response.headers["Content-Length"]) > 1000


def test_every_interaction_has_its_handler():
    assert {interaction.code for interaction in INTERACTIONS} | {"batch"} == set(HANDLERS)


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
