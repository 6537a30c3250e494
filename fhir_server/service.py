"""The one door: permit, perform and record one interaction.

REST and the SS-MIX2 import come through it and nothing else does.
"""

from collections.abc import Callable
from dataclasses import dataclass

from fhir_server.exchange import FhirRequest, FhirResponse
from fhir_server.interactions.serving import Serving
from fhir_server.store.permit import Permit
from fhir_server.store.repository import Repository


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks. There is no login yet: everybody who reaches the server is the local requester."""

    name: str


LOCAL = Requester("local")


class Service:
    """Performs interactions, each with a repository narrowed to what its requester may see and do."""

    def __init__(self, serving: Serving, open_repository: Callable[[Permit], Repository]) -> None:
        self.serving = serving
        self._handlers = serving.handlers
        self._open_repository = open_repository

    async def perform(self, request: FhirRequest, requester: Requester) -> FhirResponse:
        """Permit, perform and record one interaction; raises FhirError where it fails.

        Nothing a handler does can widen the permit: it only ever holds the narrowed repository.
        """
        repository = self._open_repository(self._grant(requester))
        return await self._handlers[request.interaction](request, repository, self.serving)

    def _grant(self, requester: Requester) -> Permit:
        """Decide what the requester may do: everything for the local one, nothing for anybody else."""
        return Permit.everything() if requester is LOCAL else Permit()
