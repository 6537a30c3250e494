"""FHIR create interaction, also conditional.

https://hl7.org/fhir/R4/http.html#create
https://hl7.org/fhir/R4/http.html#ccreate
"""

from dataclasses import replace

from fhir_server.exchange import FhirRequest, FhirResponse, Resource
from fhir_server.interactions.conditional import none_exist, only, settled
from fhir_server.interactions.serving import Serving
from fhir_server.interactions.writing import new_id, prepare, resource_of, with_id
from fhir_server.search.query import Query
from fhir_server.store.repository import Create, Repository

_HEADER = "http.If-None-Exist"


async def create(request: FhirRequest, repository: Repository, serving: Serving) -> FhirResponse:
    """Store a new resource under an id of the server's own; an id in the body is ignored, as FHIR asks.

    With If-None-Exist it is stored unless something answers the criteria: then that is the answer, with 200.
    """
    assert request.type is not None
    resource = with_id(resource_of(request.body, request.type), new_id())
    unless = none_exist(request, serving)
    if unless is not None:
        return await settled(lambda: _create_unless(unless, resource, repository, serving))
    (version,) = await repository.commit([Create(prepare(resource, serving))])
    return FhirResponse(201, version.body, version, location=True, versions=(version,))


async def _create_unless(unless: Query, resource: Resource, repository: Repository, serving: Serving) -> FhirResponse:
    found = await only(unless, repository, _HEADER)
    if found is None:
        async with repository.turn(unless) as waited:
            found = await only(unless, repository, _HEADER) if waited else None
            if found is None:
                (version,) = await repository.commit([Create(prepare(resource, serving), unless=unless)])
                return FhirResponse(201, version.body, version, location=True, versions=(version,))
    return FhirResponse(200, found.body, found, location=True, versions=(replace(found, change="unchanged"),))
