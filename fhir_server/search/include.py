"""_include and _revinclude: which references of a match bring others along.

https://hl7.org/fhir/R4/search.html#revinclude
"""

from collections.abc import Iterator
from dataclasses import dataclass

from fhir_server.exchange import Resource
from fhir_server.search.parameters import Parameters
from fhir_server.search.types.asked import Refused
from fhir_server.search.types.reference import literal
from profiles.reference import Literal, parse


@dataclass(frozen=True, slots=True)
class Include:
    """`type:parameter` or `type:parameter:target`; `iterate` asks to go on from what was included."""

    type: str
    parameter: str
    target: str | None = None
    iterate: bool = False


def references(resource: Resource, include: Include, parameters: Parameters) -> Iterator[str]:
    """Give the local references `Type/id` that the include follows from this resource, each once.

    Nothing comes of a resource of another type, of a contained or foreign resource, and of a canonical.
    """
    parameter = parameters.of(include.type).get(include.parameter)
    if parameter is None or resource["resourceType"] != include.type:
        return
    found: dict[str, None] = {}
    for _, value in parameter.extract(resource):
        text = value.get("reference") if isinstance(value, dict) else None
        reference = parse(literal(text)) if isinstance(text, str) else None
        if isinstance(reference, Literal) and not reference.base and include.target in (None, reference.type):
            found[reference.relative] = None
    yield from found


def includes(
    value: str, parameters: Parameters, *, iterate: bool = False, source: str | None = None, target: str | None = None
) -> tuple[Include, ...]:
    """Read `Type:parameter`, `Type:parameter:Target` or `Type:*`. Raises Refused for what does not exist.

    `source` is the type that an _include must begin with, `target` the type that a _revinclude must lead to.
    """
    type, _, rest = value.partition(":")
    code, _, named = rest.partition(":")
    if type not in parameters.types or not code:
        raise Refused("An include is written as Type:parameter or Type:parameter:Target")
    if source is not None and type != source:
        raise Refused(f"Only {source} is searched: an include of another type needs :iterate")
    known = parameters.of(type)
    if code != "*" and (code not in known or known[code].type != "reference"):
        raise Refused(f"{type} has no search parameter {code[:64]!r} of type reference", "not-supported")
    if named and target is not None and named != target:
        raise Refused(f"Only references to {target} lead here")
    wanted = named or target
    found = tuple(
        Include(type, each.code, wanted, iterate)
        for each in (known.values() if code == "*" else (known[code],))
        if each.type == "reference" and (wanted is None or wanted in each.targets)
    )
    if not found:
        raise Refused(f"{code} of {type} cannot refer to this type", "not-supported")
    return found
