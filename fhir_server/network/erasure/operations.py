"""Patient/[id]/$request-erasure and $approve-erasure: two persons of the secretariat, never one.

NETWORK.md D8, F080.
"""

import uuid
from typing import Final

import msgspec

from fhir_server.audit.event import Event
from fhir_server.audit.interaction import of_operation
from fhir_server.auth.roles import Role
from fhir_server.exchange import FhirResponse
from fhir_server.network.desk import Asked, parameters
from fhir_server.network.emergency.asking import person, posted
from fhir_server.network.emergency.reasons import checked_text
from fhir_server.network.erasure.records import ERASURES, Erasure, State, digest
from fhir_server.network.erasure.scope import scope
from fhir_server.network.erasure.work import carry_out
from fhir_server.outcome import FhirError, Issue, conflict, invalid, not_found

_LONGEST_FORM: Final = 100


async def request_erasure(asked: Asked) -> FhirResponse:
    """Ask that everything about this Patient is erased; nothing is before somebody else approves.

    Raises FhirError: 403, 404, 409 where that is asked for already.
    """
    practitioner = _secretariat(asked)
    reason = checked_text(asked.arguments.one("reason"), "reason")
    form = str(asked.arguments.one("form") or "").strip()
    if not form or len(form) > _LONGEST_FORM or not form.isprintable():
        raise invalid("form is the number of the written request (届出書)", "Parameters.parameter.where(name='form')", code="value")
    patient = f"Patient/{asked.request.id}"
    await _check_there(asked)
    whole = await scope(asked.desk, patient)
    record = Erasure(
        id=f"erasure-{uuid.uuid4()}",
        asked_for=patient,
        patients=whole.patients,
        custodians=whole.custodians,
        digests=tuple(digest(each) for each in whole.patients),
        reason=reason,
        form=form,
        requested=asked.desk.now(),
        requested_by=asked.requester.subject,
        requester=practitioner,
    )
    if not await asked.desk.shelf.records(ERASURES).add(record):
        raise conflict("The erasure of this Patient is asked for already", "Patient")
    return _answer(record)


async def approve_erasure(asked: Asked) -> FhirResponse:
    """Approve it as a second person, and erase; asked again, go on where it was interrupted.

    Raises FhirError: 403 for whoever asked for it, 404 where nothing is asked for, 409 where somebody is at it, or others have been linked since,
    503 while nothing can be audited.
    """
    practitioner = _secretariat(asked)
    patient = f"Patient/{asked.request.id}"
    record = await _open(asked, patient)
    if record is None:
        raise not_found("Patient", str(asked.request.id))
    if asked.requester.subject == record.requested_by or practitioner == record.requester:
        raise FhirError(Issue("forbidden", "A second person has to approve it / 申請者以外の承認が必要です", ("Patient",)))
    if record.state == State.REQUESTED:
        await _approve(asked, record, practitioner)
    return _answer(await carry_out(asked.desk, record.id, asked.requester))


async def _approve(asked: Asked, record: Erasure, practitioner: str) -> None:
    """That it begins is in the audit log before anything goes."""
    whole = await scope(asked.desk, record.asked_for)
    if whole.patients != record.patients:
        await asked.desk.shelf.records(ERASURES).remove(record.id)
        raise conflict("Others have been linked or unlinked since it was asked for: ask again / 名寄せが変わりました", "Patient.link")
    now = asked.desk.now()
    await asked.desk.record(_begun(asked, record))

    def approved(current: Erasure) -> Erasure | None:
        if current.state != State.REQUESTED:
            return None
        by = {"approved": now, "approved_by": asked.requester.subject, "approver": practitioner}
        return msgspec.structs.replace(current, state=State.ERASING, **by)

    if await asked.desk.shelf.records(ERASURES).change(record.id, approved) is None:
        raise conflict("Somebody else has approved it at this moment", "Patient")


def _begun(asked: Asked, record: Erasure) -> Event:
    return msgspec.structs.replace(
        of_operation(asked.requester, asked.desk.now(), "approve-erasure"),
        action="D",
        status=202,
        type="Patient",
        id=record.asked_for.partition("/")[2],
        reason=f"{record.id}: begun; form {record.form}",
    )


def _secretariat(asked: Asked) -> str:
    asked.require(Role.SECRETARIAT)
    posted(asked, "update", "Patient")
    return person(asked)


async def _check_there(asked: Asked) -> None:
    """A Patient who was deleted is there in this sense: her past is."""
    try:
        await asked.seen.get("Patient", str(asked.request.id))
    except FhirError as failure:
        if failure.status != 410:
            raise


async def _open(asked: Asked, patient: str) -> Erasure | None:
    return next(iter(await asked.desk.shelf.records(ERASURES).find(asked_for=patient)), None)


def _answer(record: Erasure) -> FhirResponse:
    counted = (
        ("resources", "valueUnsignedInt", sum(record.resources.values())),
        ("versions", "valueUnsignedInt", record.versions),
        ("sha256", "valueString", record.sha256),
    )
    head = (("erasure", "valueString", record.id), ("state", "valueCode", str(record.state)))
    return parameters(*head, *(counted if record.state == State.DONE else ()))
