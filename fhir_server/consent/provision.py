"""One rule of a consent: what it asks for, read into values that can be compared.

https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision

What cannot be read never widens what is seen: the rule is marked `unclear`, and then permits nothing and denies everything.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from enum import StrEnum
from typing import Any, Final, NamedTuple

from fhir_server.consent.vocabulary import token
from fhir_server.search.types.date import spanned
from fhir_server.search.types.reference import literal

DEEPEST: Final = 8
"""Levels of rules below the root; a consent that goes deeper is not read further (C35 and its cap)."""

PERMIT: Final = "permit"
DENY: Final = "deny"

_LOCAL = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.\-]{1,64}")
_ACTIONS = frozenset({"collect", "access", "use", "disclose", "correct"})
_MEANINGS = frozenset({"instance", "related", "dependents", "authoredby"})
_NO_READERS = frozenset(
    {"AUT", "AUTHEN", "DATASUBJ", "ENT", "INF", "LA", "SBJ", "SUBJECT", "TRANS", "VRF", "WIT", "datacollector", "datasubject"}
)
_UNDERSTOOD = frozenset(
    {
        "id", "extension", "type", "period", "actor", "action", "securityLabel", "purpose", "class", "code", "dataPeriod", "data",
        "provision",
    }
)  # fmt: skip


class Part(StrEnum):
    """What an actor of a rule is: it reads, it has the data in its custody, or neither (an author)."""

    READER = "reader"
    CUSTODIAN = "custodian"
    NEITHER = "neither"


class Interval(NamedTuple):
    """From `low` to `high`, both inside, in milliseconds since 1970."""

    low: int
    high: int


class Actor(NamedTuple):
    """Who a rule is about: "Organization/1", "Practitioner/1", "Group/1", ..."""

    part: Part
    reference: str


class Data(NamedTuple):
    """Which data a rule is about: instance, related, dependents or authoredby, of "Type/id"."""

    meaning: str
    reference: str


@dataclass(frozen=True, slots=True)
class Provision:
    """One rule and the exceptions to it. An empty criterion asks for nothing; the parts of one are alternatives.

    `type` is permit, deny, or None (a root that leaves it to the default). `labels`, `purposes`, `classes` and `codes` are
    "system|code". `readers` and `keepers` (custodians) are the references of its actors. Times are milliseconds since 1970.
    """

    type: str | None = None
    period: Interval | None = None
    data_period: Interval | None = None
    actors: tuple[Actor, ...] = ()
    actions: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    data: tuple[Data, ...] = ()
    provisions: tuple["Provision", ...] = ()
    unclear: bool = False
    readers: frozenset[str] = field(init=False, repr=False, compare=False)
    keepers: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, part in (("readers", Part.READER), ("keepers", Part.CUSTODIAN)):  # a form may name a hundred facilities
            object.__setattr__(self, name, frozenset(each.reference for each in self.actors if each.part is part))

    @property
    def about_data(self) -> bool:
        """Tell whether the rule is about some data only."""
        return bool(self.data_period or self.labels or self.classes or self.codes or self.data)

    def walk(self) -> Iterator["Provision"]:
        """Give the rule and all that is below it."""
        yield self
        for each in self.provisions:
            yield from each.walk()


def provision(element: Any, zone: tzinfo, base: str = "", depth: int = 0) -> Provision:
    """Read a rule and its exceptions; `base` is this server's address, `zone` that of dates without a time."""
    if not isinstance(element, dict) or depth > DEEPEST:
        return Provision(type=DENY, unclear=True)
    reading = _Reading(element, zone, base)
    type = element.get("type")
    if type not in (PERMIT, DENY) and (depth or type is not None):
        type, reading.clear = DENY, False
    read = Provision(
        type,
        reading.interval("period"),
        reading.interval("dataPeriod"),
        tuple(map(reading.actor, reading.many("actor"))),
        tuple(map(reading.action, reading.many("action"))),
        reading.tokens("securityLabel"),
        reading.tokens("purpose"),
        reading.tokens("class"),
        tuple(each for concept in reading.many("code") for each in reading.concept(concept)),
        tuple(map(reading.datum, reading.many("data"))),
        tuple(provision(each, zone, base, depth + 1) for each in reading.exceptions()),
    )
    return read if reading.clear else replace(read, unclear=True)


class _Reading:
    """Reads one rule; `clear` becomes False at what cannot be understood."""

    def __init__(self, element: Mapping[str, Any], zone: tzinfo, base: str) -> None:
        self._element, self._zone, self._base = element, zone, base
        self.clear = all(name in _UNDERSTOOD for name in element)  # a modifierExtension may turn the meaning round

    def many(self, name: str) -> list[dict[str, Any]]:
        found = self._element.get(name, [])
        if not isinstance(found, list) or (name in self._element and not found):
            self.clear = False
            return []
        kept = [each for each in found if isinstance(each, dict) and "modifierExtension" not in each]
        self.clear = self.clear and len(kept) == len(found)
        return kept

    def exceptions(self) -> list[Any]:
        """All of them, also those that cannot be read: each says for itself that it is unclear."""
        found = self._element.get("provision", [])
        self.clear = self.clear and isinstance(found, list)
        return found if isinstance(found, list) else []

    def interval(self, name: str) -> Interval | None:
        if name not in self._element:
            return None
        span = spanned("Period", self._element[name], self._zone)
        return Interval(*span) if span is not None else self._unclear(None)

    def tokens(self, name: str) -> tuple[str, ...]:
        return tuple(self._token(each) for each in self.many(name))

    def concept(self, concept: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(map(self._token, codings(concept))) or self._unclear(())

    def actor(self, actor: Mapping[str, Any]) -> Actor:
        codes = {each.get("code") for each in codings(actor.get("role"))}
        parts = {_part(code) if isinstance(code, str) else None for code in codes}
        part = parts.pop() if len(parts) == 1 else None
        return Actor(part if part is not None else self._unclear(Part.NEITHER), self._reference(actor.get("reference")))

    def action(self, action: Mapping[str, Any]) -> str:
        found = [str(each.get("code")) for each in codings(action)]
        return found[0] if len(found) == 1 and found[0] in _ACTIONS else str(self._unclear(""))

    def datum(self, datum: Mapping[str, Any]) -> Data:
        meaning = datum.get("meaning")
        return Data(meaning if meaning in _MEANINGS else self._unclear(""), self._reference(datum.get("reference")))

    def _reference(self, value: Any) -> str:
        found = local(value, self._base)
        return found if found is not None else str(self._unclear(""))

    def _token(self, coding: Any) -> str:
        found = token(coding) if isinstance(coding, dict) else None
        return found if found is not None else str(self._unclear(""))

    def _unclear(self, instead: Any) -> Any:
        self.clear = False
        return instead


def local(value: Any, base: str = "") -> str | None:
    """Give "Type/id" of a Reference to a resource of this server; None for any other."""
    reference = value.get("reference") if isinstance(value, dict) else None
    found = literal(reference, base) if isinstance(reference, str) else ""
    return found if _LOCAL.fullmatch(found) else None


def codings(concept: Any) -> list[dict[str, Any]]:
    """Give the codings of a CodeableConcept."""
    found = concept.get("coding") if isinstance(concept, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _part(code: str) -> Part:
    """CST keeps the data (custodian), IRCP and whatever else receives reads them; an author, a witness, ... do neither (C20)."""
    if code == "CST":
        return Part.CUSTODIAN
    return Part.NEITHER if code in _NO_READERS else Part.READER
