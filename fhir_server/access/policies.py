"""What consents that every query asks itself come to: persons who allow the same are one policy, compiled once for whoever asks.

docs/decisions/0022-custody.md
"""

from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from fhir_server.consent.directive import Directive, actors, authors, chains, in_force
from fhir_server.consent.expression import permitted
from fhir_server.consent.making import Maker
from fhir_server.consent.question import Known, Question
from fhir_server.consent.register import Snapshot
from fhir_server.consent.vocabulary import vocabulary
from fhir_server.search.expression import Expression
from fhir_server.search.parameters import Parameters
from fhir_server.store.sharing import Shared

_WHATEVER: Final = "Basic"  # the type for which a policy is compiled that asks nothing of the data
_MOST_COMPILED, _MOST_KNOWN = 5_000, 20_000


class Policy:
    """Consents in force, without whose they are; compared by identity, since `Policies` makes equal ones once."""

    def __init__(self, directives: tuple[Directive, ...]) -> None:
        self.directives = directives
        rules = [rule for each in directives for rule in each.root.walk()]
        self.actors = actors(directives)
        self.finds = bool(chains(directives) or authors(directives))
        self._about_data = any(rule.about_data for rule in rules)
        periods = [rule.period for rule in rules if rule.period is not None]
        self._bounds = sorted(bound for period in periods for bound in (period.low, period.high + 1))
        self._compiled: dict[tuple[object, ...], Expression] = {}

    def permits(self, question: Question, type: str, parameters: Parameters, known: Known) -> Expression:
        """Give what must hold for a resource of the type, about one whose policy this is."""
        type = type if self._about_data else _WHATEVER
        if self.finds:  # what was found out may be another thing the next time
            return self._compile(question, type, parameters, known)
        key = (question.organizations, question.people & self.actors, question.purpose, bisect(self._bounds, question.moment), type)
        found = self._compiled.get(key)
        if found is None:
            if len(self._compiled) >= _MOST_COMPILED:
                self._compiled.clear()
            found = self._compiled[key] = self._compile(question, type, parameters, known)
        return found

    def _compile(self, question: Question, type: str, parameters: Parameters, known: Known) -> Expression:
        return permitted(self.directives, question, type, parameters, vocabulary(), reached=known.reached, roles=known.roles)


@dataclass(frozen=True)
class Asked:
    """What every query asks of some persons' consents: each policy with those whose it is."""

    policies: tuple[tuple[Policy, tuple[Shared, ...]], ...] = ()
    actors: frozenset[str] = frozenset()
    chains: frozenset[str] = frozenset()
    authors: frozenset[str] = frozenset()


NOTHING_ASKED: Final = Asked()


class Policies:
    """Gives what is asked at the moment of a snapshot; what was made for an earlier one is taken over where it still holds."""

    def __init__(self, maker: Maker) -> None:
        self._maker = maker
        self._known: dict[tuple[Directive, ...], Policy] = {}
        self._of: dict[str, tuple[int, tuple[Directive, ...], tuple[Directive, ...], Policy]] = {}
        self._made: tuple[int, Asked] = (-1, NOTHING_ASKED)

    def asked(self, snapshot: Snapshot) -> Asked:
        """Give it; the same object for the same snapshot."""
        if self._made[0] != snapshot.version:
            self._made = snapshot.version, self._asked(snapshot)
        return self._made[1]

    def _asked(self, snapshot: Snapshot) -> Asked:
        persons: dict[Policy, list[Shared]] = {}
        for person, policy in self._each(snapshot):
            persons.setdefault(policy, []).append(person)
        finding = [directive for policy in persons if policy.finds for directive in policy.directives]
        return Asked(
            tuple((policy, tuple(several)) for policy, several in persons.items()),
            frozenset[str]().union(*(policy.actors for policy in persons)),
            chains(finding),
            authors(finding),
        )

    def _each(self, snapshot: Snapshot) -> Iterator[tuple[Shared, Policy]]:
        before, self._of = self._of, {}
        for person in snapshot.asked:
            old = before.get(person.id)
            directives = old[1] if old is not None and old[0] == person.revision else self._maker.directives(person)
            counting = in_force(directives, snapshot.moment)
            policy = old[3] if old is not None and _same(old[2], counting) else self._policy(counting)
            self._of[person.id] = person.revision, directives, counting, policy
            if counting:
                yield person, policy

    def _policy(self, directives: tuple[Directive, ...]) -> Policy:
        """The policy that these make, whoever gave them and when: they all count."""
        bare = tuple(replace(each, reference="", patient="", published_at=0, date_time=0) for each in directives)
        found = self._known.get(bare)
        if found is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            found = self._known[bare] = Policy(bare)
        return found


def _same(before: Sequence[Directive], after: Sequence[Directive]) -> bool:
    return len(before) == len(after) and all(one is other for one, other in zip(before, after, strict=True))
