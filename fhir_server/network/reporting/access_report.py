"""The operation Patient/[id]/$access-report: which facilities share a patient's data, and which looked, when, at what and why.

NETWORK.md F081, L21. The patient herself, under any of her Patients, and the secretariat are told all of it. The people of a facility, whom she asks
at its desk, are told of the facility's own Patient: who looked at what it keeps, and the facilities of the consents that name it; not where
else she goes.
"""

from collections.abc import Sequence
from typing import Final

from fhir_server.audit.reports.patient import Look, Share, as_csv, as_html, patient_report
from fhir_server.auth.roles import Role
from fhir_server.exchange import FhirResponse, Resource
from fhir_server.network.desk import Asked, parameters
from fhir_server.network.matching.persons import Person, custodian, key, person
from fhir_server.network.reporting.answering import csv, page, part
from fhir_server.network.reporting.asking import OF_FACILITIES, form, period, source
from fhir_server.network.reporting.shares import shares
from fhir_server.outcome import not_found

_DAYS: Final = 366


async def access_report(asked: Asked) -> FhirResponse:
    """Give it as Parameters, CSV or a page, of the last year unless told otherwise.

    Raises FhirError: 403 for whoever may not ask, 404 for a patient whom he may not know: hidden looks like absent.
    """
    asked.require(Role.PATIENT, Role.SECRETARIAT, *OF_FACILITIES)
    found, patients = await _whose(asked)
    wanted, span, made_of = form(asked, "json", "csv", "html"), period(asked, _DAYS), source(asked)
    only = asked.requester.organization if asked.requester.role in OF_FACILITIES else None
    sharing = await shares(asked.desk, made_of.names, found, only)
    own = asked.arguments.one("own") is True
    report = await patient_report(made_of, patients, sharing, span, asked.desk.now(), own=own)
    if wanted == "csv":
        return csv(as_csv(report), "access-report")
    if wanted == "html":
        return page(as_html(report))
    times = [
        (name, "valueDateTime", _iso(text)) for name, text in (("made", report.made), ("since", report.since), ("until", report.until))
    ]
    return parameters(*times, *(("share", _share(each)) for each in report.shares), *(("look", _look(each)) for each in report.looks))


async def _whose(asked: Asked) -> tuple[Person, Sequence[str]]:
    """The person, and those of her Patients that may be reported on."""
    id = asked.request.id or ""
    version = await asked.seen.get("Patient", id)
    patient = version.reference
    found = await person(asked.desk, patient)
    members = {key(each): each for each in found.members}
    everybody = tuple(dict.fromkeys((found.reference, *members)))
    role, requester = asked.requester.role, asked.requester
    if role in OF_FACILITIES:
        if patient not in members or custodian(members[patient]) != requester.organization:
            raise not_found("Patient", id)
        return found, (patient,)
    if role is Role.PATIENT and requester.fhir_user not in everybody:
        raise not_found("Patient", id)
    return found, everybody


def _share(share: Share) -> list[Resource]:
    return [*part("facility", share.facility), *part("since", share.since), *part("state", share.state)]


def _look(look: Look) -> list[Resource]:
    return [
        {"name": "at", "valueDateTime": _iso(look.at)},
        *part("facility", look.facility),
        *part("person", look.person),
        *part("role", look.role),
        *part("kinds", look.kinds),
        *part("custodian", look.custodian),
        *part("why", look.why),
        *part("emergency", look.emergency),
    ]


def _iso(text: str) -> str:
    """A moment as reports write it, as FHIR does."""
    return text.replace("/", "-").replace(" ", "T")
