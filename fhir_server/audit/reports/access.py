"""Accesses: what one event was to one patient and one custodian, which all reports are made of."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from http import HTTPStatus
from typing import Self, TypeAlias

from fhir_server.audit.event import Event
from fhir_server.audit.found_by import Filter, shared
from fhir_server.audit.log import Log, Recorded

Names: TypeAlias = Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]
"""Looks up names: of facilities, people and patients by their references; what is not in the answer has none."""


@dataclass(frozen=True, slots=True)
class Source:
    """What every report is made from; times are told in the zone."""

    log: Log
    zone: tzinfo
    names: Names


@dataclass(frozen=True, slots=True)
class Period:
    """A span of time, both ends included."""

    since: datetime
    until: datetime

    @classmethod
    def month(cls, year: int, month: int, zone: tzinfo) -> Self:
        """Give a month, to its last millisecond."""
        next = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=zone)
        return cls(datetime(year, month, 1, tzinfo=zone), next - timedelta(milliseconds=1))

    def of(self, filter: Filter) -> Filter:
        """Ask for what happened in it."""
        return replace(filter, since=round(self.since.timestamp() * 1000), until=round(self.until.timestamp() * 1000))


@dataclass(frozen=True, slots=True)
class Access:
    """Somebody of `reader` saw or wrote what is of `patient` in the custody of `custodian`: how many of each type.

    References are "Patient/1"; `patient` is empty for what tells of nobody. `person` is empty where a system asked.
    """

    id: str
    at: datetime
    patient: str
    custodian: str
    reader: str
    subject: str
    person: str
    client: str
    role: str
    action: str
    types: tuple[tuple[str, int], ...]
    purpose: str
    emergency: str
    reason: str

    @property
    def names(self) -> tuple[str, ...]:
        """What a person would want the names of."""
        return tuple(each for each in (self.patient, self.custodian, self.reader, self.person) if each)


def answered(event: Event) -> bool:
    """Tell whether something was answered; what was refused or failed told nobody anything."""
    return event.status < HTTPStatus.BAD_REQUEST


async def accesses(source: Source, filter: Filter, wanted: Callable[[Event], bool] = answered) -> AsyncIterator[Access]:
    """Give the accesses that the filter finds, of wanted events only, oldest first."""
    async for id, event in source.log.stream(filter, newest=False):
        if not wanted(event):
            continue
        for whose, types in _grouped(filter, event).items():
            yield _access(Recorded(id, event), whose, types, source.zone)


def _grouped(filter: Filter, event: Event) -> dict[tuple[str, str], dict[str, int]]:
    grouped: dict[tuple[str, str], dict[str, int]] = {}
    for patient, custodian, type, count in shared(filter, event):
        types = grouped.setdefault((patient, custodian), {})
        types[type] = types.get(type, 0) + count
    return grouped


def _access(recorded: Recorded, whose: tuple[str, str], types: dict[str, int], zone: tzinfo) -> Access:
    event = recorded.event
    return Access(
        recorded.id,
        datetime.fromtimestamp(event.at / 1000, zone),
        *whose,
        event.organization,
        event.subject,
        event.person,
        event.client,
        event.role,
        event.action,
        tuple(sorted(types.items())),
        event.purpose,
        event.emergency,
        event.reason,
    )
