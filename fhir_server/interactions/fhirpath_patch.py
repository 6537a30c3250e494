"""FHIRPath Patch: operations on the elements of a resource, each found by a path, as a Parameters resource.

https://hl7.org/fhir/R4/fhirpatch.html

What is no FHIRPath Patch is 400; one that does not fit to the resource as it is, 409. A primitive and what extends it are two
properties of the JSON (`birthDate`, `_birthDate`): they are changed together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fhir_server.exchange import Resource
from fhir_server.interactions.elements import Elements, Value, value_of
from fhir_server.outcome import FhirError, invalid
from profiles.definitions import Definitions

MOST = 1000  # operations of one patch

_NEEDED = {
    "add": ("path", "name", "value"),
    "insert": ("path", "index", "value"),
    "delete": ("path",),
    "replace": ("path", "value"),
    "move": ("path", "source", "destination"),
}
_TYPES: dict[str, tuple[str, type]] = {"type": ("valueCode", str), "path": ("valueString", str), "name": ("valueString", str)}
_TYPES |= dict.fromkeys(("index", "source", "destination"), ("valueInteger", int))


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as understood; `place` is what its failures point to."""

    place: str
    type: str
    path: str
    name: str = ""
    value: Value | None = None
    index: int = 0
    source: int = 0
    destination: int = 0


def patched(resource: Resource, patch: Mapping[str, Any], definitions: Definitions) -> Resource:
    """Give the resource, changed in place, with all operations applied in their order.

    Raises FhirError whose expression names the operation: 400 for what is no FHIRPath Patch, 409 where an operation does not fit.
    """
    asked = patch.get("parameter", [])
    if not isinstance(asked, list):
        raise invalid("parameter is a list", "Parameters.parameter", code="structure")
    if len(asked) > MOST:
        raise invalid(f"A FHIRPath Patch has at most {MOST} operations here", "Parameters.parameter", code="too-costly")
    for operation in [_operation(each, f"Parameters.parameter[{number}]") for number, each in enumerate(asked)]:
        elements = Elements(resource, definitions, operation.place)
        match operation.type:
            case "add":
                assert operation.value is not None
                elements.add(operation.path, operation.name, operation.value)
            case "insert":
                assert operation.value is not None
                elements.insert(operation.path, operation.index, operation.value)
            case "delete":
                elements.delete(operation.path)
            case "replace":
                assert operation.value is not None
                elements.replace(operation.path, operation.value)
            case "move":
                elements.move(operation.path, operation.source, operation.destination)
    return resource


def _operation(parameter: Any, place: str) -> Operation:
    if not isinstance(parameter, dict) or parameter.get("name") != "operation" or not isinstance(parameter.get("part"), list):
        raise invalid("Every parameter is an operation with parts", place, code="structure")
    parts: dict[str, Any] = {}
    for part in parameter["part"]:
        name = part.get("name") if isinstance(part, dict) else None
        if name not in (*_TYPES, "value") or name in parts:
            raise invalid("The parts are type, path, name, value, index, source and destination, each once", place, code="structure")
        parts[name] = value_of(part, place) if name == "value" else _plain(part, name, place)
    type = parts.get("type")
    if type not in _NEEDED:
        raise invalid(f"type is one of {', '.join(_NEEDED)}", place, code="value")
    if missing := [name for name in _NEEDED[type] if name not in parts]:
        raise invalid(f"{type} needs {', '.join(missing)}", place, code="required")
    return Operation(place, **parts)


def _plain(part: Mapping[str, Any], name: str, place: str) -> Any:
    key, kind = _TYPES[name]
    value = part.get(key)
    if type(value) is not kind:
        raise _wrong(name, key, place)
    return value


def _wrong(name: str, key: str, place: str) -> FhirError:
    return invalid(f"{name} is a {key}", place, code="value")
