"""The persons whose documents do not say all there is to say: which of them a query must not believe, and which it asks itself.

Of ten thousand consents published at once a query cannot ask each: it asks the newest, and the others are seen when their documents say so.
What must not be seen any more is never left to that. docs/decisions/0022-custody.md
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import Final

from fhir_server.consent.making import Maker
from fhir_server.store.sharing import Shared

NEVER: Final = 1 << 60
MOST_STALE: Final = 2_000
"""More persons in a query make it slow: then documents are not relied on until most are settled."""
MOST_ASKED: Final = 5_000
MOST_PLAIN: Final = 200
"""Newly allowed by plain policies, and asked for before the documents say so."""
_LEAP: Final = 3_600_000  # a clock that is set back by more than this, in milliseconds, is not followed


class Waiting:
    """Keeps them, as the register learns of them; each by itself costs nothing at the moment of a request."""

    def __init__(self, maker: Maker) -> None:
        self._maker = maker
        self._stale: dict[str, Shared] = {}
        self._ending: dict[str, Shared] = {}
        self._telling: dict[str, Shared] = {}
        self._plain: dict[str, Shared] = {}
        self._bounds: dict[str, tuple[int, ...]] = {}

    def learn(self, persons: Iterable[Shared]) -> None:
        """Take these in the place of what was known of them."""
        now = self._maker.moment() - _LEAP
        for each in sorted(persons, key=lambda person: person.revision):
            for known in (self._stale, self._ending, self._telling, self._plain, self._bounds):
                known.pop(each.id, None)
            if each.stale:
                self._stale[each.id] = each
            if each.until is not None:
                self._ending[each.id] = each
            if _tells(each):
                (self._telling if each.special or each.stale else self._plain)[each.id] = each
            if bounds := tuple(bound for bound in self._maker.boundaries(each) if bound > now):
                self._bounds[each.id] = bounds

    def at(self, moment: int) -> tuple[tuple[Shared, ...] | None, tuple[Shared, ...]]:
        """Give those whose documents may say too much (None: too many), and those who are to be asked."""
        ended = [each for each in self._ending.values() if _milliseconds(each.until) <= moment]
        stale = self._stale | {each.id: each for each in ended}
        asked = {each.id: each for each in (*ended, *islice(reversed(self._telling.values()), MOST_ASKED)) if _may_be_asked(each)}
        asked |= {each.id: each for each in islice(reversed(self._plain.values()), MOST_PLAIN)}
        return (tuple(stale.values()) if len(stale) <= MOST_STALE else None), tuple(asked.values())

    def boundaries(self, moment: int) -> Iterable[int]:
        """When the clock changes something after this moment."""
        return (bound for bounds in self._bounds.values() for bound in bounds if bound > moment)


def _may_be_asked(person: Shared) -> bool:
    """Nobody reads while a change is under way."""
    return bool(person.members and person.consents) and not person.locks


def _tells(person: Shared) -> bool:
    return _may_be_asked(person) and (person.special or not person.written or bool(person.former))


def _milliseconds(moment: datetime | None) -> int:
    return NEVER if moment is None else round(moment.timestamp() * 1000)
