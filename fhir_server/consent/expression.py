"""Consents as a part of every query: what of a type, in whichever custody, these rules let somebody read.

docs/decisions/0019-consent.md; the same is judged in memory by `decision`, and a property test proves that both agree.

A rule's conditions on data are compiled twice: `certain` holds for what surely fits them, `possible` for what may. A permit takes
the former and a deny the latter, all the way up: what is found is permitted whatever an undated or straddling resource turns out to be.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from fhir_server.consent.directive import Directive, in_force
from fhir_server.consent.facts import DOCUMENTS, MIME_TYPES
from fhir_server.consent.provision import DENY, Data, Interval, Provision
from fhir_server.consent.question import Known, Question, asked, custodians
from fhir_server.consent.vocabulary import CONFIDENTIALITY, DEFAULT, HIGHEST, LADDER, MIME, RESOURCE_TYPES, URI, Vocabulary, forms, names
from fhir_server.search.codings import AUTHOR, AUTHORING, CODING, REFERS, holding
from fhir_server.search.expression import EVERYTHING, NOTHING, And, Exactly, Expression, Has, HasPrefix, Not, Or, Present, Spans, WithId
from fhir_server.search.parameters import Parameters

_CUSTODIAN = "_custodian"


def permitted(
    directives: Iterable[Directive],
    question: Question,
    type: str,
    parameters: Parameters,
    vocabulary: Vocabulary,
    *,
    reached: Mapping[str, frozenset[str]] | None = None,
    roles: Mapping[str, frozenset[str]] | None = None,
) -> Expression:
    """Give what must hold for a resource of the type, about the one person whose directives these are.

    `reached` and `roles` are as in `Known`. NOTHING and EVERYTHING are the very objects.
    """
    compiler = _Compiler(question, type, parameters, vocabulary, Known(reached or {}, roles or {}))
    found = [compiler.directive(each) for each in in_force(directives, question.moment)]
    permits = any_of(each.permits for each in found)
    if len(found) == 1:
        return permits  # what one permits it does not deny
    return all_of([permits, negated(any_of(each.denies for each in found))])


class _Verdict(NamedTuple):
    """What a rule and its exceptions surely permit, and what they possibly deny."""

    permits: Expression
    denies: Expression


class _Match(NamedTuple):
    """What surely fits a rule's own conditions, and what possibly does."""

    certain: Expression
    possible: Expression


class _Compiler:
    """Compiles rules for one question and one type."""

    def __init__(self, question: Question, type: str, parameters: Parameters, vocabulary: Vocabulary, known: Known) -> None:
        self._question, self._type, self._vocabulary, self._known = question, type, vocabulary, known
        self._date = parameters.date(type)
        self._tokens, self._references = (sorted(codes) for codes in holding(parameters, type))

    def directive(self, directive: Directive) -> _Verdict:
        """Compile a Consent, for the custodians that it speaks of."""
        reached = EVERYTHING if directive.everywhere else _kept_by(directive.organizations)
        if directive.unclear:
            return _Verdict(NOTHING, reached)
        verdict = self._rule(directive.root, network_form=directive.network_form)
        return _Verdict(all_of([reached, verdict.permits]), all_of([reached, verdict.denies]))

    def _rule(self, rule: Provision, *, network_form: bool) -> _Verdict:
        certain, possible = self._match(rule, network_form=network_form)
        if possible is NOTHING:
            return _Verdict(NOTHING, NOTHING)
        exceptions = [self._rule(each, network_form=network_form) for each in rule.provisions]
        permitted, denied = any_of(each.permits for each in exceptions), any_of(each.denies for each in exceptions)
        kept = negated(denied)  # of exceptions that disagree, the deny wins (C36)
        if rule.type == DENY:
            permits = all_of([certain, permitted, kept])
            return _Verdict(permits, all_of([possible, negated(permits)]))
        own = permitted if rule.type is None else EVERYTHING
        return _Verdict(all_of([certain, own, kept]), all_of([possible, denied]))

    def _match(self, rule: Provision, *, network_form: bool) -> _Match:
        if rule.unclear:
            return _Match(NOTHING, EVERYTHING)
        of = custodians(rule, self._question, network_form=network_form)
        if asked(rule, self._question, self._vocabulary) is not None or of == frozenset():
            return _Match(NOTHING, NOTHING)
        whose = EVERYTHING if of is None else _kept_by(sorted(of))
        criteria = [self._time(rule.data_period)] if rule.data_period is not None else []
        criteria += [self._labels(rule.labels, denies=rule.type == DENY)] if rule.labels else []
        criteria += [_sure(any_of(map(self._class, rule.classes)))] if rule.classes else []
        criteria += [_sure(self._codes(rule.codes))] if rule.codes else []
        criteria += [_sure(any_of(map(self._data, rule.data)))] if rule.data else []
        return _Match(all_of([whose, *(each.certain for each in criteria)]), all_of([whose, *(each.possible for each in criteria)]))

    def _time(self, period: Interval) -> _Match:
        """Surely where all its dates lie inside; possibly where one touches it, or there is none (C08-C10)."""
        if self._date is None:
            return _Match(NOTHING, EVERYTHING)
        inside, outside, touching = (Spans(self._date, prefix, period.low, period.high) for prefix in ("eq", "ne", "ap"))
        return _Match(And((inside, Not(outside))), Or((touching, Not(Present(self._date)))))

    def _labels(self, labels: Sequence[str], *, denies: bool) -> _Match:
        """A permit of N covers what is at most N, a deny of R what is at least R (C24-C26)."""
        certain, possible = [], []
        for label in labels:
            system, _, code = label.rpartition("|")
            if system == CONFIDENTIALITY and code in LADDER:
                rung = LADDER.index(code)
                covered = negated(self._up_to(rung - 1)) if denies else self._up_to(rung)
                certain.append(covered)
                possible.append(covered)
            else:
                certain.append(_labelled(self._vocabulary.labels(label, possibly=False)))
                possible.append(_labelled(self._vocabulary.labels(label, possibly=True)))
        return _Match(any_of(certain), any_of(possible))

    def _up_to(self, rung: int) -> Expression:
        """The highest label of confidentiality is at most this one; without any it is N."""
        if rung >= HIGHEST or rung < 0:
            return EVERYTHING if rung >= HIGHEST else NOTHING
        below = negated(_labelled(self._vocabulary.above(rung)))
        if rung < DEFAULT:
            return all_of([_labelled(self._vocabulary.up_to(rung)), below])
        of_system = any_of(HasPrefix("_security", f"{name}|") for name in names(CONFIDENTIALITY))
        return all_of([below, negated(all_of([of_system, negated(_labelled(self._vocabulary.known))]))])

    def _class(self, token: str) -> Expression:
        """A type of resource, a profile (C37), a media type, or the type of a document."""
        system, _, code = token.partition("|")
        if system == RESOURCE_TYPES:
            return EVERYTHING if code == self._type else NOTHING
        if system == URI:
            return Has("_profile", code)
        if system == MIME:
            return Has(MIME_TYPES[self._type], code) if self._type in MIME_TYPES else NOTHING
        return any_of(Has(parameter, token) for parameter in DOCUMENTS.get(self._type, ()))

    def _codes(self, tokens: Iterable[str]) -> Expression:
        """A coding anywhere in the instance (C38)."""
        each = [form for token in tokens for form in forms(token)]
        return any_of([*(Has(code, form) for form in each for code in self._tokens), *(Exactly(CODING, form) for form in each)])

    def _data(self, data: Data) -> Expression:
        """The instance itself; what refers to it, or is joined with it by a chain; what somebody has written (C11-C16)."""
        reference = data.reference
        if data.meaning == "authoredby":
            authors = sorted(self._known.authors(reference))
            known = [code for code in self._references if code in AUTHORING]
            return any_of([*(Has(code, each) for each in authors for code in known), *(Exactly(AUTHOR, each) for each in authors)])
        itself = self._instances([reference])
        if data.meaning == "instance":
            return itself
        referring = [itself, *(Has(code, reference) for code in self._references), Exactly(REFERS, reference)]
        joined = self._known.reached.get(reference, frozenset()) if data.meaning == "related" else frozenset()
        return any_of([*referring, self._instances(sorted(joined))])

    def _instances(self, references: Sequence[str]) -> Expression:
        pairs = (reference.partition("/") for reference in references)
        ids = tuple(id for type, _, id in pairs if type == self._type)
        return WithId(ids) if ids else NOTHING


def _sure(expression: Expression) -> _Match:
    return _Match(expression, expression)


def _kept_by(organizations: Iterable[str]) -> Expression:
    return any_of(Has(_CUSTODIAN, each) for each in organizations)


def _labelled(labels: Iterable[str]) -> Expression:
    return any_of(Has("_security", label) for label in labels)


def all_of(parts: Iterable[Expression]) -> Expression:
    """Give what holds where every part does, as short as it can be said."""
    kept: dict[Expression, None] = {}
    for part in parts:
        if part == NOTHING:
            return NOTHING
        kept.update(dict.fromkeys(part.parts if isinstance(part, And) else (part,)))
    return EVERYTHING if not kept else next(iter(kept)) if len(kept) == 1 else And(tuple(kept))


def any_of(parts: Iterable[Expression]) -> Expression:
    """Give what holds where one part does, as short as it can be said."""
    kept: dict[Expression, None] = {}
    for part in parts:
        if part == EVERYTHING:
            return EVERYTHING
        kept.update(dict.fromkeys(part.parts if isinstance(part, Or) else (part,)))
    return NOTHING if not kept else next(iter(kept)) if len(kept) == 1 else Or(tuple(kept))


def negated(part: Expression) -> Expression:
    """Give what holds where the part does not."""
    if part == EVERYTHING:
        return NOTHING
    if part == NOTHING:
        return EVERYTHING
    return part.part if isinstance(part, Not) else Not(part)
