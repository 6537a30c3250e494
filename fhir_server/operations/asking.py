"""Questions to terminology: first to the definitions of R4, then to what is stored here and may be seen.

https://hl7.org/fhir/R4/terminology-service.html
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from fhir_server.exchange import FhirRequest, FhirResponse, Resource
from fhir_server.operations.arguments import Arguments
from fhir_server.outcome import FhirError, Issue, invalid
from fhir_server.search.expression import And, Expression, Has, OfType
from fhir_server.search.query import Query
from fhir_server.store.repository import Repository
from profiles import json
from terminology.lookup import Canonical, Lookup
from terminology.service import r4

Answer = TypeVar("Answer")

_ROUNDS = 16  # value sets of value sets of value sets
_URL = {"CodeSystem": "system", "ValueSet": "url"}  # of a CodeSystem both are the same, and one is stored
_NOT_JUDGED = ("context", "date", "abstract", "systemVersion", "displayLanguage")


async def asked(question: Callable[[Lookup], Answer], repository: Repository) -> Answer:
    """Give the answer, once everything that the question needs is looked up. Raises FhirError (too-costly) where that never ends."""
    lookup = Lookup(r4())
    for _ in range(_ROUNDS):
        answer = question(lookup)
        if not lookup.lacking:
            return answer
        for lacking in tuple(lookup.lacking):
            lookup.give(lacking, await _stored(lacking, repository))
    raise FhirError(Issue("too-costly", f"The value set includes others more than {_ROUNDS} deep"))


async def _stored(canonical: Canonical, repository: Repository) -> bytes | None:
    url, _, version = canonical.url.partition("|")
    parts: list[Expression] = [OfType((canonical.type,)), Has(_URL[canonical.type], url)]
    if version:
        parts.append(Has("version", version))
    page = await repository.find(Query(canonical.type, And(tuple(parts)), count=1))
    return page.versions[0].body if page.versions else None


async def subject(request: FhirRequest, arguments: Arguments, repository: Repository, url: str, resource: str) -> str | bytes:
    """Give what the question is about: a canonical, or the JSON of the resource that was named or sent.

    `url` and `resource` are the parameters' names. Raises FhirError: 400 where nothing is named, 404 and 410 as a read.
    """
    for name in _NOT_JUDGED:
        if arguments.one(name) is not None:
            raise invalid(f"{name} is not judged here; leave it out", f"Parameters.parameter.where(name='{name}')", code="not-supported")
    if request.type is not None and request.id is not None:
        version = await repository.get(request.type, request.id)
        assert version.body is not None
        return version.body
    sent: Resource | None = arguments.one(resource)
    if sent is not None:
        return json.encode(sent)
    canonical: str | None = arguments.one(url)
    if canonical is None:
        raise invalid(f"Name the {request.type}, by {url}", f"Parameters.parameter.where(name='{url}')", code="required")
    version_asked = arguments.one("valueSetVersion") or arguments.one("version")
    return f"{canonical}|{version_asked}" if version_asked else canonical


def codings(arguments: Arguments) -> list[tuple[str, str | None]]:
    """Give the codes asked about as (code, system); one of them has to belong. Raises FhirError (400) where there are none."""
    coding, concept = arguments.one("coding"), arguments.one("codeableConcept")
    if arguments.one("code") is not None:
        return [(arguments.one("code"), arguments.one("system"))]
    each: Sequence[Any] = [coding] if coding is not None else (concept or {}).get("coding", [])
    found = [(one["code"], one.get("system")) for one in each if isinstance(one, dict) and isinstance(one.get("code"), str)]
    if not found:
        raise invalid("Give code, coding or codeableConcept, with a code in it", "Parameters.parameter", code="required")
    return found


def unknown(what: str) -> FhirError:
    """What was named is not known here, or not known well enough to tell (404)."""
    return FhirError(Issue("not-found", what, ("Parameters.parameter",)), status=404)


def told(verdicts: Sequence[bool | None], arguments: Arguments, what: str) -> FhirResponse:
    """Answer whether one of the codes belongs. Raises FhirError (404) where none does for certain and one might."""
    result = any(verdict is True for verdict in verdicts)
    if not result and None in verdicts:
        raise unknown(f"The codes of a system that the {what} draws on are not all known here: it cannot be told")
    parameters: list[dict[str, Any]] = [{"name": "result", "valueBoolean": result}]
    if not result:
        parameters.append({"name": "message", "valueString": f"The code does not belong to the {what}"})
    elif arguments.one("display") is not None:
        parameters.append({"name": "message", "valueString": "The display was not compared"})
    return FhirResponse(200, json.encode({"resourceType": "Parameters", "parameter": parameters}))
