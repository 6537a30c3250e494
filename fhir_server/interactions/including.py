"""What the matches of a search bring along: _include and _revinclude.

https://hl7.org/fhir/R4/search.html#revinclude

Every included resource comes through the repository like any other, so that the permit holds for it too.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from fhir_server.exchange import Resource, Version
from fhir_server.interactions.serving import Serving
from fhir_server.outcome import Issue
from fhir_server.search.expression import And, Expression, Has, OfType, Or
from fhir_server.search.include import ANY, Canonical, Include, canonicals, has_canonical_url, references
from fhir_server.search.parameters import Parameter, Parameters
from fhir_server.search.query import Query
from fhir_server.search.types.reference import to_any
from fhir_server.store.repository import Repository

_decode = msgspec.json.Decoder().decode  # what is stored was checked when it came, and only its references are read here
_BY_ITSELF = frozenset({"AuditEvent"})
"""The audit log is no part of a search across types: where it is named it is asked for; `*` means what is stored."""
_FEW = 50  # so many patients an index is entered with


async def included(
    matches: Sequence[Version], query: Query, repository: Repository, serving: Serving
) -> tuple[list[Version], Issue | None]:
    """Give what belongs to these matches, each once and no match again; and a remark where that is not all of it."""
    most = serving.limits.includes
    seen = {version.reference for version in matches}
    found: list[Version] = []
    sources, includes, revincludes = matches, query.includes, query.revincludes
    for _ in range(serving.limits.rounds):
        forward = await _referred(sources, includes, seen, repository, serving) if includes else []
        seen.update(version.reference for version in forward)
        backward, complete = await _referring(sources, revincludes, seen, repository, serving) if revincludes else ([], True)
        seen.update(version.reference for version in backward)
        sources = [*forward, *backward]
        found += sources
        if len(found) > most or not complete:
            return found[:most], _incomplete(f"more than {most} resources belong to this page (setting include_limit)")
        includes = tuple(include for include in includes if include.iterate)
        revincludes = tuple(include for include in revincludes if include.iterate)
        if not sources or not (includes or revincludes):
            return found, None
    return found, _incomplete(f":iterate goes on {serving.limits.rounds} times at most (setting include_rounds)")


def _incomplete(reason: str) -> Issue:
    return Issue("too-costly", f"Not all of _include and _revinclude is here: {reason}", ("Bundle.entry",), severity="warning")


# -- forward -----------------------------------------------------------------------------------------------------------


async def _referred(
    sources: Sequence[Version], includes: Sequence[Include], seen: set[str], repository: Repository, serving: Serving
) -> list[Version]:
    """The resources that the sources refer to."""
    types = {include.type for include in includes}
    every = ANY in types
    resources = [_decode(version.body) for version in sources if (every or version.type in types) and version.body is not None]
    wanted = dict.fromkeys(reference for reference in _references(resources, includes, serving) if reference not in seen)
    found = await repository.get_several(list(wanted)[: serving.limits.includes + 1]) if wanted else []
    defined = dict.fromkeys(
        each for resource in resources for include in includes for each in canonicals(resource, include, serving.parameters)
    )
    if defined:
        known = seen.union(version.reference for version in found)
        found += [version for version in await _defined(list(defined), repository, serving) if version.reference not in known]
    return found


def _references(resources: Iterable[Resource], includes: Sequence[Include], serving: Serving) -> Iterable[str]:
    return (reference for resource in resources for include in includes for reference in references(resource, include, serving.parameters))


async def _defined(wanted: Sequence[Canonical], repository: Repository, serving: Serving) -> list[Version]:
    """The resources with these canonical urls: the version that is named, else the latest in the order of results."""
    types = tuple(dict.fromkeys(type for each in wanted for type in each.types))
    urls = tuple(dict.fromkeys(each.url for each in wanted))[: serving.limits.values]
    asked = And((OfType(types), Or(tuple(Has("url", url) for url in urls))))
    page = await repository.find(Query("", asked, count=serving.limits.includes, across=types))
    by_url: dict[str, list[tuple[Version, Resource]]] = {}
    for version in page.versions:
        resource = _decode(version.body or b"{}")
        by_url.setdefault(resource.get("url", ""), []).append((version, resource))
    chosen: dict[str, Version] = {}
    for each in wanted:
        fitting = (
            version
            for version, resource in by_url.get(each.url, ())
            if version.type in each.types and each.version in ("", resource.get("version"))
        )
        best = next(fitting, None)
        if best is not None:
            chosen[best.reference] = best
    return list(chosen.values())


# -- backward ----------------------------------------------------------------------------------------------------------


async def _referring(
    sources: Sequence[Version], includes: Sequence[Include], seen: set[str], repository: Repository, serving: Serving
) -> tuple[list[Version], bool]:
    """The resources that refer to the sources, and whether that is all of them: by one query, what is to be asked by itself by one of its own."""
    asked: dict[Expression, list[str]] = {}
    for include in includes:
        for type, parameter in _leading_here(include, sources, serving):
            leading = _to_any(parameter, [version for version in sources if include.target in (None, version.type)], serving.parameters)
            if leading is not None and type not in asked.setdefault(leading, []):
                asked[leading].append(type)
    if not asked:
        return [], True
    types = tuple(dict.fromkeys(type for each in asked.values() for type in each))
    alone = tuple(type for type in types if type in _BY_ITSELF and any(include.type == type for include in includes))
    groups = [group for group in (tuple(type for type in types if type not in alone), *((type,) for type in alone)) if group]
    pages = [await repository.find(_of_types(group, asked, serving.limits.includes)) for group in groups]
    found = {version.reference: version for page in pages for version in page.versions if version.reference not in seen}
    return list(found.values()), all(page.after is None for page in pages)


def _of_types(types: tuple[str, ...], asked: Mapping[Expression, Sequence[str]], count: int) -> Query:
    named = ((leading, tuple(type for type in of if type in types)) for leading, of in asked.items())
    ways = tuple(And((OfType(of), leading)) for leading, of in named if of)
    return Query("", And((OfType(types), ways[0] if len(ways) == 1 else Or(ways))), count=count, across=types)


def _leading_here(include: Include, sources: Sequence[Version], serving: Serving) -> Iterable[tuple[str, Parameter]]:
    """The types and search parameters that the include follows backwards: all that can refer to the sources for `*`."""
    if include.type != ANY:
        yield include.type, serving.parameters.of(include.type)[include.parameter]
        return
    targets = {version.type for version in sources}
    for type in sorted(serving.served):
        for parameter in serving.parameters.of(type).values():
            if parameter.type == "reference" and not targets.isdisjoint(parameter.targets):
                yield type, parameter


def _to_any(parameter: Parameter, targets: Sequence[Version], parameters: Parameters) -> Expression | None:
    references = tuple(version.reference for version in targets if version.type in parameter.targets)
    urls = tuple(url for version in targets if version.type in parameter.targets and (url := _canonical_url(version, parameters)))
    named = tuple(Has(parameter.code, url) for url in urls)
    if not references:
        return None
    if urls or len(references) > _FEW:
        return Or((*(Has(parameter.code, reference) for reference in references), *named))
    return to_any(parameter, references)


def _canonical_url(version: Version, parameters: Parameters) -> str | None:
    if version.body is None or not has_canonical_url(version.type, parameters):
        return None
    url = _decode(version.body).get("url")
    return url if isinstance(url, str) else None
