"""What a facility may read, as a part of every query: its own, what patients share with it, what an emergency opens.

CONSENT.md, NETWORK.md §0.1 (D1-D11); docs/decisions/0019-consent.md, 0022-custody.md

Documents say which facilities may read them (`_reader`). Where they do not say all (a consent has just changed, or has conditions), those
patients are taken out of that, and their consents are asked themselves.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from fhir_server.access.policies import Asked, Policy
from fhir_server.access.roles import DEFINITIONS, DIRECTORY
from fhir_server.consent.emergencies import Opening
from fhir_server.consent.question import Known, Question
from fhir_server.consent.register import Snapshot
from fhir_server.consent.vocabulary import ACT_REASON, LADDER, TREAT, vocabulary
from fhir_server.search.entries import ABOUT, SEVERAL
from fhir_server.search.expression import EVERYTHING, NOTHING, And, Expression, ForPatient, Has, Not, OfType, Or, Within
from fhir_server.search.parameters import Parameters
from fhir_server.store.custody import BARRED, CUSTODIAN, NETWORK, READER, SHARED_BY_NETWORK
from fhir_server.store.sharing import Shared

OPEN: Final = DIRECTORY | DEFINITIONS | {"Medication"}
"""Types that tell of no patient: every member reads them. What a prescription refers to has to be seen with it."""

_NOT_EVEN_THEN: Final = Not(Or(tuple(Has("_security", each) for each in vocabulary().above(LADDER.index("R")))))
"""What the law keeps from everybody but its custodian stays so in an emergency, too."""


@dataclass(frozen=True)
class Facts:
    """What was found out for one request, beside who asks: `people` whom the requester is or belongs to, what is `known` of what
    consents name; `opening` is an emergency, `opened` the patients it is limited to; `own` are the Patients that a patient is, `chosen`
    those that the one chosen at the launch is.
    """

    people: frozenset[str] = frozenset()
    known: Known = field(default_factory=Known)
    opening: Opening | None = None
    opened: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    chosen: tuple[str, ...] = ()


@dataclass(frozen=True)
class Visibility:
    """What one facility's requester may read at the moment of a snapshot; `asked` what consents say that documents do not."""

    snapshot: Snapshot
    asked: Asked
    parameters: Parameters
    organization: str
    purpose: str
    facts: Facts

    @cached_property
    def question(self) -> Question:
        """Who asks, as consents see it."""
        organizations = (self.organization, *self.snapshot.ancestors(self.organization))
        return Question(organizations, people=self.facts.people, purpose=self.purpose, moment=self.snapshot.moment)

    def expression(self, type: str) -> Expression:
        """Give what must hold for a resource of the type to be read."""
        if type in OPEN:
            return EVERYTHING
        parts = [Has(CUSTODIAN, self.organization), *self._shared(type), *self._in_emergency(type)]
        if type == "Communication":
            parts.append(And((Has(CUSTODIAN, NETWORK), Has("recipient", self.organization))))  # what the network told it (F061)
        return EVERYTHING if EVERYTHING in parts else parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _shared(self, type: str) -> list[Expression]:
        """What others share; nothing with a facility that does not take part, and nothing of one that has left (D11)."""
        if not self.snapshot.takes_part(self.organization):
            return []
        departed = [Not(Has(CUSTODIAN, each)) for each in self.snapshot.departed]
        found = [self._by_documents(), *(self._by_consents(policy, persons, type) for policy, persons in self.asked.policies)]
        parts = [_all([each, *departed]) for each in found if each != NOTHING]
        return [each for each in parts if each != NOTHING]

    def _by_documents(self) -> Expression:
        """What the documents say; they say it for treatment, and what is a kind of treatment (C02, C30)."""
        if self.snapshot.stale is None or not vocabulary().is_for(self.question.purpose, f"{ACT_REASON}|{TREAT}"):
            return NOTHING
        own = self.question.organizations
        readers: Expression = Has(READER, own[0])
        if len(own) > 1:
            named, barred = (Or(tuple(Has(entry, each) for each in own)) for entry in (READER, BARRED))
            theirs = Or(tuple(Has(CUSTODIAN, each) for each in own[1:]))
            readers = And((named, Not(barred), Not(theirs)))
        stale = [patient for person in self.snapshot.stale for patient in _patients(person)]
        return _all([readers, Not(_about(stale))]) if stale else readers

    def _by_consents(self, policy: Policy, persons: Iterable[Shared], type: str) -> Expression:
        """What the consents of these persons say themselves; of resources about others, too, nothing."""
        found = policy.permits(self.question, type, self.parameters, self.facts.known)
        if found == NOTHING:
            return NOTHING
        network = Has(CUSTODIAN, NETWORK)
        found = Or((found, network)) if type in SHARED_BY_NETWORK else _all([found, Not(network)])
        members = dict.fromkeys(member for person in persons for member in person.members)
        there = (
            OfType((type,)) if any(person.special for person in persons) else EVERYTHING
        )  # of what is deleted no condition can be judged
        return Within(_all([there, _about(members), Not(Has(ABOUT, SEVERAL)), found]))  # so MongoDB looks at custodian and readers first

    def _in_emergency(self, type: str) -> list[Expression]:
        """What an emergency or a disaster opens (D9)."""
        opening = self.facts.opening
        if opening is None or not self.snapshot.takes_part(self.organization):
            return []
        parts: list[Expression] = [_NOT_EVEN_THEN] if type in SHARED_BY_NETWORK else [_NOT_EVEN_THEN, Not(Has(CUSTODIAN, NETWORK))]
        if opening.custodians is not None:
            parts.append(Or(tuple(Has(CUSTODIAN, each) for each in (*opening.custodians, NETWORK))))
        if opening.patients is not None:
            parts.append(_about(self.facts.opened))
        return [And(tuple(parts))]


def _patients(person: Shared) -> Iterable[str]:
    return dict.fromkeys((person.id, *person.members, *person.former))


def _about(patients: Iterable[str]) -> Expression:
    """The resource tells of one of the patients: by its lead parameter, or otherwise."""
    found: list[Expression] = []
    for patient in patients:
        found += [ForPatient(patient), Has(ABOUT, patient)]
    return Or(tuple(found))


def _all(parts: Iterable[Expression]) -> Expression:
    kept = tuple(part for part in parts if part != EVERYTHING)
    if NOTHING in kept:
        return NOTHING
    return kept[0] if len(kept) == 1 else And(kept)
