"""Search result parameters: what is given back of what was found, in which order, how much at a time.

https://hl7.org/fhir/R4/search.html#return
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from fhir_server.outcome import name_shown
from fhir_server.search.include import Include, includes
from fhir_server.search.limits import Limits
from fhir_server.search.parameters import Parameters
from fhir_server.search.summary import WHOLE, View, elements_of, summary_of
from fhir_server.search.types.asked import Refused

Total = Literal["none", "accurate", "estimate"]
Contained = Literal["false", "true", "both"]
ContainedType = Literal["container", "contained"]

ONCE = ("_count", "_sort", "_total", "_summary", "_contained", "_containedType")
_REPEATED = ("_include", "_revinclude", "_elements")
_TOTALS: tuple[Total, ...] = ("none", "accurate", "estimate")
_CONTAINED: tuple[Contained, ...] = ("false", "true", "both")
_CONTAINED_TYPES: tuple[ContainedType, ...] = ("container", "contained")
_Word = TypeVar("_Word", bound=str)

_NUMBER = re.compile(r"[0-9]{1,18}")
_ITERATE = ("iterate", "recurse")
_MOST_KEYS = 8


@dataclass(frozen=True, slots=True)
class Sort:
    """One key of the order; `type` is the search parameter's, `main` tells that it is the main date of every type searched."""

    parameter: str
    descending: bool = False
    type: str = "token"
    main: bool = False


@dataclass(slots=True)
class Controls:
    """The result parameters of one query, while it is read. `count` 0 asks for the total only, as `_summary=count` does.

    `contained` tells whether contained resources are matches too (both) or alone (true), `contained_type` what is answered.
    """

    count: int
    sort: tuple[Sort, ...] = ()
    total: Total | None = None
    view: View = WHOLE
    includes: tuple[Include, ...] = ()
    revincludes: tuple[Include, ...] = ()
    contained: Contained = "false"
    contained_type: ContainedType = "container"


def is_control(name: str) -> bool:
    """Tell whether the name is one of a result parameter."""
    return name.partition(":")[0] in ONCE + _REPEATED


def control(controls: Controls, name: str, value: str, *, types: Sequence[str], parameters: Parameters, limits: Limits) -> None:
    """Take one result parameter into account: `controls` changes. Raises Refused for what is not understood or not served."""
    name, _, modifier = name.partition(":")
    if modifier and not (modifier in _ITERATE and name in ("_include", "_revinclude")):
        raise Refused(f"The modifier :{modifier[:64]} is not supported for {name}", "not-supported")
    match name:
        case "_count":
            controls.count = _count(value, limits)
        case "_sort":
            controls.sort = _order(types, value, parameters)
        case "_total":
            controls.total = _one_of(value, _TOTALS)
        case "_summary":
            controls.view = _view(replace(controls.view, summary=summary_of(value)))
        case "_elements":
            elements = controls.view.elements + elements_of(value, types, parameters.shapes)
            controls.view = _view(replace(controls.view, elements=elements))
        case "_include":
            found = includes(value, parameters, iterate=bool(modifier), sources=() if modifier else types)
            controls.includes = controls.includes + found
        case "_revinclude":
            found = includes(value, parameters, iterate=bool(modifier), targets=() if modifier else types)
            controls.revincludes = controls.revincludes + found
        case "_contained":
            controls.contained = _one_of(value, _CONTAINED)
        case _:
            controls.contained_type = _one_of(value, _CONTAINED_TYPES)


def _count(value: str, limits: Limits) -> int:
    if not _NUMBER.fullmatch(value):
        raise Refused("_count is a whole number, 0 or more")
    return min(int(value), limits.most)


def _view(view: View) -> View:
    if view.elements and view.summary not in ("false", "count"):
        raise Refused("_summary and _elements exclude each other")
    return view


def _order(types: Sequence[str], value: str, parameters: Parameters) -> tuple[Sort, ...]:
    keys = value.split(",")
    if len(keys) > _MOST_KEYS:
        raise Refused(f"An order has at most {_MOST_KEYS} keys", "too-costly")
    return tuple(_sort(types, key, parameters) for key in keys)


def _sort(types: Sequence[str], key: str, parameters: Parameters) -> Sort:
    """What several types are sorted by has to be the same in each."""
    found = [_sort_of(type, key, parameters) for type in types]
    first = found[0]
    if all(each == first for each in found):
        return first
    if all((each.parameter, each.type) == (first.parameter, first.type) for each in found):
        return replace(first, main=False)
    raise Refused(f"{name_shown(key.removeprefix('-'))} is not the same in all types that are searched", "not-supported")


def _sort_of(type: str, key: str, parameters: Parameters) -> Sort:
    code = key.removeprefix("-")
    parameter = parameters.of(type).get(code)
    if parameter is None or not parameter.sortable:
        raise Refused(f"{type} cannot be sorted by '{name_shown(code)}'", "not-supported")
    stored = parameter.stands_for[0] if parameter.stands_for else code
    return Sort(stored, key != code, parameter.type, stored == parameters.date(type))


def _one_of(value: str, known: tuple[_Word, ...]) -> _Word:
    for word in known:
        if word == value:
            return word
    raise Refused(f"Served are {', '.join(known)}", "not-supported")
