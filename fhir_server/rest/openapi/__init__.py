"""The OpenAPI document, from the same statement, tables and definitions that the server runs on.

https://spec.openapis.org/oas/v3.1.0

Each type's search is written out with its own search parameters; everything that is the same for all types is written
once, with the type as a path parameter. Every GET also answers HEAD.
"""

from collections.abc import Mapping
from typing import Any

from fhir_server.interactions.table import INTERACTIONS, Served
from fhir_server.rest.openapi import components, content, security
from fhir_server.rest.openapi.interaction import described
from fhir_server.search.parameters import Parameter, Parameters
from profiles import json

DEFAULT_BASE = "http://127.0.0.1:8080/fhir"

_ABOUT = """\
The FHIR R4 API of Tsunagi. Every GET also answers HEAD. Everything but `metadata` needs an access token. What goes wrong is answered with an
OperationOutcome. The resources are those of https://hl7.org/fhir/R4/resourcelist.html; the CapabilityStatement at `metadata` says the same as
this document in FHIR's own words.

Tsunagi の FHIR R4 API です。すべての GET は HEAD にも応答します。`metadata` 以外にはアクセストークンが必要です。エラーは OperationOutcome で
返ります。`metadata` の CapabilityStatement も同じ内容です。
"""


def document(served: Served, parameters: Parameters, version: str, base: str, operations: Mapping[str, Any]) -> bytes:
    """Write the OpenAPI document of a server at `base` that serves these types, each path and each component on lines of its own.

    `operations` are the paths of FHIR's operations, see `invocation`.
    """
    return b"{\n%b\n}\n" % _lines(_document(served, parameters, version, base, operations), 3)


def _lines(members: Mapping[str, Any], depth: int) -> bytes:
    """Write the members of an object on lines of their own, and theirs, down to this depth."""
    return b",\n".join(
        b"%b: {\n%b\n}" % (json.encode(name), _lines(value, depth - 1))
        if depth > 1 and isinstance(value, Mapping) and value
        else b"%b: %b" % (json.encode(name), json.encode(value))
        for name, value in members.items()
    )


def _document(served: Served, parameters: Parameters, version: str, base: str, operations: Mapping[str, Any]) -> dict[str, Any]:
    types = sorted(served)
    paths = _generic_paths()
    codes: dict[str, Parameter] = {}
    for type in types:
        own = {components.key(each): each for each in sorted(parameters.of(type).values(), key=lambda each: each.code)}
        codes.update(own)
        paths[f"/{type}"] = _of_type(type, served[type], own)
    paths |= operations
    paths |= content.paths()
    compartments = [type for type in types if parameters.compartment(type)]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tsunagi — FHIR R4",
            "version": version,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": base}],
        "security": list(security.REQUIRED),
        "paths": paths,
        "components": {
            "parameters": components.parameters(types, compartments, codes),
            "headers": components.HEADERS,
            "schemas": components.SCHEMAS,
            "requestBodies": components.BODIES,
            "responses": components.responses(),
            "securitySchemes": security.schemes(),
        },
    }


def _generic_paths() -> dict[str, Any]:
    """Give every path of the table of interactions but those of one type and of operations, which are written out."""
    paths: dict[str, Any] = {}
    for interaction in INTERACTIONS:
        if interaction.path != "{type}" and interaction.code != "operation":
            item = paths.setdefault("/" + interaction.path, {})
            item[interaction.method.lower()] = described(interaction.code, interaction.method, interaction.path)
    return paths


def _of_type(type: str, codes: frozenset[str], own: Mapping[str, Parameter]) -> dict[str, Any]:
    item: dict[str, Any] = {}
    for interaction in INTERACTIONS:
        if interaction.path == "{type}" and interaction.code in codes:
            item[interaction.method.lower()] = described(interaction.code, interaction.method, interaction.path, type)
    if type == "Binary":
        item["post"] = content.of_content("create", item["post"])
    if "get" in item:
        item["get"]["parameters"] += [components.reference("parameters", key) for key in own]
    return item
