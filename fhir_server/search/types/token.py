"""Search parameters of type token.

https://hl7.org/fhir/R4/search.html#token

Stored are `system|code` and `code`, and `|code` where the value could have a system and has none. The system of a
`code` and of a boolean is implied by its element: it is stored as the bare code only, and may be asked for with the
system that its value set tells. Codes match literally, by every character.

The texts of codes (`:text`) are stored as words of `code:text`, typed identifiers (`:of-type`) as entries
`code:of-type=system|code|value`. Neither costs a key of the index but the last, which few identifiers have.
"""

from collections.abc import Callable, Iterable
from datetime import tzinfo
from functools import lru_cache
from typing import Any

from fhir_server.search.expression import EQUALS, TEXT, Expression, Has, HasPrefix, Not, Present, StartsWith
from fhir_server.search.parameters import Parameter
from fhir_server.search.types import hierarchy
from fhir_server.search.types.asked import Asked, Refused, unsupported_modifier
from fhir_server.search.types.escapes import split, unescape
from fhir_server.search.types.found import Found
from fhir_server.search.types.string import squeeze
from profiles.fhirpath import Node

_BOOLEANS = "http://hl7.org/fhir/special-values"
_IMPLIED = ("code", "boolean")
TOLD = ":text"
OF_TYPE = ":of-type"
NEGATIVE = ("not", "not-in")
"""Modifiers that ask for what no value of the resource is: of several values it is none of them."""


def entries(code: str, nodes: Iterable[Node], found: Found, zone: tzinfo) -> None:  # noqa: ARG001 - one signature
    """Add the forms in which each code or identifier can be asked for."""
    head = code + EQUALS
    add = found.entries.append
    for type, value in nodes:
        if isinstance(value, dict):
            if type == "CodeableConcept":
                _add_concept(code, value, found)
            elif type == "Coding":
                _add_concept(code, {"coding": (value,)}, found)
            elif type == "ContactPoint":  # its system (phone, email) is not a namespace
                add_pair(head, None, value.get("value"), add)
            else:  # Identifier, Quantity
                add_pair(head, value.get("system"), value["code"] if "code" in value else value.get("value"), add)
                if "type" in value and found.texts:
                    _add_type(code, value, found)
        elif value is True or value is False:
            add(head + ("true" if value else "false"))
        elif isinstance(value, str):
            add(head + value)
            if type not in _IMPLIED:
                add(f"{head}|{value}")


def add_pair(head: str, system: Any, token: Any, add: Callable[[str], None]) -> None:
    """Add `system|code` and `code`; `system|` where there is no code."""
    if isinstance(token, str) and token:
        add(head + token)
        add(f"{head}{system}|{token}" if isinstance(system, str) else f"{head}|{token}")
    elif isinstance(system, str) and system:
        add(f"{head}{system}|")


def _add_concept(code: str, concept: dict[str, Any], found: Found) -> None:
    """Add its codings, and what CodeableConcept.text and Coding.display say."""
    head, add = code + EQUALS, found.entries.append
    before = len(found.entries)
    text = concept.get("text")
    texts = [text] if isinstance(text, str) else []
    for coding in concept.get("coding", ()):
        add_pair(head, coding.get("system"), coding.get("code"), add)
        display = coding.get("display")
        if isinstance(display, str) and display != text:
            texts.append(display)
    if texts and found.texts:
        told = code + TOLD + TEXT
        found.words += [told + _folded(each) for each in texts]
        if len(found.entries) == before:
            add(code + TEXT)  # no code, but not missing either


_folded = lru_cache(maxsize=4096)(squeeze)  # the texts of codes are few


def _add_type(code: str, identifier: dict[str, Any], found: Found) -> None:
    """Add what the type of an Identifier says, and the identifier with its type."""
    type, value = identifier["type"], identifier.get("value")
    if not isinstance(type, dict):
        return
    text = type.get("text")
    if isinstance(text, str):
        found.words.append(code + TOLD + TEXT + _folded(text))
        if not isinstance(value, str):
            found.entries.append(code + TEXT)
    if isinstance(value, str):
        head = code + OF_TYPE + EQUALS
        pairs = ((coding.get("system"), coding.get("code")) for coding in type.get("coding", ()))
        found.entries += [f"{head}{system}|{token}|{value}" for system, token in pairs if system and token]


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
    """Give the expression of one searched token.

    `:not` and `:not-in` ask that no value of the resource matches; `:text` how a text beside the code begins; `:of-type` an
    identifier by the code of its type; `:in` a value set; `:above` and `:below` what subsumes, or is subsumed by, the code.
    """
    implied = (_BOOLEANS, *parameter.systems)
    match modifier:
        case "":
            return has(parameter.code, value, implied)
        case "not":
            return Not(has(parameter.code, value, implied))
        case "text":
            folded = squeeze(unescape(value))
            if not folded:
                raise Refused("The searched text is blank")
            return StartsWith(parameter.code + TOLD, folded)
        case "of-type":
            return _of_type(parameter.code, value)
        case hierarchy.IN | hierarchy.ABOVE | hierarchy.BELOW:
            return hierarchy.asked(parameter.code, modifier, value, parameter.systems)
        case "not-in":
            return Not(hierarchy.asked(parameter.code, hierarchy.IN, value, parameter.systems))
    raise unsupported_modifier(modifier, "token")


def _of_type(code: str, value: str) -> Expression:
    pieces = [unescape(piece) for piece in split(value, "|")]
    if len(pieces) != len(("system", "code", "value")) or not all(pieces):
        raise Refused("An identifier of a type is asked as system|code|value, where system and code are those of the type")
    return Has(code + OF_TYPE, "|".join(pieces))
