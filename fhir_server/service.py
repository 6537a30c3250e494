"""The one door: permit, perform and record one interaction.

REST, the pages and the SS-MIX2 import come through it and nothing else does.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol, TypeAlias

import msgspec

from fhir_server.access.grant import Access
from fhir_server.audit.event import Event
from fhir_server.audit.interaction import event
from fhir_server.auth.requester import LOCAL, Local, Requester
from fhir_server.exchange import FhirRequest, FhirResponse
from fhir_server.interactions.serving import Serving
from fhir_server.network.desk import Asked, Desk
from fhir_server.network.table import PERFORMERS
from fhir_server.operations.arguments import arguments
from fhir_server.operations.perform import called
from fhir_server.outcome import FhirError
from fhir_server.store.permit import Permit
from fhir_server.store.repository import Repository
from fhir_server.store.trace import Trace

__all__ = ["LOCAL", "Local", "Requester", "Service"]

Record: TypeAlias = Callable[[Event], Awaitable[None]]
"""Makes an event durable before it returns; raises FhirError (503) where it cannot."""

Opener: TypeAlias = Callable[..., Repository]
"""Opens a repository for a permit; a trace learns what it gives out."""

_REFUSED, _UNEXPECTED = 400, 500
_ABOUT_ITSELF = frozenset({"capabilities"})
"""What tells of nothing but the server: whoever asks, and nothing is recorded."""


class Relied(Protocol):
    """Tells which Consents somebody relies on who sees these data."""

    async def __call__(self, requester: Requester, trace: Trace) -> tuple[str, ...]:
        """Give their references."""


class Service:
    """Performs interactions, each with a repository narrowed to what its requester may see and do.

    What was done, or refused, is recorded before anybody is answered: without a record there is no answer (S50).
    """

    def __init__(
        self,
        serving: Serving,
        open_repository: Opener,
        access: Access,
        desk: Desk,
        *,
        record: Record | None = None,
        relied: Relied | None = None,
        seen: Record | None = None,
    ) -> None:
        self.serving = serving
        self.desk = desk
        self._handlers = serving.handlers
        self._open_repository = open_repository
        self._access = access
        self._record = record
        self._relied = relied
        self._seen = seen

    async def perform(self, request: FhirRequest, requester: Requester) -> FhirResponse:
        """Permit, perform and record one interaction; raises FhirError where it fails.

        Nothing a handler does can widen the permit: it only ever holds the narrowed repository.
        """
        if request.interaction in _ABOUT_ITSELF:
            return await self._handlers[request.interaction](request, self._open_repository(Permit(), Trace()), self.serving)
        trace, permit = Trace(), None
        try:
            permit = await self._access.permit(requester)
            response = await self._performed(request, requester, self._open_repository(permit, trace))
        except Exception as failure:
            status = failure.status if isinstance(failure, FhirError) else _UNEXPECTED
            await self._told(request, requester, permit, trace, status)
            raise
        await self._told(request, requester, permit, trace, response.status)
        return response

    async def _performed(self, request: FhirRequest, requester: Requester, repository: Repository) -> FhirResponse:
        if request.interaction == "operation":
            operation = called(request, self.serving)
            performer = PERFORMERS.get(operation.id)
            if performer is not None:
                return await performer(Asked(request, arguments(request, operation), requester, repository, self.desk))
        return await self._handlers[request.interaction](request, repository, self.serving)

    async def _told(self, request: FhirRequest, requester: Requester, permit: Permit | None, trace: Trace, status: int) -> None:
        if self._record is None:
            return
        parts = [(replace(part.request, trace=request.trace), part.trace, part.status) for part in trace.parts]
        await asyncio.gather(*(self._one(each, requester, permit, of, ended) for each, of, ended in ((request, trace, status), *parts)))

    async def _one(self, request: FhirRequest, requester: Requester, permit: Permit | None, trace: Trace, status: int) -> None:
        if self._record is None:
            return
        made = event(request, requester, permit, trace, status=status, at=self.desk.now())
        if self._relied is not None and any(custodian not in ("", requester.organization) for _, custodian, _ in trace.seen):
            made = msgspec.structs.replace(made, consents=await self._relied(requester, trace))
        if self._seen is not None and made.emergency and status < _REFUSED:
            await self._seen(made)
        await self._record(made)
