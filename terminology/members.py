"""What is known about which codes belong to a value set.

Not all code systems are here (LOINC, SNOMED CT, UCUM, ...), so an answer has three values: the code belongs, it does
not, or nobody here can say. The operations keep to that: what was unknown never becomes a yes or a no.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

Pair = tuple[str, str]  # system, code

# https://hl7.org/fhir/R4/http.html#mime-type: FHIR's own short names stand beside the media types of BCP 13.
_MEDIA_TYPE = re.compile(
    r"(?:xml|json|ttl|[\w!#$&^.+\-]+/[\w!#$&^.+*\-]+(?:\s*;\s*[\w!#$&^.+\-]+=(?:[\w!#$&^.+/:\-]+|\"[^\"]*\"))*)", re.ASCII
)
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")

GRAMMARS: Mapping[str, Callable[[str], object]] = MappingProxyType(
    {
        "urn:ietf:bcp:13": _MEDIA_TYPE.fullmatch,
        "urn:ietf:bcp:47": _LANGUAGE.fullmatch,
    }
)
"""Systems without a list of codes, whose codes are known by their form."""


ANY = "*"
"""In `maybe`: codes of whatever system may belong, as in a value set that is not known here."""


class Members:
    """The members of a value set.

    `known` surely belong; of the systems `whole` every code belongs; of the systems `maybe` other codes may belong too.
    """

    __slots__ = ("_systems", "known", "maybe", "whole")

    def __init__(self, known: Iterable[Pair] = (), whole: Iterable[str] = (), maybe: Iterable[str] = ()) -> None:
        self.known = frozenset(known)
        self.whole = frozenset(whole)
        self.maybe = frozenset(maybe)
        systems: dict[str, set[str]] = {}
        for system, code in self.known:
            systems.setdefault(code, set()).add(system)
        self._systems = {code: frozenset(found) for code, found in systems.items()}

    def contains(self, code: str, system: str | None = None) -> bool | None:
        """Tell whether a code belongs; without a system, whether it does in any. None: that is not known here."""
        systems = self._systems.get(code)
        if systems is not None and (system is None or system in systems):
            return True
        if self._fits(code, system):
            return True
        unknown = bool(self.maybe) if system is None else system in self.maybe or ANY in self.maybe
        return None if unknown else False

    @property
    def open(self) -> frozenset[str]:
        """The systems of which codes that are not listed may belong."""
        return self.whole | self.maybe

    def _fits(self, code: str, system: str | None) -> bool:
        asked = self.whole if system is None else self.whole & {system}
        return any(GRAMMARS[each](code) for each in asked)

    def __or__(self, other: "Members") -> "Members":
        """What belongs to either."""
        return Members(self.known | other.known, self.whole | other.whole, self.maybe | other.maybe)

    def __and__(self, other: "Members") -> "Members":
        """What belongs to both."""
        doubtful = _drawn_on(self.known - other.known, other.open) | _drawn_on(other.known - self.known, self.open)
        return Members(self.known & other.known, maybe=_common(self.open, other.open) | doubtful)

    def __sub__(self, other: "Members") -> "Members":
        """What belongs to this and not to the other."""
        doubtful = _drawn_on(self.known, other.open)
        known = {pair for pair in self.known - other.known if pair[0] not in doubtful}
        return Members(known, maybe=self.open | doubtful)


def _drawn_on(pairs: frozenset[Pair], open: frozenset[str]) -> frozenset[str]:
    systems = frozenset(system for system, _ in pairs)
    return systems if ANY in open else systems & open


def _common(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    if ANY in one:
        return other
    return one if ANY in other else one & other
