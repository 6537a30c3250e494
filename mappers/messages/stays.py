"""Inpatient stays, assembled from admissions (ADT-22) and discharges (ADT-52).

SS-MIX2 has no visit number, and a discharge often does not even repeat the time of admission (PV1-44): one message alone
cannot know which Encounter it is about. So a message gives a part, and `assemble` puts all parts of a patient together.

To end in the same state whatever the order of messages, whatever is sent again and wherever an import was interrupted,
nothing is ever patched. The stored Encounters are taken apart into the parts they were made from, the part of this message
replaces what its document said before, and everything is assembled anew.

An admission is closed by the first discharge after it, provided no later admission lies between. A discharge that states its
admission belongs to that one and no other. A discharge without an admission is an Encounter of its own until one appears.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from mappers.datatypes import ts
from mappers.datatypes.document import Document, Resource
from mappers.hl7v2.message import MessageError
from mappers.messages.stay_part import ADMISSION, DISCHARGE, Context, Part, admission, discharge, parts_of
from mappers.segments.pv1_to_encounter import INPATIENT, PROFILE, participant

_EVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stay:
    """What a message says about its patient's stays: the part to put in place of the document's earlier one, or none.

    `patient` is the reference whose inpatient Encounters `assemble` has to see.
    """

    patient: str
    what: str
    document: str
    part: Part | None
    context: Context


def stay(document: Document, what: str, *, cancelled: bool) -> Stay:
    """Read what an ADT-22 or ADT-52 message says about a stay.

    A cancelled admission stays visible as such; a cancelled discharge has no part any more.
    """
    pv1 = document.message.first("PV1")
    if pv1 is None:
        raise MessageError("the message is truncated or has no PV1 segment", "PV1")
    if pv1[2] and pv1[2] != "I":
        document.warn("PV1-2", "not I; an inpatient is assumed for this kind")
    context = Context(document.facility, document.patient, document.organization, document.source)
    part = None
    if what == ADMISSION:
        part = admission(pv1, document, cancelled=cancelled)
    elif not cancelled:
        part = discharge(pv1, document)
    return Stay(document.patient["reference"], what, document.key, part, context)


def targets(said: Stay) -> list[Resource]:
    """Give references to the Encounter that a message speaks of.

    An admission leads its own Encounter. Whose a discharge is can change with messages still to come: it is referred to by
    the identifier that its Encounter carries, whichever that is.
    """
    if said.what == ADMISSION:
        return [{"reference": f"Encounter/{said.context.facility.id('Encounter', said.document)}"}]
    return [{"type": "Encounter", "identifier": {"system": said.context.facility.system(DISCHARGE), "value": said.document}}]


def assemble(said: Stay, encounters: Sequence[Resource]) -> tuple[list[Resource], list[str]]:
    """Give the Encounters to write and the references to delete, from what is stored and what this message says.

    `encounters` are all stored Encounters of the patient; those not made here are left alone.
    """
    stored = {each["id"]: each for each in encounters if parts_of(each, said.context.facility)}
    parts = [part for each in stored.values() for part in parts_of(each, said.context.facility)]
    kept = [part for part in parts if (part.what, part.document) != (said.what, said.document)]
    if said.part:
        kept.append(said.part)
    made = {encounter["id"]: encounter for encounter in _pair(kept, stored, said.context)}
    changed = [encounter for id, encounter in made.items() if id not in stored or _content(stored[id]) != encounter]
    return changed, [f"Encounter/{id}" for id in stored if id not in made]


def _content(encounter: Resource) -> Resource:
    """Leave out what the server adds to a resource it stores."""
    meta = {key: value for key, value in encounter.get("meta", {}).items() if key not in ("versionId", "lastUpdated")}
    return {**encounter, "meta": meta}


def _pair(parts: Iterable[Part], stored: dict[str, Resource], context: Context) -> list[Resource]:
    """Bring admissions and discharges together; the result depends on the set of parts, not on their order."""
    parts = list(parts)
    admissions = sorted((part for part in parts if part.what == ADMISSION), key=lambda part: (_start(part), part.document))
    discharges = sorted(
        (part for part in parts if part.what == DISCHARGE),
        key=lambda part: (part.start is None, _end(part), part.document),
    )
    closed: dict[str, Part] = {}
    alone: list[Part] = []
    for last in discharges:
        first = _admission_of(last, admissions)
        if first is None or first.document in closed:
            alone.append(last)
        else:
            closed[first.document] = last
    pairs: list[tuple[Part | None, Part | None]] = [(first, closed.get(first.document)) for first in admissions]
    pairs += [(None, last) for last in alone]
    return [_encounter(first, last, stored, context) for first, last in pairs]


def _admission_of(last: Part, admissions: Sequence[Part]) -> Part | None:
    """Find the admission that a discharge states, or else the latest one before it."""
    before = [each for each in admissions if not each.cancelled and _start(each) <= _end(last)]
    if last.start:
        before = [each for each in before if _same_time(each.start, last.start)]
    return before[-1] if before else None


def _same_time(one: str | None, other: str) -> bool:
    """Compare two dateTimes as far as the vaguer of them goes."""
    if one is None:
        return False
    length = min(len(one), len(other))
    return one[: min(length, 16)] == other[: min(length, 16)]


def _start(part: Part) -> datetime:
    return (ts.moment(part.start) if part.start else None) or _EVER


def _end(part: Part) -> datetime:
    """Give the latest moment that the end of a stay means: a day lasts until midnight."""
    end = ts.moment(part.end) if part.end else None
    if end is None or part.end is None:
        return _EVER
    return end if "T" in part.end else end + timedelta(days=1) - timedelta(milliseconds=1)


def _encounter(first: Part | None, last: Part | None, stored: dict[str, Resource], context: Context) -> Resource:
    """Put one Encounter together."""
    lead = first or last
    assert lead is not None
    parts = [part for part in (first, last) if part]
    source = stored.get(lead.id, {}).get("meta", {}).get("source", context.source)
    result: Resource = {
        "resourceType": "Encounter",
        "id": lead.id,
        "meta": {"source": source, "profile": [PROFILE]},
        "identifier": [_identifier(part, context) for part in parts],
        "status": "cancelled" if lead.cancelled else "finished" if last else "in-progress",
        "class": INPATIENT,
    }
    if first and first.department:
        result["serviceType"] = first.department
    result["subject"] = context.patient
    people = [participant("ATND", who, period) for who, period in _spans(first, last, "doctor")]
    if first and first.admitter:
        people.append(participant("ADM", first.admitter, {}))
    if people:
        result["participant"] = people
    start = first.start if first else lead.start
    end = last.end if last else None
    period = {key: value for key, value in (("start", start), ("end", end)) if value}
    if period:
        result["period"] = period
    if last and last.disposition:
        result["hospitalization"] = {"dischargeDisposition": last.disposition}
    status = "completed" if last or lead.cancelled else "active"
    places = [{"location": place, "status": status, "period": period} for place, period in _spans(first, last, "place")]
    if places:
        result["location"] = places
    result["serviceProvider"] = context.organization
    return result


def _spans(first: Part | None, last: Part | None, what: str) -> list[tuple[Resource, dict[str, str]]]:
    """Give who or what was there at the beginning and at the end, as one span where it is the same."""
    spans: list[tuple[Resource, dict[str, str]]] = []
    if first and first.start and (found := getattr(first, what)):
        spans.append((found, {"start": first.start}))
    if last and last.end and (found := getattr(last, what)):
        if spans and spans[0][0] == found:
            spans[0] = (found, {**spans[0][1], "end": last.end})
        else:
            spans.append((found, {"end": last.end}))
    return spans


def _identifier(part: Part, context: Context) -> dict[str, Any]:
    """Name the document and the times it states."""
    period = {key: value for key, value in (("start", part.start), ("end", part.end)) if value}
    result: dict[str, Any] = {"system": context.facility.system(part.what), "value": part.document}
    return {**result, "period": period} if period else result
