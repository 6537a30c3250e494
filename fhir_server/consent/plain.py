"""Plain policies: those that name organizations and nothing else, so that documents themselves can say who may read them.

docs/decisions/0019-consent.md, 0022-custody.md

Nearly every consent of the network is of this kind. Where a policy has conditions on data, people or purposes, its rules are asked
in each query instead (`expression`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fhir_server.consent.decision import decide
from fhir_server.consent.directive import Directive, in_force
from fhir_server.consent.facts import Facts
from fhir_server.consent.provision import DENY, Part, Provision
from fhir_server.consent.question import Question, asked
from fhir_server.consent.vocabulary import ACT_REASON, TREAT, vocabulary

_ORGANIZATION = "Organization/"
_UNNAMED = "Organization/ "  # which nobody is, so that no consent names it
_TREATMENT = (f"{ACT_REASON}|{TREAT}",)


@dataclass(frozen=True, slots=True)
class Plain:
    """For each custodian the organizations that may read, for TREAT and what is a TREAT; nobody may for other purposes.

    `barred` are those that a rule excludes by name: whoever is part of one does not read by being part of another. `until` is the
    next moment (milliseconds since 1970) at which the clock alone may change any of it.
    """

    readers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    barred: frozenset[str] = frozenset()
    until: int | None = None


def plain(directives: Sequence[Directive], custodians: Iterable[str], moment: int) -> Plain | None:
    """Give the policy of a person as who may read whose data; None where it cannot be said so."""
    until = min((each for each in _changes(directives) if each > moment), default=None)
    counting = in_force(directives, moment)
    if not all(map(_is_plain, counting)):
        return None
    named = sorted({actor.reference for each in counting for rule in each.root.walk() for actor in rule.actors})
    readers: dict[str, tuple[str, ...]] = {}
    for custodian in dict.fromkeys(custodians):
        reading = tuple(each for each in (*named, _UNNAMED) if _reads(counting, each, custodian, moment))
        if _UNNAMED in reading:
            return None
        readers[custodian] = reading
    barred = frozenset(each for directive in counting for each in _barred(directive.root, (), moment))
    if any(not barred.isdisjoint(each) for each in readers.values()):
        return None
    return Plain(readers, barred, until)


def _changes(directives: Iterable[Directive]) -> Iterator[int]:
    """The moments at which a consent comes into force, or a rule begins or ends."""
    for directive in directives:
        if directive.status == "active" and directive.privacy and directive.published_at is not None:
            yield directive.published_at
            for rule in directive.root.walk():
                if rule.period is not None:
                    yield rule.period.low
                    yield rule.period.high + 1


def _is_plain(directive: Directive) -> bool:
    """Organizations only, whole data, for treatment where anything is permitted."""
    rules = tuple(directive.root.walk())
    permits = any(rule.type != DENY for rule in rules)
    return (
        not directive.unclear
        and directive.root.purposes in ((_TREATMENT,) if permits else ((), _TREATMENT))
        and not any(rule.purposes for rule in rules[1:])
        and not any(rule.unclear or rule.about_data for rule in rules)
        and all(actor.reference.startswith(_ORGANIZATION) for rule in rules for actor in rule.actors)
        and not any(rule.type == DENY and rule.actors and rule.provisions for rule in rules)
    )


def _reads(directives: Sequence[Directive], organization: str, custodian: str, moment: int) -> bool:
    question = Question((organization,), frozenset(), TREAT, moment)
    return decide(directives, question, Facts("Basic", "", custodian), vocabulary()).permits


def _barred(rule: Provision, around: frozenset[str] | tuple[()], moment: int) -> Iterator[str]:
    """The readers that a deny below the root takes out; where it names none, those of the nearest rule around it that does."""
    if asked(rule, Question((), frozenset(), TREAT, moment), vocabulary()) is not None:
        return
    own = frozenset(actor.reference for actor in rule.actors if actor.part is Part.READER)
    if rule.type == DENY:
        yield from own or around
    for each in rule.provisions:
        yield from _barred(each, own or frozenset(around), moment)
