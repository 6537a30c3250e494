"""What the secretariat sends: small JSON objects, read strictly."""

from typing import Final, TypeVar

import msgspec
from fastapi import Request

from fhir_server.auth.certificates.register import Reason
from fhir_server.outcome import FhirError, Issue, invalid

_LONGEST: Final = 64 * 1024

T = TypeVar("T")


class NewUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"fhir_user": "fhirUser"}):
    """An account for a person whose Practitioner or Patient exists."""

    id: str
    fhir_user: str


class Revocation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a certificate is revoked."""

    reason: Reason


async def read_body(request: Request, type: type[T]) -> T:
    """Give the body as this type. Raises FhirError (400, 413, 415) for whatever it is not."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in ("application/json", "application/fhir+json"):
        raise FhirError(Issue("not-supported", "Send application/json in UTF-8", ("http.Content-Type",)), status=415)
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > _LONGEST:
            raise invalid(f"The body is longer than {_LONGEST} bytes", code="too-long")
    try:
        return msgspec.json.decode(data, type=type)
    except msgspec.ValidationError as error:
        raise invalid(f"The body is not as expected: {error}", code="structure") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise invalid("The body is not JSON in UTF-8", code="structure") from None
