"""What conditional interactions have in common: the criteria, what answers them, and trying again when that changes.

https://hl7.org/fhir/R4/http.html#ccreate
https://hl7.org/fhir/R4/http.html#cond-update
https://hl7.org/fhir/R4/http.html#cdelete

Criteria are always understood strictly: one that is left out would make the others mean more resources than were meant.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from fhir_server.exchange import FhirRequest, Version
from fhir_server.interactions.address import pairs
from fhir_server.interactions.serving import Serving
from fhir_server.outcome import FhirError, Issue, conflict, invalid
from fhir_server.search.controls import is_control
from fhir_server.search.expression import And, OfType
from fhir_server.search.query import Query, parse
from fhir_server.store.repository import Changed, Repository

Answer = TypeVar("Answer")

_ATTEMPTS = 100
_LONGEST_PAUSE = 0.05


def criteria(type: str, asked: Sequence[tuple[str, str]], request: FhirRequest, serving: Serving, where: str = "http.query") -> Query:
    """Understand the criteria of a conditional interaction, as a search that finds at most two.

    Raises FhirError (400) where there are none, or where one is not understood or no criterion at all (`_count`).
    """
    for name, _ in asked:
        if is_control(name) or name.startswith("_after"):
            raise invalid("A conditional interaction takes criteria only, no parameters of a search's result", where, code="not-supported")
    query = parse(
        type,
        asked,
        serving.parameters,
        strict=True,
        zone=serving.zone,
        limits=serving.limits,
        now=datetime.now(UTC),
        base=request.base,
    )
    if query.expression in (And((OfType((type,)),)), OfType((type,)), And()):
        raise invalid("A conditional interaction needs criteria; without any it would mean every resource", where, code="required")
    return replace(query, count=2)


def none_exist(request: FhirRequest, serving: Serving) -> Query | None:
    """Give the criteria of If-None-Exist, None where there is no such header."""
    header = request.headers.get("if-none-exist")
    if header is None:
        return None
    assert request.type is not None
    return criteria(request.type, pairs(header.strip().removeprefix("?")), request, serving, "http.If-None-Exist")


async def only(query: Query, repository: Repository, where: str = "http.query") -> Version | None:
    """Give the one resource that answers, None where none does. Raises FhirError (412) where several do."""
    versions = (await repository.find(query)).versions
    if len(versions) > 1:
        raise several(where)
    return versions[0] if versions else None


def several(where: str = "http.query") -> FhirError:
    """More than one resource answers the criteria of an interaction with one (412)."""
    return FhirError(Issue("multiple-matches", "Several resources answer the criteria; name one by more criteria or its id", (where,)))


async def check_free(query: Query, id: str, repository: Repository) -> None:
    """Make sure that an id is nobody's, after nothing has answered the criteria of an update that brings it along.

    Raises FhirError (409) where it is some resource's that does not answer, Changed where one answers by now.
    """
    if await repository.get_several([f"{query.type}/{id}"]):
        if (await repository.find(query)).versions:
            raise Changed
        raise conflict("The id in the body is the id of a resource that does not answer the criteria", f"{query.type}.id")


async def settled(attempt: Callable[[], Awaitable[Answer]]) -> Answer:
    """Search and write until nothing changes between the two; raises FhirError (503) where that never ends."""
    for number in range(_ATTEMPTS):
        try:
            return await attempt()
        except Changed:
            await asyncio.sleep(random.random() * min(_LONGEST_PAUSE, 0.002 * 2**number))
    raise FhirError(Issue("transient", "Others write what answers the criteria all the time; try again"))
