"""Conditional references in a transaction: a search in the place of a reference, `Patient?identifier=...`.

https://hl7.org/fhir/R4/http.html#trules

They are resolved last: what the Bundle writes is found as it will be, what it deletes is not found, and everything else as
it is. Chained criteria are asked of what is stored only.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fhir_server.exchange import FhirRequest, Resource
from fhir_server.interactions.address import pairs
from fhir_server.interactions.conditional import criteria, several
from fhir_server.interactions.identities import without
from fhir_server.interactions.links import path_to
from fhir_server.interactions.serving import Serving
from fhir_server.interactions.writing import inside
from fhir_server.outcome import FhirError, Issue
from fhir_server.search.entries import entries
from fhir_server.search.expression import Expression
from fhir_server.search.holding import Subject, holds
from fhir_server.search.query import Query
from fhir_server.store.repository import Repository
from profiles.reference import Conditional, parse


class References:
    """Resolves the conditional references of one transaction; `written` are all references that it writes or deletes."""

    def __init__(self, request: FhirRequest, resources: Mapping[str, Resource], written: Sequence[str], serving: Serving) -> None:
        self._request, self._resources, self._written, self._serving = request, resources, written, serving
        self._subjects: dict[str, list[Subject]] = {}

    async def resolved(self, asked: Iterable[str], repository: Repository) -> dict[str, str]:
        """Lead from each conditional reference to the `Type/id` it means; raises FhirError (412) where that is not one."""
        return {reference: await self._one(reference, repository) for reference in asked}

    async def _one(self, reference: str, repository: Repository) -> str:
        parsed = parse(reference)
        assert isinstance(parsed, Conditional)
        try:
            query = criteria(parsed.type, pairs(parsed.query), self._request, self._serving)
        except FhirError as failure:
            raise FhirError(*(Issue(i.code, i.diagnostics) for i in failure.issues), status=400) from failure
        stored = (await repository.find(without(query, self._written))).versions
        found = [*self._own(query), *(each.reference for each in stored)]
        if len(found) > 1:
            raise several()
        if not found:
            raise FhirError(Issue("not-found", "Nothing answers the conditional reference"), status=412)
        return found[0]

    def _own(self, query: Query) -> list[str]:
        """What the Bundle itself writes."""
        if query.type not in self._subjects:
            self._subjects[query.type] = [
                Subject(query.type, resource["id"], entries(resource, self._serving.parameters, self._serving.zone))
                for reference, resource in self._resources.items()
                if reference.startswith(f"{query.type}/")
            ]
        return [f"{query.type}/{subject.id}" for subject in self._subjects[query.type] if _holds(query.expression, subject)]


def _holds(expression: Expression, subject: Subject) -> bool:
    try:
        return holds(expression, subject)
    except TypeError:  # a chain, which leads through what is stored
        return False


def placed(failure: FhirError, reference: str, resource: Any, place: str) -> FhirError:
    """Give the failure of a conditional reference as one of the resource it stands in, at this place of the Bundle."""
    path = path_to(resource, reference)
    return inside(FhirError(*(Issue(i.code, i.diagnostics, (path,)) for i in failure.issues), status=failure.status), place)
