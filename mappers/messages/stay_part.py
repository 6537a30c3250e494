"""One document's part of an inpatient stay: read from a message, or taken out of a stored Encounter again.

Encounter.identifier names the documents that a stay was made from and, in its period, what each of them stated. Participants
and locations are told apart by their periods: what begins belongs to the admission, what ends to the discharge.
"""

from dataclasses import dataclass
from typing import Any, Final

from mappers.datatypes import pl, ts, xcn
from mappers.datatypes.document import Document, Facility, Resource
from mappers.hl7v2.message import Segment
from mappers.segments import pv1_to_encounter

ADMISSION: Final = "admission-document"
DISCHARGE: Final = "discharge-document"


@dataclass(frozen=True, slots=True)
class Part:
    """What one document says about a stay.

    `what` is ADMISSION or DISCHARGE, `document` the document's key, `id` the Encounter's id where this part leads it.
    `start` and `end` are dateTimes that the document itself states.
    """

    what: str
    document: str
    id: str
    start: str | None = None
    end: str | None = None
    place: Resource | None = None
    doctor: Resource | None = None
    admitter: Resource | None = None
    department: Resource | None = None
    disposition: Resource | None = None
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What all stays of one patient at one facility have in common."""

    facility: Facility
    patient: Resource
    organization: Resource
    source: str


def admission(pv1: Segment, document: Document, *, cancelled: bool) -> Part:
    """Read the part that an admission (ADT-22) states."""
    document.account(pv1, pv1_to_encounter.USED_ADMISSION, pv1_to_encounter.NOT_MAPPED)
    return Part(
        ADMISSION,
        document.key,
        document.shared_id("Encounter", document.key),
        start=pv1_to_encounter.moment(pv1, 44, document),  # PV1-44 入院日時
        place=pl.reference(pv1.first(3), document),  # PV1-3 患者所在場所
        doctor=xcn.reference(pv1, 7, document),  # PV1-7 主治医
        admitter=xcn.reference(pv1, 17, document),  # PV1-17 入院時医師
        department=pv1_to_encounter.department(pv1, document),  # PV1-10 診療部門
        cancelled=cancelled,
    )


def discharge(pv1: Segment, document: Document) -> Part:
    """Read the part that a discharge (ADT-52) states."""
    document.account(pv1, pv1_to_encounter.USED_DISCHARGE, pv1_to_encounter.NOT_MAPPED)
    return Part(
        DISCHARGE,
        document.key,
        document.shared_id("Encounter", document.key),
        start=ts.date_time(pv1[44]),  # PV1-44 入院日時, often absent
        end=pv1_to_encounter.moment(pv1, 45, document),  # PV1-45 退院日時
        place=pl.reference(pv1.first(3), document),
        doctor=xcn.reference(pv1, 7, document),
        disposition=pv1_to_encounter.disposition(pv1),  # PV1-36 退院区分
    )


def parts_of(encounter: Resource, facility: Facility) -> list[Part]:
    """Take a stored Encounter apart; give nothing for one that was not assembled here."""
    parts = []
    for identifier in encounter.get("identifier", []):
        for what, read in ((ADMISSION, _stored_admission), (DISCHARGE, _stored_discharge)):
            if identifier.get("system") == facility.system(what):
                parts.append(read(encounter, identifier, facility))
    return parts


def _stored_admission(encounter: Resource, identifier: dict[str, Any], facility: Facility) -> Part:
    return Part(
        ADMISSION,
        identifier["value"],
        facility.id("Encounter", identifier["value"]),
        start=identifier.get("period", {}).get("start"),
        place=_bounded(encounter.get("location", []), "start", "location"),
        doctor=_bounded(_people(encounter, "ATND"), "start", "individual"),
        admitter=next((each["individual"] for each in _people(encounter, "ADM")), None),
        department=encounter.get("serviceType"),
        cancelled=encounter.get("status") == "cancelled",
    )


def _stored_discharge(encounter: Resource, identifier: dict[str, Any], facility: Facility) -> Part:
    period = identifier.get("period", {})
    return Part(
        DISCHARGE,
        identifier["value"],
        facility.id("Encounter", identifier["value"]),
        start=period.get("start"),
        end=period.get("end"),
        place=_bounded(encounter.get("location", []), "end", "location"),
        doctor=_bounded(_people(encounter, "ATND"), "end", "individual"),
        disposition=encounter.get("hospitalization", {}).get("dischargeDisposition"),
    )


def _people(encounter: Resource, code: str) -> list[dict[str, Any]]:
    """Give the participants of one kind of v3-ParticipationType."""
    return [
        each
        for each in encounter.get("participant", [])
        if any(coding.get("code") == code for type in each.get("type", []) for coding in type.get("coding", []))
    ]


def _bounded(elements: list[dict[str, Any]], edge: str, what: str) -> Resource | None:
    """Give the element whose period has a start, or an end."""
    return next((each[what] for each in elements if edge in each.get("period", {})), None)
