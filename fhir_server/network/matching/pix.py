"""Patient/$ihe-pix: the identifiers by which other facilities know a patient.

https://profiles.ihe.net/ITI/PIXm/ITI-83.html, the case numbers are those of its "Expected Actions"

Only Patients that the requester may see are found and told, the golden one among them where he may see it. An identifier that nobody has and
one of a hidden patient are answered alike.
"""

import re
from collections.abc import Iterable
from typing import Final

from fhir_server.exchange import FhirResponse, Resource
from fhir_server.network.desk import Asked, parameters
from fhir_server.network.matching.persons import REGIONAL_ID, golden_of, is_golden, key, successor_of
from fhir_server.outcome import FhirError, Issue, invalid
from fhir_server.search.expression import And, Expression, Has, OfType
from fhir_server.search.query import Query
from profiles import json

FACILITY: Final = re.compile(r"urn:oid:1\.2\.392\.100495\.20\.3\.51\.1[0-9]{10}")
"""Systems of facilities' own patient numbers: 1 and the 10 digits of the facility (L27; a pharmacy has a 4 where L27 has 1 to 3)."""
_MOST: Final = 200
_MOST_MERGES: Final = 10
_SOURCE: Final = "Parameters.parameter.where(name='sourceIdentifier')"
_TARGET: Final = "Parameters.parameter.where(name='targetSystem')"


async def ihe_pix(asked: Asked) -> FhirResponse:
    """Answer Parameters with targetIdentifier and targetId of every other Patient of the person.

    Raises FhirError: 400 for a source of no system that the network knows (case 3), 404 for a source that nobody has (case 2), 403 for a
    target system that it does not know (case 4).
    """
    asked.seen.permit.require("search-type", ("Patient",))
    system, value = _source(asked.arguments.one("sourceIdentifier"))
    systems = _targets(asked.arguments.all("targetSystem"))
    sources = await _find(asked, Has("identifier", f"{system}|{value}"))
    people = {await _whole(asked, each) for each in sources}
    if not people:
        raise FhirError(Issue("not-found", "sourceIdentifier Patient Identifier not found / 該当する患者がいません", (_SOURCE,)))
    if len(people) > 1:
        raise FhirError(Issue("multiple-matches", "More than one person has this identifier", (_SOURCE,)))
    others = await _person(asked, people.pop(), sources)
    identifiers = [
        each for patient in others for each in _identifiers(patient, systems) if (each["system"], each["value"]) != (system, value)
    ]
    known = {key(each) for each in sources}
    ids = [key(each) for each in others if key(each) not in known and (not systems or _identifiers(each, systems))]
    return parameters(
        *(("targetIdentifier", "valueIdentifier", each) for each in identifiers),
        *(("targetId", "valueReference", {"reference": each}) for each in ids),
    )


def _source(token: str) -> tuple[str, str]:
    system, bar, value = token.partition("|")
    if not (bar and system and value):
        raise invalid("sourceIdentifier is system|value", _SOURCE, code="value")
    if not _is_known(system):
        raise FhirError(Issue("code-invalid", "sourceIdentifier Assigning Authority not found", (_SOURCE,)), status=400)
    return system, value


def _targets(systems: Iterable[str]) -> frozenset[str]:
    found = frozenset(systems)
    if not all(map(_is_known, found)):
        raise FhirError(Issue("code-invalid", "targetSystem not found", (_TARGET,)), status=403)
    return found


def _is_known(system: str) -> bool:
    """By its form alone: which facilities have patients is nobody's to find out here."""
    return system == REGIONAL_ID or FACILITY.fullmatch(system) is not None


async def _whole(asked: Asked, patient: Resource) -> str:
    """The person: the golden Patient, or the one that has taken its place, as far as the requester may see."""
    for _ in range(_MOST_MERGES):
        successor = successor_of(patient)
        found = await asked.seen.get_several([successor]) if successor is not None else []
        if not found or found[0].body is None:
            break
        patient = json.decode(found[0].body)
    return golden_of(patient) or key(patient)


async def _person(asked: Asked, reference: str, sources: list[Resource]) -> list[Resource]:
    if not is_golden(reference):
        return sources
    found = await asked.seen.get_several([reference])
    golden = [json.decode(each.body) for each in found if each.body is not None]
    return [*golden, *sorted(await _find(asked, Has("link", reference)), key=key)]


async def _find(asked: Asked, expression: Expression) -> list[Resource]:
    page = await asked.seen.find(Query("Patient", And((OfType(("Patient",)), expression)), count=_MOST))
    return [json.decode(each.body) for each in page.versions if each.body is not None]


def _identifiers(patient: Resource, systems: frozenset[str]) -> list[Resource]:
    """Those of facilities and of the network, and no insurance numbers: they are no patient's name to anybody."""
    found = [each for each in patient.get("identifier", ()) if isinstance(each.get("system"), str) and isinstance(each.get("value"), str)]
    return [each for each in found if (each["system"] in systems if systems else _is_known(each["system"]))]
