"""The paths of Binary, whose content also goes over the wire as it is.

https://hl7.org/fhir/R4/http.html#binary
"""

from typing import Any

from fhir_server.rest.openapi.components import reference
from fhir_server.rest.openapi.interaction import described

_READS, _WRITES = ("read", "vread"), ("create", "update")


def paths() -> dict[str, Any]:
    """Give the paths of one Binary and of one version; they stand before those of one resource of any type."""
    one = {
        method: of_content(code, described(code, method.upper(), "Binary/{id}", "Binary"))
        for code, method in (("read", "get"), ("update", "put"), ("patch", "patch"), ("delete", "delete"))
    }
    version = "Binary/{id}/_history/{version}"
    return {"/Binary/{id}": one, f"/{version}": {"get": of_content("vread", described("vread", "GET", version, "Binary"))}}


def of_content(code: str, operation: dict[str, Any]) -> dict[str, Any]:
    """Say of an operation on Binary that it takes and gives content of any media type, too."""
    if code in _READS:
        ranged = [reference("parameters", "Range")]
        responses = {**operation["responses"], "200": reference("responses", "content"), "206": reference("responses", "part")}
        return {**operation, "parameters": operation["parameters"] + ranged, "responses": responses}
    if code in _WRITES:
        limits = [reference("parameters", "X-Security-Context")]
        return {**operation, "parameters": operation["parameters"] + limits, "requestBody": reference("requestBodies", "content")}
    return operation
