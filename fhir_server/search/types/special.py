"""The search parameters with a meaning of their own: `_id`, `_text`, `_content` and `near`.

https://hl7.org/fhir/R4/search.html#special
https://hl7.org/fhir/R4/location.html#search

`_text` looks into the narrative, `_content` into every text of the resource: each word asked for, parted by spaces, has to
be in it, folded as strings are. Neither is stored: the store reads what the other conditions leave
(docs/decisions/0012-what-a-search-value-means.md). A place is stored as a point in metres from the Earth's centre, so that
a distance is one along a straight line, and there is no date line.
"""

import math
import re
from collections.abc import Iterable, Iterator
from datetime import tzinfo
from html import unescape as character_references
from typing import Any

from fhir_server.exchange import Resource
from fhir_server.search.expression import AXES, TEXT, Expression, Near, Span, Tells, WithId
from fhir_server.search.parameters import Parameter
from fhir_server.search.types.asked import Asked, Refused, unsupported_modifier
from fhir_server.search.types.escapes import split, unescape
from fhir_server.search.types.found import Found
from fhir_server.search.types.number import as_float
from fhir_server.search.types.string import fold
from profiles.fhirpath import Node
from terminology.systems import ucum

LOOKED_THROUGH = ("_text", "_content")
SERVED = ("_id", *LOOKED_THROUGH, "near")

_MOST_WORDS = 16
_RADIUS = 6_371_008.8  # metres: the Earth's mean radius
_TAG = re.compile(r"<[^<>]*>")
_NUMBER = re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]{1,20})?")
_DISTANCE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


def entries(code: str, nodes: Iterable[Node], found: Found, zone: tzinfo) -> None:  # noqa: ARG001 - one signature
    """Add the point of each position (`near` of Location); nothing else is stored."""
    for _, value in nodes:
        if isinstance(value, dict):
            latitude, longitude = as_float(value.get("latitude")), as_float(value.get("longitude"))
            if latitude is not None and longitude is not None:
                found.entries.append(code + TEXT)
                point = _point(latitude, longitude)
                found.spans += [Span(f"{code}:{axis}", at, at) for axis, at in zip(AXES, point, strict=True)]


def expression(parameter: Parameter, value: str, modifier: str, asked: Asked) -> Expression:
    """Give the expression of one searched id, text or place."""
    if modifier:
        raise unsupported_modifier(modifier, parameter.code)
    match parameter.code:
        case "_id":
            return WithId((unescape(value),))
        case "near":
            return _near(parameter.code, value, asked)
    words = tuple(dict.fromkeys(folded for word in unescape(value).split() if (folded := fold(word))))
    if not words or len(words) > _MOST_WORDS:
        raise Refused(f"{parameter.code} takes 1 to {_MOST_WORDS} words")
    return Tells(parameter.code, words)


def tells(asked: Tells, resource: Resource) -> bool:
    """Tell whether the resource has all the words, in its narrative or anywhere."""
    texts = _strings(resource) if asked.parameter == "_content" else _narrative(resource)
    folded = fold("\n".join(texts))
    return all(word in folded for word in asked.words)


def _narrative(resource: Resource) -> Iterator[str]:
    text = resource.get("text")
    if isinstance(text, dict) and isinstance(text.get("div"), str):
        yield character_references(_TAG.sub(" ", text["div"]))


def _strings(value: Any, element: str = "") -> Iterator[str]:
    if isinstance(value, str):
        yield character_references(_TAG.sub(" ", value)) if element == "div" else value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _strings(each, name)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each, element)


def _near(code: str, value: str, asked: Asked) -> Near:
    """latitude|longitude|distance|units: km where no unit is named, a distance of our own where none is."""
    latitude, longitude, *rest = [unescape(piece) for piece in split(value, "|")] + [""] * (value.count("|") == 0)
    distance, unit = (*rest, "", "")[:2]
    if len(rest) > len(("distance", "units")) or not (_NUMBER.fullmatch(latitude) and _NUMBER.fullmatch(longitude)):
        raise Refused("A place is latitude|longitude|distance|units, in degrees: 34.34|134.04|10|km")
    if abs(float(latitude)) > 90 or abs(float(longitude)) > 180:
        raise Refused("A latitude is -90 to 90 degrees, a longitude -180 to 180")
    metres = _metres(distance, unit or "km") if distance else asked.near
    x, y, z = _point(float(latitude), float(longitude))
    return Near(code, x, y, z, 2 * _RADIUS * math.sin(min(metres / _RADIUS, math.pi) / 2))


def _metres(distance: str, unit: str) -> float:
    known = ucum.unit(unit)
    if not _DISTANCE.fullmatch(distance) or known is None or known.dimension != "m":
        raise Refused("A distance is a number and a UCUM unit of length, such as 10|km or 500|m")
    return float(distance) * float(known.factor)


def _point(latitude: float, longitude: float) -> tuple[float, float, float]:
    north, east = math.radians(latitude), math.radians(longitude)
    return _RADIUS * math.cos(north) * math.cos(east), _RADIUS * math.cos(north) * math.sin(east), _RADIUS * math.sin(north)
