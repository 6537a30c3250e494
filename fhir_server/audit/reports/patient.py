"""The patient's report: which facilities share, and which looked, when, at what, and why (NETWORK.md F081).

It is in plain Japanese: a patient reads it, on paper or on a page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from fhir_server.audit.found_by import Filter
from fhir_server.audit.reports.access import Access, Period, Source, accesses
from fhir_server.audit.reports.telling import Named, kinds, moment, title, why, written

SHARING: Final = ("区分", "日時", "施設", "状況・閲覧した人", "職種", "情報の種類", "情報を登録した施設", "理由")
OWN: Final = "ご自身による閲覧"


@dataclass(frozen=True, slots=True)
class Share:
    """A facility that takes part in the patient's sharing: its name, since when, and how it stands now, in plain Japanese."""

    facility: str
    since: str
    state: str


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the patient's data, as it is told; `emergency` marks what no consent allowed."""

    at: str
    facility: str
    person: str
    role: str
    kinds: str
    custodian: str
    why: str
    emergency: bool


@dataclass(frozen=True, slots=True)
class PatientReport:
    """All that a patient is told."""

    made: str
    since: str
    until: str
    shares: tuple[Share, ...]
    looks: tuple[Look, ...]


async def patient_report(
    source: Source, patients: Sequence[str], shares: Sequence[Share], period: Period, now: datetime, *, own: bool = False
) -> PatientReport:
    """Make the report of one person, whose Patients ("Patient/1") at all facilities are given; newest looks first.

    A facility's work with the records that it keeps itself is left out unless `own` is given.
    """
    asked = period.of(Filter(patients=tuple(patients), elsewhere=not own))
    found = [each async for each in accesses(source, asked) if each.action in ("R", "E")]
    named = await Named.of(found, source.names)
    made, since, until = (moment(each.astimezone(source.zone)) for each in (now, period.since, period.until))
    return PatientReport(made, since, until, tuple(shares), tuple(_look(each, named) for each in reversed(found)))


def as_csv(report: PatientReport) -> bytes:
    """Write the report as CSV: who shares, then who looked."""
    rows = [("共有", each.since, each.facility, each.state, "", "", "", "") for each in report.shares]
    rows += [("閲覧", each.at, each.facility, each.person, each.role, each.kinds, each.custodian, each.why) for each in report.looks]
    return written(SHARING, rows)


def as_html(report: PatientReport) -> str:
    """Give the report as a page."""
    return _pages().get_template("patient.html").render(report=report)


def _look(each: Access, named: Named) -> Look:
    is_patient = each.role == "patient"
    return Look(
        moment(each.at),
        OWN if is_patient else named.of_facility(each.reader),
        "ご本人" if is_patient else named.of_person(each),
        title(each.role),
        kinds(each.types),
        named.of_facility(each.custodian),
        why(each),
        bool(each.emergency or each.reason),
    )


@cache
def _pages() -> Environment:
    return Environment(loader=PackageLoader("fhir_server.audit", "reports"), autoescape=True, undefined=StrictUndefined)
