"""The interactions this server knows, and the way from a method and a path to one of them.

https://hl7.org/fhir/R4/http.html#summary

REST, batch and transaction entries, the capability statement and the OpenAPI document all read this one table.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fhir_server.outcome import FhirError, Issue, invalid

Served = Mapping[str, frozenset[str]]
"""Resource type -> codes of the interactions served for it."""

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


@dataclass(frozen=True, slots=True)
class Interaction:
    """One interaction: its code in the value set restful-interaction, its method and its path below the base."""

    code: str
    method: str
    path: str

    @property
    def level(self) -> str:
        """Where the interaction stands in a CapabilityStatement: `system`, `type` or `instance`."""
        if "{id}" in self.path:
            return "instance"
        return "type" if "{type}" in self.path else "system"


INTERACTIONS = (
    Interaction("read", "GET", "{type}/{id}"),
    Interaction("vread", "GET", "{type}/{id}/_history/{version}"),
    Interaction("update", "PUT", "{type}/{id}"),
    Interaction("update", "PUT", "{type}"),  # conditional, as every write without an id
    Interaction("patch", "PATCH", "{type}/{id}"),
    Interaction("patch", "PATCH", "{type}"),
    Interaction("delete", "DELETE", "{type}/{id}"),
    Interaction("delete", "DELETE", "{type}"),
    Interaction("create", "POST", "{type}"),
    Interaction("history-instance", "GET", "{type}/{id}/_history"),
    Interaction("history-type", "GET", "{type}/_history"),
    Interaction("history-system", "GET", "_history"),
    Interaction("search-type", "GET", "{type}"),
    Interaction("search-type", "POST", "{type}/_search"),
    Interaction("search-type", "GET", "{compartment}/{id}/{type}"),
    Interaction("search-type", "POST", "{compartment}/{id}/{type}/_search"),
    Interaction("search-system", "GET", ""),
    Interaction("search-system", "POST", "_search"),
    Interaction("search-system", "GET", "{compartment}/{id}/*"),
    Interaction("search-system", "POST", "{compartment}/{id}/*/_search"),
    Interaction("capabilities", "GET", "metadata"),
    Interaction("transaction", "POST", ""),  # or batch: the Bundle says which
    Interaction("operation", "GET", "${operation}"),
    Interaction("operation", "POST", "${operation}"),
    Interaction("operation", "GET", "{type}/${operation}"),
    Interaction("operation", "POST", "{type}/${operation}"),
    Interaction("operation", "GET", "{type}/{id}/${operation}"),
    Interaction("operation", "POST", "{type}/{id}/${operation}"),
)

_ALWAYS = frozenset({"operation"})  # an operation says itself which types it is for


@dataclass(frozen=True, slots=True)
class Route:
    """What a method and a path ask for.

    `operation` is an operation's name without the $. `compartment` is `Patient/1` where the search is one of what belongs
    to that patient.
    """

    code: str
    type: str | None = None
    id: str | None = None
    version: str | None = None
    operation: str | None = None
    compartment: str | None = None


def _by_path() -> dict[str, dict[str, str]]:
    paths: dict[str, dict[str, str]] = {}
    for interaction in INTERACTIONS:
        paths.setdefault(interaction.path, {})[interaction.method] = interaction.code
    return paths


_METHODS = _by_path()


def route(method: str, segments: Sequence[str], served: Served) -> Route:
    """Find the interaction for a method and the percent-decoded segments of a path below the base.

    Raises FhirError: 404 for a path or resource type that is not served, 405 (with `Allow`) for another method, 400
    for something that cannot be an id.
    """
    path, names = _shape(segments)
    methods = _METHODS[path]
    for name in ("type", "compartment"):
        if name in names and names[name] not in served:
            raise _unknown_type()
    type, id = names.get("type"), names.get("id")
    code = methods.get(method)
    if code is None or not _is_served(code, type, served):
        raise _not_allowed(method, type, methods, served)
    if id is not None and not ID.fullmatch(id):
        raise invalid(
            "An id has 1 to 64 characters out of A-Z, a-z, 0-9, '-' and '.'", f"{names.get('compartment', type)}.id", code="value"
        )
    if "compartment" in names:
        return Route(code, type, compartment=f"{names['compartment']}/{id}")
    return Route(code, type, id, names.get("version"), names.get("operation"))


def _is_served(code: str, type: str | None, served: Served) -> bool:
    return type is None or code in _ALWAYS or code in served[type]


def _shape(segments: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Give the path with names for what differs, and what stands there."""
    match segments:
        case []:
            return "", {}
        case ["metadata" | "_history" | "_search" as word]:
            return word, {}
        case [operation] if operation[:1] == "$":
            return "${operation}", {"operation": operation[1:]}
        case [type]:
            return "{type}", {"type": type}
        case [type, "_search" | "_history" as word]:
            return f"{{type}}/{word}", {"type": type}
        case [type, operation] if operation[:1] == "$":
            return "{type}/${operation}", {"type": type, "operation": operation[1:]}
        case [type, id] if id[:1] != "_":
            return "{type}/{id}", {"type": type, "id": id}
        case [type, id, "_history"]:
            return "{type}/{id}/_history", {"type": type, "id": id}
        case [type, id, "_history", version]:
            return "{type}/{id}/_history/{version}", {"type": type, "id": id, "version": version}
        case [type, id, operation] if operation[:1] == "$":
            return "{type}/{id}/${operation}", {"type": type, "id": id, "operation": operation[1:]}
        case [compartment, id, "*", *rest] if rest in ([], ["_search"]):
            return "/".join(("{compartment}/{id}/*", *rest)), {"compartment": compartment, "id": id}
        case [compartment, id, type, *rest] if rest in ([], ["_search"]) and type[:1] != "_":
            return "/".join(("{compartment}/{id}/{type}", *rest)), {"compartment": compartment, "id": id, "type": type}
    raise FhirError(
        Issue("not-supported", "There is nothing at this address; GET [base]/metadata lists what is", ("http.path",)), status=404
    )


def _unknown_type() -> FhirError:
    diagnostics = "This is not a resource type of FHIR R4 that is served here; GET [base]/metadata lists them"
    return FhirError(Issue("not-supported", diagnostics, ("http.path",)), status=404)


def _not_allowed(method: str, type: str | None, methods: Mapping[str, str], served: Served) -> FhirError:
    allowed = [name for name, code in methods.items() if _is_served(code, type, served)]
    if "GET" in allowed:
        allowed.append("HEAD")
    diagnostics = f"{method if method.isalpha() else 'This method'} is not supported at this address"
    issue = Issue("not-supported", diagnostics, (type or "http.method",))
    return FhirError(issue, status=405, headers=(("Allow", ", ".join(allowed)),))
