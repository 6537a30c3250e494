"""Millions of resources, stored as the server itself would have stored them.

Patients go through the search parameters one by one. Their laboratory results are stored documents too, but made from a
few thousand that went through: another patient's number and another number of the result are put in the place of
theirs, which are of the same length. `check` lets the server's own code make some of them anew and compares.
"""

import json
import random
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import bson
from bson.raw_bson import RawBSONDocument

from fhir_server.sandbox.names import name
from fhir_server.search.entries import entries
from fhir_server.search.parameters import Parameters
from fhir_server.store.documents import Prepared, document, milliseconds, place, stamped
from profiles.definitions import r4
from profiles.json import decode

TOKYO = ZoneInfo("Asia/Tokyo")
PARAMETERS = Parameters(r4())
LOADED = datetime(2026, 4, 1, tzinfo=UTC)
LOINC, LOCAL = "http://loinc.org", "urn:oid:1.2.392.200119.4.504"
IDENTIFIER = "urn:oid:1.2.392.100495.20.3.51.13710000017"
LABS = (
    ("2345-7", "3D010000002327201", "グルコース", "mg/dL", 105, 25),
    ("4548-4", "3D046000001906202", "HbA1c(NGSP)", "%", 6.1, 0.9),
    ("2160-0", "3C015000002327101", "クレアチニン", "mg/dL", 0.9, 0.3),
    ("718-7", "2A030000001930101", "ヘモグロビン", "g/dL", 14.0, 1.6),
    ("1742-6", "3B045000002327201", "ALT", "U/L", 28, 14),
)
RESULTS = 100  # of each patient
_PATIENT, _RESULT = b"PPPPPPPPPPPP", b"RRRRRRRRRRRR"
_VARIANTS = 40  # of the results' dates and values
_TIE = (1 << 18) - 1


def number(index: int) -> str:
    """Twelve digits that name a patient or a result."""
    return f"{index:012d}"


def patient(index: int) -> dict[str, Any]:
    """A patient; the same index gives the same one."""
    rng = random.Random(index)
    born = datetime(1935, 1, 1, tzinfo=UTC) + timedelta(days=rng.randrange(31_000))
    sex = rng.choice("MF")
    called = name(rng, sex, born.year)
    return {
        "resourceType": "Patient",
        "id": number(index),
        "identifier": [{"system": IDENTIFIER, "value": number(index)}],
        "name": [
            {"text": f"{called.family} {called.given}", "family": called.family, "given": [called.given]},
            {"text": f"{called.family_kana} {called.given_kana}", "family": called.family_kana, "given": [called.given_kana]},
        ],
        "gender": "male" if sex == "M" else "female",
        "birthDate": born.date().isoformat(),
        "address": [{"text": "香川県高松市番町1-1", "line": ["番町1-1"], "city": "高松市", "state": "香川県", "postalCode": "760-8580"}],
    }


def result(order: int, variant: int) -> dict[str, Any]:
    """A laboratory result of the patient PPPPPPPPPPPP."""
    rng = random.Random(order * 1000 + variant)
    loinc, local, text, unit, mean, spread = LABS[order % len(LABS)]
    when = datetime(2019, 4, 1, 8, 30, tzinfo=TOKYO) + timedelta(
        days=45 * (order // len(LABS)) + rng.randrange(30), minutes=rng.randrange(480)
    )
    laboratory = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}
    return {
        "resourceType": "Observation",
        "id": _RESULT.decode(),
        "identifier": [{"system": "urn:oid:1.2.392.100495.20.3.51.2", "value": _RESULT.decode()}],
        "status": "final",
        "category": [{"coding": [laboratory]}],
        "code": {"coding": [{"system": LOCAL, "code": local, "display": text}, {"system": LOINC, "code": loinc}], "text": text},
        "subject": {"reference": f"Patient/{_PATIENT.decode()}"},
        "effectiveDateTime": when.isoformat(),
        "valueQuantity": {
            "value": round(max(mean * 0.3, rng.gauss(mean, spread)), 1),
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": unit,
        },
    }


def stored(resource: dict[str, Any], tie: int) -> dict[str, Any]:
    """The document of the first version of a resource."""
    resource = decode(json.dumps(resource, ensure_ascii=False).encode())
    found = entries(resource, PARAMETERS, TOKYO)
    prepared = Prepared(resource["resourceType"], resource["id"], resource, found)
    where = place(found.date or milliseconds(LOADED), tie & _TIE, dated=bool(found.date))
    return document(prepared, stamped(resource, 1, LOADED), version=1, updated=LOADED, method="PUT", place=where)


class Results:
    """Makes results of any number of patients."""

    def __init__(self) -> None:
        made = [[bson.encode(stored(result(order, variant), 0)) for variant in range(_VARIANTS)] for order in range(RESULTS)]
        self._made = [[(template, template.index(b"\x12o\0") + 3) for template in variants] for variants in made]

    def of(self, index: int) -> Iterator[RawBSONDocument]:
        """Give the results of one patient as stored."""
        rng = random.Random(index)
        own = number(index).encode()
        for order in range(RESULTS):
            template, at = rng.choice(self._made[order])
            serial = index * RESULTS + order
            raw = bytearray(template.replace(_PATIENT, own).replace(_RESULT, number(serial).encode()))
            (where,) = struct.unpack_from("<q", raw, at)
            struct.pack_into("<q", raw, at, where & ~_TIE | serial << 1 & _TIE)  # the last bit says that there is no date
            yield RawBSONDocument(bytes(raw))


def check(documents: list[dict[str, Any]]) -> None:
    """Make these documents anew, as the server would, and compare."""
    for old in documents:
        resource = decode(old["b"])
        found = entries(resource, PARAMETERS, TOKYO)
        made = document(
            Prepared(resource["resourceType"], resource["id"], resource, found),
            old["b"],
            version=1,
            updated=LOADED,
            method="PUT",
            place=old["o"],
        )
        new = bson.decode(bson.encode(made))
        right = place(found.date or milliseconds(LOADED), old["o"] & _TIE, dated=bool(found.date))
        if old["o"] != right or {**new, "u": None} != {**old, "u": None}:
            raise SystemExit(f"{old['_id']} is not what the server would have stored")
