"""Search parameters of type token.

https://hl7.org/fhir/R4/search.html#token

Stored are `system|code` and `code`, and `|code` where the value could have a system and has none. The system of a
`code` and of a boolean is implied by its element: it is stored as the bare code only, and may be asked for with the
system that its value set tells. Codes match literally.
"""

from collections.abc import Iterable, Iterator
from datetime import tzinfo
from typing import Any

from fhir_server.search.expression import EQUALS, Expression, Has, HasPrefix, Not, Present
from fhir_server.search.parameters import Parameter
from fhir_server.search.types.asked import Asked, Refused, unsupported_modifier
from fhir_server.search.types.escapes import split, unescape
from fhir_server.search.types.found import Found
from profiles.fhirpath import Node

_BOOLEANS = "http://hl7.org/fhir/special-values"
_IMPLIED = ("code", "boolean")


def entries(code: str, nodes: Iterable[Node], found: Found, zone: tzinfo) -> None:  # noqa: ARG001 - one signature
    """Add the forms in which each code or identifier can be asked for."""
    head = code + EQUALS
    add = found.entries.append
    for type, value in nodes:
        if isinstance(value, dict):
            for system, token in _tokens(type, value):
                if token:
                    add(head + token)
                add(f"{head}{system}|{token}")
        elif value is True or value is False:
            add(head + ("true" if value else "false"))
        elif isinstance(value, str):
            add(head + value)
            if type not in _IMPLIED:
                add(f"{head}|{value}")


def _tokens(type: str, value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if type == "CodeableConcept":
        for coding in value.get("coding", ()):
            yield from _pair(coding.get("system"), coding.get("code"))
    elif type == "ContactPoint":  # its system (phone, email) is not a namespace
        yield from _pair(None, value.get("value"))
    elif "code" in value:  # Coding, Quantity
        yield from _pair(value.get("system"), value["code"])
    else:  # Identifier, a Coding that has a system only
        yield from _pair(value.get("system"), value.get("value"))


def _pair(system: Any, token: Any) -> Iterator[tuple[str, str]]:
    system = system if isinstance(system, str) else ""
    token = token if isinstance(token, str) else ""
    if system or token:
        yield system, token


def has(code: str, value: str, implied: tuple[str, ...] = (_BOOLEANS,)) -> Expression:
    """Give the expression of `code`, `system|code`, `|code` or `system|` under this parameter's code.

    `implied` are systems that are not stored, because no other is possible.
    """
    pieces = [unescape(piece) for piece in split(value, "|")]
    match pieces:
        case [token] if token:
            return Has(code, token)
        case [system, ""] if system in implied:
            return Present(code)
        case [system, token] if system in implied:
            return Has(code, token)
        case ["", token] if token:
            return Has(code, f"|{token}")
        case [system, ""] if system:
            return HasPrefix(code, f"{system}|")
        case [system, token] if system and token:
            return Has(code, f"{system}|{token}")
    raise Refused("A token is code, system|code, |code or system|")


def expression(parameter: Parameter, value: str, modifier: str, asked: Asked) -> Expression:  # noqa: ARG001
    """Give the expression of one searched token; :not asks that no value of the resource matches."""
    found = has(parameter.code, value, (_BOOLEANS, *parameter.systems))
    match modifier:
        case "":
            return found
        case "not":
            return Not(found)
    raise unsupported_modifier(modifier, "token")
