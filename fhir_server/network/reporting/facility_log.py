"""The operation AuditEvent/$facility-log: 公開・閲覧履歴 of a facility (NETWORK.md F092).

Its physicians, pharmacists, nurses and clerks see who read its patients' data, and what it read of others; the secretariat and the auditor name
the facility.
"""

from fhir_server.audit.reports.facility import DISCLOSED, Row, as_csv, facility_log
from fhir_server.audit.reports.telling import Named
from fhir_server.exchange import FhirResponse, Resource
from fhir_server.network.desk import Asked, parameters
from fhir_server.network.emergency.asking import named
from fhir_server.network.matching.persons import custodian, key, person
from fhir_server.network.reporting.answering import csv, of_types, part
from fhir_server.network.reporting.asking import OF_FACILITIES, facility, form, period, source
from fhir_server.outcome import FhirError, not_found

_DAYS = 31


async def facility_log_of(asked: Asked) -> FhirResponse:
    """Give it as CSV or as Parameters, of the last 31 days unless told otherwise.

    Raises FhirError: 403 for whoever may not ask, 404 for a patient whom the facility does not have: hidden looks like absent.
    """
    organization = await facility(asked)
    wanted, span = form(asked, "json", "csv"), period(asked, _DAYS)
    made_of = source(asked)
    rows = await facility_log(made_of, organization, span, await _patients(asked, organization))
    if wanted == "csv":
        return csv(await as_csv(rows, made_of.names), "facility-log")
    known = await Named.of([row.access for row in rows], made_of.names)
    times = (("since", "valueDateTime", span.since.isoformat()), ("until", "valueDateTime", span.until.isoformat()))
    return parameters(*times, *(("access", _parts(row, known)) for row in rows))


async def _patients(asked: Asked, organization: str) -> tuple[str, ...]:
    """The Patients of the person that is named by the facility's own one; none: everybody."""
    patient = named(asked, "patient", "Patient")
    if patient is None:
        return ()
    hidden = not_found("Patient", patient.partition("/")[2])
    try:
        found = await person(asked.desk, patient)
    except FhirError as failure:
        raise hidden if failure.status == 404 else failure from None
    own = {key(each) for each in found.members if custodian(each) == organization}
    if asked.requester.role in OF_FACILITIES and patient not in own:
        raise hidden
    return tuple(dict.fromkeys((patient, found.reference, *map(key, found.members))))


def _parts(row: Row, known: Named) -> list[Resource]:
    access = row.access
    other = access.reader if row.kind == DISCLOSED else access.custodian
    return [
        *part("at", access.at),
        *part("kind", "disclosed" if row.kind == DISCLOSED else "viewed", "valueCode"),
        *part("patient", access.patient, "valueReference"),
        *part("patientName", known.of_patient(access.patient)),
        *part("facility", other, "valueReference"),
        *part("facilityName", known.of_facility(other)),
        *part("person", known.of_person(access)),
        *part("role", access.role, "valueCode"),
        *part("purpose", access.purpose, "valueCode"),
        *part("emergency", bool(access.emergency or access.reason)),
        *part("reason", access.reason),
        *part("event", f"AuditEvent/{access.id}", "valueReference"),
        *of_types(access.types),
    ]
