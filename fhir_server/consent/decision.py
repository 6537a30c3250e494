"""What consents decide about one resource, with the reasons: the engine in memory, which explains and proves the compiled one.

docs/decisions/0019-consent.md

It asks the resource's JSON, not its index entries, and shares with `expression` only how rules are read and what codes mean.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from fhir_server.consent.directive import Directive, in_force
from fhir_server.consent.facts import Facts
from fhir_server.consent.provision import DENY, PERMIT, Data, Interval, Provision
from fhir_server.consent.question import Known, Question, Reason, asked, custodians
from fhir_server.consent.vocabulary import CONFIDENTIALITY, LADDER, MIME, RESOURCE_TYPES, URI, Vocabulary, forms

Outcome: TypeAlias = Literal["permit", "deny", "none"]

_ENDED = frozenset({"inactive"})
_COMING = frozenset({"draft", "proposed", "active"})


@dataclass(frozen=True, slots=True)
class Decision:
    """`permit`, `deny`, or `none` where no consent says anything, which denies too; `consents` ("Consent/1") are those relied on."""

    outcome: Outcome
    reasons: tuple[Reason, ...] = ()
    consents: tuple[str, ...] = ()

    @property
    def permits(self) -> bool:
        """Tell whether the resource may be read."""
        return self.outcome == "permit"


def decide(
    directives: Sequence[Directive],
    question: Question,
    facts: Facts,
    vocabulary: Vocabulary,
    *,
    reached: Mapping[str, frozenset[str]] | None = None,
    roles: Mapping[str, frozenset[str]] | None = None,
) -> Decision:
    """Decide by the directives of one person. Where one denies it is denied, whatever another permits (C34)."""
    judge = _Judge(question, facts, vocabulary, Known(reached or {}, roles or {}))
    verdicts = [(each, judge.directive(each)) for each in in_force(directives, question.moment) if each.reaches(facts.custodian)]
    denying = [(each, verdict) for each, verdict in verdicts if verdict.denies]
    if denying:
        return Decision("deny", _distinct(verdict.reasons for _, verdict in denying), tuple(each.reference for each, _ in denying))
    permitting = tuple(each.reference for each, verdict in verdicts if verdict.permits)
    if permitting:
        return Decision("permit", (Reason.CONSENTED,), permitting)
    reasons = _distinct(verdict.reasons for _, verdict in verdicts)
    return Decision(
        "none", reasons or _distinct([_unused(each, directives, question, facts) for each in directives]) or (Reason.NO_CONSENT,)
    )


def decide_for_all(
    persons: Mapping[str, Sequence[Directive]],
    question: Question,
    facts: Facts,
    vocabulary: Vocabulary,
    *,
    reached: Mapping[str, frozenset[str]] | None = None,
    roles: Mapping[str, frozenset[str]] | None = None,
) -> Decision:
    """Decide about a resource that tells of several patients: each of them has to permit it (C39).

    `persons` gives the directives by "Patient/1"; of a patient that it lacks there is no consent.
    """
    found = [decide(persons.get(each, ()), question, facts, vocabulary, reached=reached, roles=roles) for each in facts.patients]
    refusing = [each for each in found if not each.permits]
    if refusing or not found:
        outcome: Outcome = "deny" if any(each.outcome == "deny" for each in refusing) else "none"
        consents = tuple(dict.fromkeys(consent for each in refusing for consent in each.consents))
        return Decision(outcome, _distinct(each.reasons for each in refusing) or (Reason.NO_CONSENT,), consents)
    return Decision("permit", (Reason.CONSENTED,), tuple(dict.fromkeys(consent for each in found for consent in each.consents)))


class _Verdict(NamedTuple):
    """Whether a rule and its exceptions surely permit, and whether they possibly deny; and why not more."""

    permits: bool
    denies: bool
    reasons: tuple[Reason, ...] = ()


class _Judge:
    """Judges rules for one question and one resource."""

    def __init__(self, question: Question, facts: Facts, vocabulary: Vocabulary, known: Known) -> None:
        self._question, self._facts, self._vocabulary, self._known = question, facts, vocabulary, known
        self._rung = vocabulary.rung(facts.labels)

    def directive(self, directive: Directive) -> _Verdict:
        if directive.unclear:
            return _Verdict(permits=False, denies=True, reasons=(Reason.UNCLEAR,))
        verdict = self._rule(directive.root, network_form=directive.network_form)
        dissents = directive.base == DENY and verdict.denies
        return verdict._replace(reasons=(Reason.DISSENT,)) if dissents and not directive.root.unclear else verdict

    def _rule(self, rule: Provision, *, network_form: bool) -> _Verdict:
        unfit = self._unfit(rule, network_form=network_form)
        if unfit is not None and not rule.unclear:
            return _Verdict(permits=False, denies=False, reasons=(unfit,))
        certain, possible = (False, True) if rule.unclear else (self._fits(rule, possibly=False), self._fits(rule, possibly=True))
        if not possible:
            return _Verdict(permits=False, denies=False, reasons=(Reason.DATA_EXCLUDED,))
        exceptions = [self._rule(each, network_form=network_form) for each in rule.provisions]
        denying = [each for each in exceptions if each.denies]
        permits = certain and not denying and (rule.type == PERMIT or any(each.permits for each in exceptions))
        if rule.type == DENY:
            return _Verdict(permits, not permits, () if permits else (_why_denied(rule),))
        reasons = _distinct(each.reasons for each in denying) or (() if permits else (_why_silent(rule),))
        return _Verdict(permits, bool(denying), reasons)

    def _unfit(self, rule: Provision, *, network_form: bool) -> Reason | None:
        """Why the rule does not speak of this reader, purpose, moment and custodian; None where it does."""
        reason = asked(rule, self._question, self._vocabulary)
        of = custodians(rule, self._question, network_form=network_form)
        if reason is not None or of is None or self._facts.custodian in of:
            return reason
        return Reason.CUSTODIAN_NOT_NAMED if of else Reason.NOT_NAMED

    def _fits(self, rule: Provision, *, possibly: bool) -> bool:
        """Whether the resource fits the rule's conditions on data: surely, or possibly."""
        facts = self._facts
        return (
            (rule.data_period is None or _in_time(rule.data_period, facts.times, possibly=possibly))
            and (not rule.labels or any(self._labelled(each, denies=rule.type == DENY, possibly=possibly) for each in rule.labels))
            and (not rule.classes or any(map(self._of_class, rule.classes)))
            and (not rule.codes or any(form in facts.codings for each in rule.codes for form in forms(each)))
            and (not rule.data or any(map(self._concerned, rule.data)))
        )

    def _labelled(self, label: str, *, denies: bool, possibly: bool) -> bool:
        system, _, code = label.rpartition("|")
        if system == CONFIDENTIALITY and code in LADDER:
            rung = LADDER.index(code)
            return self._rung >= rung if denies else self._rung <= rung
        return not self._facts.labels.isdisjoint(self._vocabulary.labels(label, possibly=possibly))

    def _of_class(self, token: str) -> bool:
        system, _, code = token.partition("|")
        match system:
            case _ if system == RESOURCE_TYPES:
                return code == self._facts.type
            case _ if system == URI:
                return code in self._facts.profiles
            case _ if system == MIME:
                return code in self._facts.mime_types
        return token in self._facts.documents

    def _concerned(self, data: Data) -> bool:
        facts, key = self._facts, f"{self._facts.type}/{self._facts.id}"
        if data.meaning == "authoredby":
            return not facts.authors.isdisjoint(self._known.authors(data.reference))
        if key == data.reference or data.meaning == "instance":
            return key == data.reference
        reached = self._known.reached.get(data.reference, ()) if data.meaning == "related" else ()
        return data.reference in facts.references or key in reached


def _in_time(period: Interval, times: Sequence[Interval], *, possibly: bool) -> bool:
    if possibly:
        return not times or any(low <= period.high and high >= period.low for low, high in times)
    return bool(times) and all(period.low <= low and high <= period.high for low, high in times)


def _why_denied(rule: Provision) -> Reason:
    """What a deny among the exceptions means to whom it hits."""
    if rule.unclear:
        return Reason.UNCLEAR
    if rule.about_data:
        return Reason.DATA_EXCLUDED
    if rule.period is not None:
        return Reason.TEMPORARILY_STOPPED
    if rule.actors:
        return Reason.PARTLY_STOPPED
    return Reason.PURPOSE if rule.purposes else Reason.DISSENT


def _why_silent(rule: Provision) -> Reason:
    """Why a rule that fits, and is denied by no exception, permits nothing."""
    if rule.unclear:
        return Reason.UNCLEAR
    return Reason.NO_CONSENT if rule.type is None else Reason.DATA_EXCLUDED


def _unused(directive: Directive, directives: Sequence[Directive], question: Question, facts: Facts) -> tuple[Reason, ...]:
    """Why a consent is not asked at all."""
    if not directive.privacy:
        return ()
    if directive.status in _ENDED:
        return (Reason.STOPPED,)
    if not directive.published(question.moment):
        return (Reason.NOT_PUBLISHED,) if directive.status in _COMING else ()
    if not directive.reaches(facts.custodian):
        return (Reason.CUSTODIAN_NOT_NAMED,)
    return () if directive in in_force(directives, question.moment) else (Reason.SUPERSEDED,)


def _distinct(reasons: Iterable[tuple[Reason, ...]]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(reason for each in reasons for reason in each))
