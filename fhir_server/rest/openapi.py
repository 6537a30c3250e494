"""The OpenAPI document, from the same statement and table that the server runs on.

https://spec.openapis.org/oas/v3.1.0

Each type's search is written out with its own search parameters; everything that is the same for all types is written
once, with the type as a path parameter.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from fhir_server.interactions.table import INTERACTIONS, Served
from fhir_server.search.parameters import Parameter, Parameters
from profiles import json

_SUMMARIES = {
    "read": "Read the current version / 現在の版を読む",
    "vread": "Read one version / 特定の版を読む",
    "update": "Update, or create under this id / 更新 (なければ作成)",
    "delete": "Delete / 削除",
    "history-instance": "Versions of one resource, newest first / 変更履歴",
    "create": "Create under an id of the server's own / 新規作成",
    "search-type": "Search / 検索",
    "capabilities": "What this server serves / サーバーの機能",
    "transaction": "Perform a batch or transaction Bundle / バッチ・トランザクション",
}
_SUCCESS = {"create": "201", "delete": "204"}
_WITH_BODY = {"create", "update", "transaction"}
_RESULTS = (("_count", "integer"), ("_sort", "string"), ("_include", "string"), ("_revinclude", "string"))
_JSON = "application/fhir+json"
_HEADERS = {
    "If-Match": ("update", "delete"),
    "If-None-Match": ("read", "vread"),
    "Prefer": ("create", "update", "search-type", "transaction"),
}


def document(served: Served, parameters: Parameters, version: str) -> bytes:
    """Write the OpenAPI document of a server that serves these types."""
    return msgspec.json.format(json.encode(_document(served, parameters, version)), indent=1) + b"\n"


def _document(served: Served, parameters: Parameters, version: str) -> dict[str, Any]:
    types = sorted(served)
    paths: dict[str, Any] = {}
    for interaction in INTERACTIONS:
        if interaction.path != "{type}":
            operation = _operation(interaction.code, interaction.path, interaction.code.replace("-", "_") + _suffix(interaction.path))
            paths.setdefault("/" + interaction.path, {})[interaction.method.lower()] = operation
    codes: dict[str, Parameter] = {}
    for type in types:
        own = {_key(each): each for each in sorted(parameters.of(type).values(), key=lambda each: each.code)}
        codes.update(own)
        paths[f"/{type}"] = _of_type(type, served[type], own)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tsunagi", "version": version, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "http://127.0.0.1:8080/fhir"}],
        "paths": paths,
        "components": {"parameters": _parameters(types, codes), "schemas": _schemas(), "responses": _responses()},
    }


def _of_type(type: str, codes: frozenset[str], own: Mapping[str, Parameter]) -> dict[str, Any]:
    path: dict[str, Any] = {}
    for interaction in INTERACTIONS:
        if interaction.path == "{type}" and interaction.code in codes:
            path[interaction.method.lower()] = _operation(interaction.code, "", f"{interaction.code.replace('-', '_')}_{type}")
    if "get" in path:
        path["get"]["parameters"] += [_reference("parameters", key) for key in own]
    return path


def _suffix(path: str) -> str:
    return "_post" if path.endswith("_search") else ""


def _operation(code: str, path: str, id: str) -> dict[str, Any]:
    named = [_reference("parameters", name) for name in ("type", "id", "version") if f"{{{name}}}" in path]
    named += [_reference("parameters", name) for name, codes in _HEADERS.items() if code in codes]
    if code == "search-type" and path == "":
        named += [_reference("parameters", name) for name, _ in _RESULTS]
    operation: dict[str, Any] = {"operationId": id, "summary": _SUMMARIES[code], "parameters": named}
    if code in _WITH_BODY:
        operation["requestBody"] = {"required": True, "content": {_JSON: {"schema": _reference("schemas", "Resource")}}}
    elif path.endswith("_search"):
        form = {"schema": {"type": "object", "additionalProperties": {"type": "string"}}}
        operation["requestBody"] = {"content": {"application/x-www-form-urlencoded": form}}
    success = _SUCCESS.get(code, "200")
    operation["responses"] = {success: _reference("responses", "deleted" if success == "204" else "resource")}
    if code == "update":
        operation["responses"]["201"] = _reference("responses", "resource")
    operation["responses"]["default"] = _reference("responses", "failure")
    return operation


def _key(parameter: Parameter) -> str:
    return f"{parameter.code}.{parameter.type}"


def _reference(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}


def _parameters(types: list[str], codes: Mapping[str, Parameter]) -> dict[str, Any]:
    text = {"type": "string"}
    found: dict[str, Any] = {
        "type": {"name": "type", "in": "path", "required": True, "schema": {"type": "string", "enum": types}},
        "id": {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[A-Za-z0-9\\-.]{1,64}$"}},
        "version": {"name": "version", "in": "path", "required": True, "schema": text},
    }
    found |= {name: {"name": name, "in": "header", "schema": text} for name in _HEADERS}
    found |= {name: {"name": name, "in": "query", "schema": {"type": kind}} for name, kind in _RESULTS}
    for key, parameter in sorted(codes.items()):
        found[key] = {"name": parameter.code, "in": "query", "description": f"search parameter of type {parameter.type}", "schema": text}
    return found


def _schemas() -> dict[str, Any]:
    kinds = {"type": "string", "description": "The resource type; its elements are those of https://hl7.org/fhir/R4/resourcelist.html"}
    return {
        "Resource": {"type": "object", "required": ["resourceType"], "properties": {"resourceType": kinds}, "additionalProperties": True}
    }


def _responses() -> dict[str, Any]:
    content = {_JSON: {"schema": _reference("schemas", "Resource")}}
    return {
        "resource": {"description": "The resource, or a Bundle of them", "content": content},
        "deleted": {"description": "Deleted"},
        "failure": {"description": "An OperationOutcome that says what is wrong", "content": content},
    }
