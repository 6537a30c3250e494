"""One search parameter of a query, `name=value`, as an Expression: values, modifiers, chains, _has and _list.

https://hl7.org/fhir/R4/search.html#chaining
https://hl7.org/fhir/R4/search.html#has
https://hl7.org/fhir/R4/search.html#list
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from fhir_server.outcome import name_shown
from fhir_server.search.expression import EVERYTHING, NOTHING, And, Expression, Not, Or, Present, Related, RelatedBy, Tells, WithId
from fhir_server.search.limits import Limits
from fhir_server.search.parameters import Parameter, Parameters
from fhir_server.search.types import composite, special
from fhir_server.search.types.asked import Asked, Refused, unsupported_modifier
from fhir_server.search.types.escapes import split
from fhir_server.search.types.token import NEGATIVE

Leaf: TypeAlias = Callable[[str, int], Expression]
"""What is asked of the type that a chain has come to, after so many steps."""

_TYPES = {**composite.SIMPLE, "composite": composite}
_HAS = "_has:"
LIST = "_list"
_ALWAYS_PRESENT = ("_id", "_lastUpdated")


class UnknownParameter(Refused):
    """The type has no such search parameter: refused when handling is strict, ignored when it is lenient."""

    def __init__(self, type: str, code: str) -> None:
        super().__init__(f"{name_shown(type)} has no search parameter '{name_shown(code)}'", "not-supported")


class TooCostly(Refused):
    """The search asks for more than `Limits` allow."""

    def __init__(self, diagnostics: str) -> None:
        super().__init__(diagnostics, "too-costly")


@dataclass(slots=True)
class Conditions:
    """Makes Expressions of the searches that one query holds, and counts what they become."""

    parameters: Parameters
    asked: Asked
    limits: Limits
    alternatives: int = 0

    def condition(self, type: str, name: str, value: str, depth: int = 0) -> Expression:
        """Give the Expression of one `name=value` on a type. Raises Refused; UnknownParameter where the name means nothing."""
        if name.startswith(_HAS):
            return self._reverse(type, name, value, depth)
        if name == LIST:
            return self._listed(type, value)
        head, dot, rest = name.partition(".")
        code, _, modifier = head.partition(":")
        parameter = self.parameter(type, code)
        if dot:
            return self.chain(parameter, modifier, rest, lambda target, steps: self.condition(target, rest, value, steps), depth)
        if head.endswith(":"):
            raise Refused("A modifier is missing after the colon")
        if parameter.stands_for:
            others = tuple(self._values(self.parameter(type, other), value, modifier) for other in parameter.stands_for)
            nothing_of_it = modifier in NEGATIVE or (modifier == "missing" and value == "true")
            return And(others) if nothing_of_it and len(others) > 1 else one_of(others)
        return self._values(parameter, value, modifier)

    def parameter(self, type: str, code: str) -> Parameter:
        """Give a type's search parameter. Raises UnknownParameter."""
        parameter = self.parameters.of(type).get(code)
        if parameter is None:
            raise UnknownParameter(type, code)
        return parameter

    def _values(self, parameter: Parameter, value: str, modifier: str) -> Expression:
        if modifier == "missing":
            return _missing(parameter, value)
        module = special if parameter.code in special.SERVED else _TYPES[parameter.type]
        pieces = tuple(dict.fromkeys(split(value, ",")))
        if not all(pieces):
            raise Refused("A value is empty")
        if len(pieces) > self.limits.values:
            raise TooCostly(f"More than {self.limits.values} values for one search parameter")
        parts: tuple[Expression, ...] = tuple(self.counted(module.expression(parameter, piece, modifier, self.asked)) for piece in pieces)
        if len(parts) == 1:
            return parts[0]
        # :not of several values is none of them
        return And(parts) if modifier in NEGATIVE else one_of(parts)

    def counted(self, expression: Expression) -> Expression:
        """Count the alternatives of an Expression. Raises TooCostly where the query has too many."""
        self.alternatives += len(expression.parts) if isinstance(expression, Or) else 1
        if self.alternatives > self.limits.alternatives:
            raise TooCostly("The search has too many alternatives: name the types of references and chains, or ask for fewer values")
        return expression

    def chain(self, parameter: Parameter, modifier: str, rest: str, leaf: Leaf, depth: int) -> Expression:
        """Ask the leaf of what the reference leads to; `modifier` names the type, `rest` is how the chain goes on."""
        self._deeper(depth)
        if parameter.type != "reference":
            raise Refused(f"{parameter.code} is no reference: nothing can be chained to it", "not-supported")
        if modifier and modifier not in parameter.targets:
            raise unsupported_modifier(modifier[:64], "reference")
        if not modifier and len(parameter.targets) > self.limits.chain_targets:
            raise TooCostly(f"{parameter.code} can refer to any type: name it, as in {parameter.code}:Patient.name")
        by_expression: dict[Expression, list[str]] = {}
        refused: Refused | None = None
        for target in (modifier,) if modifier else parameter.targets:
            try:
                by_expression.setdefault(leaf(target, depth + 1), []).append(target)
            except TooCostly:
                raise
            except Refused as failure:  # another target may know what this one does not
                if refused is None or isinstance(refused, UnknownParameter):
                    refused = failure
        if not by_expression:
            raise refused or UnknownParameter(parameter.code, rest)
        return one_of(
            tuple(Related(parameter.code, tuple(types), expression, parameter.leads) for expression, types in by_expression.items())
        )

    def _reverse(self, type: str, name: str, value: str, depth: int) -> Expression:
        """`_has:Observation:patient:code`: an Observation whose patient this is, and whose code is the value."""
        self._deeper(depth)
        pieces = name.split(":", 3)
        if len(pieces) < 4:
            raise Refused("_has is written as _has:Type:reference:parameter")
        _, source, code, rest = pieces
        if source not in self.parameters.types:
            raise UnknownParameter(source[:64], code)
        parameter = self.parameter(source, code)
        if parameter.type != "reference" or type not in parameter.targets:
            raise Refused(f"{code} of {source} cannot refer to {type}", "not-supported")
        return RelatedBy(source, code, self.condition(source, rest, value, depth + 1))

    def _listed(self, type: str, value: str) -> Expression:
        """In a List: what its entries refer to, which is `_has:List:item:_id`. One that is hidden or absent has no entries."""
        if value.startswith("$"):
            raise Refused("Functional lists such as $current-problems are not served: name a List by its id", "not-supported")
        lists = self._values(self.parameter("List", "_id"), value, "")
        return RelatedBy("List", "item", lists) if type in self.parameter("List", "item").targets else NOTHING

    def _deeper(self, depth: int) -> None:
        if depth >= self.limits.chain:
            raise TooCostly(f"Chains longer than {self.limits.chain} are not served (setting chain_depth)")


def _missing(parameter: Parameter, value: str) -> Expression:
    """https://hl7.org/fhir/R4/search.html#missing."""
    if parameter.type == "composite" or parameter.code in special.LOOKED_THROUGH:
        raise unsupported_modifier("missing", "composite" if parameter.type == "composite" else parameter.code)
    if value not in ("true", "false"):
        raise Refused("The value of :missing is true or false")
    if parameter.code in _ALWAYS_PRESENT:
        return NOTHING if value == "true" else EVERYTHING
    return Not(Present(parameter.code)) if value == "true" else Present(parameter.code)


def one_of(parts: tuple[Expression, ...]) -> Expression:
    """Give what holds where one of the parts does; ids become one list."""
    ids = tuple(id for part in parts if isinstance(part, WithId) for id in part.ids)
    if len(ids) == len(parts):
        return WithId(ids)
    return parts[0] if len(parts) == 1 else Or(parts)


def leads_back(expression: Expression) -> bool:
    """Tell whether the expression asks what refers to a resource, or what its texts say: answered for one type at a time."""
    match expression:
        case RelatedBy() | Tells():
            return True
        case And(parts) | Or(parts):
            return any(map(leads_back, parts))
        case Not(part):
            return leads_back(part)
    return False
