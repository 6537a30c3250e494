"""Break-glass: one person of a core hospital reads without consent, for minutes.

NETWORK.md D9, D10, F025, L20, S50. What is opened is first in the audit log, then comes the review with the notices, and last the record that
opens it: whatever fails in between, nobody has read anything that nobody will learn of.
"""

import uuid
from datetime import timedelta
from typing import Final

import msgspec

from fhir_server.audit.event import Event, Seen
from fhir_server.audit.interaction import of_operation
from fhir_server.auth.members import NETWORK
from fhir_server.auth.roles import FacilityRole, Role
from fhir_server.consent.emergencies import EMERGENCIES, OPENERS, PURPOSES, Emergency, in_group, open_to
from fhir_server.exchange import FhirResponse, Resource
from fhir_server.network.desk import Asked, Desk, parameters
from fhir_server.network.emergency.asking import named, person, posted
from fhir_server.network.emergency.reasons import checked_reason, titles
from fhir_server.network.emergency.reviews import ended, review
from fhir_server.network.emergency.telling import distinct, file, name, stamp, written
from fhir_server.network.matching.persons import custodian, golden_of, is_golden, key, members
from fhir_server.network.notices import Kind, communication
from fhir_server.outcome import FhirError, Issue, not_found
from fhir_server.store.records import Records

_PLACE: Final = "Parameters.parameter.where(name='{}')"


async def emergency_access(asked: Asked) -> FhirResponse:
    """$emergency-access: open all data, or one patient's, to the requester who declares the purpose in his next requests.

    Raises FhirError: 403 for whoever may not, and without a reason; 422 for values that do not do; 503 while nothing can be audited.
    Whether there is such a patient makes no difference (her existence is not told).
    """
    emergency = await _checked(asked)
    desk = asked.desk
    await desk.record(_event(asked, emergency))
    notices = await _notices(desk, emergency)
    await file(desk, review(desk, emergency, emergency.practitioner), *notices)
    if not await desk.shelf.records(EMERGENCIES).add(emergency):
        raise FhirError(Issue("transient", "The emergency could not be opened; try again"))
    return parameters(
        ("emergency", "valueReference", {"reference": f"Task/{emergency.id}"}),
        ("purpose", "valueCode", emergency.purpose),
        ("ends", "valueDateTime", stamp(desk, emergency.ends)),
    )


async def _checked(asked: Asked) -> Emergency:
    practitioner = _permitted(asked)
    purpose = asked.arguments.one("purpose")
    code, reason = checked_reason(asked.arguments.one("reasonCode"), asked.arguments.one("reason"), asked.desk.serving.definitions)
    if purpose not in PURPOSES:
        text = f"purpose is one of {', '.join(sorted(PURPOSES))} (http://terminology.hl7.org/CodeSystem/v3-ActReason)"
        raise FhirError(Issue("code-invalid", text, (_PLACE.format("purpose"),)))
    most = asked.desk.terms.emergency_minutes
    minutes = asked.arguments.one("minutes") or most
    if minutes > most:
        text = f"An emergency lasts {most} minutes at most; open another one then / 最長{most}分です"
        raise FhirError(Issue("business-rule", text, (_PLACE.format("minutes"),)))
    patient = named(asked, "patient", "Patient")
    now, organization = asked.desk.now(), asked.requester.organization or ""
    if not await in_group(asked.desk.everything, organization, practitioner, now):
        text = "The facility's emergency group does not name you / 施設の緊急閲覧グループに登録されていません"
        raise FhirError(Issue("forbidden", text, ("http.path",)))
    return Emergency(
        id=f"emergency-{uuid.uuid4()}",
        subject=asked.requester.subject,
        practitioner=practitioner,
        organization=organization,
        purpose=purpose,
        reason_code=code,
        reason=reason,
        opened=now,
        ends=now + timedelta(minutes=minutes),
        patient=patient,
        open_to=open_to(asked.requester),
    )


def _permitted(asked: Asked) -> str:
    asked.require(*OPENERS)
    posted(asked, "read", "Patient")
    practitioner = person(asked)
    if FacilityRole.CORE not in asked.requester.facility_roles or asked.requester.organization is None:
        text = "Only core hospitals read without consent / 同意によらない閲覧は中核病院に限られます"
        raise FhirError(Issue("forbidden", text, ("http.path",)))
    return practitioner


def _event(asked: Asked, emergency: Emergency) -> Event:
    seen = (Seen(emergency.patient, "", "Patient", 0),) if emergency.patient is not None else ()
    return msgspec.structs.replace(
        of_operation(asked.requester, emergency.opened, "emergency-access"),
        purpose=emergency.purpose,
        seen=seen,
        emergency=f"Task/{emergency.id}",
        reason=f"{emergency.reason_code}: {emergency.reason}",
    )


async def _notices(desk: Desk, emergency: Emergency) -> list[Resource]:
    """To the secretariat, and to each facility that has the patient's data; where all data are open, see `uses.seen`."""
    facts = await notice_facts(desk, emergency)
    told = [_notice(desk, NETWORK, facts)]
    own = await _patients(desk, emergency.patient) if emergency.patient is not None else []
    for facility in distinct(of for each in own if (of := custodian(each)) not in (None, NETWORK, emergency.organization)):
        about = [key(each) for each in own if custodian(each) == facility]
        told.append(_notice(desk, facility, facts, *about))
    return told


async def notice_facts(desk: Desk, emergency: Emergency) -> dict[str, str]:
    """Give what a notice of this emergency tells."""
    return {
        "facility": await name(desk, emergency.organization),
        "user": await name(desk, emergency.practitioner),
        "opened": written(desk, emergency.opened),
        "expires": written(desk, emergency.ends),
        "reason": " / ".join(titles(desk.serving.definitions)[emergency.reason_code]),
        "record": f"Task/{emergency.id}",
    }


def _notice(desk: Desk, recipient: str, facts: dict[str, str], *about: str) -> Resource:
    return communication(desk, recipient, Kind.EMERGENCY, facts, event=facts["record"], about=(facts["record"], *about))


async def _patients(desk: Desk, reference: str) -> list[Resource]:
    """Every facility's Patient of this person."""
    found = await desk.read(reference)
    if found is None:
        return []
    golden = reference if is_golden(reference) else golden_of(found)
    return list(await members(desk, golden)) if golden is not None else [found]


async def end_emergency_access(asked: Asked) -> FhirResponse:
    """$end-emergency-access: the requester's own ones, or the one that `emergency` names, which the secretariat may end as well.

    Raises FhirError (404) for one of somebody else's, or none: both look the same.
    """
    asked.require(*OPENERS, Role.SECRETARIAT)
    posted(asked, "read", "Patient")
    records: Records[Emergency] = asked.desk.shelf.records(EMERGENCIES)
    chosen = named(asked, "emergency", "Task")
    if chosen is None:
        found = await records.find(open_to=open_to(asked.requester))
    else:
        record = await records.get(chosen.partition("/")[2])
        theirs = record is not None and (asked.requester.role is Role.SECRETARIAT or record.subject == asked.requester.subject)
        if record is None or not theirs:
            raise not_found("Task", chosen.partition("/")[2])
        found = [record]
    over = [each for each in found if await _ended(asked.desk, each)]
    return parameters(*(("ended", "valueReference", {"reference": f"Task/{each.id}"}) for each in over))


async def _ended(desk: Desk, emergency: Emergency) -> bool:
    now = desk.now()

    def close(current: Emergency) -> Emergency | None:
        return msgspec.structs.replace(current, closed=now, open_to="") if current.is_open(now) else None

    done = await desk.shelf.records(EMERGENCIES).change(emergency.id, close) is not None
    if done:
        await ended(desk, emergency.id)
    return done
