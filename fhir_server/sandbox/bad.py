"""Files that no storage should hold: what an importer must refuse, and what it may read with a warning.

Each is made from a good file of the sandbox by one fault that real hospitals have sent.
"""

import re
from random import Random
from typing import NamedTuple

from fhir_server.sandbox.facilities import HOSPITAL_B
from fhir_server.sandbox.hospital import history


class Faulty(NamedTuple):
    """A faulty file: path below the root folder, content, and what is wrong with it."""

    name: str
    data: bytes
    reason: str


_GOOD = "ADT-12"


def _good() -> tuple[str, bytes]:
    """The first outpatient visit of the fixture's first patient."""
    return next((path, data) for path, data in history(HOSPITAL_B, 1, 0) if f"/{_GOOD}/" in path)


def _folder_and_name(path: str) -> tuple[str, str]:
    folder, _, name = path.rpartition("/")
    return folder, name


def refused() -> list[Faulty]:
    """Files to be refused, each with the reason; no two have the same name."""
    path, data = _good()
    folder, name = _folder_and_name(path)
    patient, day = name.split("_")[:2]
    text = data.decode("iso2022_jp")
    other = f"{int(patient) + 800_000:010d}"
    garbage = b"\xff\xd8\xff\xe0" + Random("garbage").randbytes(2000)
    return [
        Faulty(_numbered(path, 1), data[: data.index(b"\x1b$B") + 6], "truncated inside a kanji"),
        Faulty(_numbered(path, 2), data[: data.index(b"PID")], "truncated before PID"),
        Faulty(_numbered(path, 3), text.encode("shift_jis"), "Shift_JIS instead of ISO-2022-JP"),
        Faulty(_numbered(path, 4), text.encode("utf-8"), "UTF-8 instead of ISO-2022-JP"),
        Faulty(_numbered(path, 5), text.encode("euc_jp"), "EUC-JP instead of ISO-2022-JP"),
        Faulty(_numbered(path, 6), data.replace(f"|{patient}^".encode(), f"|{other}^".encode()), "PID-3 is not the patient of the folder"),
        Faulty(_numbered(path, 7), b"", "empty"),
        Faulty(_numbered(path, 8), b" \r\n\r\n", "only blanks"),
        Faulty(_numbered(path, 9), garbage, "a picture, not a message"),
        Faulty(_numbered(path, 10), data[data.index(b"EVN") :], "no MSH"),
        Faulty(_numbered(path, 11), data.replace(b"ADT^A04^ADT_A01", b"PPR^ZD1^PPR_ZD1"), "the event is of another kind"),
        Faulty(_numbered(path, 12), data.replace(b"|2.5|", b"|3.0|"), "not HL7 v2"),
        Faulty(f"{folder}/README.txt", b"do not delete\r\n", "not named like a message"),
        Faulty(_numbered(path, 13).replace(_GOOD, "ZZZ-99"), data, "a kind nobody knows"),
        Faulty(f"{folder}/{other}{_numbered(name, 14)[len(patient) :]}", data, "under the folder of another patient"),
        Faulty(f"{folder.replace(_GOOD, 'OMP-01')}/{_numbered(name, 15)}", data, "under the folder of another kind"),
        Faulty(_numbered(path, 16).replace(day, "20261399", 1).replace(f"_{day}_", "_20261399_"), data, "a day that is in no calendar"),
        Faulty(re.sub(r"_\d{17}_", "_20260331999999999_", _numbered(path, 17)), data, "an hour that is in no day"),
        Faulty(re.sub(r"_1$", "_7", _numbered(path, 18)), data, "a condition flag that does not exist"),
    ]


def careless() -> list[Faulty]:
    """Files that break the specification but lose nothing: to be read, with a warning."""
    path, data = _good()
    half_width = re.sub(rb"\x1b\$B[^\x1b]*\x1b\(B\^\^\^\^\^L\^P", b"\x1b(IC=D\x1b(B^^^^^L^P", data, count=1)
    return [
        Faulty(_numbered(path, 31), data.replace(b"\r", b"\n"), "segments end with LF"),
        Faulty(_numbered(path, 32), data.replace(b"\r", b"\r\n"), "segments end with CRLF"),
        Faulty(_numbered(path, 33), half_width, "half-width kana in a name"),
        Faulty(_numbered(path, 34), _with_row_13(data), "a character of NEC row 13 in the address"),
        Faulty(_numbered(path, 35), data.replace(b"\rPV1|", b"\rZZ9|house|own\rPV1|"), "a segment of the house's own"),
        Faulty(re.sub(r"_(\d{12})\d{2}(\d{3})_", r"_\1\2_", _numbered(path, 36)), data, "a time without its seconds"),
    ]


def _numbered(path: str, number: int) -> str:
    """Give the file an order number, so that each is a document of its own."""
    return path.replace("9" * 15, f"{number:015d}")


def _with_row_13(data: bytes) -> bytes:
    """Put a circled one (JIS 2D21, forbidden in SS-MIX2) at the end of the first run of kanji."""
    return data.replace(b"\x1b(B", b"-!\x1b(B", 1)
