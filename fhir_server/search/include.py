"""_include and _revinclude: which references of a match bring others along.

https://hl7.org/fhir/R4/search.html#revinclude
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from fhir_server.exchange import Resource
from fhir_server.outcome import name_shown
from fhir_server.search.parameters import Parameter, Parameters
from fhir_server.search.types.asked import Refused
from fhir_server.search.types.reference import literal
from profiles.reference import Literal, parse

ANY = "*"


@dataclass(frozen=True, slots=True)
class Include:
    """`type:parameter` or `type:parameter:target`; `iterate` asks to go on from what was included.

    Type and parameter are `*` where every reference of whatever type is meant.
    """

    type: str
    parameter: str
    target: str | None = None
    iterate: bool = False


@dataclass(frozen=True, slots=True)
class Canonical:
    """A reference by canonical url, `version` where it names one; it leads to a resource of one of the types."""

    url: str
    version: str
    types: tuple[str, ...]


def followed(include: Include, type: str, parameters: Parameters) -> Iterator[Parameter]:
    """Give the search parameters of a type that the include follows."""
    if include.type == ANY:
        yield from (each for each in parameters.of(type).values() if each.type == "reference")
    elif include.type == type and (parameter := parameters.of(type).get(include.parameter)) is not None:
        yield parameter


def references(resource: Resource, include: Include, parameters: Parameters) -> Iterator[str]:
    """Give the local references `Type/id` that the include follows from this resource, each once.

    Nothing comes of a resource of another type, and of a contained or foreign resource; canonicals are told by `canonicals`.
    """
    found: dict[str, None] = {}
    for parameter in followed(include, resource["resourceType"], parameters):
        for _, value in parameter.extract(resource):
            text = value.get("reference") if isinstance(value, dict) else None
            reference = parse(literal(text)) if isinstance(text, str) else None
            if isinstance(reference, Literal) and not reference.base and include.target in (None, reference.type):
                found[reference.relative] = None
    yield from found


def canonicals(resource: Resource, include: Include, parameters: Parameters) -> Iterator[Canonical]:
    """Give the canonical references that the include follows from this resource, to types that have a canonical url."""
    for parameter in followed(include, resource["resourceType"], parameters):
        types = tuple(target for target in parameter.targets if include.target in (None, target) and has_canonical_url(target, parameters))
        if types:
            for _, value in parameter.extract(resource):
                if isinstance(value, str):
                    url, _, version = value.partition("|")
                    yield Canonical(url, version, types)


def has_canonical_url(type: str, parameters: Parameters) -> bool:
    """Tell whether resources of the type are referred to by a canonical url."""
    url = parameters.of(type).get("url")
    return url is not None and url.type == "uri"


def includes(
    value: str,
    parameters: Parameters,
    *,
    iterate: bool = False,
    sources: Collection[str] = (),
    targets: Collection[str] = (),
) -> tuple[Include, ...]:
    """Read `*`, `Type:*`, `Type:parameter` or `Type:parameter:Target`. Raises Refused for what does not exist.

    `sources` are the types that an _include can begin with, `targets` those that a _revinclude can lead to; none: any.
    """
    if value == ANY:
        return (Include(ANY, ANY, None, iterate),)
    type, _, rest = value.partition(":")
    code, _, named = rest.partition(":")
    if type not in parameters.types or not code:
        raise Refused("An include is written as *, Type:*, Type:parameter or Type:parameter:Target")
    if sources and type not in sources:
        raise Refused("Only types that are searched can be included from; from included ones with :iterate")
    known = parameters.of(type)
    if code != ANY and (code not in known or known[code].type != "reference"):
        raise Refused(f"{type} has no search parameter '{name_shown(code)}' of type reference", "not-supported")
    if named and targets and named not in targets:
        raise Refused("Only references to what is searched lead here")
    wanted = named or (next(iter(targets)) if len(targets) == 1 else None)
    found = tuple(
        Include(type, each.code, wanted, iterate)
        for each in (known.values() if code == ANY else (known[code],))
        if each.type == "reference" and _leads(each, (wanted,) if wanted else targets)
    )
    if not found:
        raise Refused(f"{code} of {type} cannot refer to this type", "not-supported")
    return found


def _leads(parameter: Parameter, targets: Collection[str]) -> bool:
    return not targets or any(target in parameter.targets for target in targets)
