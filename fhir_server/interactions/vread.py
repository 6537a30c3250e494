"""FHIR vread interaction.

https://hl7.org/fhir/R4/http.html#vread
"""

from fhir_server.exchange import FhirRequest, FhirResponse
from fhir_server.interactions.headers import not_modified
from fhir_server.interactions.serving import Serving
from fhir_server.interactions.subsetting import read_version
from fhir_server.store.repository import Repository


async def vread(request: FhirRequest, repository: Repository, serving: Serving) -> FhirResponse:
    """Answer with one version, current or superseded; 410 where that version is the deletion."""
    assert request.type is not None
    assert request.id is not None
    assert request.version is not None
    version = await repository.get_version(request.type, request.id, request.version)
    if not_modified(request, version):
        return FhirResponse(304, version=version)
    return FhirResponse(200, read_version(request, version, serving).body, version)
