"""HL7 v2.5 segments as SS-MIX2 writes them: MSH, EVN, PID, NK1, PV1, ORC and the datatypes inside.

SS-MIX2 標準化ストレージ仕様書; fields by number, empty ones left out by the caller.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from fhir_server.sandbox.addresses import Address
from fhir_server.sandbox.facilities import DEPARTMENTS, Doctor, Facility
from fhir_server.sandbox.names import Name
from fhir_server.sandbox.patients import Person

VERSION = "SS-MIX2_1.20_h^SS-MIX2^1.2.392.200250.2.1.100.1.2.120^ISO"  # MSH-21


@dataclass(frozen=True, slots=True)
class Bed:
    """Where an inpatient lies."""

    ward: str
    room: str
    number: str


def segment(name: str, fields: Mapping[int, str]) -> str:
    """Write one segment from its fields by number."""
    values = [name] + [""] * max(fields)
    for number, value in fields.items():
        values[number] = value
    return "|".join(values)


def timestamp(moment: datetime) -> str:
    """TS to the second."""
    return f"{moment:%Y%m%d%H%M%S}"


def day(moment: date) -> str:
    """DT, and TS to the day."""
    return f"{moment:%Y%m%d}"


def xpn(name: Name) -> str:
    """Name twice: ideographic (I), then phonetic (P)."""
    return f"{name.family}^{name.given}^^^^^L^I~{name.family_kana}^{name.given_kana}^^^^^L^P"


def xcn(doctor: Doctor) -> str:
    """Number and name of a physician."""
    return f"{doctor.number}^{doctor.name.family}^{doctor.name.given}^^^^^^^L^^^^^I"


def xad(address: Address) -> str:
    """Home address: postal code in XAD.5, everything else as one text in XAD.8."""
    return f"^^^^{address.postal_code}^JPN^H^{address.text}"


def phone(number: str, equipment: str = "PH") -> str:
    """Telephone number of the home in XTN.12; `equipment` is `PH` or `CP` (mobile)."""
    return f"^PRN^{equipment}^^^^^^^^^{number}"


def department(code: str) -> str:
    """診療科 of table 0069."""
    return f"{code}^{DEPARTMENTS[code]}^HL70069"


def msh(facility: Facility, emitted: datetime, event: str, control: str) -> str:
    """Message header: Shift between ASCII and JIS X 0208 by ISO 2022."""
    time = f"{timestamp(emitted)}.{emitted.microsecond // 10000:02d}"
    return f"MSH|^~\\&|TSUNAGI|{facility.code}|GW|SSMIX2|{time}||{event}|{control}|P|2.5||||||~ISO IR87||ISO 2022-1994|{VERSION}"


def evn(facility: Facility, recorded: datetime) -> str:
    """When the event was recorded, and where."""
    return segment("EVN", {2: timestamp(recorded), 7: facility.code})


def pid(number: str, person: Person, address: Address | None = None, updated: datetime | None = None) -> str:
    """Patient identification; with `updated` in ADT-00 (PID-33)."""
    home = address or person.address
    return segment(
        "PID",
        {
            1: "0001",
            3: f"{number}^^^^PI",
            5: xpn(person.name),
            7: day(person.birth),
            8: person.sex,
            11: xad(home),
            13: f"{phone(home.phone)}~{phone(person.mobile, 'CP')}",
            **({33: timestamp(updated)} if updated else {}),
        },
    )


def pv1(
    department: str,
    doctor: Doctor,
    *,
    bed: Bed | None = None,
    begin: datetime | None = None,
    end: datetime | None = None,
    disposition: str = "",
) -> str:
    """Outpatient (no bed) or inpatient visit; `begin` and `end` are PV1-44 and PV1-45."""
    fields = {
        1: "0001",
        2: "I" if bed else "O",
        3: f"{bed.ward}^{bed.room}^{bed.number}^^^N" if bed else f"{department}^^^^^C",
        7: xcn(doctor),
        10: department,
    }
    if bed:
        fields[17] = xcn(doctor)
    if disposition:
        fields[36] = disposition
    if begin:
        fields[44] = timestamp(begin)
    if end:
        fields[45] = timestamp(end)
    return segment("PV1", fields)


def orc(
    facility: Facility,
    control: str,
    order: str,
    moment: datetime,
    doctor: Doctor,
    *,
    group: str = "",
    status: str = "",
    filler: str = "",
    inpatient: bool = False,
) -> str:
    """Common order: who ordered what when, in which department of which hospital."""
    return segment(
        "ORC",
        {
            1: control,
            2: order,
            3: filler,
            4: group,
            5: status,
            9: timestamp(moment),
            10: xcn(doctor),
            12: xcn(doctor),
            17: department(doctor.department),
            21: facility.name,
            22: f"^^^^{facility.postal_code}^JPN^^{facility.address}",
            23: f"^^^^^^^^^^^{facility.phone}",
            29: "I^入院患者オーダ^HL70482" if inpatient else "O^外来患者オーダ^HL70482",
        },
    )
