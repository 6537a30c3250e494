"""What the paths of the OpenAPI document refer to: parameters, headers, schemas, bodies, responses.

https://spec.openapis.org/oas/v3.1.0#components-object
"""

from collections.abc import Iterable, Mapping
from typing import Any

from fhir_server.interactions.capabilities import MODES
from fhir_server.rest.openapi import security
from fhir_server.search.grammar import COMMON, RESULTS, sentence
from fhir_server.search.parameters import Parameter

FHIR_JSON = "application/fhir+json"
_TEXT = {"type": "string"}
_ID = {"type": "string", "pattern": "^[A-Za-z0-9\\-.]{1,64}$"}
_OTHER_TYPE = "other-type"  # /Binary/{id} and its versions are written out: what they answer has any media type
_WHOLE = {"type": "integer", "minimum": 0}


def reference(kind: str, name: str) -> dict[str, str]:
    """Refer to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def key(parameter: Parameter) -> str:
    """Give the name of a search parameter among the components: many types share a code of one type."""
    return f"{parameter.code}.{parameter.type}"


def in_path(path: str) -> list[dict[str, str]]:
    """Refer to the parameters in a path."""
    names = [name for name in ("type", "compartment", "id", "version") if f"{{{name}}}" in path]
    if path in ("{type}/{id}", "{type}/{id}/_history/{version}"):
        names[0] = _OTHER_TYPE
    return [reference("parameters", name) for name in names]


def parameters(types: list[str], compartments: list[str], codes: Mapping[str, Parameter]) -> dict[str, Any]:
    """Give every parameter: of paths, of headers, of answers and searches."""
    known = _path_parameters(types, compartments) | _header_parameters() | _query_parameters()
    for name, parameter in sorted(codes.items()):
        known[name] = _query(parameter.code, f"{parameter.type}: {sentence(parameter.type, parameter.code)}".removesuffix(": "))
    return known


def _path_parameters(types: list[str], compartments: list[str]) -> dict[str, Any]:
    described = {
        "type": ({"type": "string", "enum": types}, "Patient"),
        "compartment": ({"type": "string", "enum": compartments}, "Patient"),
        "id": (_ID, "example"),
        "version": ({"type": "string", "pattern": "^[1-9][0-9]{0,8}$"}, "1"),
    }
    known = {
        name: {"name": name, "in": "path", "required": True, "schema": schema, "example": example}
        for name, (schema, example) in described.items()
    }
    others = {"type": "string", "enum": [type for type in types if type != "Binary"]}
    return {**known, _OTHER_TYPE: {**known["type"], "schema": others}}


def _header_parameters() -> dict[str, Any]:
    said = {
        "If-Match": 'W/"3": only where this is the current version / この版が現在の版の場合のみ',
        "If-None-Match": 'W/"3": 304 where this is the version; * with PUT: only where nothing exists / 変更がなければ 304',
        "If-Modified-Since": "Wed, 01 Apr 2026 00:00:00 GMT: 304 where nothing changed since / 変更がなければ 304",
        "If-None-Exist": "identifier=urn:example|1: create only where they find nothing / 該当がない場合のみ作成",
        "Range": "bytes=0-99: a part of the content of a Binary / 一部分",
        "X-Security-Context": "Patient/1: the resource whose readers may read the Binary / 閲覧権限の元となるリソース",
        "Prefer": "return=minimal, representation or OperationOutcome; handling=strict or lenient / 応答の希望",
    }
    return {name: {"name": name, "in": "header", "description": text, "schema": _TEXT} for name, text in said.items()}


def _query_parameters() -> dict[str, Any]:
    known = {name: _query(name, text, _WHOLE if name == "_count" else _TEXT) for name, text in RESULTS.items()}
    known |= {each.name: _query(each.name, each.says) for each in COMMON}
    known |= {
        "_format": _query("_format", "json; before the Accept header / 形式", {"type": "string", "enum": ["json", FHIR_JSON]}),
        "_pretty": _query("_pretty", "true: with line breaks / 整形"),
        "_since": _query("_since", "versions made at or after this instant / これ以降の版", {"type": "string", "format": "date-time"}),
        "_at": _query("_at", "versions that were current at this time / この時点の版"),
        "_after": _query("_after", "where the page begins: follow the link next / 続きの位置"),
        "mode": _query("mode", "which statement / 種類", {"type": "string", "enum": list(MODES)}),
        "criteria": {
            "name": "criteria",
            "in": "query",
            "description": "search parameters with their modifiers, chains and _has / 検索条件",
            "style": "form",
            "explode": True,
            "schema": {"type": "object", "additionalProperties": _TEXT},
        },
    }
    return known


def _query(name: str, description: str, schema: Mapping[str, Any] = _TEXT) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _object(type: str, properties: Mapping[str, Any], required: Iterable[str] = ()) -> dict[str, Any]:
    known = {"resourceType": {"const": type}, **properties}
    return {"type": "object", "required": ["resourceType", *required], "properties": known}


_ISSUE = {
    "type": "object",
    "required": ["severity", "code"],
    "properties": {
        "severity": {"enum": ["fatal", "error", "warning", "information"]},
        "code": _TEXT,
        "diagnostics": _TEXT,
        "expression": {"type": "array", "items": _TEXT},
    },
}
_META = {
    "type": "object",
    "properties": {"versionId": _TEXT, "lastUpdated": {"type": "string", "format": "date-time"}},
}
_ENTRY = {
    "type": "object",
    "properties": {
        "fullUrl": _TEXT,
        "resource": reference("schemas", "Resource"),
        "search": {"type": "object", "properties": {"mode": {"enum": ["match", "include", "outcome"]}}},
        "request": {"type": "object", "required": ["method", "url"]},
        "response": {"type": "object", "required": ["status"]},
    },
}
_LINK = {"type": "object", "required": ["relation", "url"], "properties": {"relation": _TEXT, "url": _TEXT}}

SCHEMAS: Mapping[str, Any] = {
    "Resource": {
        "type": "object",
        "required": ["resourceType"],
        "properties": {
            "resourceType": {"type": "string", "description": "its elements are those of https://hl7.org/fhir/R4/resourcelist.html"},
            "id": _ID,
            "meta": _META,
        },
        "additionalProperties": True,
    },
    "Bundle": _object(
        "Bundle",
        {
            "type": {"enum": ["searchset", "history", "batch-response", "transaction-response", "batch", "transaction", "collection"]},
            "total": _WHOLE,
            "link": {"type": "array", "items": _LINK},
            "entry": {"type": "array", "items": _ENTRY},
        },
        ("type",),
    ),
    "OperationOutcome": _object("OperationOutcome", {"issue": {"type": "array", "minItems": 1, "items": _ISSUE}}, ("issue",)),
    "CapabilityStatement": {
        "type": "object",
        "required": ["resourceType", "status", "date", "kind"],
        "properties": {"resourceType": {"enum": ["CapabilityStatement", "TerminologyCapabilities"]}, "kind": {"const": "instance"}},
    },
    "Parameters": _object("Parameters", {"parameter": {"type": "array", "items": {"type": "object", "required": ["name"]}}}),
    "JsonPatch": {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["op", "path"],
            "properties": {
                "op": {"enum": ["add", "remove", "replace", "move", "copy", "test"]},
                "path": _TEXT,
                "from": _TEXT,
                "value": True,
            },
        },
    },
}


def content(name: str, media_type: str = FHIR_JSON) -> dict[str, Any]:
    """Give the content of a body that is this schema."""
    return {media_type: {"schema": reference("schemas", name)}}


_FORM = {"schema": {"type": "object", "additionalProperties": _TEXT}}

BODIES: Mapping[str, Any] = {
    "resource": {"required": True, "content": content("Resource")},
    "bundle": {"required": True, "content": content("Bundle")},
    "parameters": {"content": content("Parameters")},
    "patch": {"required": True, "content": {**content("JsonPatch", "application/json-patch+json"), **content("Parameters")}},
    "content": {
        "required": True,
        "description": "The resource, or content of any media type / リソースまたは任意の形式のデータ",
        "content": {**content("Resource"), "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    },
    "form": {"content": {"application/x-www-form-urlencoded": _FORM}},
}

HEADERS: Mapping[str, Any] = {
    "ETag": {"description": "the version / 版", "schema": _TEXT},
    "Last-Modified": {"description": "when it was made / 作成日時", "schema": _TEXT},
    "Location": {"description": "[base]/[type]/[id]/_history/[version]", "schema": _TEXT},
    **security.HEADERS,
}


def responses() -> dict[str, Any]:
    """Give every response by its name."""
    version = {name: reference("headers", name) for name in ("ETag", "Last-Modified")}
    return {
        "resource": {
            "description": "The resource, or what Prefer asks for / リソース",
            "headers": version,
            "content": content("Resource"),
        },
        "content": {
            "description": "The content as it is, or the resource where FHIR JSON is asked for / データそのもの、またはリソース",
            "headers": version,
            "content": {**content("Resource"), "*/*": {"schema": {}}},
        },
        "part": {"description": "A part of the content / 一部分", "content": {"*/*": {"schema": {}}}},
        "created": {
            "description": "Created / 作成済み",
            "headers": {**version, "Location": reference("headers", "Location")},
            "content": content("Resource"),
        },
        "bundle": {"description": "A Bundle; its links lead on / Bundle", "content": content("Bundle")},
        "statement": {"description": "What this server serves / 機能", "content": content("CapabilityStatement")},
        "nothing": {"description": "Done / 完了"},
        "not-modified": {"description": "The client has it already / 変更なし"},
        "failure": {"description": "What is wrong / エラーの内容", "content": content("OperationOutcome")},
        **security.responses(content("OperationOutcome")),
    }
