"""Which resources the writing entries of a transaction mean: by id, by criteria, or new ones.

https://hl7.org/fhir/R4/http.html#trules

Criteria are asked of the state before the transaction, less what it deletes. Two conditional creates with the same criteria
mean one resource. What an entry writes, no other one may write.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fhir_server.exchange import Version
from fhir_server.interactions import patch
from fhir_server.interactions.conditional import check_free, criteria, none_exist, only
from fhir_server.interactions.delete import all_deleted, deleted_by
from fhir_server.interactions.entry import Entry
from fhir_server.interactions.serving import Serving
from fhir_server.interactions.writing import inside
from fhir_server.outcome import FhirError, invalid
from fhir_server.search.expression import And, Not, WithId
from fhir_server.search.query import Query
from fhir_server.store.repository import Repository

AT_ONCE = 32  # searches under way together

_RESTFUL = re.compile(r"https?://\S+/([A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})")


@dataclass(frozen=True, slots=True)
class Meant:
    """One entry, and what it means.

    `id` is the resource's, None of a conditional delete. `query` are the criteria, where it has some; `found` is what answers
    them, or what is to be patched. `same_as` is the number of the entry that creates what this one would.
    """

    entry: Entry
    id: str | None
    query: Query | None = None
    found: tuple[Version, ...] = ()
    same_as: int | None = None

    @property
    def writes(self) -> tuple[str, ...]:
        """The references of what the entry writes."""
        request = self.entry.request
        if request.interaction == "create" and (self.found or self.same_as is not None):
            return ()
        return (f"{request.type}/{self.id}",) if self.id is not None else tuple(each.reference for each in self.found)


def criteria_of(entries: Sequence[Entry], serving: Serving) -> dict[int, Query]:
    """Understand the criteria of all entries, by their numbers; raises FhirError that points to the entry."""
    found: dict[int, Query] = {}
    for entry in entries:
        try:
            query = _criteria(entry, serving)
        except FhirError as failure:
            raise inside(failure, entry.place) from failure
        if query is not None:
            found[entry.number] = query
    return found


def _criteria(entry: Entry, serving: Serving) -> Query | None:
    request = entry.request
    assert request.type is not None
    if request.interaction == "create":
        return none_exist(request, serving)
    if request.interaction == "patch":
        patch.change_of(request.body)  # what is no patch is refused before anything is looked for
    if request.id is not None:
        return None
    if request.interaction == "delete":
        return deleted_by(request, serving)
    return criteria(request.type, request.parameters, request, serving)


async def meant(entries: Sequence[Entry], queries: Mapping[int, Query], new: Mapping[int, str], repository: Repository) -> list[Meant]:
    """Find what the entries mean; `new` gives each an id for what is not there yet.

    Raises FhirError that points to the entry: 412 where several resources answer, 404 where there is nothing to patch, 400
    where two write the same resource.
    """
    found = await _found([entry for entry in entries if entry.request.interaction == "delete"], queries, (), repository)
    gone = [each.reference for versions in found.values() for each in versions]
    gone += [f"{entry.request.type}/{entry.request.id}" for entry in entries if entry.request.interaction == "delete" and entry.request.id]
    found |= await _found([entry for entry in entries if entry.request.interaction != "delete"], queries, gone, repository)
    first: dict[tuple[str, object], Meant] = {}
    each: list[Meant] = []
    for entry in entries:
        one = _meant(entry, queries.get(entry.number), found.get(entry.number, ()), new)
        if one.query is not None and entry.request.interaction == "create" and not one.found:
            before = first.setdefault((one.query.type, one.query.expression), one)
            if before is not one:
                one = replace(one, id=before.id, same_as=before.entry.number)
        each.append(one)
    _check_distinct(each)
    return each


def _meant(entry: Entry, query: Query | None, found: tuple[Version, ...], new: Mapping[int, str]) -> Meant:
    request = entry.request
    if query is not None and request.interaction == "delete":
        return Meant(entry, None, query, found)
    known = found[0].id if found else _own_id(entry) if query is not None else None
    return Meant(entry, request.id or known or new[entry.number], query, found)


def _own_id(entry: Entry) -> str | None:
    """The id that an update brings along in the body."""
    body = entry.request.body
    own = body.get("id") if entry.request.interaction == "update" and isinstance(body, dict) else None
    return own if isinstance(own, str) else None


async def _found(
    entries: Sequence[Entry], queries: Mapping[int, Query], gone: Sequence[str], repository: Repository
) -> dict[int, tuple[Version, ...]]:
    """What answers the criteria of these entries, and what is to be patched."""
    asking = [entry for entry in entries if entry.number in queries or entry.request.interaction == "patch"]
    found: dict[int, tuple[Version, ...]] = {}
    for start in range(0, len(asking), AT_ONCE):
        some = asking[start : start + AT_ONCE]
        if await _all_new(some, queries, gone, repository):
            continue
        answers = await asyncio.gather(*(_answering(entry, queries.get(entry.number), gone, repository) for entry in some))
        found |= {entry.number: versions for entry, versions in zip(some, answers, strict=True)}
    return found


async def _all_new(some: Sequence[Entry], queries: Mapping[int, Query], gone: Sequence[str], repository: Repository) -> bool:
    """Tell by one question whether these are conditional creates that nothing answers, as most of a first delivery are."""
    if len(some) == 1 or any(entry.request.interaction != "create" for entry in some):
        return False
    return not await repository.answered([without(queries[entry.number], gone) for entry in some])


async def _answering(entry: Entry, query: Query | None, gone: Sequence[str], repository: Repository) -> tuple[Version, ...]:
    try:
        if query is None:
            return (await patch.current(entry.request, repository),)
        if entry.request.interaction == "delete":
            return await all_deleted(query, repository)
        one = await only(without(query, gone), repository)
        if one is None and entry.request.interaction == "patch":
            raise patch.nothing(entry.request)
        if one is None and (own := _own_id(entry)) is not None:
            await check_free(query, own, repository)
        return () if one is None else (one,)
    except FhirError as failure:
        raise inside(failure, entry.place) from failure


def without(query: Query, references: Sequence[str]) -> Query:
    """Give the search less these resources."""
    ids = tuple(reference.partition("/")[2] for reference in references if reference.startswith(f"{query.type}/"))
    return replace(query, expression=And((query.expression, Not(WithId(ids))))) if ids else query


def _check_distinct(each: Sequence[Meant]) -> None:
    identities: set[str] = set()
    for one in each:
        if not identities.isdisjoint(one.writes):
            raise invalid("Another entry writes the same resource", f"{one.entry.place}.request.url", code="invalid")
        identities.update(one.writes)


def targets(each: Sequence[Meant]) -> dict[str, str]:
    """Lead from what an entry is called in the Bundle to the reference it becomes; raises where two are called the same."""
    found: dict[str, str] = {}
    for one in each:
        full_url = one.entry.full_url
        if full_url is None or one.entry.request.interaction == "delete":
            continue
        if full_url in found:
            raise invalid("Another entry has the same fullUrl", f"{one.entry.place}.fullUrl", code="invalid")
        found[full_url] = f"{one.entry.request.type}/{one.id}"
    written = {reference for one in each for reference in one.writes}
    for name, reference in list(found.items()):
        restful = _RESTFUL.fullmatch(name)
        if restful is not None and restful[1] not in written:
            found.setdefault(restful[1], reference)  # a relative reference beside a fullUrl like http://base/Type/id
    return found
