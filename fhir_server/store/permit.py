"""What a requester may do: for each interaction and type, the resources it holds for.

A Permit grants nothing unless told to. Its expressions are part of every query that the repository makes, so that what
is hidden looks exactly like what never was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from fhir_server.search.expression import EVERYTHING, NOTHING, And, Expression, OfType, Or


@dataclass(frozen=True, slots=True)
class Permit:
    """Expressions by (interaction, type); `otherwise` holds for the pairs that are not named.

    Interactions are the codes read, search-type, create, update and delete: vread and history are permitted as read
    is, an include and each step of a chain as search-type is.
    """

    granted: Mapping[tuple[str, str], Expression] = field(default_factory=dict)
    otherwise: Expression = NOTHING

    @classmethod
    def everything(cls) -> Self:
        """Permit every interaction with every resource."""
        return cls(otherwise=EVERYTHING)

    def covers(self, interaction: str, type: str) -> Expression:
        """Give what must hold for a resource of the type for the interaction to be permitted."""
        return self.granted.get((interaction, type), self.otherwise)

    def narrow(self, interaction: str, types: Sequence[str], expression: Expression) -> Expression:
        """Give the expression limited to what is permitted of each type."""
        limits = {type: self.covers(interaction, type) for type in types}
        first = next(iter(limits.values()), NOTHING)
        if all(limit == first for limit in limits.values()):
            return expression if first == EVERYTHING else And((first, expression))
        each = tuple(And((OfType((type,)), limit)) for type, limit in limits.items() if limit != NOTHING)
        return And((Or(each), expression))
