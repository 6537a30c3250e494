"""The seven kinds of SS-MIX2 messages that the sandbox writes, each as the text of one file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from fhir_server.sandbox.addresses import Address
from fhir_server.sandbox.analytes import ANALYTES, SECTIONS, SPECIMENS
from fhir_server.sandbox.diagnoses import Diagnosis
from fhir_server.sandbox.facilities import Doctor, Facility
from fhir_server.sandbox.laboratory import Result
from fhir_server.sandbox.patients import ALLERGIES, Person
from fhir_server.sandbox.prescriptions import FORMS, ROUTES, UNITS, Line
from fhir_server.sandbox.segments import Bed, day, evn, msh, orc, phone, pid, pv1, segment, timestamp, xad, xcn, xpn

EVENTS = {
    "ADT-00": "ADT^A08^ADT_A01",
    "ADT-12": "ADT^A04^ADT_A01",
    "ADT-22": "ADT^A01^ADT_A01",
    "ADT-52": "ADT^A03^ADT_A03",
    "PPR-01": "PPR^ZD1^PPR_ZD1",
    "OMP-01": "RDE^O11^RDE_O11",
    "OML-11": "OUL^R22^OUL_R22",
}
_RELATIONS = {"SEL": "本人", "MTH": "母", "FTH": "父", "SPO": "配偶者", "CHD": "子"}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every message says of itself: which facility, which patient under which number, when, and under which control id."""

    facility: Facility
    number: str
    person: Person
    emitted: datetime
    control: str

    def header(self, kind: str) -> str:
        """MSH."""
        return msh(self.facility, self.emitted, EVENTS[kind], self.control)

    def patient(self) -> str:
        """PID as every kind but ADT-00 carries it."""
        return pid(self.number, self.person)


@dataclass(frozen=True, slots=True)
class Problem:
    """A diagnosis as it is kept in a patient's list."""

    diagnosis: Diagnosis
    instance: str
    doctor: Doctor
    onset: date
    diagnosed: date
    resolved: date | None = None
    principal: bool = False
    suspected: bool = False
    withheld: bool = False


def _join(segments: Iterable[str]) -> str:
    return "\r".join(segments) + "\r"


def adt_00(envelope: Envelope, doctor: Doctor, address: Address | None = None) -> str:
    """患者基本情報: the person with next of kin, body measures, allergies and insurance."""
    person, home = envelope.person, address or envelope.person.address
    return _join(
        [
            envelope.header("ADT-00"),
            evn(envelope.facility, envelope.emitted),
            pid(envelope.number, person, home, envelope.emitted),
            _next_of_kin(person, home),
            pv1(doctor.department, doctor),
            *_measures(person),
            *_allergies(person),
            _insurance(person),
        ]
    )


def _next_of_kin(person: Person, home: Address) -> str:
    relative = person.relative
    name, relation = (relative.name, relative.relationship) if relative else (person.name, "SEL")
    fields = {1: "1", 2: xpn(name), 3: f"{relation}^{_RELATIONS[relation]}^HL70063", 4: xad(home), 5: phone(home.phone)}
    return segment("NK1", fields)


def _measures(person: Person) -> list[str]:
    abo = f"{person.blood}^{person.blood}^JSHR002"
    return [
        segment("OBX", {1: "1", 2: "NM", 3: "9N001000000000001^身長^JC10", 5: str(person.height), 6: "cm^cm^ISO+", 11: "F"}),
        segment("OBX", {1: "2", 2: "NM", 3: "9N006000000000001^体重^JC10", 5: str(person.weight), 6: "kg^kg^ISO+", 11: "F"}),
        segment("OBX", {1: "3", 2: "CWE", 3: "5H010000001999911^血液型-ABO式^JC10", 5: abo, 11: "F"}),
        segment("OBX", {1: "4", 2: "CWE", 3: "5H020000001999911^血液型-Rh式^JC10", 5: "Rh+^+^JSHR002", 11: "F"}),
    ]


def _allergies(person: Person) -> list[str]:
    return [
        segment("AL1", {1: str(position), 2: f"{category}^{text}^HL70127", 3: f"{code}^{name}^{system}"})
        for position, key in enumerate(person.allergies, 1)
        for category, text, code, name, system in [ALLERGIES[key]]
    ]


def _insurance(person: Person) -> str:
    plan = person.insurance
    fields = {1: "1", 2: f"{plan.code}^{plan.name}^JHSD0001", 3: plan.insurer, 4: f"{plan.name}(見本)"}
    fields |= {10: plan.symbol, 11: plan.number, 12: "20250401", 17: "SEL^本人^HL70063"}
    if person.relative:
        fields[17] = "CHD^子^HL70063"
    return segment("IN1", fields)


def visit(
    kind: str,
    envelope: Envelope,
    doctor: Doctor,
    begin: datetime,
    *,
    bed: Bed | None = None,
    end: datetime | None = None,
    disposition: str = "",
) -> str:
    """ADT-12 外来診察の受付, ADT-22 入院実施, ADT-52 退院実施."""
    place = pv1(doctor.department, doctor, bed=bed, begin=begin, end=end, disposition=disposition)
    return _join([envelope.header(kind), evn(envelope.facility, envelope.emitted), envelope.patient(), place])


def ppr_01(envelope: Envelope, problems: Sequence[Problem]) -> str:
    """病名(歴): the whole list of diagnoses in one message."""
    segments = [envelope.header("PPR-01"), envelope.patient()]
    for problem in problems:
        segments += _problem(envelope, problem)
    return _join(segments)


def _problem(envelope: Envelope, problem: Problem) -> list[str]:
    diagnosis = problem.diagnosis
    code = f"{diagnosis.number}^{diagnosis.name}^MDCDX2"
    fields = {1: "AD", 2: day(problem.diagnosed), 3: code, 4: problem.instance, 7: day(problem.diagnosed)}
    if problem.resolved:
        fields[9] = day(problem.resolved)
    fields[10] = f"{diagnosis.icd10}^^I10^O^外来時^JHSD0004^2013"
    if problem.suspected:
        fields[13] = "1^疑い^JHSD0005"
    fields[14] = "F^完全に回復した^HL70241" if problem.resolved else "N^回復せず^HL70241"
    fields[15] = day(problem.resolved or problem.diagnosed)
    fields |= {16: day(problem.onset), 17: diagnosis.name}
    if problem.principal:
        fields[18] = "1^主診断^JHSD0007"
    if problem.withheld:
        fields[25] = "V^非常に限定^HL70177"
    noted = datetime(problem.diagnosed.year, problem.diagnosed.month, problem.diagnosed.day, 10, 0, 0)  # noqa: DTZ001 - TS is local time
    return [
        segment("PRB", fields),
        segment("ZPR", {2: code, 5: f"{diagnosis.exchange}^{diagnosis.name}^MDCDX2"}),
        orc(envelope.facility, "NW", problem.instance, noted, problem.doctor),
    ]


def omp_01(
    envelope: Envelope,
    order: str,
    doctor: Doctor,
    lines: Sequence[Line],
    *,
    bed: Bed | None = None,
    cancelled: bool = False,
) -> str:
    """処方オーダ: one ORC, RXE, TQ1 and RXR for each drug; drugs of the same usage and days form one RP."""
    segments = [envelope.header("OMP-01"), envelope.patient(), pv1(doctor.department, doctor, bed=bed)]
    groups: dict[tuple[str, int], int] = {}
    members: dict[int, int] = {}
    for line in lines:
        rp = groups.setdefault((line.drug.usage.code, line.days), len(groups) + 1)
        members[rp] = members.get(rp, 0) + 1
        group = f"{order}_{rp:02d}_{members[rp]:03d}"
        order_control = "CA" if cancelled else "NW"
        segments.append(orc(envelope.facility, order_control, order, envelope.emitted, doctor, group=group, inpatient=bed is not None))
        segments += _drug(line, order, envelope.emitted, inpatient=bed is not None)
    return _join(segments)


def _drug(line: Line, order: str, emitted: datetime, *, inpatient: bool) -> list[str]:
    drug = line.drug
    unit = f"{drug.unit}^{UNITS[drug.unit]}^MR9P"
    daily = drug.route == "PO" and drug.usage.times > 0
    external = drug.route != "PO"
    rxe = {
        2: f"{drug.hot9}^{drug.name}^HOT9",
        3: '""' if external else drug.amount,
        5: unit,
        6: f"{drug.form}^{FORMS[drug.form]}^MR9P",
        10: line.total,
        11: unit,
        15: order,
    }
    if daily:
        rxe[19] = f"{drug.amount_per_day}^{drug.unit}&{UNITS[drug.unit]}&MR9P"
    rxe[21] = "IHP^入院処方^MR9P~FTP^定時処方^99I01" if inpatient else "OHP^外来処方^MR9P~OHO^院外処方^MR9P"
    rxe[27] = "23^外用^JHSP0003" if external else "21^内服^JHSP0003" if daily else "22^頓用^JHSP0003"
    tq1 = {1: "1", 3: f"{drug.usage.code}&{drug.usage.text}&JAMISDP01", 6: f"{line.days}^d" if line.days else "", 7: day(emitted)}
    return [segment("RXE", rxe), segment("TQ1", tq1), segment("RXR", {1: f"{drug.route}^{ROUTES[drug.route]}^HL70162"})]


def oml_11(
    envelope: Envelope,
    order: str,
    doctor: Doctor,
    collected: datetime,
    results: Sequence[Result],
    *,
    bed: Bed | None = None,
) -> str:
    """検体検査結果通知: by specimen (SPM), in it by section (OBR), in it the results (OBX)."""
    specimens: dict[str, dict[str, list[Result]]] = {}
    for result in results:
        specimens.setdefault(result.analyte.specimen, {}).setdefault(result.analyte.section, []).append(result)
    segments = [envelope.header("OML-11"), envelope.patient(), pv1(doctor.department, doctor, bed=bed)]
    taken, reported, filler = timestamp(collected), timestamp(envelope.emitted), f"L{order[1:]}"
    for number, (material, sections) in enumerate(sorted(specimens.items()), 1):
        fields = {1: str(number), 2: f"{order}{number}", 4: f"{material}^{SPECIMENS[material]}^JC10", 17: taken}
        segments.append(segment("SPM", fields))
        for position, (section, found) in enumerate(sorted(sections.items()), 1):
            code = f"{section}^{SECTIONS[section]}^JC10"
            fields = {1: str(position), 2: order, 3: filler, 4: code, 7: taken, 8: taken, 16: xcn(doctor), 22: reported}
            segments.append(segment("OBR", fields))
            segments.append(
                orc(envelope.facility, "SC", order, envelope.emitted, doctor, filler=filler, status="CM", inpatient=bed is not None)
            )
            segments += [_observation(place, result, taken) for place, result in enumerate(found, 1)]
    return _join(segments)


_IDENTIFIERS = {key: f"{a.jlac10}^{a.name}^JC10^{a.local}^{a.name}^99L01" for key, a in ANALYTES.items()}
_UNITS = {key: f"{a.unit}^{a.unit}^ISO+" if a.unit else "" for key, a in ANALYTES.items()}


def _observation(position: int, result: Result, taken: str) -> str:
    type, value = ("NM" if result.numeric else "ST"), result.value
    if result.coded:
        type, value = "CWE", f"{result.coded}^{result.value}^99L02"
    key = result.analyte.key
    return f"OBX|{position}|{type}|{_IDENTIFIERS[key]}||{value}|{_UNITS[key]}|{result.range}|{result.flag}|||F|||{taken}"
