"""The codes that consents are written in, and which of them says the same as another, or less.

https://terminology.hl7.org/CodeSystem-v3-ActReason.html (purposes)
https://terminology.hl7.org/CodeSystem-v3-Confidentiality.html
https://terminology.hl7.org/CodeSystem-v3-ActCode.html (sensitivity)

A token is "system|code"; the systems' older names are read as the present ones.
"""

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, Final

from terminology.service import Terminology, r4

_V3 = "http://terminology.hl7.org/CodeSystem/v3-"
ACT_REASON: Final = _V3 + "ActReason"
ACT_CODE: Final = _V3 + "ActCode"
CONFIDENTIALITY: Final = _V3 + "Confidentiality"
RESOURCE_TYPES: Final = "http://hl7.org/fhir/resource-types"
URI: Final = "urn:ietf:rfc:3986"
MIME: Final = "urn:ietf:bcp:13"
TREAT: Final = "TREAT"

_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        ACT_REASON: (ACT_REASON, "http://hl7.org/fhir/v3/ActReason", "urn:oid:2.16.840.1.113883.5.8"),
        ACT_CODE: (ACT_CODE, "http://hl7.org/fhir/v3/ActCode", "urn:oid:2.16.840.1.113883.5.4"),
        CONFIDENTIALITY: (CONFIDENTIALITY, "http://hl7.org/fhir/v3/Confidentiality", "urn:oid:2.16.840.1.113883.5.25"),
    }
)
_PRESENT = {name: system for system, names in _NAMES.items() for name in names}

LADDER: Final = ("U", "L", "M", "N", "R", "V")
"""Confidentiality from none to the highest. A resource without such a label counts as N."""
DEFAULT: Final = LADDER.index("N")
HIGHEST: Final = len(LADDER) - 1

# FHIR's package has ETH (substance abuse) beside SUD (substance use disorder) with ETHUD and OPIOIDUD under it. A rule on ETH means
# those too: https://terminology.hl7.org/ValueSet-v3-InformationSensitivityPolicy.html names ETH the policy on substance abuse.
_ALSO_BELOW: Mapping[str, tuple[str, ...]] = MappingProxyType({"ETH": ("SUD",)})

IMPLICIT: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "urn:tsunagi:implicit:permit-treatment": ("permit", (f"{ACT_REASON}|{TREAT}",)),
        "urn:tsunagi:implicit:permit-authorised": ("permit", ()),
        "urn:tsunagi:implicit:deny-all": ("deny", ()),
    }
)
"""What Consent.policy.uri says where neither the root rule nor policyRule does: the base, and the purposes it is for (none: any)."""


def token(coding: Mapping[str, Any]) -> str | None:
    """Give "system|code" of a Coding under the system's present name; None where it lacks either."""
    system, code = coding.get("system"), coding.get("code")
    if not (isinstance(system, str) and isinstance(code, str) and system and code):
        return None
    return f"{_PRESENT.get(system, system)}|{code}"


class Vocabulary:
    """The hierarchies of purposes and labels, from the code systems of a terminology."""

    def __init__(self, terminology: Terminology) -> None:
        self._terminology = terminology
        known = terminology.code_system(CONFIDENTIALITY)
        others = sorted((known.codes if known is not None else frozenset()) - frozenset(LADDER))
        self._off_ladder = tuple(f"{CONFIDENTIALITY}|{code}" for code in others)

    def is_for(self, purpose: str, of_rule: str) -> bool:
        """Tell whether a purpose is that of a rule or a kind of it: ETREAT is a TREAT, TREAT no ETREAT (C30).

        Both are codes of v3-ActReason, or tokens.
        """
        asked, of_rule = (each if "|" in each else f"{ACT_REASON}|{each}" for each in (purpose, of_rule))
        return asked == of_rule or asked in self._below(of_rule)

    def labels(self, label: str, *, possibly: bool) -> tuple[str, ...]:
        """Give every form of a security label that says what a rule's label asks for, or a kind of it (C29).

        Where `possibly`, also codes without a system: nobody can tell which they are of.
        """
        system = label.partition("|")[0]
        found = tuple(form for each in sorted(self._below(label) | {label}) for form in _forms(system, (each.rpartition("|")[2],)))
        return found + tuple(f"|{code}" for code in dict.fromkeys(each.rpartition("|")[2] for each in found)) if possibly else found

    def above(self, rung: int) -> tuple[str, ...]:
        """Give every form of the confidentiality labels above LADDER[rung].

        Codes off the ladder (celebrity, sensitive, taboo, ...) count as the highest. A code without a system counts as one of
        the ladder where that makes it more confidential than N.
        """
        codes = LADDER[rung + 1 :]
        bare = tuple(f"|{code}" for code in codes if LADDER.index(code) > DEFAULT)
        return _forms(CONFIDENTIALITY, codes) + bare + (self._off_ladder if rung < HIGHEST else ())

    def up_to(self, rung: int) -> tuple[str, ...]:
        """Give every form of the labels up to LADDER[rung]."""
        return _forms(CONFIDENTIALITY, LADDER[: rung + 1])

    @property
    def known(self) -> tuple[str, ...]:
        """Give every form of every known label of confidentiality."""
        return self.up_to(HIGHEST) + self._off_ladder

    def rung(self, labels: Iterable[str]) -> int:
        """Tell how confidential a resource with these labels ("system|code", "|code") is, as an index of LADDER.

        One whose labels of confidentiality are all unknown is of the highest.
        """
        known, bare, unknown = [], [], False
        for label in labels:
            system, _, code = label.rpartition("|")
            rung = LADDER.index(code) if code in LADDER else HIGHEST if label in self._off_ladder else None
            if system == "":
                bare += [rung] if rung is not None and rung > DEFAULT else []
            elif _PRESENT.get(system) == CONFIDENTIALITY:
                known += [rung] if rung is not None else []
                unknown = unknown or rung is None
        if known:
            return max(known + bare)
        return HIGHEST if unknown else max([DEFAULT, *bare])

    def _below(self, label: str) -> frozenset[str]:
        return _below(self._terminology, label)


def names(system: str) -> tuple[str, ...]:
    """Give all names of a code system, the present one first."""
    return _NAMES.get(system, (system,))


def forms(token: str) -> tuple[str, ...]:
    """Give a token under every name of its system."""
    system, _, code = token.rpartition("|")
    return _forms(system, (code,))


@cache
def vocabulary() -> Vocabulary:
    """Give the vocabulary of FHIR R4's own code systems, one for the process."""
    return Vocabulary(r4())


def _forms(system: str, codes: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{name}|{code}" for code in codes for name in names(system))


@lru_cache(maxsize=1024)
def _below(terminology: Terminology, label: str) -> frozenset[str]:
    """The tokens that a token subsumes; none where its code system has no hierarchy that counts here."""
    system, _, code = label.rpartition("|")
    known = terminology.code_system(system) if system in (ACT_REASON, ACT_CODE) else None
    if known is None:
        return frozenset()
    also = _ALSO_BELOW.get(code, ()) if system == ACT_CODE else ()
    return frozenset(f"{system}|{each}" for top in (code, *also) for each in known.below(top))
