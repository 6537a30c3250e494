"""What the matches of a search bring along: _include and _revinclude.

https://hl7.org/fhir/R4/search.html#revinclude

Every included resource comes through the repository like any other, so that the permit holds for it too.
"""

from collections.abc import Iterable, Sequence

import msgspec

from fhir_server.exchange import Resource, Version
from fhir_server.interactions.serving import Serving
from fhir_server.search.expression import And, OfType
from fhir_server.search.include import Include, references
from fhir_server.search.query import Query
from fhir_server.search.types.reference import to_any
from fhir_server.store.repository import Repository

_decode = msgspec.json.Decoder().decode  # what is stored was checked when it came, and only its references are read here

MOST = 1000  # of one page
ROUNDS = 5  # of :iterate


async def included(matches: Sequence[Version], query: Query, repository: Repository, serving: Serving) -> tuple[list[Version], bool]:
    """Give what belongs to these matches, each once and no match again; and whether that is all of it."""
    seen = {version.reference for version in matches}
    found: list[Version] = []
    sources, includes, revincludes = matches, query.includes, query.revincludes
    for _ in range(ROUNDS):
        forward = await _referred(sources, includes, seen, repository, serving) if includes else []
        seen.update(version.reference for version in forward)
        backward, complete = await _referring(sources, revincludes, seen, repository, serving) if revincludes else ([], True)
        seen.update(version.reference for version in backward)
        sources = [*forward, *backward]
        found += sources
        if len(found) > MOST or not complete:
            return found[:MOST], False
        includes = tuple(include for include in includes if include.iterate)
        revincludes = tuple(include for include in revincludes if include.iterate)
        if not sources or not (includes or revincludes):
            return found, True
    return found, False


async def _referred(
    sources: Sequence[Version], includes: Sequence[Include], seen: set[str], repository: Repository, serving: Serving
) -> list[Version]:
    """The resources that the sources refer to."""
    types = {include.type for include in includes}
    resources = [_decode(version.body) for version in sources if version.type in types and version.body is not None]
    wanted = dict.fromkeys(reference for reference in _references(resources, includes, serving) if reference not in seen)
    return await repository.get_several(list(wanted)[: MOST + 1]) if wanted else []


def _references(resources: Iterable[Resource], includes: Sequence[Include], serving: Serving) -> Iterable[str]:
    return (reference for resource in resources for include in includes for reference in references(resource, include, serving.parameters))


async def _referring(
    sources: Sequence[Version], includes: Sequence[Include], seen: set[str], repository: Repository, serving: Serving
) -> tuple[list[Version], bool]:
    """The resources that refer to the sources."""
    found: dict[str, Version] = {}
    for include in includes:
        targets = [version.reference for version in sources if include.target in (None, version.type)]
        if targets:
            leading_here = to_any(serving.parameters.of(include.type)[include.parameter], tuple(targets))
            page = await repository.find(Query(include.type, And((OfType((include.type,)), leading_here)), count=MOST))
            found.update((version.reference, version) for version in page.versions if version.reference not in seen)
            if page.after is not None:
                return list(found.values()), False
    return list(found.values()), True
