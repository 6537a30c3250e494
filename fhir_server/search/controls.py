"""Search result parameters: what is given back of what was found, in which order, how much at a time.

https://hl7.org/fhir/R4/search.html#return
"""

import re
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from fhir_server.search.include import Include, includes
from fhir_server.search.limits import Limits
from fhir_server.search.parameters import Parameters
from fhir_server.search.types.asked import Refused

Total = Literal["none", "accurate", "estimate"]
Summary = Literal["count", "false"]

ONCE = ("_count", "_sort", "_total", "_summary")
_REPEATED = ("_include", "_revinclude", "_contained", "_containedType", "_elements")
_TOTALS: tuple[Total, ...] = ("none", "accurate", "estimate")
_SUMMARIES: tuple[Summary, ...] = ("count", "false")
_Word = TypeVar("_Word", bound=str)

_NUMBER = re.compile(r"[0-9]{1,9}")
_ONLY = {"_contained": "false", "_containedType": "container"}  # what is served anyway
_ITERATE = ("iterate", "recurse")


@dataclass(frozen=True, slots=True)
class Sort:
    """One key of the order; `type` is the search parameter's, `main` tells that it is the type's main date."""

    parameter: str
    descending: bool = False
    type: str = "token"
    main: bool = False


@dataclass(frozen=True, slots=True)
class Controls:
    """The result parameters of one query. `count` 0 asks for the total only, as `_summary=count` does."""

    count: int
    sort: tuple[Sort, ...] = ()
    total: Total | None = None
    summary: Summary = "false"
    includes: tuple[Include, ...] = ()
    revincludes: tuple[Include, ...] = ()


def is_control(name: str) -> bool:
    """Tell whether the name is one of a result parameter."""
    return name.partition(":")[0] in ONCE + _REPEATED


def control(controls: Controls, name: str, value: str, *, type: str, parameters: Parameters, limits: Limits) -> Controls:
    """Take one result parameter into account. Raises Refused for what is not understood or not served."""
    name, _, modifier = name.partition(":")
    if modifier and not (modifier in _ITERATE and name in ("_include", "_revinclude")):
        raise Refused(f"The modifier :{modifier[:64]} is not supported for {name}", "not-supported")
    match name:
        case "_count":
            return replace(controls, count=_count(value, limits))
        case "_sort":
            return replace(controls, sort=tuple(_sort(type, key, parameters) for key in value.split(",")))
        case "_total":
            return replace(controls, total=_one_of(value, _TOTALS))
        case "_summary":
            return replace(controls, summary=_one_of(value, _SUMMARIES))
        case "_include":
            found = includes(value, parameters, iterate=bool(modifier), source=None if modifier else type)
            return replace(controls, includes=controls.includes + found)
        case "_revinclude":
            found = includes(value, parameters, iterate=bool(modifier), target=None if modifier else type)
            return replace(controls, revincludes=controls.revincludes + found)
    if _ONLY.get(name) != value:
        raise Refused(f"{name} is not served with this value", "not-supported")
    return controls


def _count(value: str, limits: Limits) -> int:
    if not _NUMBER.fullmatch(value):
        raise Refused("_count is a whole number, 0 or more")
    return min(int(value), limits.most)


def _sort(type: str, key: str, parameters: Parameters) -> Sort:
    code = key.removeprefix("-")
    parameter = parameters.of(type).get(code)
    if parameter is None or not parameter.sortable:
        raise Refused(f"{type} cannot be sorted by {code[:64]!r}", "not-supported")
    stored = parameter.stands_for[0] if parameter.stands_for else code
    return Sort(stored, key != code, parameter.type, stored == parameters.date(type))


def _one_of(value: str, known: tuple[_Word, ...]) -> _Word:
    for word in known:
        if word == value:
            return word
    raise Refused(f"Served are {', '.join(known)}", "not-supported")
