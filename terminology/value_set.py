"""Value sets: from their expansion where the package has a complete one, else from their definition.

https://hl7.org/fhir/R4/valueset.html#composition
"""

from collections.abc import Callable
from functools import reduce
from typing import TypeAlias

import msgspec

from terminology.code_system import CodeSystem
from terminology.members import ANY, GRAMMARS, Members, Pair

_INCOMPLETE = frozenset(
    (
        "http://hl7.org/fhir/StructureDefinition/valueset-toocostly",
        "http://hl7.org/fhir/StructureDefinition/valueset-unclosed",
    )
)


class _Concept(msgspec.Struct):
    code: str


class _Filter(msgspec.Struct):
    property: str
    op: str
    value: str


class _Include(msgspec.Struct):
    system: str | None = None
    concept: tuple[_Concept, ...] = ()
    filter: tuple[_Filter, ...] = ()
    valueSet: tuple[str, ...] = ()  # noqa: N815 - FHIR's name


class _Compose(msgspec.Struct):
    include: tuple[_Include, ...] = ()
    exclude: tuple[_Include, ...] = ()


class _Contained(msgspec.Struct):
    system: str | None = None
    code: str | None = None
    abstract: bool = False
    contains: tuple["_Contained", ...] = ()


class _Extension(msgspec.Struct):
    url: str


class _Expansion(msgspec.Struct):
    contains: tuple[_Contained, ...] = ()
    extension: tuple[_Extension, ...] = ()


class _Resource(msgspec.Struct):
    compose: _Compose | None = None
    expansion: _Expansion | None = None


_read = msgspec.json.Decoder(_Resource).decode

CodeSystems: TypeAlias = Callable[[str], CodeSystem | None]
ValueSets: TypeAlias = Callable[[str], Members | None]


def expanded(data: bytes) -> Members | None:
    """Give the members that a resource's expansion lists; None where it has none or says that it is incomplete."""
    expansion = _read(data).expansion
    if expansion is None or not expansion.contains or any(each.url in _INCOMPLETE for each in expansion.extension):
        return None
    return Members(_pairs(expansion.contains))


def composed(data: bytes, code_systems: CodeSystems, value_sets: ValueSets) -> Members:
    """Work out the members from a resource's definition, as far as the code systems it names are known."""
    compose = _read(data).compose or _Compose()
    composition = _Composition(code_systems, value_sets)
    included = reduce(Members.__or__, map(composition.members, compose.include), Members())
    return reduce(Members.__sub__, map(composition.members, compose.exclude), included)


def _pairs(contains: tuple[_Contained, ...]) -> list[Pair]:
    pairs = [(each.system, each.code) for each in contains if each.system and each.code and not each.abstract]
    for each in contains:
        pairs += _pairs(each.contains)
    return pairs


class _Composition:
    def __init__(self, code_systems: CodeSystems, value_sets: ValueSets) -> None:
        self._code_systems = code_systems
        self._value_sets = value_sets

    def members(self, include: _Include) -> Members:
        """Give what one include or exclude selects: what is in its system and in every value set that it names."""
        parts = [] if include.system is None else [self._of_system(include.system, include)]
        parts += [self._value_sets(canonical) or Members(maybe=(ANY,)) for canonical in include.valueSet]
        return reduce(Members.__and__, parts) if parts else Members()

    def _of_system(self, system: str, include: _Include) -> Members:
        if include.concept:
            return Members((system, each.code) for each in include.concept)
        if system in GRAMMARS and not include.filter:
            return Members(whole=(system,))
        code_system = self._code_systems(system)
        if code_system is None:
            return Members(maybe=(system,))
        selected = [self._selected(code_system, each) for each in include.filter]
        if any(each is None for each in selected):
            return Members(maybe=(system,))
        codes = reduce(frozenset.__and__, (each for each in selected if each is not None), code_system.codes)
        return Members(((system, code) for code in codes), maybe=() if code_system.complete else (system,))

    def _selected(self, code_system: CodeSystem, filter: _Filter) -> frozenset[str] | None:
        """Give the codes a filter selects; None where that cannot be worked out here."""
        if filter.property != "concept" or filter.value not in code_system:
            return None
        under = code_system.under(filter.value)
        match filter.op:
            case "is-a":
                return under
            case "descendent-of":
                return under - {filter.value}
            case "is-not-a":
                return code_system.codes - under
        return None
