"""One interaction as an operation object of OpenAPI: what it takes, and what it answers.

https://spec.openapis.org/oas/v3.1.0#operation-object
https://hl7.org/fhir/R4/http.html
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fhir_server.rest.openapi import security
from fhir_server.rest.openapi.components import FHIR_JSON, in_path, reference
from fhir_server.search.grammar import COMMON, RESULTS

_SUBSET = ("_summary", "_elements")
_SEARCH = (*RESULTS, *(each.name for each in COMMON if each.name != "_type"), "_after")
_OF_TYPES = {"_text", "_content"}  # among the search parameters of each type that has them
_HISTORY = ("_count", "_since", "_at", "_after")


@dataclass(frozen=True, slots=True)
class _Description:
    """`takes` are parameters, `gives` leads from the status of a success to its response, `fails` are other statuses."""

    summary: str
    takes: tuple[str, ...]
    gives: dict[str, str]
    fails: tuple[str, ...]
    body: str | None = None


_READS = ("400", "404", "406", "503")
_WRITES = ("400", "404", "406", "409", "412", "413", "415", "422", "503")
_WRITTEN = {"200": "resource", "201": "created"}

_DESCRIBED = {
    "read": _Description(
        "Read the current version / 現在の版を読む",
        ("If-None-Match", "If-Modified-Since", *_SUBSET),
        {"200": "resource", "304": "not-modified"},
        (*_READS, "410"),
    ),
    "vread": _Description(
        "Read one version / 特定の版を読む",
        ("If-None-Match", "If-Modified-Since", *_SUBSET),
        {"200": "resource", "304": "not-modified"},
        (*_READS, "410"),
    ),
    "update": _Description(
        "Update, or create under this id / 更新 (なければ作成)", ("If-Match", "If-None-Match", "Prefer"), _WRITTEN, _WRITES, "resource"
    ),
    "patch": _Description("Change a part / 一部を変更", ("If-Match", "Prefer"), {"200": "resource"}, (*_WRITES, "410"), "patch"),
    "delete": _Description(
        "Delete / 削除", ("If-Match", "Prefer"), {"200": "resource", "204": "nothing"}, ("400", "404", "406", "409", "412", "503")
    ),
    "create": _Description("Create under an id of the server's own / 新規作成", ("If-None-Exist", "Prefer"), _WRITTEN, _WRITES, "resource"),
    "history-instance": _Description("Versions of one resource, newest first / 1 件の変更履歴", _HISTORY, {"200": "bundle"}, _READS),
    "history-type": _Description("Versions of all resources of a type, newest first / 型の変更履歴", _HISTORY, {"200": "bundle"}, _READS),
    "history-system": _Description("Versions of all resources, newest first / 全体の変更履歴", _HISTORY, {"200": "bundle"}, _READS),
    "search-type": _Description("Search / 検索", ("Prefer", *_SEARCH), {"200": "bundle"}, _READS),
    "search-system": _Description("Search several types / 複数の型の検索", ("Prefer", "_type", *_SEARCH), {"200": "bundle"}, _READS),
    "capabilities": _Description(
        "What this server serves / サーバーの機能", ("If-None-Match", "mode"), {"200": "statement", "304": "not-modified"}, ("400", "406")
    ),
    "transaction": _Description(
        "Perform a batch or transaction Bundle / バッチ・トランザクション", ("Prefer",), {"200": "bundle"}, (*_WRITES, "410"), "bundle"
    ),
}
_IN_SHORT = ("4XX", "503")  # where the same is written for each of many types
_CONDITIONAL = {
    "update": "Update what the criteria find, or create / 条件付き更新",
    "patch": "Change a part of what the criteria find / 条件付き部分変更",
    "delete": "Delete what the criteria find / 条件付き削除",
}
_NAMES = {"{id}": "instance", "*": "all", "{compartment}": "compartment", "_search": "post"}


def taken(path: str, names: Iterable[str]) -> list[dict[str, str]]:
    """Refer to the parameters of a path, those of every interaction, and these.

    They stand with each operation: where they stand with the path, Swagger UI does not find what they refer to.
    """
    return [*in_path(path), *(reference("parameters", name) for name in ("_format", "_pretty", *names))]


def described(code: str, method: str, path: str, type: str | None = None) -> dict[str, Any]:
    """Describe one interaction of the table; `type` is given where its path is written out for one type."""
    description = _DESCRIBED[code]
    conditional = path == "{type}" and code in _CONDITIONAL
    takes = list(description.takes)
    if conditional:
        takes = [*(name for name in takes if not name.startswith("If-")), "criteria"]
    elif code.startswith("search") and path != "{type}":
        takes = [name for name in takes if name == "Prefer"] if method == "POST" else [*takes, "criteria"]
    elif code.startswith("search"):
        takes = [name for name in takes if name not in _OF_TYPES]
    operation: dict[str, Any] = {
        "operationId": _id(code, path, type),
        "summary": _CONDITIONAL[code] if conditional else description.summary,
        "tags": [type or _tag(code, path)],
        "parameters": taken(path if type is None or "{id}" in path else "", takes),
    }
    body = "form" if path.endswith("_search") else description.body
    if body:
        operation["requestBody"] = reference("requestBodies", body) if type is None or body != "resource" else _body_of(type)
    fails = description.fails if type is None else _IN_SHORT
    if code == security.OPEN:
        return {**operation, "security": [], "responses": _answers(description.gives, fails)}
    return {**operation, "responses": answers(description.gives, fails)}


def _body_of(type: str) -> dict[str, Any]:
    return {"required": True, "content": {FHIR_JSON: {"schema": reference("schemas", "Resource"), "example": {"resourceType": type}}}}


def answers(gives: dict[str, str], fails: tuple[str, ...]) -> dict[str, Any]:
    """Give the responses where a token is needed: those of success by their names, a failure for each other status, and refusals."""
    return _answers(gives | security.REFUSALS, fails)


def _answers(gives: dict[str, str], fails: tuple[str, ...]) -> dict[str, Any]:
    return {status: reference("responses", name) for status, name in gives.items()} | {
        status: reference("responses", "failure") for status in sorted(fails)
    }


def _id(code: str, path: str, type: str | None) -> str:
    parts = ["conditional"] if path == "{type}" and code in _CONDITIONAL else []
    parts.append(code.replace("-", "_"))
    if type is not None:
        parts.append(type)
    elif code.startswith("search"):
        parts += [name for part, name in _NAMES.items() if part in path and part != "{id}"]
    return "_".join(parts)


def _tag(code: str, path: str) -> str:
    if code == "capabilities" or path in {"", "_search", "_history"}:
        return "system"
    return "compartment" if "{compartment}" in path else "instance" if "{id}" in path else "type"
