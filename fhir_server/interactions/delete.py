"""FHIR delete interaction.

https://hl7.org/fhir/R4/http.html#delete
"""

from fhir_server.exchange import FhirRequest, FhirResponse
from fhir_server.interactions.headers import required_version
from fhir_server.interactions.serving import Serving
from fhir_server.store.repository import Delete, Repository


async def delete(request: FhirRequest, repository: Repository, serving: Serving) -> FhirResponse:  # noqa: ARG001
    """Make the resource gone for reads and searches; its history stays.

    Deleting what is gone, or never was, succeeds as well: FHIR wants the interaction idempotent.
    """
    assert request.type is not None
    assert request.id is not None
    if_match = required_version(request.headers.get("if-match"), request.type)
    (version,) = await repository.commit([Delete(request.type, request.id, if_match=if_match)])
    return FhirResponse(204, version=version if version.version else None, versions=(version,))
