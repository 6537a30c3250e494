"""Expression to MongoDB filter.

`condition` turns any expression into a filter that agrees with `holds` (a property test proves it). `selection` does the
same for a whole search and arranges the filter so that an index answers it in order: see indexes.py. What a user typed
only ever becomes a value compared with, or an escaped regular expression, never a name or an operator.
"""

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from fhir_server.search.entries import UPDATED
from fhir_server.search.expression import (
    AFTER,
    AXES,
    EQUALS,
    HIGH,
    LOW,
    TEXT,
    And,
    Begins,
    Containing,
    Contains,
    EndsWith,
    Exactly,
    Expression,
    ForPatient,
    Grouped,
    Has,
    HasPrefix,
    Near,
    Not,
    OfType,
    Or,
    Present,
    Spans,
    StartsWith,
    WithId,
    Within,
)
from fhir_server.search.types.sortable import sortable_date, sortable_number
from fhir_server.search.types.string import index_prefix

Filter: TypeAlias = dict[str, Any]

_MOST_LIMITS = 200

NEVER: Filter = {"_id": {"$in": []}}


@dataclass(frozen=True, slots=True)
class Fields:
    """Where entries, words and spans are: beside the resource, or inside one group. A group has words among entries."""

    entries: str = "e"
    words: str = "x"
    spans: str = "s"
    indexed: bool = True


BESIDE = Fields()
GROUPED = Fields(words="e", indexed=False)


def condition(expression: Expression, types: Sequence[str], fields: Fields = BESIDE) -> Filter:
    """Give the filter that finds exactly what the expression holds for, among resources of these types."""
    match expression:
        case And(parts):
            return all_of([condition(part, types, fields) for part in parts])
        case Or(parts):
            return any_of(parts, types, fields)
        case Not(part):
            return {"$nor": [condition(part, types, fields)]}
        case Within(part):  # said so that MongoDB's planner does not take it for ways into an index: of many parts it would try them all
            return {"$nor": [{"$nor": [limit(part, types) if fields is BESIDE else condition(part, types, fields)]}]}
        case OfType(asked):
            return {"t": {"$in": list(asked)}}
        case WithId(ids):
            return {"_id": {"$in": [f"{type}/{id}" for type in types for id in ids]}}
        case ForPatient(patient):
            return {"$or": [{"p": patient}, {"ps": patient}]}
        case Containing(type, inner):  # what is contained is stored as its container is
            return {"k": {"$elemMatch": condition(And((OfType((type,)), inner)), (type,))}}
        case Grouped(parameter, parts):
            inside = [condition(part, types, GROUPED) for part in parts]
            return {"g": {"$elemMatch": {"k": parameter, **({"$and": inside} if inside else {})}}}
        case Near():
            return _near(expression)
        case Spans():
            return {fields.spans: {"$elemMatch": _span(expression)}}
        case _:
            return _text(expression, fields)


class _Limits:
    """Filters of what permits ask, which is the same expression for many requests: told apart by identity, which costs nothing."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[int, tuple[str, ...]], tuple[Expression, Filter]] = OrderedDict()

    def __call__(self, expression: Expression, types: Sequence[str]) -> Filter:
        """Give what `condition` gives, made once; it is not to be changed."""
        key = id(expression), tuple(types)
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = expression, condition(expression, types)  # kept, so that nothing else gets its identity
            if len(self._made) > _MOST_LIMITS:
                self._made.popitem(last=False)
        return found[1]


limit = _Limits()


def all_of(conditions: Sequence[Filter]) -> Filter:
    """Give the filter for which every one of these holds."""
    conditions = [each for each in conditions if each]
    return conditions[0] if len(conditions) == 1 else {"$and": conditions} if conditions else {}


def any_of(parts: Sequence[Expression], types: Sequence[str], fields: Fields = BESIDE) -> Filter:
    """Give the filter for which one of the parts holds; many entries, or many patients, become one list."""
    entries = [entry for part in parts if (entry := equal_entry(part, fields)) is not None]
    patients = [part.patient for part in parts if isinstance(part, ForPatient)]
    rest = [condition(part, types, fields) for part in parts if equal_entry(part, fields) is None and not isinstance(part, ForPatient)]
    if entries:
        rest.append({fields.entries: {"$in": entries}})
    if patients:
        rest += [{"p": {"$in": patients}}, {"ps": {"$in": patients}}]
    return rest[0] if len(rest) == 1 else {"$or": rest} if rest else NEVER


def equal_entry(expression: Expression, fields: Fields = BESIDE) -> str | None:
    """Give the one entry that says the same as the expression, if there is one."""
    match expression:
        case Has(parameter, value):
            return parameter + EQUALS + value
        case Begins(parameter, bound):
            return parameter + LOW + bound
        case StartsWith(parameter, text) if fields.indexed and text and ":" not in parameter and index_prefix(text) == text:
            return parameter + TEXT + text
    return None


def leading_entry(expression: Expression) -> str | None:
    """Give an entry that every resource has for which the expression holds."""
    match expression:
        case StartsWith(parameter, text) if text and ":" not in parameter:
            return parameter + TEXT + index_prefix(text)
        case And(parts):
            return next((entry for part in parts if (entry := leading_entry(part)) is not None), None)
    return equal_entry(expression)


def index_range(expression: Expression) -> Filter | None:
    """Give a range in which one entry of every resource lies for which the expression holds."""
    match expression:
        case HasPrefix(parameter, prefix):
            return _beginning(parameter + EQUALS + prefix)
        case Near(parameter):
            return index_range(Present(parameter))
        case StartsWith(parameter) if ":" in parameter:  # texts of codes are words only
            return index_range(Present(parameter.partition(":")[0]))
        case Present(parameter):
            return {"$elemMatch": {"$gte": parameter + TEXT, "$lt": parameter + AFTER}}
        case Spans(parameter, prefix, low, high):
            if ":" in parameter:  # quantities in base units have no bounds in the index
                return index_range(Present(parameter.partition(":")[0]))
            least, most = parameter + LOW + _sortable(low), parameter + LOW + _sortable(high)
            edge = LOW if parameter == UPDATED else HIGH  # an instant is stored once
            match prefix:
                case "eq":
                    return {"$elemMatch": {"$gte": least, "$lte": most}}
                case "lt" | "le" | "ap":
                    return {"$elemMatch": {"$gte": parameter + LOW, "$lte": least if prefix == "lt" else most}}
                case "sa":
                    return {"$elemMatch": {"$gte": most, "$lt": parameter + EQUALS}}
                case "gt" | "ge":
                    bound = parameter + edge + _sortable(high if prefix == "gt" else low)
                    return {"$elemMatch": {"$gte": bound, "$lt": parameter + _next(edge)}}
                case "eb":
                    return {"$elemMatch": {"$gte": parameter + edge, "$lte": parameter + edge + _sortable(low)}}
    return None


def _text(expression: Expression, fields: Fields) -> Filter:
    match expression:
        case Has() | Begins():
            return {fields.entries: equal_entry(expression, fields)}
        case HasPrefix() | Present():
            return {fields.entries: index_range(expression)}
        case StartsWith(parameter, text):
            entry = equal_entry(expression, fields)
            return {fields.entries: entry} if entry is not None else {fields.words: _beginning(parameter + TEXT + text)}
        case Exactly(parameter, text):
            return {fields.words: parameter + EQUALS + text}
        case Contains(parameter, text):
            return {fields.words: {"$regex": f"(?s)^{re.escape(parameter + TEXT)}.*{re.escape(text)}"}} if "\0" not in text else NEVER
        case EndsWith(parameter, text):
            return {fields.words: {"$regex": f"(?s)^{re.escape(parameter + TEXT)}.*{re.escape(text)}\\z"}} if "\0" not in text else NEVER
    raise TypeError(f"{type(expression).__name__} has to be resolved before")


def _beginning(start: str) -> Filter:
    """Texts that begin so are a range: up to the same beginning with its last character raised by one."""
    end = start.rstrip("\U0010ffff")  # which has no next
    following = ord(end[-1]) + 1
    return {"$elemMatch": {"$gte": start, "$lt": end[:-1] + chr(0xE000 if following == 0xD800 else following)}}  # no lone surrogates


def _span(asked: Spans) -> Filter:
    inside = {"a": {"$gte": asked.low}, "z": {"$lte": asked.high}}
    above, below = {"z": {"$gt": asked.high}}, {"a": {"$lt": asked.low}}
    answers: dict[str, Filter] = {
        "eq": inside,
        "ap": {"a": {"$lte": asked.high}, "z": {"$gte": asked.low}},
        "ne": {"$or": [below, above]},
        "gt": above,
        "lt": below,
        "ge": {"$or": [inside, above]},
        "le": {"$or": [inside, below]},
        "sa": {"a": {"$gt": asked.high}},
        "eb": {"z": {"$lt": asked.low}},
    }
    return {"k": asked.parameter, **answers[asked.prefix], **({} if asked.unit is None else {"u": asked.unit})}


def _near(asked: Near) -> Filter:
    """Within a cube around the place, and within the sphere inside it."""
    at, names = (asked.x, asked.y, asked.z), [f"{asked.parameter}:{axis}" for axis in AXES]
    cube: list[Filter] = [
        {"s": {"$elemMatch": {"k": name, "a": {"$gte": middle - asked.reach, "$lte": middle + asked.reach}}}}
        for name, middle in zip(names, at, strict=True)
    ]
    x, y, z = (_squared(name, middle) for name, middle in zip(names, at, strict=True))
    return {"$and": [*cube, {"$expr": {"$lte": [{"$add": [{"$add": [x, y]}, z]}, asked.reach * asked.reach]}}]}


def _squared(name: str, middle: float) -> Filter:
    spans = {"$filter": {"input": "$s", "cond": {"$eq": ["$$this.k", {"$literal": name}]}}}
    away = {"$subtract": [{"$first": {"$map": {"input": spans, "in": "$$this.a"}}}, middle]}
    return {"$let": {"vars": {"away": away}, "in": {"$multiply": ["$$away", "$$away"]}}}


def _sortable(bound: float) -> str:
    """Dates are whole milliseconds, numbers and quantities are floats: see expression.Span."""
    return sortable_date(bound) if isinstance(bound, int) else sortable_number(bound)


def _next(character: str) -> str:
    return chr(ord(character) + 1)
