"""FHIR's operations as paths of the OpenAPI document, one for each address at which they may be called.

https://hl7.org/fhir/R4/operations.html
"""

from collections.abc import Iterable, Iterator
from typing import Any

from fhir_server.operations.definition import INSTANCE, SYSTEM, TYPE, Operation
from fhir_server.rest.openapi.components import reference
from fhir_server.rest.openapi.interaction import answers, taken

_ADDRESSES = {SYSTEM: "/${}", TYPE: "/{{type}}/${}", INSTANCE: "/{{type}}/{{id}}/${}"}
_FAILS = ("400", "404", "405", "406", "409", "410", "412", "413", "415", "422", "503")
_NOT_HERE = {("Patient-everything", TYPE)}  # it answers that the patient has to be named


def paths(operations: Iterable[Operation]) -> dict[str, Any]:
    """Give the paths of all operations."""
    return dict(path for operation in operations for path in _of(operation))


def _of(operation: Operation) -> Iterator[tuple[str, Any]]:
    for level in (SYSTEM, TYPE, INSTANCE):
        if level not in operation.levels or (operation.id, level) in _NOT_HERE:
            continue
        address = _ADDRESSES[level].format(operation.code)
        for type in sorted(operation.types) if operation.types is not None and level != SYSTEM else ["{type}"]:
            path = address.replace("{type}", type)
            item: dict[str, Any] = {}
            name = "_".join(part for part in (operation.id.replace("-", "_"), level) if part)
            if operation.by_get:
                item["get"] = _invocation(operation, name, path, type, by_get=True)
            item["post"] = _invocation(operation, f"{name}_post", path, type, by_get=False)
            yield path, item


def _invocation(operation: Operation, id: str, path: str, type: str, *, by_get: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": id,
        "summary": f"${operation.code}",
        "externalDocs": {"url": operation.url},
        "parameters": taken(path, ()),
        "tags": ["operations" if type == "{type}" else type],
    }
    if by_get:
        own = [
            {"name": each.name, "in": "query", "schema": {"type": "string"}, **({"required": True} if each.required else {})}
            for each in operation.parameters.values()
            if each.primitive
        ]
        found["parameters"] += own + ([reference("parameters", "criteria")] if operation.searches else [])
    else:
        found["requestBody"] = reference("requestBodies", "parameters")
    found["responses"] = answers({"200": "resource"}, _FAILS)
    return found
