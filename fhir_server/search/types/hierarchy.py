"""Codes that terminology decides: value sets (`:in`, `:not-in`), and what stands above or below a code.

https://hl7.org/fhir/R4/search.html#token

What the definitions know is worked out at once; for anything else the expression is Coded, and the store looks up the
ValueSets and CodeSystems that are kept there. Codes of some systems are read instead: a JLAC10 code begins with its
analyte, an ICD-10 code with its category.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from fhir_server.search.expression import Coded, Expression, Has, HasPrefix, Or, Present
from fhir_server.search.types.asked import Refused
from fhir_server.search.types.escapes import split, unescape
from terminology.code_system import CodeSystem
from terminology.lookup import Lookup
from terminology.members import Members
from terminology.service import r4

IN, ABOVE, BELOW = "in", "above", "below"

_JLAC10 = (5, 9, 12, 15, 17)
BEGINNINGS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "urn:oid:1.2.392.200119.4.504": _JLAC10,
        "http://medis.or.jp/CodeSystem/master-JLAC10-17digits": _JLAC10,
        "http://hl7.org/fhir/sid/icd-10": (3, 4, 5, 6, 7),
        "http://www.whocc.no/atc": (1, 3, 4, 5, 7),
    }
)
"""Systems whose codes show their hierarchy: how long the beginnings are that stand for something."""


def asked(code: str, modifier: str, value: str, implied: tuple[str, ...]) -> Expression:
    """Give the expression of one searched value with :in, :above or :below. Raises Refused for what can never be answered."""
    if modifier == IN:
        url = unescape(value)
        members = r4().members(url)
        return among(code, implied, members) if members is not None else Coded(code, IN, url, implied)
    system, token = _system_and_code(value, implied)
    if system in BEGINNINGS:
        return _by_beginning(code, modifier, system, token)
    known = next((found for each in ((system,) if system not in implied else implied) if (found := r4().code_system(each))), None)
    return related(code, modifier, known, token, implied) if known is not None else Coded(code, modifier, f"{system}|{token}", implied)


def decided(coded: Coded, lookup: Lookup, value_set: bytes | None = None) -> Expression | None:
    """Give the expression that a Coded becomes with what the lookup has; None where that lacks something it may be given.

    `value_set` is the ValueSet itself where it was named by its id. Raises Refused where it cannot be told.
    """
    if coded.way == IN:
        members = lookup.members(coded.value) if value_set is None else lookup.members_of(value_set)
        if lookup.lacking:
            return None
        if members is None:
            raise Refused("This value set is not known here", "not-found")
        return among(coded.parameter, coded.implied, members)
    system, _, token = coded.value.partition("|")
    known = lookup.code_system(system)
    if lookup.lacking:
        return None
    if known is None:
        raise Refused("The hierarchy of this code system is not known here", "not-supported")
    return related(coded.parameter, coded.way, known, token, coded.implied)


def among(code: str, implied: tuple[str, ...], members: Members) -> Expression:
    """Ask for one of the members. Raises Refused where it is not known here which codes they are."""
    if members.maybe:
        raise Refused("The value set cannot be expanded: it draws on code systems that are not known here", "not-supported")
    whole = (Present(code) if system in implied else HasPrefix(code, f"{system}|") for system in sorted(members.whole))
    return _any_of((*whole, *(_has(code, system, token, implied) for system, token in sorted(members.known))))


def related(code: str, way: str, system: CodeSystem, token: str, implied: tuple[str, ...]) -> Expression:
    """Ask for the code, or one that subsumes it (above), or that it subsumes (below)."""
    codes = system.above(token) if way == ABOVE else system.below(token)
    return _any_of(_has(code, system.url, each, implied) for each in sorted(codes))


def _has(code: str, system: str, token: str, implied: tuple[str, ...]) -> Expression:
    return Has(code, token if system in implied else f"{system}|{token}")


def _any_of(parts: Iterable[Expression]) -> Expression:
    parts = tuple(parts)
    return parts[0] if len(parts) == 1 else Or(parts)


def _by_beginning(code: str, modifier: str, system: str, token: str) -> Expression:
    if modifier == BELOW:
        return HasPrefix(code, f"{system}|{token}")
    lengths = [length for length in BEGINNINGS[system] if length < len(token)]
    beginnings = (token[:length].rstrip(".") for length in lengths)
    return _any_of(Has(code, f"{system}|{each}") for each in dict.fromkeys((*beginnings, token)))


def _system_and_code(value: str, implied: tuple[str, ...]) -> tuple[str, str]:
    match [unescape(piece) for piece in split(value, "|")]:
        case [token] if token and implied:
            return implied[-1], token
        case [system, token] if system and token:
            return system, token
    raise Refused("Codes above and below are asked as system|code")
