"""FHIR update interaction, also as create, also conditional.

https://hl7.org/fhir/R4/http.html#update
https://hl7.org/fhir/R4/http.html#cond-update
"""

from typing import Any

from fhir_server.exchange import FhirRequest, FhirResponse, Resource, Version
from fhir_server.interactions.conditional import check_free, criteria, only, settled
from fhir_server.interactions.headers import required_version, wants_absence
from fhir_server.interactions.serving import Serving
from fhir_server.interactions.writing import new_id, prepare, resource_of, same_id, with_id
from fhir_server.outcome import FhirError, conflict, invalid
from fhir_server.search.query import Query
from fhir_server.store.repository import Create, Put, Repository


async def update(request: FhirRequest, repository: Repository, serving: Serving) -> FhirResponse:
    """Store the next version under the id of the address, the first one where there is none yet.

    What is already stored exactly so makes no new version: the answer then names the one that stands.
    """
    assert request.type is not None
    if request.id is None:
        query = criteria(request.type, request.parameters, request, serving)
        return await settled(lambda: _conditional(query, request, repository, serving))
    if_match = required_version(request.headers.get("if-match"), request.type)
    only_create = wants_absence(request)
    resource = same_id(resource_of(request.body, request.type), request.id)
    put = Put(prepare(resource, serving), if_match=if_match, unless_same=True, only_create=only_create)
    (version,) = await repository.commit([put])
    if only_create and version.change != "created":
        raise _exists(request.type)
    return _response(version)


async def _conditional(query: Query, request: FhirRequest, repository: Repository, serving: Serving) -> FhirResponse:
    found = await only(query, repository)
    resource = resource_of(request.body, query.type)
    if found is None and isinstance(resource.get("id"), str):
        await check_free(query, resource["id"], repository)
    (version,) = await repository.commit([conditional_write(found, query, request, serving, resource=resource)])
    return _response(version)


def conditional_write(
    found: Version | None, query: Query, request: FhirRequest, serving: Serving, *, resource: Resource, id: str | None = None
) -> Create | Put:
    """Make the write of a conditional update: of what was found, else of a new resource.

    A new one gets the id in the body (see `check_free`), else `id`, else one of the server's own.
    Raises FhirError: 400 where the body names another id than the one found, 412 where the headers do not hold.
    """
    if_match = required_version(request.headers.get("if-match"), query.type)
    own: Any = resource.get("id")
    if found is not None:
        if own not in (None, found.id):
            raise invalid("The id in the body is not the id of the resource that answers the criteria", f"{query.type}.id", code="value")
        if wants_absence(request):
            raise _exists(query.type)
        prepared = prepare(with_id(resource, found.id), serving)
        return Put(prepared, if_match=if_match, unless_same=True, expected=found.version)
    if if_match is not None:
        raise conflict("Nothing answers the criteria, but If-Match names a version", query.type, status=412)
    if own is not None:
        return Put(prepare(resource, serving), expected=0, unless=query)
    return Create(prepare(with_id(resource, id or new_id()), serving), unless=query)


def _exists(type: str) -> FhirError:
    return conflict("The resource exists, but If-None-Match: * asks for its absence", type, status=412)


def _response(version: Version) -> FhirResponse:
    created = version.change == "created"
    return FhirResponse(201 if created else 200, version.body, version, location=created, versions=(version,))
