"""One Consent, read: whose it is, in force from when, for whose data, and its rules.

https://hl7.org/fhir/R4/consent.html; docs/decisions/0019-consent.md (which of several consents count)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Any, Final

from fhir_server.consent.provision import DEEPEST, DENY, PERMIT, Provision, codings, local, provision
from fhir_server.consent.vocabulary import IMPLICIT
from fhir_server.exchange import Resource
from fhir_server.search.types.date import spanned
from fhir_server.search.types.sortable import BEGINNING

NETWORK_FORM: Final = "urn:tsunagi:policy:"
"""How the policy of a consent to share among facilities begins: each named facility reads what the others hold (F012)."""

_PRIVACY = "patient-privacy"
_BY_RULE = {"OPTIN": PERMIT, "OPTINR": PERMIT, "OPTOUT": DENY, "OPTOUTE": DENY}  # v3-ActCode, _ActConsentDirective


@dataclass(frozen=True, slots=True)
class Directive:
    """A Consent as the engine reads it.

    `organizations` are the custodians that enforce it, none: each; a network form concerns every custodian. `privacy` tells whether
    its scope is patient-privacy. `published_at` is when it was first verified, None: never. `date_time` is when it was given.
    The base decision is the type of `root`. Times are milliseconds since 1970. `unclear`: it denies all it reaches.
    """

    reference: str
    patient: str
    organizations: tuple[str, ...] = ()
    network_form: bool = False
    privacy: bool = True
    status: str = "active"
    published_at: int | None = None
    date_time: int = BEGINNING
    root: Provision = field(default_factory=Provision)
    unclear: bool = False

    @property
    def base(self) -> str | None:
        """What holds where no exception does: permit, deny, or None (it says nothing: cross-facility reads are denied)."""
        return self.root.type

    def published(self, moment: int) -> bool:
        """Tell whether it is active and was verified by then (D4)."""
        return self.status == "active" and self.privacy and self.published_at is not None and self.published_at <= moment

    @property
    def everywhere(self) -> bool:
        """Tell whether it speaks of every custodian's data; so does one whose custodian cannot be read."""
        return self.network_form or not self.organizations or "" in self.organizations

    def reaches(self, custodian: str | None) -> bool:
        """Tell whether it speaks of data in this custody."""
        return self.everywhere or custodian in self.organizations


def directive(resource: Resource, zone: tzinfo, base: str = "") -> Directive:
    """Read a Consent; `zone` is that of dates without a time, `base` this server's address."""
    read = _Consent(resource, zone, base)
    root = _rooted(provision(resource.get("provision", {}), zone, base), resource)
    return Directive(
        f"Consent/{resource.get('id', '')}",
        read.reference(resource.get("patient")),
        tuple(map(read.reference, read.many("organization"))),
        network_form=any(str(each.get("uri", "")).startswith(NETWORK_FORM) for each in read.many("policy")),
        privacy=any(each.get("code") == _PRIVACY for each in codings(resource.get("scope"))),
        status=str(resource.get("status", "")),
        published_at=min(read.verified(), default=None),
        date_time=read.given(),
        root=root,
        unclear=not read.clear or _too_deep(root),
    )


def in_force(directives: Iterable[Directive], moment: int) -> tuple[Directive, ...]:
    """Give those that count: of each custodian's the newest that is published; all of several as new, and all that are unclear."""
    groups: dict[object, list[Directive]] = {}
    for each in directives:
        if each.published(moment):
            key = each.reference if each.unclear else (each.network_form, frozenset(each.organizations))
            groups.setdefault(key, []).append(each)
    return tuple(each for group in groups.values() for each in group if each.date_time == max(other.date_time for other in group))


def among(directive: Directive, custodians: frozenset[str]) -> Directive | None:
    """Give a network form as it concerns these custodians: whom it shares with is one of them. None where it shares with nobody then."""
    root = directive.root
    if not directive.network_form or root.type != PERMIT or not root.actors:
        return directive
    kept = tuple(each for each in root.actors if each.reference in custodians)
    return replace(directive, root=replace(root, actors=kept)) if kept else None


def chains(directives: Iterable[Directive]) -> frozenset[str]:
    """Give the instances of which it has to be found out what leads to them by a chain of references (C13)."""
    return _data(directives, "related")


def authors(directives: Iterable[Directive]) -> frozenset[str]:
    """Give the authors that rules name: of a Practitioner it has to be found out what PractitionerRoles there are (C12)."""
    return _data(directives, "authoredby")


def actors(directives: Iterable[Directive]) -> frozenset[str]:
    """Give everybody whom a rule names: whether the caller belongs to a Group or CareTeam is found out when it is asked (C19)."""
    return frozenset(actor.reference for each in directives for rule in each.root.walk() for actor in rule.actors if actor.reference)


def _data(directives: Iterable[Directive], meaning: str) -> frozenset[str]:
    rules = (rule for each in directives for rule in each.root.walk())
    return frozenset(datum.reference for rule in rules for datum in rule.data if datum.meaning == meaning and datum.reference)


def _rooted(root: Provision, resource: Resource) -> Provision:
    """The root with its base decision: its own type, else what policyRule says, else what the policy implies."""
    if root.type is not None:
        return root
    for coding in codings(resource.get("policyRule")):
        if coding.get("code") in _BY_RULE:
            return replace(root, type=_BY_RULE[coding["code"]])
    for policy in resource.get("policy", ()) if "policyRule" not in resource else ():
        if isinstance(policy, dict) and policy.get("uri") in IMPLICIT:
            type, purposes = IMPLICIT[policy["uri"]]
            return replace(root, type=type, purposes=root.purposes or purposes)
    return root


def _too_deep(root: Provision) -> bool:
    level: Sequence[Provision] = (root,)
    for _ in range(DEEPEST + 1):
        level = [each for rule in level for each in rule.provisions]
    return bool(level)


class _Consent:
    """Reads what stands outside of the rules; `clear` becomes False at what cannot be understood."""

    def __init__(self, resource: Resource, zone: tzinfo, base: str) -> None:
        self._resource, self._zone, self._base = resource, zone, base
        self.clear = not {"modifierExtension", "implicitRules"} & resource.keys()

    def many(self, name: str) -> list[dict[str, Any]]:
        found = self._resource.get(name, [])
        kept = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
        self.clear = self.clear and isinstance(found, list) and len(kept) == len(found)
        return kept

    def reference(self, value: Any) -> str:
        found = local(value, self._base)
        self.clear = self.clear and found is not None
        return found or ""

    def verified(self) -> list[int]:
        spans = [
            spanned("dateTime", each.get("verificationDate"), self._zone)
            for each in self.many("verification")
            if each.get("verified") is True
        ]
        return [span[0] for span in spans if span is not None]

    def given(self) -> int:
        if "dateTime" not in self._resource:
            return BEGINNING
        span = spanned("dateTime", self._resource["dateTime"], self._zone)
        self.clear = self.clear and span is not None
        return span[0] if span is not None else BEGINNING
