"""`_id`, and the search parameters that no type describes.

https://hl7.org/fhir/R4/search.html#special

`near`, `_filter`, `_query`, `_text` and `_content` are not served: asking for one is an unknown parameter.
"""

from collections.abc import Iterable
from datetime import tzinfo

from fhir_server.search.expression import Expression, WithId
from fhir_server.search.parameters import Parameter
from fhir_server.search.types.asked import Asked, unsupported_modifier
from fhir_server.search.types.escapes import unescape
from fhir_server.search.types.found import Found
from profiles.fhirpath import Node


def entries(code: str, nodes: Iterable[Node], found: Found, zone: tzinfo) -> None:
    """Add nothing: the id is the resource's key already."""


def expression(parameter: Parameter, value: str, modifier: str, asked: Asked) -> Expression:  # noqa: ARG001
    """Give the expression of one searched id."""
    if modifier:
        raise unsupported_modifier(modifier, "id")
    return WithId((unescape(value),))
