"""Patient/$match: who this may be, among those that the requester may see.

https://hl7.org/fhir/R4/patient-operation-match.html
https://profiles.ihe.net/ITI/PDQm/ITI-119.html

Candidates are found by the requester's own repository, and scored from what he sees of them alone: who is hidden from him leaves no trace (S25).
"""

from fhir_server.exchange import FhirResponse, Resource
from fhir_server.identity.demographics import demographics
from fhir_server.identity.score import Comparison, Grade
from fhir_server.interactions import bundle
from fhir_server.network.desk import Asked
from fhir_server.network.matching.comparing import Known, compared, near, tells_enough
from fhir_server.network.matching.decision import decimal
from fhir_server.network.matching.persons import golden_of
from fhir_server.outcome import FhirError, Issue, invalid, operation_outcome
from profiles import json

MATCH_GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
_MOST = 500
_MOST_ANSWERED = 50
_WHERE = "Parameters.parameter.where(name='resource').resource"


async def match(asked: Asked) -> FhirResponse:
    """Answer a searchset of Patients, the best first, each with its score and grade.

    Raises FhirError: 400 for what is no Patient or tells too little to look for anybody, 403 for who may not search Patients.
    """
    asked.seen.permit.require("search-type", ("Patient",))
    sought, zone = _sought(asked), asked.desk.serving.zone
    if not tells_enough(sought.who, zone):
        raise invalid(
            "This tells too little: give a birth date, an identifier, a telephone number, or a whole name", _WHERE, code="required"
        )
    found = [(compared(sought, each), each) for each in await near(asked.seen, sought.who, zone)]
    scored = [(comparison, each) for comparison, each in found if comparison.grade is not Grade.CERTAINLY_NOT]
    scored.sort(key=lambda pair: (-pair[0].score, pair[1].reference))
    remarks: list[Issue] = []
    if asked.arguments.one("onlyCertainMatches"):
        scored = [(comparison, each) for comparison, each in scored if comparison.grade is Grade.CERTAIN]
        if len({golden_of(each.resource) or each.reference for _, each in scored}) > 1:
            scored, remarks = [], [_ambiguous()]
    entries = [_entry(asked.request.base, each, comparison) for comparison, each in scored[: _count(asked)]]
    told = [bundle.remarks(operation_outcome(remarks))] if remarks else []
    return FhirResponse(200, bundle.joined("searchset", [*entries, *told], total=len(entries)))


def _sought(asked: Asked) -> Known:
    resource: Resource = asked.arguments.one("resource")
    if resource.get("resourceType") != "Patient":
        raise invalid("The resource has to be a Patient", f"{_WHERE}.resourceType", code="value")
    errors = [each for each in asked.desk.serving.validator.validate(resource) if each.severity in {"error", "fatal"}]
    if errors:
        raise FhirError(*(Issue(each.code, each.diagnostics, tuple(each.expression)) for each in errors), status=400)
    nobodys = {name: value for name, value in resource.items() if name not in ("id", "meta", "managingOrganization")}
    return Known(nobodys, demographics(nobodys))


def _count(asked: Asked) -> int:
    count = asked.arguments.one("count")
    if count is None:
        return _MOST_ANSWERED
    if count < 1:
        raise invalid("count is at least 1", "Parameters.parameter.where(name='count')", code="value")
    return min(int(count), _MOST)


def _ambiguous() -> Issue:
    text = "More than one person matches with certainty: nothing is answered / 確実な候補が複数あります"
    return Issue("multiple-matches", text, ("Patient",), severity="information")


def _entry(base: str, patient: Known, comparison: Comparison) -> bytes:
    grade = {"url": MATCH_GRADE, "valueCode": comparison.grade.value}
    search = {"extension": [grade], "mode": "match", "score": decimal(comparison.score)}
    return json.encode({"fullUrl": f"{base}/{patient.reference}", "resource": patient.resource, "search": search})
