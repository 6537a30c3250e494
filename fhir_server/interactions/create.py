"""FHIR create interaction.

https://hl7.org/fhir/R4/http.html#create
"""

from fhir_server.exchange import FhirRequest, FhirResponse
from fhir_server.interactions.headers import refuse_if_none_exist
from fhir_server.interactions.serving import Serving
from fhir_server.interactions.writing import new_id, prepare, resource_of, with_id
from fhir_server.store.repository import Create, Repository


async def create(request: FhirRequest, repository: Repository, serving: Serving) -> FhirResponse:
    """Store a new resource under an id of the server's own; an id in the body is ignored, as FHIR asks."""
    assert request.type is not None
    refuse_if_none_exist(request)
    resource = with_id(resource_of(request.body, request.type), new_id())
    (version,) = await repository.commit([Create(prepare(resource, serving))])
    return FhirResponse(201, version.body, version, location=True, versions=(version,))
