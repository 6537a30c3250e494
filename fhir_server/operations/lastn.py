"""The operation Observation-lastn: the newest results of each code.

https://hl7.org/fhir/R4/observation-operation-lastn.html

Two observations are of the same code where they share any coding, be it over a third that has both; those without a
coding where their text is the same. What has no time of its own counts by when it was stored.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from fhir_server.exchange import FhirRequest, FhirResponse, Version
from fhir_server.interactions import bundle
from fhir_server.interactions.headers import strict
from fhir_server.interactions.serving import Serving
from fhir_server.operations.arguments import Arguments
from fhir_server.outcome import FhirError, Issue, invalid
from fhir_server.search.query import Query, parse
from fhir_server.store.latest import Coded
from fhir_server.store.repository import Repository
from profiles import json

_PURPOSE = "Observation/$lastn"


async def lastn(request: FhirRequest, arguments: Arguments, repository: Repository, serving: Serving) -> FhirResponse:
    """Answer with the `max` (1) newest observations of each code, the codes together, newest first in each.

    Raises FhirError: 400 for search parameters as a search does; too-costly where the answer would exceed a page.
    """
    each = arguments.one("max") or 1
    most = serving.limits.most
    query = _query(request, arguments, serving)
    coded = await repository.latest(query, each, most)
    groups = _by_coding([group for group in coded if group.codings])
    chosen = [sorted(group, key=lambda found: (-found[0], found[1]))[:each] for group in groups]
    texts = [group for group in coded if not group.codings]
    by_text = await _by_text(texts, each, repository)
    wanted = [key for group in chosen for _, key in group]
    if len(wanted) + len(by_text) > most:
        diagnostics = f"The answer would hold more than {most} observations; ask for fewer codes, or a smaller max"
        raise FhirError(Issue("too-costly", diagnostics))
    found = [*await repository.get_several(wanted), *by_text]
    base = request.base.encode()
    entries = [bundle.found(base, version, b"match") for version in found]
    return FhirResponse(200, bundle.joined("searchset", entries, total=len(found), links=[("self", _self(request, arguments))]))


def _query(request: FhirRequest, arguments: Arguments, serving: Serving) -> Query:
    query = parse(
        "Observation",
        arguments.search,
        serving.parameters,
        strict=strict(request, serving.strict),
        zone=serving.zone,
        limits=serving.limits,
        now=datetime.now(UTC),
        base=request.base,
    )
    if query.includes or query.revincludes or query.sort or query.after is not None:
        raise invalid("$lastn has an order of its own, and neither pages nor includes", _PURPOSE, code="not-supported")
    return query


def _self(request: FhirRequest, arguments: Arguments) -> str:
    pairs = arguments.understood
    return f"{request.base}/{_PURPOSE}" + (f"?{bundle.query_string(pairs)}" if pairs else "")


def _by_coding(coded: Sequence[Coded]) -> list[list[tuple[int, str]]]:
    """Join the groups that share a coding, over any number of steps; in the order of their first coding."""
    joined: dict[str, list[Coded]] = {}
    for group in coded:
        members = [group]
        for other in _distinct(joined[coding] for coding in group.codings if coding in joined):
            members += other
        for member in members:
            joined.update(dict.fromkeys(member.codings, members))
    groups = sorted(_distinct(joined.values()), key=lambda members: min(coding for member in members for coding in member.codings))
    return [[found for member in members for found in member.references] for members in groups]


def _distinct(groups: Iterable[list[Coded]]) -> list[list[Coded]]:
    return list({id(group): group for group in groups}.values())


async def _by_text(texts: Sequence[Coded], each: int, repository: Repository) -> list[Version]:
    keys = [key for group in texts for _, key in sorted(group.references, key=lambda found: (-found[0], found[1]))]
    found: dict[str, list[Version]] = {}
    for version in await repository.get_several(keys) if keys else ():
        assert version.body is not None
        text = str(json.decode(version.body).get("code", {}).get("text", ""))
        of_text = found.setdefault(text.strip().casefold(), [])
        if len(of_text) < each:
            of_text.append(version)
    return [version for text in sorted(found) for version in found[text]]
