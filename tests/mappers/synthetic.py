"""Messages about persons who do not exist, small enough to be read in a test."""

from mappers import file_name
from mappers.hl7v2.message import parse
from mappers.mapping import Facility, Mapped, map_message

HOSPITAL = Facility("3712345678", "繋ぎ試験病院")
PATIENT = "0000000042"
STORAGE_DAY = "20240510"

EVENTS = {
    "ADT-00": "ADT^A08^ADT_A01",
    "ADT-12": "ADT^A04^ADT_A01",
    "ADT-22": "ADT^A01^ADT_A01",
    "ADT-52": "ADT^A03^ADT_A03",
    "PPR-01": "PPR^ZD1^PPR_ZD1",
    "OMP-01": "RDE^O11^RDE_O11",
    "OML-11": "OUL^R22^OUL_R22",
}
PID = f"PID|0001||{PATIENT}^^^^PI||繋木^結^^^^^L^I~ツナギ^ユイ^^^^^L^P||19600229|F|||^^^^760-0017^JPN^H^香川県高松市番町９９丁目||^PRN^PH^^^^^^^^^087-000-0000"
DOCTOR = "110^医師^一郎^^^^^^^L^^^^^I"


def message(kind: str, *segments: str, event: str = "", pid: str = PID, end: str = "\r") -> bytes:
    """Give a message of a kind as bytes, header and patient included."""
    header = (
        rf"MSH|^~\&|HIS|SEND|GW|RCV|20240510160000.000||{event or EVENTS[kind]}|1|P|2.5||||||~ISO IR87||ISO 2022-1994"
        "|SS-MIX2_1.20_h^SS-MIX2^1.2.392.200250.2.1.100.1.2.120^ISO"
    )
    return "".join(line + end for line in (header, pid, *segments)).encode("iso2022_jp")


def path(
    kind: str,
    *,
    day: str = STORAGE_DAY,
    order: str = "999999999999999",
    time: str = "20240510160000000",
    flag: str = "1",
    department: str = "01",
) -> str:
    """Give the standard storage path of the patient's file."""
    if kind in ("ADT-00", "PPR-01"):
        day = "-"
    name = f"{PATIENT}_{day}_{kind}_{order}_{time}_{department}_{flag}"
    return f"{PATIENT[:3]}/{PATIENT[3:6]}/{PATIENT}/{day}/{kind}/{name}"


def mapped(
    kind: str, *segments: str, event: str = "", pid: str = PID, end: str = "\r", facility: Facility = HOSPITAL, **name: str
) -> Mapped:
    """Map a message of a kind with these segments."""
    return map_message(parse(message(kind, *segments, event=event, pid=pid, end=end)), file_name.parse(path(kind, **name)), facility)


def resources(result: Mapped, type: str) -> list[dict]:
    """Give the resources of a type that a transaction writes."""
    return [entry["resource"] for entry in result.bundle["entry"] if entry.get("resource", {}).get("resourceType") == type]


def warnings(result: Mapped) -> list[tuple[str, str]]:
    """Give field and text of the warnings."""
    return [(issue.field, issue.text) for issue in result.issues if issue.severity == "warning"]


SPM = "SPM|1|S1||023^血清^JC10|||||||||||||202405100900"
OBR = f"OBR|1|000000000000801||3^生化学的検査^JC10|||202405100900|||||||||{DOCTOR}||||||202405101550"
ORC = f"ORC|SC|000000000000801|||CM||||20240510085500|||{DOCTOR}"


def lab(*results: str, **name: str) -> Mapped:
    """Map a laboratory message with one specimen and one report."""
    return mapped("OML-11", "PV1|0001|O|01^^^^^C", SPM, OBR, ORC, *results, **name)


def observation(result: str) -> dict:
    """Map one OBX of a laboratory message."""
    return resources(lab(result), "Observation")[0]


def record_card(*segments: str, **name: str) -> Mapped:
    """Map an ADT-00 with these segments."""
    return mapped("ADT-00", "PV1|0001|O", *segments, **name)


def prescription(*medicines: str, **name: str) -> Mapped:
    """Map a prescription of these segments."""
    return mapped("OMP-01", "PV1|0001|O|01^^^^^C", *medicines, **name)


def medicine(group: str = "000000000000777_01_001", *, rxe: str = "", tq1: str = "", rxr: str = "RXR|PO^口^HL70162") -> tuple[str, ...]:
    """Give the segments of one medicine."""
    orc = f"ORC|NW|000000000000777||{group}|||||20240510101500|{DOCTOR}||{DOCTOR}|||||01^内科^HL70069||||||||||||O^外来患者オーダ^HL70482"
    rxe = (
        rxe
        or "RXE||100795402^ボルタレン錠２５ｍｇ^HOT9|1||TAB^錠^MR9P|||||15|TAB^錠^MR9P||||20240510-01||||3^TAB&錠&MR9P||OHP^外来処方^MR9P"
    )
    tq1 = tq1 or "TQ1|1||1013044400000000&内服・経口・１日３回朝昼夕食後&JAMISDP01|||5^d|20240510"
    return tuple(segment for segment in (orc, rxe, tq1, rxr) if segment)


def diagnosis(prb: str, *more: str, **name: str) -> Mapped:
    """Map a list of one diagnosis."""
    return mapped("PPR-01", prb, *more, **name)
