"""Search parameters of type uri.

https://hl7.org/fhir/R4/search.html#uri

The match is exact, by every character. `:below` finds what begins with the searched URL, `:above` the URLs that it is
below. OIDs are compared by their arcs: urn:oid:1.2 is above urn:oid:1.2.3 and not above urn:oid:1.20. Other URNs have no
above and below.
"""

from collections.abc import Iterable
from datetime import tzinfo

from fhir_server.search.expression import EQUALS, Expression, Has, HasPrefix, Or
from fhir_server.search.parameters import Parameter
from fhir_server.search.types.asked import Asked, Refused, unsupported_modifier
from fhir_server.search.types.escapes import unescape
from fhir_server.search.types.found import Found
from profiles.fhirpath import Node

_OID = "urn:oid:"
_DEEPEST = 100


def entries(code: str, nodes: Iterable[Node], found: Found, zone: tzinfo) -> None:  # noqa: ARG001 - one signature
    """Add each uri; a canonical with a version also without it."""
    for type, value in nodes:
        if isinstance(value, str):
            found.entries.append(code + EQUALS + value)
            if type == "canonical" and "|" in value:
                found.entries.append(code + EQUALS + value.partition("|")[0])


def expression(parameter: Parameter, value: str, modifier: str, asked: Asked) -> Expression:  # noqa: ARG001
    """Give the expression of one searched uri."""
    text = unescape(value)
    match modifier:
        case "":
            return Has(parameter.code, text)
        case "below":
            if not text.startswith(_OID):
                return HasPrefix(parameter.code, _hierarchical(text))
            return Or((Has(parameter.code, text), HasPrefix(parameter.code, text.rstrip(".") + ".")))
        case "above":
            return Or(tuple(Has(parameter.code, each) for each in _beginnings(_hierarchical(text))))
    raise unsupported_modifier(modifier, "uri")


def _hierarchical(text: str) -> str:
    if text.startswith("urn:") and not text.startswith(_OID):
        raise Refused("Only URLs and OIDs have an above and a below")
    return text


def _beginnings(text: str) -> list[str]:
    """The uri and its beginnings up to each / or ., without what is no address yet (http:, http:/, urn:oid)."""
    separator, least = (".", len(_OID)) if text.startswith(_OID) else ("/", text.find("://") + len("://"))
    ends = [position for position in range(least, len(text)) if text[position] == separator]
    if len(ends) > _DEEPEST:
        raise Refused(f"The uri has more than {_DEEPEST} levels", "too-costly")
    slashed = [text[: end + 1] for end in ends] if separator == "/" else []
    return list(dict.fromkeys([*(text[:end] for end in ends), *slashed, text]))
