"""公開・閲覧履歴: who saw what a facility discloses, and what it saw of others (NETWORK.md F092)."""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import merge
from typing import Final

from fhir_server.audit.found_by import Filter
from fhir_server.audit.reports.access import Access, Names, Period, Source, accesses
from fhir_server.audit.reports.telling import Named, kinds, moment, title, why, written

DISCLOSED, VIEWED = "公開", "閲覧"
HEADER: Final = ("日時", "区分", "患者", "患者ID", "相手施設", "閲覧者", "職種", "情報の種類", "目的")


@dataclass(frozen=True, slots=True)
class Row:
    """One line: `kind` is DISCLOSED where others saw the facility's data, VIEWED where it saw theirs."""

    kind: str
    access: Access


async def facility_log(source: Source, organization: str, period: Period, patients: tuple[str, ...] = ()) -> list[Row]:
    """Give the lines of a facility ("Organization/1"), oldest first; of these patients only, where any are named."""
    ours = period.of(Filter(patients=patients, custodian=organization, elsewhere=True))
    theirs = period.of(Filter(patients=patients, organization=organization, elsewhere=True))
    disclosed = [Row(DISCLOSED, each) async for each in accesses(source, ours)]
    viewed = [Row(VIEWED, each) async for each in accesses(source, theirs)]
    return list(merge(disclosed, viewed, key=lambda row: row.access.at))


async def told(rows: Sequence[Row], names: Names) -> list[tuple[str, ...]]:
    """Tell the lines as the columns of HEADER."""
    named = await Named.of([row.access for row in rows], names)
    return [_told(row, named) for row in rows]


async def as_csv(rows: Sequence[Row], names: Names) -> bytes:
    """Write the lines as CSV."""
    return written(HEADER, await told(rows, names))


def _told(row: Row, named: Named) -> tuple[str, ...]:
    access = row.access
    return (
        moment(access.at),
        row.kind,
        named.of_patient(access.patient),
        access.patient.removeprefix("Patient/"),
        named.of_facility(access.reader if row.kind == DISCLOSED else access.custodian),
        named.of_person(access),
        title(access.role),
        kinds(access.types),
        why(access),
    )
