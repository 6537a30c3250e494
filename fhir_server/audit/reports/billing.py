"""The proofs for 検査・画像情報提供加算 and 電子的診療情報評価料, of one facility and month (NETWORK.md F114).

The provider's side tells the range and the times of what was provided: what the facility uploaded, by patient and day, and each time
another facility saw it. The receiver's side tells each access: what was viewed, when, and the viewer's name.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from fhir_server.audit.event import Event
from fhir_server.audit.found_by import Filter
from fhir_server.audit.reports.access import Access, Period, Source, accesses, answered
from fhir_server.audit.reports.telling import Named, kinds, moment, title, why, written

PROVIDED: Final = ("患者ID", "患者氏名", "区分", "提供開始日時", "提供終了日時", "提供した情報の範囲", "提供先施設", "閲覧者氏名")
RECEIVED: Final = ("閲覧日時", "患者ID", "患者氏名", "提供元施設", "閲覧した情報", "閲覧者ID", "閲覧者氏名", "職種", "目的")
UPLOADED, VIEWED = "登録", "他施設による閲覧"
_WRITES: Final = ("C", "U")


@dataclass(slots=True)
class _Day:
    """What a facility uploaded of one patient on one day."""

    first: datetime
    last: datetime
    types: dict[str, int]


async def provided(source: Source, organization: str, period: Period) -> bytes:
    """Write the provider's side as CSV: uploads first, then each access of others."""
    uploads = accesses(source, period.of(Filter(organization=organization, custodian=organization)), _writes)
    days = _by_day([each async for each in uploads if each.patient])
    views = [each async for each in accesses(source, period.of(Filter(custodian=organization, elsewhere=True)), _reads) if each.patient]
    patients = tuple(dict.fromkeys(patient for patient, _ in days))
    named = Named({**(await source.names(patients)), **(await Named.of(views, source.names)).known})
    rows = [_uploaded(patient, day, named) for (patient, _), day in sorted(days.items(), key=lambda each: (each[0][1], each[0][0]))]
    return written(PROVIDED, [*rows, *(_viewed(each, named) for each in views)])


async def received(source: Source, organization: str, period: Period) -> bytes:
    """Write the receiver's side as CSV: each access to what other facilities provide."""
    asked = period.of(Filter(organization=organization, elsewhere=True))
    rows = [each async for each in accesses(source, asked, _reads) if each.patient]
    named = await Named.of(rows, source.names)
    return written(RECEIVED, [_received(each, named) for each in rows])


def _writes(event: Event) -> bool:
    return answered(event) and (event.action in _WRITES or bool(event.written))


def _reads(event: Event) -> bool:
    return answered(event) and event.action in ("R", "E") and not event.written


def _by_day(uploads: Iterable[Access]) -> dict[tuple[str, date], _Day]:
    days: dict[tuple[str, date], _Day] = {}
    for each in uploads:
        day = days.setdefault((each.patient, each.at.date()), _Day(each.at, each.at, {}))
        day.last = max(day.last, each.at)
        for type, count in each.types:
            day.types[type] = day.types.get(type, 0) + count
    return days


def _uploaded(patient: str, day: _Day, named: Named) -> tuple[str, ...]:
    id, times = patient.removeprefix("Patient/"), (moment(day.first), moment(day.last))
    return (id, named.of_patient(patient), UPLOADED, *times, kinds(sorted(day.types.items())), "地域医療連携ネットワーク", "")


def _viewed(each: Access, named: Named) -> tuple[str, ...]:
    id, at = each.patient.removeprefix("Patient/"), moment(each.at)
    reader = (named.of_facility(each.reader), named.of_person(each))
    return (id, named.of_patient(each.patient), VIEWED, at, at, kinds(each.types), *reader)


def _received(each: Access, named: Named) -> tuple[str, ...]:
    return (
        moment(each.at),
        each.patient.removeprefix("Patient/"),
        named.of_patient(each.patient),
        named.of_facility(each.custodian),
        kinds(each.types),
        each.subject,
        named.of_person(each),
        title(each.role),
        why(each),
    )
