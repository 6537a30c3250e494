"""Who asks to read, for what and when; and what of a rule can be told from that alone, before any data is looked at.

https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision; NETWORK.md F012, D2, D3, D6
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from fhir_server.consent.provision import DENY, Part, Provision
from fhir_server.consent.vocabulary import Vocabulary

_READING: Final = frozenset({"access", "disclose"})  # the one facility discloses, the other accesses


class Reason(StrEnum):
    """Why somebody sees, or does not see, data of a patient; told without any of the data."""

    CONSENTED = "consented"
    NO_CONSENT = "no-consent"
    NOT_PUBLISHED = "not-published"
    STOPPED = "stopped"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    NOT_YET = "not-yet"
    PURPOSE = "purpose"
    ACTION = "action"
    NOT_NAMED = "not-named"
    CUSTODIAN_NOT_NAMED = "custodian-not-named"
    DATA_EXCLUDED = "data-excluded"
    PARTLY_STOPPED = "partly-stopped"
    TEMPORARILY_STOPPED = "temporarily-stopped"
    DISSENT = "dissent"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Question:
    """Who asks: `organizations` are his own facility and, after it, those it is part of; `people` everything else that he is
    or belongs to at this moment ("Practitioner/1", "PractitionerRole/1", "Group/1", "CareTeam/1", "Device/1", ...).

    `purpose` is a code of v3-ActReason, or "system|code" of another system; `moment` milliseconds since 1970.
    """

    organizations: tuple[str, ...]
    people: frozenset[str]
    purpose: str
    moment: int

    def among(self, references: frozenset[str]) -> frozenset[str]:
        """Give those of the references that name the one who asks, or what he belongs to (C18)."""
        return frozenset(each for each in self.organizations if each in references) | (self.people & references)


@dataclass(frozen=True, slots=True)
class Known:
    """What the caller has found out about the instances and authors that rules name, see `directive.chains` and `authors`.

    `reached` gives for an instance the resources ("Type/id") that a chain of references joins with it; `roles` for a
    Practitioner the PractitionerRoles that are hers.
    """

    reached: Mapping[str, frozenset[str]] = field(default_factory=dict)
    roles: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def authors(self, reference: str) -> frozenset[str]:
        """Give all references under which the author may have written."""
        return self.roles.get(reference, frozenset()) | {reference}


def asked(rule: Provision, question: Question, vocabulary: Vocabulary) -> Reason | None:
    """Give None where the rule speaks of reading for this purpose at this moment, else what it does not fit."""
    if rule.period is not None and question.moment < rule.period.low:
        return Reason.NOT_YET
    if rule.period is not None and question.moment > rule.period.high:
        return Reason.EXPIRED
    if rule.actions and not _READING.intersection(rule.actions):
        return Reason.ACTION
    if rule.purposes and not any(vocabulary.is_for(question.purpose, each) for each in rule.purposes):
        return Reason.PURPOSE
    return None


def custodians(rule: Provision, question: Question, *, network_form: bool) -> frozenset[str] | None:
    """Give the custodians for whose data the rule's actors fit the one who asks; None: whoever's; none: he is not named.

    In a network form those named share with each other: a permit names the reader and, beside him, the custodian (D2, D3); a deny
    takes out whoever it names on either side (D6). Elsewhere actors are recipients, and those with the role CST limit whose data.
    """
    if not rule.actors:
        return None
    named = question.among(rule.readers)
    if network_form and rule.type == DENY:
        return None if named else rule.keepers | rule.readers
    if network_form:
        others = rule.keepers | rule.readers
        return (others if len(named) > 1 else others - named) if named else named
    if not named and (rule.readers or any(each.part is Part.NEITHER for each in rule.actors)):
        return frozenset()
    return rule.keepers or None
