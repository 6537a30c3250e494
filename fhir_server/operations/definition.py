"""What an OperationDefinition says of how its operation is called.

https://hl7.org/fhir/R4/operationdefinition.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from profiles.primitives import CHECKS

SYSTEM, TYPE, INSTANCE = "system", "type", "instance"
_EVERY_TYPE = "Resource"
_WITH_SEARCH = frozenset({"Observation-lastn"})  # "any of the search parameters": OperationDefinition has no way to list them


@dataclass(frozen=True, slots=True)
class Parameter:
    """One input parameter; `type` is a FHIR type's name, `many` tells that it may repeat."""

    name: str
    type: str
    required: bool
    many: bool

    @property
    def primitive(self) -> bool:
        """Whether its value can be written in an address."""
        return self.type in CHECKS


@dataclass(frozen=True, slots=True)
class Operation:
    """How an operation is called.

    `types` are the resource types it is defined for, None where it is for every one. `searches` tells that it takes the
    search parameters of its type beside its own, `changes` that its definition says it changes something.
    """

    id: str
    code: str
    url: str
    types: frozenset[str] | None
    levels: frozenset[str]
    parameters: Mapping[str, Parameter]
    searches: bool = False
    changes: bool = False

    @property
    def by_get(self) -> bool:
        """Whether it may be called by GET: it changes nothing, and an address can hold all that it needs.

        R4's definitions leave `affectsState` out. Those of their operations that change something need a parameter
        that no address can hold.
        """
        return not self.changes and all(parameter.primitive for parameter in self.parameters.values() if parameter.required)

    def serves(self, type: str | None, level: str) -> bool:
        """Tell whether the operation exists for this type (None: the system) at this level."""
        return level in self.levels and (type is None or self.types is None or type in self.types)


def operation(definition: Mapping[str, Any]) -> Operation:
    """Read an OperationDefinition."""
    types = frozenset(definition.get("resource", ()))
    taken = [each for each in definition.get("parameter", ()) if each["use"] == "in"]
    return Operation(
        id=definition["id"],
        code=definition["code"],
        url=definition["url"],
        types=None if _EVERY_TYPE in types else types,
        levels=frozenset(level for level in (SYSTEM, TYPE, INSTANCE) if definition[level]),
        parameters={each["name"]: _parameter(each) for each in taken},
        searches=definition["id"] in _WITH_SEARCH,
        changes=definition.get("affectsState") is True,
    )


def _parameter(definition: Mapping[str, Any]) -> Parameter:
    return Parameter(definition["name"], definition.get("type", "BackboneElement"), definition["min"] > 0, definition["max"] != "1")
