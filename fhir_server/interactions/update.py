"""FHIR update interaction, also as create.

https://hl7.org/fhir/R4/http.html#update
"""

from fhir_server.exchange import FhirRequest, FhirResponse
from fhir_server.interactions.headers import required_version, wants_absence
from fhir_server.interactions.serving import Serving
from fhir_server.interactions.writing import prepare, resource_of, same_id
from fhir_server.outcome import conflict
from fhir_server.store.repository import Put, Repository


async def update(request: FhirRequest, repository: Repository, serving: Serving) -> FhirResponse:
    """Store the next version under the id of the address, the first one where there is none yet.

    What is already stored exactly so makes no new version: the answer then names the one that stands.
    """
    assert request.type is not None
    assert request.id is not None
    if_match = required_version(request.headers.get("if-match"), request.type)
    only_create = wants_absence(request)
    resource = same_id(resource_of(request.body, request.type), request.id)
    put = Put(prepare(resource, serving), if_match=if_match, unless_same=True, only_create=only_create)
    (version,) = await repository.commit([put])
    created = version.change == "created"
    if only_create and not created:
        raise conflict("The resource exists, but If-None-Match: * asks for its absence", request.type, status=412)
    return FhirResponse(201 if created else 200, version.body, version, location=created, versions=(version,))
