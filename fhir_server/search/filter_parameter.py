"""The search parameter _filter: `name co "pet" and (birthdate ge 2000 or not (active eq true))`.

https://hl7.org/fhir/R4/search_filter.html

A filter becomes what the other search parameters become, an Expression, so that every limit and every permit holds for it
too. Where R4 leaves open what an operator means for a type, it means what the search parameter's own modifier does.
"""

from collections.abc import Callable
from dataclasses import replace

from fhir_server.search.conditions import Conditions, one_of
from fhir_server.search.expression import And, EndsWith, Expression, HasPrefix, Not, Present, Spans
from fhir_server.search.filter_grammar import Comparison, Joined, Negated, Tree, tree
from fhir_server.search.parameters import Parameter
from fhir_server.search.types.asked import Refused
from fhir_server.search.types.escapes import escape
from fhir_server.search.types.string import squeeze

NAME = "_filter"

_PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "ap", "sa", "eb")
_SPANNED = ("date", "number", "quantity")
_MODIFIERS = {
    "token": {"ss": "above", "sb": "below", "in": "in", "ni": "not-in"},
    "uri": {"ss": "above", "sb": "below"},
    "reference": {"ss": "above", "sb": "below"},
}


def expression(value: str, type: str, conditions: Conditions) -> Expression:
    """Give the Expression of a filter on a type. Raises Refused."""
    return _meant(tree(value, conditions.limits.nesting), type, conditions, 0)


def _meant(asked: Tree, type: str, conditions: Conditions, steps: int) -> Expression:
    match asked:
        case Joined(both, parts):
            each = tuple(_meant(part, type, conditions, steps) for part in parts)
            return And(each) if both else one_of(each)
        case Negated(inner):
            return Not(_meant(inner, type, conditions, steps))
        case Comparison():
            return _along(asked, type, conditions, steps)


def _along(asked: Comparison, type: str, conditions: Conditions, steps: int) -> Expression:
    """Follow the references of a path; what stands in brackets has to hold for what they lead to."""
    (name, limit), *rest = asked.path
    code, _, target = name.partition(":")
    if not rest:
        if target:
            raise Refused("Only a reference that the path goes on from can name a type")
        return conditions.counted(_compared(conditions.parameter(type, code), asked.operator, asked.value, type, conditions))

    def beyond(at: str, taken: int) -> Expression:
        found = _along(replace(asked, path=tuple(rest)), at, conditions, taken)
        return found if limit is None else And((_meant(limit, at, conditions, taken), found))

    return conditions.chain(conditions.parameter(type, code), target, rest[0].name, beyond, steps)


def _compared(parameter: Parameter, operator: str, value: str, type: str, conditions: Conditions) -> Expression:
    def asked(modifier: str, text: str) -> Expression:
        return conditions.condition(type, parameter.code + modifier, text)

    if operator == "pr":
        if value not in ("true", "false"):
            raise Refused("The value of pr is true or false")
        return asked(":missing", "false" if value == "true" else "true")
    if parameter.stands_for:
        others = tuple(_compared(conditions.parameter(type, code), operator, value, type, conditions) for code in parameter.stands_for)
        return one_of(others) if operator != "ne" else And(others)
    if operator == "ne" and parameter.type not in _SPANNED:
        equal = _compared(parameter, "eq", value, type, conditions)
        return Not(equal) if parameter.code == "_id" else And((Present(parameter.code), Not(equal)))
    if modifier := _MODIFIERS.get(parameter.type, {}).get(operator):
        return asked(f":{modifier}", _escaped(value, parameter))
    if parameter.type in _SPANNED:
        return _spanned(operator, asked("", _prefixed(operator, value, parameter)))
    if parameter.type == "string":
        return _string(parameter, operator, value, asked)
    if operator == "eq" or (operator == "re" and parameter.type == "reference"):
        return asked("", _escaped(value, parameter))
    if operator == "sw" and parameter.type in ("token", "uri") and parameter.code != "_id":
        return HasPrefix(parameter.code, value)
    raise _unserved(operator, parameter)


def _prefixed(operator: str, value: str, parameter: Parameter) -> str:
    if operator == "po" and parameter.type == "date":
        return _escaped(value, parameter)
    if operator not in _PREFIXES:
        raise _unserved(operator, parameter)
    return operator + _escaped(value, parameter)


def _spanned(operator: str, found: Expression) -> Expression:
    """`po` is true where the periods overlap: what `ap` asks, without widening the period."""
    return replace(found, prefix="ap") if operator == "po" and isinstance(found, Spans) else found


def _string(parameter: Parameter, operator: str, value: str, asked: Callable[[str, str], Expression]) -> Expression:
    if operator == "ew" and (folded := squeeze(value)):
        return EndsWith(parameter.code, folded)
    modifier = {"eq": ":exact", "co": ":contains", "sw": ""}.get(operator)
    if modifier is None:
        raise _unserved(operator, parameter)
    return asked(modifier, escape(value))


def _escaped(value: str, parameter: Parameter) -> str:
    """Make the value one value; the | of a token, a quantity and a canonical divides it still, and the $ of a composite."""
    escaped = escape(value) if parameter.type == "string" else escape(value).replace("\\|", "|")
    return escaped.replace("\\$", "$") if parameter.type == "composite" else escaped


def _unserved(operator: str, parameter: Parameter) -> Refused:
    return Refused(f"The operator {operator} is not served for search parameters of type {parameter.type}", "not-supported")
