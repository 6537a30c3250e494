"""Search parameters of type uri.

https://hl7.org/fhir/R4/search.html#uri

The match is exact, by every character. `:below` finds what begins with the searched uri.
"""

from collections.abc import Iterable
from datetime import tzinfo

from fhir_server.search.expression import EQUALS, Expression, Has, HasPrefix
from fhir_server.search.parameters import Parameter
from fhir_server.search.types.asked import Asked, unsupported_modifier
from fhir_server.search.types.escapes import unescape
from fhir_server.search.types.found import Found
from profiles.fhirpath import Node


def entries(code: str, nodes: Iterable[Node], found: Found, zone: tzinfo) -> None:  # noqa: ARG001 - one signature
    """Add each uri; a canonical with a version also without it."""
    for type, value in nodes:
        if isinstance(value, str):
            found.entries.append(code + EQUALS + value)
            if type == "canonical" and "|" in value:
                found.entries.append(code + EQUALS + value.partition("|")[0])


def expression(parameter: Parameter, value: str, modifier: str, asked: Asked) -> Expression:  # noqa: ARG001
    """Give the expression of one searched uri."""
    match modifier:
        case "":
            return Has(parameter.code, unescape(value))
        case "below":
            return HasPrefix(parameter.code, unescape(value))
    raise unsupported_modifier(modifier, "uri")
