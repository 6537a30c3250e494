"""Addresses below the base, as they come in a request line or in Bundle.entry.request.url.

https://hl7.org/fhir/R4/http.html#general
"""

import re
from urllib.parse import unquote_to_bytes

from fhir_server.outcome import invalid

_BROKEN = re.compile(r"%(?![0-9A-Fa-f]{2})")
MAX_PARAMETERS = 1000


def segments(path: str) -> list[str]:
    """Take the percent-decoded segments of a path below the base; one slash at either end is tolerated.

    Raises FhirError (400) where the percent-encoding is broken.
    """
    path = path.removeprefix("/").removesuffix("/")
    if not path:
        return []
    parts = path.split("/")
    return [decoded(part, "http.path") for part in parts] if "%" in path else parts


def pairs(query: str) -> list[tuple[str, str]]:
    """Take the (name, value) pairs of a query or a form in their order; those without a name are dropped.

    Raises FhirError (400) where the percent-encoding is broken, or there are too many of them.
    """
    if not query:
        return []
    parts = query.split("&")
    if len(parts) > MAX_PARAMETERS:
        raise invalid(f"There are more than {MAX_PARAMETERS} parameters", "http.query", code="too-costly")
    found = (part.partition("=") for part in parts)
    return [(_text(name), _text(value)) for name, _, value in found if name]


def _text(part: str) -> str:
    if "+" in part:
        part = part.replace("+", " ")
    return decoded(part, "http.query") if "%" in part else part


def decoded(text: str, where: str) -> str:
    """Undo percent-encoding; raises FhirError (400) at `where` for what is broken or not UTF-8."""
    if _BROKEN.search(text):
        raise invalid("The percent-encoding of the address is broken", where)
    try:
        plain = unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise invalid("The percent-encoded text of the address is not UTF-8", where) from None
    if "\0" in plain:
        raise invalid("The address holds a NUL character", where)
    return plain
