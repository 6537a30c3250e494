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
    Interaction("delete", "DELETE", "{type}/{id}"),
    Interaction("history-instance", "GET", "{type}/{id}/_history"),
    Interaction("create", "POST", "{type}"),
    Interaction("search-type", "GET", "{type}"),
    Interaction("search-type", "POST", "{type}/_search"),
    Interaction("capabilities", "GET", "metadata"),
    Interaction("transaction", "POST", ""),  # or batch: the Bundle says which
)


@dataclass(frozen=True, slots=True)
class Route:
    """What a method and a path ask for."""

    code: str
    type: str | None = None
    id: str | None = None
    version: str | None = None


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
    type, id, version, path = _shape(segments)
    methods = _METHODS[path]
    if type is not None and type not in served:
        raise _unknown_type(type)
    code = methods.get(method)
    if code is None or (type is not None and code not in served[type]):
        raise _not_allowed(method, path, type, methods, served)
    if id is not None and not ID.fullmatch(id):
        raise invalid("An id has 1 to 64 characters out of A-Z, a-z, 0-9, '-' and '.'", f"{type}.id", code="value")
    return Route(code, type, id, version)


def _shape(segments: Sequence[str]) -> tuple[str | None, str | None, str | None, str]:
    match segments:
        case []:
            return None, None, None, ""
        case ["metadata"]:
            return None, None, None, "metadata"
        case [type]:
            return type, None, None, "{type}"
        case [type, "_search"]:
            return type, None, None, "{type}/_search"
        case [type, id, "_history"]:
            return type, id, None, "{type}/{id}/_history"
        case [type, id, "_history", version]:
            return type, id, version, "{type}/{id}/_history/{version}"
        case [type, id] if id[:1] not in {"$", "_"}:
            return type, id, None, "{type}/{id}"
    raise FhirError(
        Issue("not-supported", "There is nothing at this address; GET [base]/metadata lists what is", ("http.path",)), status=404
    )


def _unknown_type(type: str) -> FhirError:
    if type[:1] in {"$", "_"}:
        diagnostics = "This operation is not served at this level; GET [base]/metadata lists what is"
    else:
        diagnostics = "This is not a resource type of FHIR R4 that is served here; GET [base]/metadata lists them"
    return FhirError(Issue("not-supported", diagnostics, ("http.path",)), status=404)


def _not_allowed(method: str, path: str, type: str | None, methods: Mapping[str, str], served: Served) -> FhirError:
    allowed = [name for name, code in methods.items() if type is None or code in served[type]]
    if "GET" in allowed:
        allowed.append("HEAD")
    if path == "{type}" and method in {"PUT", "PATCH", "DELETE"}:
        diagnostics = f"Conditional {method} is not supported; name the resource: {method} [base]/{type}/[id]"
    else:
        diagnostics = f"{method if method.isalpha() else 'This method'} is not supported at this address"
    issue = Issue("not-supported", diagnostics, (type or "http.method",))
    return FhirError(issue, status=405, headers=(("Allow", ", ".join(allowed)),))
