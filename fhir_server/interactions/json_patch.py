"""JSON Patch: a list of operations on the JSON of a resource.

https://www.rfc-editor.org/rfc/rfc6902
https://www.rfc-editor.org/rfc/rfc6901 (the paths)
https://www.rfc-editor.org/rfc/rfc5789#section-2.2 (which failure has which status)

What is no JSON Patch is 400; one that does not fit to the resource as it is, 409. Decimals stay as they were written, and a
key that is replaced keeps its place. No library: those on PyPI compare `true` with 1, and cannot tell the two failures apart.
"""

import copy
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, TypeAlias

from fhir_server.outcome import FhirError, conflict, invalid
from profiles import json

MOST = 1000  # operations of one patch
MOST_COPIED = 16 * 1024 * 1024  # bytes: a value copied into itself again and again doubles each time

_TOKEN = re.compile(r"(?:[^~]|~[01])*")
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_END = "-"

Operation: TypeAlias = Mapping[str, Any]


def patched(document: Any, patch: Any) -> Any:
    """Give the document with all operations applied, in their order; the document given may be changed or not.

    Raises FhirError whose expression names the operation: 400 for what is no JSON Patch, 409 where an operation does not fit.
    """
    if not isinstance(patch, list):
        raise invalid("A JSON Patch is a list of operations", "http.body", code="structure")
    if len(patch) > MOST:
        raise invalid(f"A JSON Patch has at most {MOST} operations here", "http.body", code="too-costly")
    state = _State(document)
    for number, operation in enumerate(patch):
        _Step(state, operation, f"http.body[{number}]").perform()
    return state.document


class _State:
    """The document between two operations, and how much was copied."""

    def __init__(self, document: Any) -> None:
        self.document = document
        self.copied = 0


class _Step:
    """One operation on the document; `place` is what its failures point to."""

    def __init__(self, state: _State, operation: Any, place: str) -> None:
        if not isinstance(operation, dict):
            raise invalid("An operation is an object with op and path", place, code="structure")
        self.state, self.operation, self.place = state, operation, place

    def perform(self) -> None:
        op = self.operation.get("op")
        if not isinstance(op, str) or op not in _OPERATIONS:
            raise invalid(f"op is one of {', '.join(_OPERATIONS)}", self.place, code="value")
        _OPERATIONS[op](self)

    # -- the operations ---------------------------------------------------------------------------------------------------

    def _add(self) -> None:
        self._put(self._path("path"), copy.deepcopy(self._value()))

    def _remove(self) -> None:
        self._take(self._path("path"))

    def _replace(self) -> None:
        path, value = self._path("path"), copy.deepcopy(self._value())
        if not path:
            self.state.document = value
            return
        parent, key = self._existing(path)
        parent[key] = value

    def _move(self) -> None:
        source, target = self._path("from"), self._path("path")
        if target[: len(source)] == source and target != source:
            raise invalid("Nothing is moved into itself", self.place, code="value")
        value = self._get(source)
        if target != source:
            self._take(source)
            self._put(target, value)

    def _copy(self) -> None:
        value = self._get(self._path("from"))
        self.state.copied += len(json.encode(value))
        if self.state.copied > MOST_COPIED:
            raise invalid(f"The patch copies more than {MOST_COPIED} bytes", self.place, code="too-long", status=413)
        self._put(self._path("path"), copy.deepcopy(value))

    def _test(self) -> None:
        if not same(self._get(self._path("path")), self._value()):
            raise self._unfit("The resource does not have the value that the patch tests for")

    # -- inside the document ----------------------------------------------------------------------------------------------

    def _path(self, name: str) -> list[str]:
        """The pointer as its tokens."""
        pointer = self.operation.get(name)
        if not isinstance(pointer, str):
            raise invalid(f"{self.operation['op']} needs {name}", self.place, code="required")
        if pointer and (pointer[0] != "/" or not _TOKEN.fullmatch(pointer)):
            raise invalid(f"{name} is a JSON Pointer: /name/0/family", self.place, code="value")
        return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]

    def _value(self) -> Any:
        if "value" not in self.operation:
            raise invalid(f"{self.operation['op']} needs value", self.place, code="required")
        return self.operation["value"]

    def _get(self, path: list[str]) -> Any:
        value = self.state.document
        for token in path:
            value = value[self._key(value, token)]
        return value

    def _existing(self, path: list[str]) -> tuple[Any, Any]:
        """Where the value is: its parent and its key there."""
        parent = self._get(path[:-1])
        return parent, self._key(parent, path[-1])

    def _key(self, parent: Any, token: str) -> str | int:
        if isinstance(parent, dict) and token in parent:
            return token
        if isinstance(parent, list) and _INDEX.fullmatch(token) and int(token) < len(parent):
            return int(token)
        raise self._unfit("The resource has nothing at the path")

    def _take(self, path: list[str]) -> None:
        if not path:
            raise invalid("The whole resource is not removed by a patch", self.place, code="value")
        parent, key = self._existing(path)
        del parent[key]

    def _put(self, path: list[str], value: Any) -> None:
        if not path:
            self.state.document = value
            return
        parent, token = self._get(path[:-1]), path[-1]
        if isinstance(parent, dict):
            parent[token] = value
        elif isinstance(parent, list) and token == _END:
            parent.append(value)
        elif isinstance(parent, list) and _INDEX.fullmatch(token) and int(token) <= len(parent):
            parent.insert(int(token), value)
        else:
            raise self._unfit("The resource has no place for a value at the path")

    def _unfit(self, diagnostics: str) -> FhirError:
        return conflict(diagnostics, self.place)


_OPERATIONS: Mapping[str, Callable[[_Step], None]] = MappingProxyType(
    {
        "add": _Step._add,  # noqa: SLF001 - the table belongs to the class
        "remove": _Step._remove,  # noqa: SLF001
        "replace": _Step._replace,
        "move": _Step._move,  # noqa: SLF001
        "copy": _Step._copy,  # noqa: SLF001
        "test": _Step._test,  # noqa: SLF001
    }
)


def same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are equal: numbers by their value, objects whatever the order of their keys."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | Decimal) and isinstance(other, int | Decimal):
        return one == other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)
