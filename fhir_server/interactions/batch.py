"""FHIR batch interaction.

https://hl7.org/fhir/R4/http.html#transaction
"""

import asyncio
from typing import Any

from fhir_server.exchange import FhirRequest, FhirResponse
from fhir_server.interactions import bundle
from fhir_server.interactions.entry import asked, check_envelope, entries_of
from fhir_server.interactions.headers import preference
from fhir_server.interactions.serving import Serving
from fhir_server.interactions.writing import inside
from fhir_server.outcome import FhirError
from fhir_server.store.repository import Repository

AT_ONCE = 16  # entries under way together: enough for the store to share its operations among them


async def batch(request: FhirRequest, repository: Repository, serving: Serving) -> FhirResponse:
    """Perform every entry on its own; what fails becomes the outcome of its entry and hinders no other."""
    entries = entries_of(request, serving)
    check_envelope(request.body, (), serving)
    answers: list[bytes] = []
    for start in range(0, len(entries), AT_ONCE):
        some = enumerate(entries[start : start + AT_ONCE], start)
        answers += await asyncio.gather(*(_answer(number, entry, request, repository, serving) for number, entry in some))
    return FhirResponse(200, bundle.joined("batch-response", answers))


async def _answer(number: int, entry: Any, outer: FhirRequest, repository: Repository, serving: Serving) -> bytes:
    try:
        check_envelope(outer.body, (entry,), serving, number)
        request = asked(number, entry, outer, serving).request
    except FhirError as failure:
        return bundle.failed(failure)
    part = repository.apart()
    try:
        response = await serving.handlers[request.interaction](request, part, serving)
    except FhirError as failure:
        repository.ended(part, request, failure.status)
        return bundle.failed(inside(failure, f"Bundle.entry[{number}]"))
    repository.ended(part, request, response.status)
    return bundle.answered(response, preference(outer, "return"))
