"""The operation Resource-validate: what would be said of a resource, without storing it.

https://hl7.org/fhir/R4/resource-operation-validate.html
https://hl7.org/fhir/R4/validation.html
"""

from typing import Any

from fhir_server.exchange import FhirRequest, FhirResponse, Resource
from fhir_server.interactions.serving import Serving
from fhir_server.operations.arguments import Arguments
from fhir_server.outcome import FhirError, Issue, invalid, operation_outcome
from fhir_server.store.repository import Repository
from profiles import json

_MODES = ("create", "update", "delete", "profile")
_OF_ONE = ("update", "delete")
_BASE = "http://hl7.org/fhir/StructureDefinition/"
_ANY_TYPE = ("Resource", "DomainResource")
_VERSIONS = ("", "4.0", "4.0.1")


async def validate(request: FhirRequest, arguments: Arguments, repository: Repository, serving: Serving) -> FhirResponse:
    """Answer 200 with an OperationOutcome, whether the resource is valid or not.

    Without a resource the stored one is judged. Raises FhirError where nothing can be judged: 400 for an unknown mode or
    profile and for a missing resource, 404 and 410 as a read.
    """
    mode = _mode(request, arguments)
    if mode == "delete":
        assert request.type is not None
        assert request.id is not None
        await repository.get(request.type, request.id)
        return _outcome([])
    resource = await _subject(request, arguments, mode, repository)
    issues = _judged(resource, request, serving)
    if mode == "update":
        issues += _identity(resource, request)
    profile = arguments.one("profile")
    if profile is not None:
        issues += _profile(profile, resource, serving)
    return _outcome(issues)


def _mode(request: FhirRequest, arguments: Arguments) -> str | None:
    mode: str | None = arguments.one("mode")
    if mode is not None and mode not in _MODES:
        raise invalid(f"mode is one of {', '.join(_MODES)}", "Parameters.parameter.where(name='mode')", code="value")
    if mode in _OF_ONE and request.id is None:
        where = "Parameters.parameter.where(name='mode')"
        raise invalid(f"mode {mode} is about one resource: use [type]/[id]/$validate", where, code="value")
    return mode


async def _subject(request: FhirRequest, arguments: Arguments, mode: str | None, repository: Repository) -> Resource:
    resource: Resource | None = arguments.one("resource")
    if resource is not None:
        return resource
    if request.id is None or request.type is None or mode in ("create", "update"):
        raise invalid("$validate needs the parameter resource", "Parameters.parameter.where(name='resource')", code="required")
    version = await repository.get(request.type, request.id)
    assert version.body is not None
    stored: Resource = json.decode(version.body)
    return stored


def _judged(resource: Resource, request: FhirRequest, serving: Serving) -> list[Issue]:
    found = [Issue(each.code, each.diagnostics, tuple(each.expression), each.severity) for each in serving.validator.validate(resource)]
    type = resource.get("resourceType")
    if request.type is not None and isinstance(type, str) and type in serving.parameters.types - {request.type}:
        found.append(Issue("invalid", f"The address asks for a {request.type}, but resourceType is another one", ("resourceType",)))
    return found


def _identity(resource: Resource, request: FhirRequest) -> list[Issue]:
    if "id" not in resource:
        return [Issue("required", "An update names the id of the address in the body too", (f"{request.type}.id",))]
    if resource["id"] != request.id:
        return [Issue("value", "The id in the body is not the id of the address", (f"{request.type}.id",))]
    return []


def _profile(canonical: str, resource: Resource, serving: Serving) -> list[Issue]:
    """Judge by a definition of R4 itself, which the structure follows anyway."""
    url, _, version = canonical.partition("|")
    type = url.removeprefix(_BASE)
    known = serving.parameters.types.union(_ANY_TYPE)
    if not url.startswith(_BASE) or type not in known or version not in _VERSIONS:
        diagnostics = "This profile is not known here; known are the definitions of FHIR R4 4.0.1 for its resource types"
        where = "Parameters.parameter.where(name='profile')"
        raise FhirError(Issue("not-supported", diagnostics, (where,)), status=400)
    found: Any = resource.get("resourceType")
    if type in _ANY_TYPE or type == found:
        return []
    return [Issue("invalid", f"The profile is one of {type}, but resourceType is another one", ("resourceType",))]


def _outcome(issues: list[Issue]) -> FhirResponse:
    if not any(issue.severity in ("error", "fatal") for issue in issues):
        issues = [*issues, Issue("informational", "Nothing stands against it: no errors were found", severity="information")]
    return FhirResponse(200, json.encode(operation_outcome(issues)))
