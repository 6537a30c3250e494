"""FHIR capabilities interaction.

https://hl7.org/fhir/R4/http.html#capabilities
"""

import hashlib
from collections.abc import Callable
from functools import lru_cache

from fhir_server.exchange import FhirRequest, FhirResponse
from fhir_server.interactions.serving import BASE, Serving
from fhir_server.outcome import invalid
from fhir_server.store.repository import Repository

MODES = ("full", "normative", "terminology")


async def capabilities(request: FhirRequest, repository: Repository, serving: Serving) -> FhirResponse:  # noqa: ARG001
    """Answer with what this server serves; 304 where the client has it already."""
    body, etag = _prepared(serving.statement, _mode(request), request.base)
    headers = (("ETag", etag),)
    if etag in request.headers.get("if-none-match", ""):
        return FhirResponse(304, headers=headers)
    return FhirResponse(200, body, headers=headers)


def _mode(request: FhirRequest) -> str:
    """Give the mode that is asked for; raises FhirError (400) for one that FHIR does not know."""
    mode = next((value for name, value in request.parameters if name == "mode"), "full")
    if mode not in MODES:
        raise invalid(f"mode is one of {', '.join(MODES)}", "http.mode", code="value")
    return mode


@lru_cache(8)
def _prepared(statement: Callable[[str], bytes], mode: str, base: str) -> tuple[bytes, str]:
    """Give the statement for a server at this address, and its ETag."""
    body = statement(mode).replace(BASE, base.encode())
    return body, f'W/"{hashlib.sha256(body).hexdigest()[:16]}"'
