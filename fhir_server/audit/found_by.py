"""What batches are found by, and the Filter that reports and pages ask with.

""                      every batch                    d                  a refusal or failure is in it
r=Type/id               what or whom it tells of       !                  an emergency is
o=Organization/1        a reader or writer of it       s=subject          an account or a client's own name
c=Organization/1        data in its custody            a=client           an app
x=Organization/1        its data, seen by others       y=Organization/1   others' data, seen by it
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from fhir_server.audit.event import Event

EVERY: Final = ""
_LONGEST: Final = 160  # no reference is longer; what is, somebody has made up
DENIED: Final = "d"
EMERGENCY: Final = "!"
ABOUT, READER, CUSTODIAN, SUBJECT, CLIENT = "r=", "o=", "c=", "s=", "a="
SEEN_BY_OTHERS, SEEN_ELSEWHERE = "x=", "y="


def keys_of(events: Sequence[Event]) -> tuple[str, ...]:
    """Give the keys of a batch of these events, each once."""
    keys: dict[str, None] = {EVERY: None}
    for event in events:
        keys.update(dict.fromkeys(_keys(event)))
    return tuple(keys)


def _keys(event: Event) -> list[str]:
    keys = [ABOUT + each for each in references(event)]
    if event.subject:
        keys.append(SUBJECT + event.subject)
    if event.client:
        keys.append(CLIENT + event.client)
    if event.organization:
        keys.append(READER + event.organization)
    for seen in event.seen:
        if seen.custodian:
            keys.append(CUSTODIAN + seen.custodian)
            if seen.custodian != event.organization:
                keys.append(SEEN_BY_OTHERS + seen.custodian)
                keys.append(SEEN_ELSEWHERE + event.organization)
    if event.emergency:
        keys.append(EMERGENCY)
    if event.status >= HTTPStatus.BAD_REQUEST:
        keys.append(DENIED)
    return keys


def asked_for(event: Event) -> str:
    """Give the reference `Type/id` that was asked for, empty where none was."""
    return f"{event.type}/{event.id}" if event.type and event.id else ""


def resource_of(reference: str) -> str:
    """Leave out of which version a reference is."""
    return reference.partition("/_history/")[0]


def patients_of(event: Event) -> tuple[str, ...]:
    """Give the patients that the event tells of."""
    named = (asked_for(event), *(each.patient for each in event.seen), *event.what, *map(resource_of, event.written))
    return tuple(dict.fromkeys(each for each in named if each.startswith("Patient/")))


def references(event: Event) -> tuple[str, ...]:
    """Give every reference that the event tells of, but for facilities: those are found by what they are to it."""
    named = (
        event.person,
        asked_for(event),
        *(each.patient for each in event.seen),
        *event.what,
        *map(resource_of, event.written),
        *event.consents,
        event.emergency,
    )
    return tuple(dict.fromkeys(each for each in named if each and len(each) <= _LONGEST))


def outcome_of(event: Event) -> str:
    """Give AuditEvent.outcome: 0 success, 4 the requester's failure or a refusal, 8 the server's, 12 it cannot serve at all."""
    if event.status < HTTPStatus.BAD_REQUEST:
        return "0"
    if event.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return "4"
    return "12" if event.status == HTTPStatus.SERVICE_UNAVAILABLE else "8"


@dataclass(frozen=True, slots=True)
class Filter:
    """Events to be found; what is not given is not asked. `since` and `until` are ms since 1970, both included.

    `patients` are "Patient/1"; `organization` ("Organization/1") is who asked, `custodian` whose data it was. `elsewhere` leaves
    out what a facility saw of its own. `outcome` is a code of AuditEvent.outcome, `action` C R U D or E.
    """

    patients: tuple[str, ...] = ()
    organization: str | None = None
    custodian: str | None = None
    subject: str | None = None
    since: int | None = None
    until: int | None = None
    action: str | None = None
    outcome: str | None = None
    denied: bool = False
    emergency: bool = False
    elsewhere: bool = False

    def keys(self) -> list[tuple[str, ...]]:
        """Give of what each batch has one at least, what tells most first."""
        keys: list[tuple[str, ...]] = []
        if self.patients:
            keys.append(tuple(ABOUT + each for each in self.patients))
        if self.subject:
            keys.append((SUBJECT + self.subject,))
        if self.emergency:
            keys.append((EMERGENCY,))
        if self.denied:
            keys.append((DENIED,))
        if self.custodian:
            keys.append(((SEEN_BY_OTHERS if self.elsewhere else CUSTODIAN) + self.custodian,))
        if self.organization:
            keys.append(((SEEN_ELSEWHERE if self.elsewhere else READER) + self.organization,))
        return keys

    def holds(self, event: Event) -> bool:
        """Judge one event."""
        return (
            (self.since is None or event.at >= self.since)
            and (self.until is None or event.at <= self.until)
            and (self.organization is None or event.organization == self.organization)
            and (self.subject is None or event.subject == self.subject)
            and (self.action is None or event.action == self.action)
            and (self.outcome is None or outcome_of(event) == self.outcome)
            and (not self.emergency or bool(event.emergency))
            and (not self.denied or event.status >= HTTPStatus.BAD_REQUEST)
            and self._is_about(event)
        )

    def _is_about(self, event: Event) -> bool:
        """What is asked of patient, custodian and reader holds for one and the same of what was seen."""
        if self.custodian is None and not self.elsewhere:
            return not self.patients or not set(self.patients).isdisjoint(patients_of(event))
        return any(
            (not self.patients or seen.patient in self.patients)
            and (self.custodian is None or seen.custodian == self.custodian)
            and (not self.elsewhere or (bool(seen.custodian) and seen.custodian != event.organization))
            for seen in event.seen
        )


def shared(filter: Filter, event: Event) -> Iterable[tuple[str, str, str, int]]:
    """Give (patient, custodian, type, count) of what the filter asks for in an event that it holds for."""
    for seen in event.seen:
        if (
            (not filter.patients or seen.patient in filter.patients)
            and (filter.custodian is None or seen.custodian == filter.custodian)
            and (not filter.elsewhere or (bool(seen.custodian) and seen.custodian != event.organization))
        ):
            yield seen.patient, seen.custodian, seen.type, seen.count
