"""FHIR delete interaction, also conditional.

https://hl7.org/fhir/R4/http.html#delete
https://hl7.org/fhir/R4/http.html#cdelete
"""

from dataclasses import replace

from fhir_server.exchange import FhirRequest, FhirResponse, Version
from fhir_server.interactions.conditional import criteria, settled
from fhir_server.interactions.headers import required_version
from fhir_server.interactions.serving import Serving
from fhir_server.outcome import FhirError, Issue, invalid
from fhir_server.search.query import Query
from fhir_server.store.repository import Delete, Repository

_COUNT = "_count"


async def delete(request: FhirRequest, repository: Repository, serving: Serving) -> FhirResponse:
    """Make the resource gone for reads and searches; its history stays.

    Deleting what is gone, or never was, succeeds as well: FHIR wants the interaction idempotent. With criteria in place of
    an id, all that answer them are deleted, or none where they are more than the server or `_count` allows.
    """
    assert request.type is not None
    if request.id is None:
        query = deleted_by(request, serving)
        return await settled(lambda: _conditional(query, request, repository))
    if_match = required_version(request.headers.get("if-match"), request.type)
    (version,) = await repository.commit([Delete(request.type, request.id, if_match=if_match)])
    return FhirResponse(204, version=version if version.version else None, versions=(version,))


async def _conditional(query: Query, request: FhirRequest, repository: Repository) -> FhirResponse:
    found = await all_deleted(query, repository)
    if_match = required_version(request.headers.get("if-match"), query.type)
    deletions = [Delete(each.type, each.id, if_match=if_match, expected=each.version) for each in found]
    versions = await repository.commit(deletions)
    return FhirResponse(204, version=versions[0] if len(versions) == 1 else None, versions=versions)


def deleted_by(request: FhirRequest, serving: Serving) -> Query:
    """Understand the criteria of a conditional delete: its `count` is one more than may be deleted.

    `_count` among the criteria allows fewer than the server's limit.
    """
    assert request.type is not None
    most = serving.deletions
    for name, value in request.parameters:
        if name == _COUNT:
            if not (value.isascii() and value.isdigit() and 0 < len(value) < 10):
                raise invalid("_count is a whole number", "http._count", code="value")
            most = min(most, int(value))
    asked = [pair for pair in request.parameters if pair[0] != _COUNT]
    return replace(criteria(request.type, asked, request, serving), count=most + 1)


async def all_deleted(query: Query, repository: Repository) -> tuple[Version, ...]:
    """Give what answers; raises FhirError (412) where that is more than may be deleted."""
    versions = (await repository.find(query)).versions
    most = query.count - 1
    if len(versions) > most:
        text = f"More than {most} resources answer the criteria, and no more are deleted at once; nothing was deleted"
        raise FhirError(Issue("multiple-matches", text, ("http.query",)))
    return versions
