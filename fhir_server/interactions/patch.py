"""FHIR patch interaction, also conditional.

https://hl7.org/fhir/R4/http.html#patch

JSON Patch and FHIRPath Patch. What comes of it has to be the same resource, valid as after an update; nothing changed makes
no new version. Failures: 400 for what is no patch, 409 for one that does not fit to the resource as it is, 412 for a version
that If-Match does not name, 422 for a result that cannot be stored.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from fhir_server.exchange import FhirRequest, FhirResponse, Resource, Version
from fhir_server.interactions import fhirpath_patch, json_patch
from fhir_server.interactions.conditional import criteria, only, settled
from fhir_server.interactions.headers import required_version
from fhir_server.interactions.serving import Serving
from fhir_server.interactions.writing import prepare
from fhir_server.outcome import FhirError, Issue, conflict, invalid
from fhir_server.store.repository import Put, Repository
from profiles import json

JSON_PATCH = "application/json-patch+json"

_KEPT = ("versionId", "lastUpdated")


async def patch(request: FhirRequest, repository: Repository, serving: Serving) -> FhirResponse:
    """Change the resource by a patch; what others change between reading and writing is patched in turn, not lost."""
    assert request.type is not None
    change = change_of(request.body)
    query = criteria(request.type, request.parameters, request, serving) if request.id is None else None

    async def attempt() -> FhirResponse:
        found = await current(request, repository) if query is None else await only(query, repository)
        if found is None:
            raise nothing(request)
        resource = patched(found, change, request, serving)
        (version,) = await repository.commit([patching(found, resource, serving)])
        return FhirResponse(200, version.body, version, versions=(version,))

    return await settled(attempt)


async def current(request: FhirRequest, repository: Repository) -> Version:
    """Give the version to be patched. Raises FhirError: 404, or 410 where it was deleted."""
    assert request.type is not None
    assert request.id is not None
    return await repository.get(request.type, request.id)


def nothing(request: FhirRequest) -> FhirError:
    """Nothing answers the criteria of a patch (404)."""
    return FhirError(Issue("not-found", "Nothing answers the criteria, so there is nothing to patch", (str(request.type),)))


def change_of(body: Any) -> Any:
    """Give the patch: a JSON Patch as its list, a FHIRPath Patch as its Parameters.

    In a Bundle a JSON Patch is the data of a Binary. Raises FhirError (400) for what is neither.
    """
    if isinstance(body, dict) and body.get("resourceType") == "Binary":
        body = _unpacked(body)
    if isinstance(body, list) or (isinstance(body, dict) and body.get("resourceType") == "Parameters"):
        return body
    raise invalid("A patch is a list of operations (JSON Patch), or Parameters (FHIRPath Patch)", "http.body", code="structure")


def _unpacked(binary: Mapping[str, Any]) -> Any:
    if str(binary.get("contentType", "")).partition(";")[0].strip().lower() != JSON_PATCH:
        raise invalid(f"A Binary that is a patch has the content type {JSON_PATCH}", "Binary.contentType", code="value")
    try:
        return json.decode(base64.b64decode(str(binary.get("data", "")), validate=True))
    except (binascii.Error, ValueError):
        raise invalid("The data of the Binary is no base64 of JSON", "Binary.data", code="structure") from None


def patched(found: Version, change: Any, request: FhirRequest, serving: Serving) -> Resource:
    """Give the resource as the patch leaves it.

    Raises FhirError: 412 where If-Match names another version; 422 where it would not be the same resource any more.
    """
    if_match = required_version(request.headers.get("if-match"), found.type)
    if if_match is not None and if_match != found.version:
        raise conflict("The current version is another one than If-Match names", found.type, status=412)
    assert found.body is not None
    before, resource = json.decode(found.body), json.decode(found.body)
    if isinstance(change, list):
        resource = json_patch.patched(resource, change)
    else:
        resource = fhirpath_patch.patched(resource, change, serving.definitions)
    if not isinstance(resource, dict) or _identity(resource) != _identity(before):
        raise _refused("A patch changes neither resourceType nor id, nor meta.versionId and meta.lastUpdated", found.type)
    try:
        checked: Resource = json.decode(json.encode(resource))
    except json.JsonError as problem:
        raise _refused(problem.diagnostics, found.type) from None
    return checked


def patching(found: Version, resource: Resource, serving: Serving) -> Put:
    """Make the write of a patched resource, which takes the place of no other version than the one found.

    Raises FhirError (422) with every error the validator found.
    """
    try:
        prepared = prepare(resource, serving)
    except FhirError as failure:
        raise FhirError(*failure.issues, status=422) from None
    return Put(prepared, unless_same=True, expected=found.version, method="PATCH")


def _identity(resource: Mapping[str, Any]) -> tuple[Any, ...]:
    meta = resource.get("meta")
    stamps = [meta.get(name) for name in _KEPT] if isinstance(meta, dict) else [None]
    return (resource.get("resourceType"), resource.get("id"), *stamps)


def _refused(diagnostics: str, type: str) -> FhirError:
    return FhirError(Issue("business-rule", diagnostics, (type,)))
