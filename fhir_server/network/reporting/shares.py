"""The facilities that a patient's consents name, and how each one's sharing stands now (NETWORK.md F081, F065, §0.2).

It is told of the Consents themselves, by the same rules as the secretariat's screen: published, linked, paused, stopped.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from fhir_server.audit.reports.access import Names
from fhir_server.audit.reports.patient import Share
from fhir_server.exchange import Resource
from fhir_server.network.consent_form.provisions import (
    OPT_OUT,
    PAUSED,
    STOPPED,
    UNLINKED,
    concerns,
    exceptions,
    is_of_network,
    is_over,
    organizations,
    published_at,
    reason_of,
)
from fhir_server.network.consent_form.states import TITLES, State
from fhir_server.network.desk import Desk
from fhir_server.network.matching.persons import Person, custodian, key
from fhir_server.search.expression import ForPatient, Or
from profiles.primitives import date_span

SHARING, CONDITIONAL, PARTLY = "共有中", "条件付きで共有中", "一部の情報を除いて共有中"
WAITING, ENDED, TO_COME, REFUSED, OPTING = "公開準備中", "期間終了", "開始前", "共有しない", "公開待ち（異議申立期間）"
_STATES: Final = {
    UNLINKED: TITLES[State.UNLINKED][0],
    STOPPED: TITLES[State.PARTLY_STOPPED][0],
    PAUSED: TITLES[State.PAUSED][0],
    OPT_OUT: OPTING,
}
_NEVER: Final = frozenset({"entered-in-error", "rejected"})
_OF_DATA: Final = ("dataPeriod", "securityLabel", "class", "code", "data", "purpose", "action")


async def shares(desk: Desk, names: Names, person: Person, only: str | None = None) -> list[Share]:
    """Give every facility that the person's consents name, each by the newest of them; with `only`, by those that name this facility."""
    patients = dict.fromkeys((person.reference, *map(key, person.members)))
    found = await desk.find("Consent", Or(tuple(ForPatient(each) for each in patients)))
    linked = frozenset(of for each in person.members if (of := custodian(each)) is not None)
    told: dict[str, tuple[str, str]] = {}
    for consent in sorted(found, key=lambda each: (each.get("dateTime", ""), each["status"] == "active")):
        named = organizations(consent)
        if consent["status"] in _NEVER or (only is not None and only not in named):
            continue
        for each in named:
            told.pop(each, None)
            told[each] = (_since(desk, consent, each), _state(desk, consent, each, linked=each in linked))
    known = await names(tuple(told))
    return [Share(known.get(each, each), since, state) for each, (since, state) in told.items()]


def _state(desk: Desk, consent: Resource, organization: str, *, linked: bool) -> str:
    """How the sharing with one facility stands, in plain Japanese."""
    if consent["status"] == "inactive":
        return TITLES[State.STOPPED][0]
    if consent["status"] != "active" or not _is_published(desk, consent):
        return WAITING
    root = consent.get("provision", {})
    if root.get("type") == "deny":
        return REFUSED
    if is_over(root, desk.now(), desk.terms.zone):
        return ENDED
    if not _has_begun(desk, root):
        return TO_COME
    if not linked:
        return TITLES[State.UNLINKED][0]
    return next(_excepted(desk, consent, organization), SHARING if is_of_network(consent) else CONDITIONAL)


def _excepted(desk: Desk, consent: Resource, organization: str) -> Iterator[str]:
    """The exceptions that concern the facility now; those that take out all before those that take out some of the data."""
    now, zone = desk.now(), desk.terms.zone
    here = [
        each
        for each in exceptions(consent)
        if organization in (concerns(each) or (organization,)) and not is_over(each, now, zone) and _has_begun(desk, each)
    ]
    for each in sorted(here, key=_takes_part):
        if each.get("type") == "deny":
            usual = PARTLY if _takes_part(each) else _STATES[PAUSED if "period" in each else STOPPED]
            yield _STATES.get(reason_of(each) or "", usual)


def _takes_part(exception: Resource) -> bool:
    return any(name in exception for name in _OF_DATA)


def _is_published(desk: Desk, consent: Resource) -> bool:
    return any(_moment(desk, each["verificationDate"]) <= _ms(desk) for each in _verified(consent))


def _verified(consent: Resource) -> list[Resource]:
    return [each for each in consent.get("verification", ()) if each.get("verified") is True and "verificationDate" in each]


def _has_begun(desk: Desk, provision: Resource) -> bool:
    start = provision.get("period", {}).get("start")
    return start is None or _moment(desk, start) <= _ms(desk)


def _ms(desk: Desk) -> float:
    return desk.now().timestamp() * 1000


def _moment(desk: Desk, text: str) -> int:
    return date_span(text, desk.terms.zone)[0]


def _since(desk: Desk, consent: Resource, organization: str) -> str:
    """公開日時 where the network has published it, else when it was verified, else when the patient decided."""
    verified = (each["verificationDate"] for each in _verified(consent))
    text = published_at(consent).get(organization) or next(verified, None) or consent.get("dateTime")
    if text is None:
        return ""
    at = datetime.fromtimestamp(_moment(desk, text) / 1000, desk.terms.zone)
    return f"{at:%Y/%m/%d %H:%M}" if "T" in text else f"{at:%Y/%m/%d}"
