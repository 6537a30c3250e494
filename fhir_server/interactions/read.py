"""FHIR read interaction.

https://hl7.org/fhir/R4/http.html#read
"""

from fhir_server.exchange import FhirRequest, FhirResponse
from fhir_server.interactions.headers import not_modified
from fhir_server.interactions.serving import Serving
from fhir_server.interactions.subsetting import read_version
from fhir_server.store.repository import Repository


async def read(request: FhirRequest, repository: Repository, serving: Serving) -> FhirResponse:
    """Answer with the current version, or 304 where the client has it.

    A resource hidden from the requester is not-found, exactly like one that never was: the repository sees only what
    the permit allows, so there is nothing here to check.
    """
    assert request.type is not None
    assert request.id is not None
    version = await repository.get(request.type, request.id)
    if not_modified(request, version):
        return FhirResponse(304, version=version)
    return FhirResponse(200, read_version(request, version, serving).body, version)
