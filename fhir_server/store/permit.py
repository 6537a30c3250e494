"""What a requester may do: for each interaction and type, the resources it holds for.

A Permit grants nothing unless told to. Its expressions are part of every query that the repository makes, so that what
is hidden looks exactly like what never was. Where a permit grants nothing of a type at all, asking for the type is refused
(403): that follows from the permit alone, so it tells nothing of what is stored.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self, TypeAlias

from fhir_server.outcome import FhirError, Issue
from fhir_server.search.expression import EVERYTHING, NOTHING, And, Expression, OfType, Or, Within

Why: TypeAlias = Callable[[str, str], tuple[str, Sequence[tuple[str, str]]]]
"""Says why an interaction with a type is refused, for the client's developer, and the headers that go with it."""

_MOST_REMEMBERED = 200


@dataclass(frozen=True, slots=True)
class Permit:
    """Expressions by (interaction, type); `otherwise` holds for the pairs that are not named.

    Interactions are the codes read, search-type, create, update and delete: vread and the history of one resource are permitted
    as read is, the histories of types as read and search-type are both, an include and each step of a chain as search-type
    is. `fixed` are the elements of a type that no write may change; a new resource has none of them, and one that leaves them out
    keeps them. What is created is in custody of `custodian`; it may be about patients for whom `attaches` holds.
    `under` is the review of an emergency that it relies on ("Task/1"), with its `reason`.
    """

    granted: Mapping[tuple[str, str], Expression] = field(default_factory=dict)
    otherwise: Expression = NOTHING
    fixed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    why: Why | None = None
    custodian: str | None = None
    attaches: Expression = EVERYTHING
    under: str = ""
    reason: str = ""
    _limits: dict[tuple[str, tuple[str, ...]], Expression] = field(default_factory=dict, init=False, compare=False, repr=False)

    @classmethod
    def everything(cls, custodian: str | None = None) -> Self:
        """Permit every interaction with every resource."""
        return cls(otherwise=EVERYTHING, custodian=custodian)

    def covers(self, interaction: str, type: str) -> Expression:
        """Give what must hold for a resource of the type for the interaction to be permitted."""
        return self.granted.get((interaction, type), self.otherwise)

    def narrow(self, interaction: str, types: Sequence[str], expression: Expression) -> Expression:
        """Give the expression limited to what is permitted of each type."""
        limit = self._limit(interaction, tuple(types))
        return expression if limit == EVERYTHING else And((limit, expression))

    def _limit(self, interaction: str, types: tuple[str, ...]) -> Expression:
        """What is permitted of each type, made once: the same object is the same filter."""
        known = self._limits.get((interaction, types))
        if known is None:
            if len(self._limits) >= _MOST_REMEMBERED:
                self._limits.clear()
            known = self._limits[interaction, types] = self._narrowed(interaction, types)
        return known

    def _narrowed(self, interaction: str, types: tuple[str, ...]) -> Expression:
        groups: dict[Expression, list[str]] = {}
        for type in types:
            groups.setdefault(self.covers(interaction, type), []).append(type)
        if len(groups) == 1:
            first = next(iter(groups))
            return first if first in (EVERYTHING, NOTHING) else Within(first)
        return Within(Or(tuple(And((OfType(tuple(alike)), each)) for each, alike in _alternatives(groups).items())))

    def require(self, interaction: str, types: Sequence[str]) -> None:
        """Raise FhirError (403) where nothing of any of these types is permitted."""
        if types and all(self.covers(interaction, type) == NOTHING for type in types):
            raise self.refused(interaction, types[0])

    def refused(self, interaction: str, type: str) -> FhirError:
        """Give the failure of what is not permitted."""
        text, headers = self.why(interaction, type) if self.why is not None else ("This is not permitted", ())
        return FhirError(Issue("forbidden", text, (type,)), headers=headers)


def _alternatives(groups: Mapping[Expression, Sequence[str]]) -> dict[Expression, list[str]]:
    """Give each alternative once, with the types that have it: what many have in common is not said for each of them."""
    found: dict[Expression, list[str]] = {}
    for limit, types in groups.items():
        for part in limit.parts if isinstance(limit, Or) else (limit,):
            if part != NOTHING:
                found.setdefault(part, []).extend(types)
    return found
