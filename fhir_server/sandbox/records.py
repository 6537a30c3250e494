"""The files that one patient's history leaves in a 標準化ストレージ: names, order numbers, flags, contents.

File name: 患者ID_診療日_データ種別_オーダNo_発生日時_診療科コード_コンディションフラグ
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import TypeAlias

from fhir_server.sandbox import messages
from fhir_server.sandbox.addresses import Address
from fhir_server.sandbox.diagnoses import DIAGNOSES, Diagnosis
from fhir_server.sandbox.facilities import Doctor, Facility, department, doctors
from fhir_server.sandbox.laboratory import Course, panels
from fhir_server.sandbox.messages import Envelope, Problem
from fhir_server.sandbox.patients import TODAY, Person
from fhir_server.sandbox.prescriptions import DRUGS, Drug, Line, prescription, therapy
from fhir_server.sandbox.segments import Bed
from fhir_server.sandbox.visits import Stay

NO_ORDER = "9" * 15
CURRENT, SUPERSEDED, DELETED = "1", "2", "0"
File: TypeAlias = tuple[str, bytes]  # path below the root folder, content
_DAYS = (14, 28, 28, 35, 56, 63)


@dataclass(slots=True)
class Record:
    """One patient's record at one facility while it is being written."""

    rng: Random
    facility: Facility
    number: str
    person: Person
    course: Course
    therapy: tuple[Drug, ...]
    doctor: Doctor
    problems: list[Problem] = field(default_factory=list)
    orders: int = 0
    controls: int = 0

    def order(self) -> str:
        """The next order number: the patient's number, then a count."""
        self.orders += 1
        return f"{self.number[-8:]}{self.orders:07d}"

    def envelope(self, emitted: datetime) -> Envelope:
        """The envelope of the next message, with an own control id (MSH-10)."""
        self.controls += 1
        return Envelope(self.facility, self.number, self.person, emitted, f"{self.number}{self.controls:06d}")

    def file(
        self, kind: str, day: str, emitted: datetime, text: str, *, order: str = NO_ORDER, department: str = "-", flag: str = CURRENT
    ) -> File:
        """Name and encode one message."""
        number = self.number
        stamp = f"{emitted:%Y%m%d%H%M%S}{emitted.microsecond // 1000:03d}"
        name = f"{number}_{day}_{kind}_{order}_{stamp}_{department}_{flag}"
        return f"{number[:3]}/{number[3:6]}/{number}/{day}/{kind}/{name}", text.encode("iso2022_jp")


def patient_files(
    rng: Random,
    facility: Facility,
    number: str,
    person: Person,
    stays: Sequence[Stay],
    *,
    diagnoses: bool,
    former: Address | None = None,
) -> Iterator[File]:
    """Make the files of one patient: the dated ones in their order, then ADT-00 and (`diagnoses`) PPR-01 as they stand.

    Who lived at a `former` address when she first came leaves a superseded ADT-00 with it.
    """
    record = _open(rng, facility, number, person, stays)
    if former:
        first = datetime.combine(stays[0].day, time(7, 45))
        text = messages.adt_00(record.envelope(first), record.doctor, former)
        yield record.file("ADT-00", "-", first, text, flag=SUPERSEDED)
    for stay in stays:
        if facility.type == "pharmacy":
            yield from _prescription(record, stay, _moment(rng, stay, 11), record.doctor)
        elif stay.nights:
            yield from _admission(record, stay)
        else:
            yield from _outpatient(record, stay)
    emitted = _last(rng, stays)
    yield record.file("ADT-00", "-", emitted, messages.adt_00(record.envelope(emitted), record.doctor))
    if diagnoses:
        yield record.file("PPR-01", "-", emitted, messages.ppr_01(record.envelope(emitted), record.problems))


def _open(rng: Random, facility: Facility, number: str, person: Person, stays: Sequence[Stay]) -> Record:
    first = stays[0].day if stays else TODAY - timedelta(days=30)
    age = person.age(first)
    begun = {d.key: max(0.0, age - rng.random() * 6) for d in person.diagnoses}
    main = person.diagnoses[0].department if person.diagnoses else "01"
    record = Record(
        rng, facility, number, person, Course(rng, person.sex, begun), therapy(rng, person.diagnoses), _doctor(rng, facility, main)
    )
    for position, diagnosis in enumerate(person.diagnoses):
        onset = first - timedelta(days=int((age - begun[diagnosis.key]) * 365))
        withheld = diagnosis is person.withheld
        record.problems.append(
            Problem(diagnosis, record.order(), record.doctor, onset, max(onset, first), principal=position == 0, withheld=withheld)
        )
    if not person.diagnoses and not any(stay.because for stay in stays):
        _pass(record, DIAGNOSES["cold"], first, record.doctor)
    return record


def _doctor(rng: Random, facility: Facility, wanted: str) -> Doctor:
    staff = doctors(facility)[department(facility, wanted)]
    return staff[int(rng.random() * len(staff))]


def _pass(record: Record, diagnosis: Diagnosis, day: date, doctor: Doctor) -> None:
    """Add a passing disease to the list of problems: begun some days before, over after its time, if that is past."""
    ends = day + timedelta(days=diagnosis.days)
    onset = max(record.person.birth, day - timedelta(days=int(record.rng.random() * 5)))
    record.problems.append(
        Problem(diagnosis, record.order(), doctor, onset, day, ends if ends <= TODAY else None, suspected=record.rng.random() < 0.08)
    )


def _moment(rng: Random, stay: Stay, hour: int, day: int = 0) -> datetime:
    """Some moment within two hours from `hour` on a day of the stay (local time, as all SS-MIX2 times are)."""
    start = datetime.combine(stay.day + timedelta(days=day), time(hour))
    return start + timedelta(seconds=int(rng.random() * 7200), milliseconds=int(rng.random() * 1000))


def _last(rng: Random, stays: Sequence[Stay]) -> datetime:
    last = max((stay.day + timedelta(days=stay.nights) for stay in stays), default=TODAY)
    return datetime.combine(last, time(17)) + timedelta(seconds=int(rng.random() * 3600))


def _outpatient(record: Record, stay: Stay) -> Iterator[File]:
    doctor = record.doctor
    if stay.because:
        doctor = _doctor(record.rng, record.facility, stay.because.department)
        _pass(record, stay.because, stay.day, doctor)
    came = _moment(record.rng, stay, 8)
    day = f"{stay.day:%Y%m%d}"
    text = messages.visit("ADT-12", record.envelope(came), doctor, came)
    yield record.file("ADT-12", day, came, text, department=doctor.department)
    for _ in stay.tests:
        yield _laboratory(record, stay, 0, doctor)
    yield from _prescription(record, stay, came + timedelta(minutes=50), doctor)


def _admission(record: Record, stay: Stay) -> Iterator[File]:
    rng = record.rng
    reason = stay.because.department if stay.because else record.doctor.department
    doctor = _doctor(rng, record.facility, reason)
    if stay.because:
        _pass(record, stay.because, stay.day, doctor)
    bed = Bed(f"{2 + int(rng.random() * 5)}{'EW'[rng.random() < 0.5]}", f"{301 + int(rng.random() * 20)}", f"{1 + int(rng.random() * 4)}")
    came, left = _moment(rng, stay, 13), _moment(rng, stay, 10, stay.nights)
    text = messages.visit("ADT-22", record.envelope(came), doctor, came, bed=bed)
    yield record.file("ADT-22", f"{came:%Y%m%d}", came, text, department=doctor.department)
    for number in stay.tests:
        yield _laboratory(record, stay, number, doctor, bed)
    yield from _prescription(record, stay, came + timedelta(hours=1), doctor, bed)
    text = messages.visit("ADT-52", record.envelope(left), doctor, came, bed=bed, end=left, disposition="01")
    yield record.file("ADT-52", f"{left:%Y%m%d}", left, text, department=doctor.department)


def _laboratory(record: Record, stay: Stay, number: int, doctor: Doctor, bed: Bed | None = None) -> File:
    collected = _moment(record.rng, stay, 14 if number == 0 and bed else 8, number)
    reported = collected + timedelta(minutes=45 + int(record.rng.random() * 120))
    because = (stay.because,) if stay.because else ()
    ordered = panels((*because, *record.person.diagnoses), record.rng)
    results = record.course.results(ordered, record.person.age(collected.date()), *(d.key for d in because))
    order = record.order()
    text = messages.oml_11(record.envelope(reported), order, doctor, collected, results, bed=bed)
    return record.file("OML-11", f"{collected:%Y%m%d}", reported, text, order=order, department=doctor.department)


def _prescription(record: Record, stay: Stay, moment: datetime, doctor: Doctor, bed: Bed | None = None) -> Iterator[File]:
    if not stay.drugs:
        return
    order, day = record.order(), f"{moment:%Y%m%d}"
    days = 7 if bed else _DAYS[int(record.rng.random() * len(_DAYS))]
    extra = therapy(record.rng, (stay.because,)) if stay.because else ()
    lines = prescription(record.therapy, days) + prescription(tuple(d for d in extra if d not in record.therapy), 5)
    lines = lines or prescription((record.rng.choice(DRUGS),), days)

    def written(at: datetime, given: Sequence[Line], flag: str, *, cancelled: bool = False) -> File:
        text = messages.omp_01(record.envelope(at), order, doctor, given, bed=bed, cancelled=cancelled)
        return record.file("OMP-01", day, at, text, order=order, department=doctor.department, flag=flag)

    later = moment + timedelta(minutes=25)
    if stay.revised == "changed":
        yield written(moment, lines, SUPERSEDED)
        yield written(later, lines[:-1] or lines, CURRENT)
    elif stay.revised == "cancelled":
        yield written(moment, lines, DELETED)
        yield written(later, lines, DELETED, cancelled=True)
    else:
        yield written(moment, lines, CURRENT)
