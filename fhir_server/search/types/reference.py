"""Search parameters of type reference.

https://hl7.org/fhir/R4/search.html#reference

Stored are `Type/id` (a version is dropped: the search is for the resource), the whole address where it is elsewhere,
and for canonicals both `url|version` and `url`. What a reference says only by its identifier is stored as a token
under `code:identifier`.
"""

from collections.abc import Iterable
from datetime import tzinfo

from fhir_server.search.expression import EQUALS, Expression, ForPatient, Has, Or
from fhir_server.search.parameters import Parameter
from fhir_server.search.types import token
from fhir_server.search.types.asked import Asked, Refused, unsupported_modifier
from fhir_server.search.types.escapes import unescape
from fhir_server.search.types.found import Found
from profiles.fhirpath import Node

IDENTIFIER = ":identifier"
_HISTORY = "/_history/"


def literal(reference: str) -> str:
    """Drop the version of a reference."""
    return reference.partition(_HISTORY)[0] if _HISTORY in reference else reference


def entries(code: str, nodes: Iterable[Node], found: Found, zone: tzinfo) -> None:
    """Add where each reference points to."""
    add = found.entries.append
    for _, value in nodes:
        if isinstance(value, dict):
            reference = value.get("reference")
            if isinstance(reference, str):
                add(code + EQUALS + literal(reference))
            identifier = value.get("identifier")
            if identifier is not None:
                token.entries(code + IDENTIFIER, (("Identifier", identifier),), found, zone)
        elif isinstance(value, str):
            add(code + EQUALS + literal(value))
            url, bar, _ = value.partition("|")
            if bar:
                add(code + EQUALS + url)


def expression(parameter: Parameter, value: str, modifier: str, asked: Asked) -> Expression:
    """Give the expression of one searched reference: `Type/id`, `id`, or an absolute address.

    An id alone means any type that the parameter may point to.
    """
    if modifier == "identifier":
        return token.has(parameter.code + IDENTIFIER, value)
    text = unescape(value)
    local = text.removeprefix(asked.base + "/") if asked.base else text
    if ":" in local:  # http://elsewhere/Patient/1, urn:uuid:...
        if modifier:
            raise Refused("The type is named by the modifier and by the address: give the id alone")
        return Has(parameter.code, literal(local))
    type, slash, id = literal(local).rpartition("/")
    if modifier and not modifier[0].isupper():
        raise unsupported_modifier(modifier, "reference")
    if modifier and modifier not in parameter.targets:
        raise Refused(f"This search parameter cannot refer to {modifier}", "not-supported")
    if not id or (slash and (not type or (modifier and modifier != type))):
        raise Refused("A reference is Type/id, id, or an absolute address")
    types = (type,) if slash else (modifier,) if modifier else parameter.targets
    return to_any(parameter, tuple(f"{type}/{id}" for type in types))


def to_any(parameter: Parameter, references: tuple[str, ...]) -> Expression:
    """Ask whether the parameter points to one of these; a patient named by the lead parameter is ForPatient."""
    parts: tuple[Expression, ...] = tuple(
        ForPatient(reference) if parameter.leads and reference.startswith("Patient/") else Has(parameter.code, reference)
        for reference in references
    )
    return parts[0] if len(parts) == 1 else Or(parts)
