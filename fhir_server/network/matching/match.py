"""Patient/$match: who this may be, among those that the requester may see.

https://hl7.org/fhir/R4/patient-operation-match.html
https://profiles.ihe.net/ITI/PDQm/ITI-119.html

Candidates are found by the requester's own repository, and scored from what he sees of them alone: who is hidden from him leaves no trace (S25).
"""

from fhir_server.exchange import FhirResponse, Resource
from fhir_server.interactions import bundle
from fhir_server.network.desk import Asked
from fhir_server.network.matching.comparing import CERTAIN, CERTAINLY_NOT, blocking, compared
from fhir_server.network.matching.decision import decimal
from fhir_server.network.matching.persons import golden_of, key
from fhir_server.outcome import FhirError, Issue, invalid, operation_outcome
from fhir_server.search.expression import And, OfType, Or
from fhir_server.search.query import Query
from profiles import json

MATCH_GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
_MOST_CANDIDATES = 500
_MOST_ANSWERED = 50
_WHERE = "Parameters.parameter.where(name='resource').resource"


async def match(asked: Asked) -> FhirResponse:
    """Answer a searchset of Patients, the best first, each with its score and grade.

    Raises FhirError: 400 for what is no Patient or tells too little to look for anybody, 403 for who may not search Patients.
    """
    asked.seen.permit.require("search-type", ("Patient",))
    resource = _sought(asked)
    ways = blocking(resource)
    if not ways:
        raise invalid("This tells too little: give a birth date, an identifier, or a telephone number, and a name", _WHERE, code="required")
    query = Query("Patient", And((OfType(("Patient",)), Or(tuple(ways)))), count=_MOST_CANDIDATES)
    found = [version for version in (await asked.seen.find(query)).versions if version.body is not None]
    scored = []
    for each in found:
        assert each.body is not None
        candidate: Resource = json.decode(each.body)
        comparison = compared(resource, candidate)
        if comparison.grade != CERTAINLY_NOT:
            scored.append((comparison, each, golden_of(candidate) or key(candidate)))
    scored.sort(key=lambda each: (-each[0].score, each[1].reference))
    remarks: list[Issue] = []
    if asked.arguments.one("onlyCertainMatches"):
        scored = [each for each in scored if each[0].grade == CERTAIN]
        if len({person for _, _, person in scored}) > 1:
            scored, remarks = [], [_ambiguous()]
    base = asked.request.base.encode()
    entries = [
        _entry(base, version.reference, version.body or b"", comparison.score, str(comparison.grade)) for comparison, version, _ in scored
    ]
    entries = entries[: _count(asked)] + ([bundle.remarks(operation_outcome(remarks))] if remarks else [])
    return FhirResponse(200, bundle.joined("searchset", entries, total=min(len(scored), _count(asked))))


def _sought(asked: Asked) -> Resource:
    resource: Resource = asked.arguments.one("resource")
    if resource.get("resourceType") != "Patient":
        raise invalid("The resource has to be a Patient", f"{_WHERE}.resourceType", code="value")
    errors = [each for each in asked.desk.serving.validator.validate(resource) if each.severity in {"error", "fatal"}]
    if errors:
        raise FhirError(*(Issue(each.code, each.diagnostics, tuple(each.expression)) for each in errors), status=400)
    return resource


def _count(asked: Asked) -> int:
    count = asked.arguments.one("count")
    if count is None:
        return _MOST_ANSWERED
    if count < 1:
        raise invalid("count is at least 1", "Parameters.parameter.where(name='count')", code="value")
    return min(int(count), _MOST_CANDIDATES)


def _ambiguous() -> Issue:
    text = "More than one person matches with certainty: nothing is answered / 確実な候補が複数あります"
    return Issue("multiple-matches", text, ("Patient",), severity="information")


def _entry(base: bytes, reference: str, body: bytes, score: float, grade: str) -> bytes:
    search = {"extension": [{"url": MATCH_GRADE, "valueCode": grade}], "mode": "match", "score": decimal(score)}
    return b'{"fullUrl":"%b/%b","resource":%b,"search":%b}' % (base, reference.encode(), body, json.encode(search))
