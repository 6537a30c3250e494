"""The one door: permit, perform and record one interaction.

REST, the pages and the SS-MIX2 import come through it and nothing else does.
"""

from collections.abc import Callable

from fhir_server.access.grant import Access
from fhir_server.auth.requester import LOCAL, Requester
from fhir_server.exchange import FhirRequest, FhirResponse
from fhir_server.interactions.serving import Serving
from fhir_server.store.permit import Permit
from fhir_server.store.repository import Repository

__all__ = ["LOCAL", "Requester", "Service"]


class Service:
    """Performs interactions, each with a repository narrowed to what its requester may see and do."""

    def __init__(self, serving: Serving, open_repository: Callable[[Permit], Repository], access: Access) -> None:
        self.serving = serving
        self._handlers = serving.handlers
        self._open_repository = open_repository
        self._access = access

    async def perform(self, request: FhirRequest, requester: Requester) -> FhirResponse:
        """Permit, perform and record one interaction; raises FhirError where it fails.

        Nothing a handler does can widen the permit: it only ever holds the narrowed repository.
        """
        repository = self._open_repository(self._access.permit(requester))
        return await self._handlers[request.interaction](request, repository, self.serving)
