"""Disaster mode: two persons of the secretariat open an area's data to all core hospitals, for days.

NETWORK.md D9, D10, F005, L20 (a large disaster counts). One proposes, another one approves; it ends by the clock, or when somebody of the
secretariat closes it. Each change of the record is made only if nobody was faster.
"""

import unicodedata
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from fhir_server.audit.event import Event
from fhir_server.audit.interaction import of_operation
from fhir_server.auth.members import NETWORK
from fhir_server.auth.roles import FacilityRole, Role
from fhir_server.consent.emergencies import DISASTERS, Disaster, Standing
from fhir_server.exchange import FhirResponse, Resource
from fhir_server.network.desk import Asked, Desk, parameters
from fhir_server.network.emergency.asking import person, posted
from fhir_server.network.emergency.reasons import checked_text
from fhir_server.network.emergency.reviews import ended, review
from fhir_server.network.emergency.telling import distinct, facilities, file, reference, stamp, written
from fhir_server.network.notices import Kind, communication
from fhir_server.outcome import FhirError, Issue, conflict, invalid
from profiles.primitives import date_span

EVERYWHERE: Final = "all"
_MOST_MUNICIPALITIES: Final = 100
_PLACE: Final = "Parameters.parameter.where(name='{}')"


async def propose_disaster(asked: Asked) -> FhirResponse:
    """$propose-disaster: name area, end and reason; nothing is open before somebody else approves.

    Raises FhirError: 403, 422 where a municipality has no facility or the time is too long.
    """
    practitioner = _secretariat(asked)
    now = asked.desk.now()
    reason = checked_text(asked.arguments.one("reason"), "reason")
    opens, ends = _period(asked, now)
    area, custodians = await _area(asked)
    disaster = Disaster(
        id=f"disaster-{uuid.uuid4()}",
        area=area,
        custodians=custodians,
        reason=reason,
        proposed=now,
        proposed_by=asked.requester.subject,
        proposer=practitioner,
        opens=opens,
        ends=ends,
    )
    await asked.desk.shelf.records(DISASTERS).add(disaster)
    return _answer(asked.desk, disaster)


async def approve_disaster(asked: Asked) -> FhirResponse:
    """$approve-disaster: a second person of the secretariat opens what another one proposed.

    Raises FhirError: 403 for the proposer, 404, 409 where it is approved or closed already, 422 where its time is over, 503 while nothing can
    be audited.
    """
    practitioner = _secretariat(asked)
    desk = asked.desk
    proposed = await _named(asked)
    if asked.requester.subject == proposed.proposed_by or practitioner == proposed.proposer:
        text = "A second person has to approve it / 提案者以外の承認が必要です"
        raise FhirError(Issue("forbidden", text, (_PLACE.format("disaster"),)))
    now = desk.now()
    if proposed.standing != Standing.PROPOSED:
        raise _settled()
    if proposed.ends <= now:
        raise FhirError(Issue("business-rule", "Its time is over: propose another one", (_PLACE.format("disaster"),)))
    approved = _approved(proposed, asked, practitioner, now)
    await desk.record(_event(asked, approved, "approve-disaster"))
    await file(desk, review(desk, approved, approved.proposer), *await _notices(desk, approved, Kind.DISASTER_OPENED))
    changed = await desk.shelf.records(DISASTERS).change(proposed.id, lambda each: approved if each.standing == Standing.PROPOSED else None)
    if changed is None:
        raise _settled()
    return _answer(desk, changed)


def _approved(proposed: Disaster, asked: Asked, practitioner: str, now: datetime) -> Disaster:
    by = {"approved": now, "approved_by": asked.requester.subject, "approver": practitioner}
    return msgspec.structs.replace(proposed, standing=Standing.APPROVED, opens=max(proposed.opens, now), **by)


async def close_disaster(asked: Asked) -> FhirResponse:
    """$close-disaster: end it before its time, or take back what was proposed; one person is enough for that. Raises FhirError: 403, 404."""
    _secretariat(asked)
    desk, known = asked.desk, await _named(asked)
    now = desk.now()

    def close(current: Disaster) -> Disaster | None:
        return None if current.standing == Standing.CLOSED else msgspec.structs.replace(current, standing=Standing.CLOSED, closed=now)

    changed = await desk.shelf.records(DISASTERS).change(known.id, close)
    if changed is None:
        return _answer(desk, known)
    await ended(desk, changed.id)
    if changed.approved is not None:
        await file(desk, *await _notices(desk, changed, Kind.DISASTER_CLOSED))
    return _answer(desk, changed)


def _secretariat(asked: Asked) -> str:
    asked.require(Role.SECRETARIAT)
    posted(asked, "update", "Task")
    return person(asked)


def _period(asked: Asked, now: datetime) -> tuple[datetime, datetime]:
    """When it opens and ends; a day lasts to its end on the network's clocks. A start that is over is now."""
    start, end = asked.arguments.one("start"), asked.arguments.one("end")
    opens, ends = max(_moment(asked, start, 0), now) if start else now, _moment(asked, end, 1)
    longest = asked.desk.terms.disaster_days
    if ends <= opens:
        raise FhirError(Issue("business-rule", "It has to end later than it begins", (_PLACE.format("end"),)))
    if ends - opens > timedelta(days=longest):
        text = f"A disaster lasts {longest} days at most; propose another one then / 最長{longest}日です"
        raise FhirError(Issue("business-rule", text, (_PLACE.format("end"),)))
    return opens, ends


def _moment(asked: Asked, text: Any, bound: int) -> datetime:
    name = ("start", "end")[bound]
    try:
        low, high = date_span(str(text), asked.desk.terms.zone)
        return datetime.fromtimestamp((high + 1 if bound and "T" not in str(text) else low) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise invalid(f"{name} is no dateTime", _PLACE.format(name), code="value") from None


async def _area(asked: Asked) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """The municipalities, and the facilities there: none and None for everywhere. A municipality without a facility is a mistake."""
    area = tuple(distinct(_plain(str(each)) for each in asked.arguments.all("area")))
    if area == (EVERYWHERE,):
        return (), None
    if not area or EVERYWHERE in area or len(area) > _MOST_MUNICIPALITIES:
        text = f"area names up to {_MOST_MUNICIPALITIES} municipalities, or is '{EVERYWHERE}'"
        raise FhirError(Issue("business-rule", text, (_PLACE.format("area"),)))
    known = [(reference(each), _municipalities(each)) for each in await facilities(asked.desk)]
    empty = [number for number, each in enumerate(area) if not any(each in names for _, names in known)]
    if empty:
        raise FhirError(
            *(Issue("business-rule", "No facility has its address there", (f"{_PLACE.format('area')}[{each}]",)) for each in empty)
        )
    return area, tuple(organization for organization, names in known if names & set(area))


def _municipalities(organization: Resource) -> frozenset[str]:
    """Every way in which its address names the municipality: 琴平町, 仲多度郡琴平町, 香川県仲多度郡琴平町."""
    found: set[str] = set()
    for address in organization.get("address", ()):
        city, district, state = (_plain(str(address.get(part, ""))) for part in ("city", "district", "state"))
        if city and address.get("use") != "old":
            found |= {city, district + city, state + city, state + district + city}
    return frozenset(found)


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


async def _named(asked: Asked) -> Disaster:
    id = str(asked.arguments.one("disaster") or "").removeprefix("Task/")
    found = await asked.desk.shelf.records(DISASTERS).get(id)
    if found is None:
        raise FhirError(Issue("not-found", "There is no such disaster", (_PLACE.format("disaster"),)))
    return found


async def _notices(desk: Desk, disaster: Disaster, kind: Kind) -> Iterable[Resource]:
    """To the secretariat, to the core hospitals, and to the facilities whose data are open."""
    told = {"area": "、".join(disaster.area) or "全域 / everywhere", "record": f"Task/{disaster.id}", "reason": disaster.reason}
    told |= {"opens": written(desk, disaster.opens), "ends": written(desk, disaster.ends)}
    told["closed"] = written(desk, disaster.closed or disaster.ends)
    core = [reference(each) for each in await facilities(desk, FacilityRole.CORE)]
    open_ones = disaster.custodians if disaster.custodians is not None else [reference(each) for each in await facilities(desk)]
    about = (told["record"],)
    return [communication(desk, each, kind, told, event=told["record"], about=about) for each in distinct((NETWORK, *core, *open_ones))]


def _event(asked: Asked, disaster: Disaster, operation: str) -> Event:
    return msgspec.structs.replace(
        of_operation(asked.requester, asked.desk.now(), operation),
        purpose="ETREAT",
        emergency=f"Task/{disaster.id}",
        reason=f"disaster: {disaster.reason}",
    )


def _answer(desk: Desk, disaster: Disaster) -> FhirResponse:
    custodians = disaster.custodians or ()
    return parameters(
        ("disaster", "valueString", disaster.id),
        ("standing", "valueCode", str(disaster.standing)),
        ("opens", "valueDateTime", stamp(desk, disaster.opens)),
        ("ends", "valueDateTime", stamp(desk, disaster.ends)),
        *(("custodian", "valueReference", {"reference": each}) for each in custodians),
    )


def _settled() -> FhirError:
    return conflict("It is approved or closed already", _PLACE.format("disaster"))
