"""Search parameters of type reference.

https://hl7.org/fhir/R4/search.html#reference

Stored are `Type/id` (a version is dropped: the search is for the resource; our own address too), the whole address
where it is elsewhere, and for canonicals both `url|version` and `url`. What a reference says only by its identifier is
stored as a token under `code:identifier`. `:above` and `:below` ask for what contains the resource, or is contained in it,
by its partOf; of a canonical for versions (1 is above 1.2).
"""

from collections.abc import Iterable
from datetime import tzinfo

from fhir_server.search.expression import EQUALS, Expression, ForPatient, Has, HasPrefix, Or, Placed
from fhir_server.search.parameters import Parameter
from fhir_server.search.types import token
from fhir_server.search.types.asked import Asked, Refused, unsupported_modifier
from fhir_server.search.types.escapes import unescape
from fhir_server.search.types.found import Found
from profiles.fhirpath import Node

IDENTIFIER = ":identifier"
_HISTORY = "/_history/"
_WHOLE = {"Location": "partof", "Organization": "partof", "Encounter": "part-of", "Procedure": "part-of", "Task": "part-of"}


def literal(reference: str, base: str = "") -> str:
    """Drop the version of a reference, and the server's own address."""
    if base and reference.startswith(base):
        reference = reference[len(base) :].removeprefix("/")
    return reference.partition(_HISTORY)[0] if _HISTORY in reference else reference


def entries(code: str, nodes: Iterable[Node], found: Found, zone: tzinfo) -> None:  # noqa: ARG001 - one signature
    """Add where each reference points to."""
    add = found.entries.append
    for _, value in nodes:
        if isinstance(value, dict):
            reference = value.get("reference")
            if isinstance(reference, str):
                add(code + EQUALS + literal(reference, found.base))
            identifier = value.get("identifier")
            if isinstance(identifier, dict):
                token.add_pair(code + IDENTIFIER + EQUALS, identifier.get("system"), identifier.get("value"), add)
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
    hierarchical = modifier in ("above", "below")
    named = "" if hierarchical else modifier
    if named and not named[0].isupper():
        raise unsupported_modifier(modifier, "reference")
    if named and named not in parameter.targets:
        raise Refused(f"This search parameter cannot refer to {modifier}", "not-supported")
    text = unescape(value)
    local = text.removeprefix(asked.base + "/") if asked.base else text
    hierarchical = modifier in ("above", "below")
    if ":" in local:  # http://elsewhere/Patient/1, urn:uuid:...
        if hierarchical:
            return _versions(parameter.code, local, modifier)
        if modifier:
            raise Refused("The type is named by the modifier and by the address: give the id alone")
        return Has(parameter.code, literal(local))
    type, slash, id = literal(local).rpartition("/")
    named = "" if hierarchical else modifier
    if named and not named[0].isupper():
        raise unsupported_modifier(modifier, "reference")
    if named and named not in parameter.targets:
        raise Refused(f"This search parameter cannot refer to {modifier}", "not-supported")
    if not id or (slash and (not type or (named and named != type))):
        raise Refused("A reference is Type/id, id, or an absolute address")
    types = (type,) if slash else (named,) if named else parameter.targets
    if hierarchical:
        return _placed(parameter, modifier, types, id)
    return to_any(parameter, tuple(f"{type}/{id}" for type in types))


def to_any(parameter: Parameter, references: tuple[str, ...]) -> Expression:
    """Ask whether the parameter points to one of these; one patient named by the lead parameter is ForPatient."""
    if parameter.leads and all(reference.startswith("Patient/") for reference in references):
        parts: tuple[Expression, ...] = tuple(map(ForPatient, references))
    else:  # one index serves all of them
        parts = tuple(Has(parameter.code, reference) for reference in references)
    return parts[0] if len(parts) == 1 else Or(parts)


def _placed(parameter: Parameter, modifier: str, types: tuple[str, ...], id: str) -> Expression:
    parents = tuple((type, _WHOLE[type]) for type in types if type in _WHOLE)
    if not parents:
        raise Refused(
            f"The modifier :{modifier} needs references to resources that are part of others: {', '.join(_WHOLE)}", "not-supported"
        )
    return Placed(parameter.code, modifier, tuple(f"{type}/{id}" for type, _ in parents), parents)


def _versions(code: str, canonical: str, modifier: str) -> Expression:
    url, _, version = canonical.partition("|")
    if not version:
        return Has(code, url)
    if modifier == "below":
        return Or((Has(code, canonical), HasPrefix(code, canonical + ".")))
    numbers = version.split(".")
    return Or(tuple(Has(code, f"{url}|{'.'.join(numbers[:count])}") for count in range(1, len(numbers) + 1)))
