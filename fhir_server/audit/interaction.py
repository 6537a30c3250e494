"""From an interaction to its audit event."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

import msgspec

from fhir_server.audit.event import Event, Seen
from fhir_server.auth.requester import Requester
from fhir_server.exchange import FhirRequest
from fhir_server.store.permit import Permit
from fhir_server.store.trace import Trace

_ACTIONS: Final[Mapping[str, str]] = {
    "read": "R", "vread": "R", "history-instance": "R", "history-type": "R", "history-system": "R", "search-type": "E", "search-system": "E",
    "create": "C", "update": "U", "patch": "U", "delete": "D",
}  # fmt: skip


def event(request: FhirRequest, requester: Requester, permit: Permit | None, trace: Trace, *, status: int, at: datetime) -> Event:
    """Say who did what of whom, with which outcome; without a permit it was never found out what he may do."""
    return msgspec.structs.replace(
        of_operation(requester, at, request.operation or ""),
        action=_ACTIONS.get(request.interaction, "E"),
        interaction=request.interaction,
        status=status,
        purpose=requester.purpose,
        request=request.trace,
        type=request.type or "",
        id=request.id or "",
        query=urlencode(request.parameters) if request.parameters else "",
        seen=tuple(Seen(patient, custodian, type, count) for (patient, custodian, type), count in trace.seen.items()),
        what=tuple(trace.what),
        written=tuple(trace.written),
        emergency=permit.under if permit is not None else "",
        reason=permit.reason if permit is not None else "",
    )


def of_operation(requester: Requester, at: datetime, operation: str) -> Event:
    """Begin the event of an operation that the network performs for somebody; what else it tells is for the operation to say."""
    return Event(
        at=round(at.timestamp() * 1000),
        action="E",
        interaction="operation",
        status=200,
        subject=requester.subject,
        client=requester.client,
        person=requester.fhir_user or "",
        organization=requester.organization or "",
        role=requester.role or "",
        operation=operation,
    )
