"""What an evaluation knows besides its input: variables, `$this`, the clock, how much it may still cost."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from profiles.fhirpath.error import FhirPathError, FhirPathLimitError
from profiles.fhirpath.items import NONE, Item, Items, made
from profiles.fhirpath.navigation import Navigation
from profiles.fhirpath.temporal import Temporal

MAX_STEPS = 200_000
"""Items that an evaluation may visit: about 0.1 s."""

_SYSTEMS = {"ucum": "http://unitsofmeasure.org", "sct": "http://snomed.info/sct", "loinc": "http://loinc.org"}
_VALUE_SET = "http://hl7.org/fhir/ValueSet/"
_EXTENSION = "http://hl7.org/fhir/StructureDefinition/"


class Context:
    """One evaluation. `this`, `position` and `total` are set and restored by the functions that take a condition."""

    __slots__ = ("_now", "_variables", "navigation", "position", "resource", "root", "steps", "this", "total")

    def __init__(
        self,
        navigation: Navigation,
        this: Item,
        *,
        resource: Item,
        root: Item,
        variables: Mapping[str, Any] | None = None,
        steps: int = MAX_STEPS,
    ) -> None:
        self.navigation = navigation
        self.this: Items = (this,)
        self.resource = resource
        self.root = root
        self.position = 0
        self.total: Items = NONE
        self.steps = steps
        self._now: datetime | None = None
        self._variables: dict[str, Any] = {"context": self.this, **(variables or {})}

    def spend(self, steps: int) -> None:
        """Count the items visited; FhirPathLimitError when they are too many."""
        self.steps -= steps
        if self.steps < 0:
            raise FhirPathLimitError(f"the evaluation takes more than {MAX_STEPS} steps")

    def variable(self, name: str) -> Items:
        """Give `%name`; FhirPathError where there is none. A resource as variable is a dict with resourceType."""
        if name == "resource":
            return (self.resource,)
        if name == "rootResource":
            return (self.root,)
        if name in _SYSTEMS:
            return made(_SYSTEMS[name])
        if name in self._variables:
            return _items(self._variables[name])
        if name.startswith("vs-"):
            return made(_VALUE_SET + name[3:])
        if name.startswith("ext-"):
            return made(_EXTENSION + name[4:])
        raise FhirPathError("a variable of this name is not defined")

    def now(self) -> datetime:
        """Give the moment of the evaluation, always the same within it."""
        if self._now is None:
            self._now = datetime.now().astimezone()
        return self._now

    def moment(self) -> Temporal:
        """Give that moment as a dateTime with milliseconds."""
        return Temporal.parse(self.now().isoformat(timespec="milliseconds"), "dateTime")


Run: TypeAlias = Callable[[Context, Items], Items]
"""A compiled expression: from what it is evaluated on to what it gives."""


def _items(value: Any) -> Items:
    match value:
        case tuple():
            return value
        case list():
            return tuple(item for each in value for item in _items(each))
        case {"resourceType": str() as type}:
            return ((type, value, None),)
    return made(value)
