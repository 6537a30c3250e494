"""Resources and their search values for the measurement of the store's shape.

Generated Japanese patients with laboratory courses, and any Synthea bundles that are given. The search values are read
off the elements' shapes, not off the SearchParameters: what matters here is how many there are and how long they are.
"""

import gzip
import hashlib
import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

Resource = dict[str, Any]
Values = dict[str, list[str]]

LOINC = "http://loinc.org"
LOCAL = "urn:oid:1.2.392.200119.4.504"
FAMILY = (
    ("高松", "タカマツ"),
    ("三木", "ミキ"),
    ("香西", "コウザイ"),
    ("十河", "ソゴウ"),
    ("多田", "タダ"),
    ("細川", "ホソカワ"),
    ("宮武", "ミヤタケ"),
)
GIVEN = (
    ("一郎", "イチロウ"),
    ("花子", "ハナコ"),
    ("健", "タケシ"),
    ("美咲", "ミサキ"),
    ("陽菜", "ヒナ"),
    ("蓮", "レン"),
    ("正", "タダシ"),
    ("和子", "カズコ"),
)
TESTS = tuple((f"{2000 + n}-{n % 10}", f"3A{n:03d}000002327101", f"検査項目{n}") for n in range(10))


def millis(when: datetime) -> int:
    return int((when - datetime(1970, 1, 1)).total_seconds() * 1000)


def identity(*parts: object) -> str:
    digest = hashlib.md5(repr(parts).encode(), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:]}"


def patient(rng: random.Random, number: int) -> Resource:
    family, given = rng.choice(FAMILY), rng.choice(GIVEN)
    born = datetime(1930, 1, 1) + timedelta(days=rng.randrange(33000))
    kana = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation", "valueCode": "SYL"}]}
    return {
        "resourceType": "Patient",
        "id": identity("patient", number),
        "identifier": [{"system": "urn:oid:1.2.392.100495.20.3.51.13710000017", "value": f"{number:010d}"}],
        "active": True,
        "name": [
            {"use": "official", "text": f"{family[0]} {given[0]}", "family": family[0], "given": [given[0]]},
            {**kana, "use": "official", "text": f"{family[1]} {given[1]}", "family": family[1], "given": [given[1]]},
        ],
        "telecom": [{"system": "phone", "value": f"087-{rng.randrange(10**3):03d}-{rng.randrange(10**4):04d}"}],
        "gender": rng.choice(("male", "female")),
        "birthDate": f"{born:%Y-%m-%d}",
        "address": [
            {
                "text": f"香川県高松市番町{rng.randrange(9)}-{rng.randrange(30)}",
                "city": "高松市",
                "state": "香川県",
                "postalCode": "760-0017",
            }
        ],
    }


def observation(rng: random.Random, subject: str, number: int) -> Resource:
    loinc, local, text = TESTS[number % len(TESTS)]
    when = datetime(2016, 4, 1, 9) + timedelta(days=30 * (number // len(TESTS)) + rng.randrange(20), minutes=rng.randrange(400))
    unit = {"unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"}
    return {
        "resourceType": "Observation",
        "id": identity("observation", subject, number),
        "identifier": [{"system": "urn:tsunagi:order", "value": identity("order", subject, number)}],
        "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}],
        "code": {"coding": [{"system": LOCAL, "code": local, "display": text}, {"system": LOINC, "code": loinc}], "text": text},
        "subject": {"reference": f"Patient/{subject}"},
        "effectiveDateTime": when.isoformat() + "+09:00",
        "issued": (when + timedelta(hours=2)).isoformat() + "+09:00",
        "valueQuantity": {"value": round(rng.gauss(90, 20), 1), **unit},
        "interpretation": [
            {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": rng.choice("LNH")}]}
        ],
        "referenceRange": [{"low": {"value": 70, **unit}, "high": {"value": 110, **unit}, "text": "70-110"}],
    }


def synthea(folder: Path | None) -> Iterator[Resource]:
    """Resources of transaction bundles, with literal references; organisations that several bundles repeat come once."""
    seen: set[str] = set()
    for file in sorted(folder.glob("*.json.gz")) if folder else ():
        text = gzip.decompress(file.read_bytes()).decode()
        entries = json.loads(text)["entry"]
        for entry in entries:
            text = text.replace(entry["fullUrl"], f"{entry['resource']['resourceType']}/{entry['resource']['id']}")
        for resource in (entry["resource"] for entry in json.loads(text)["entry"]):
            if resource["id"] not in seen:
                seen.add(resource["id"])
                yield resource


def generated(total: int, patients: int, seed: int = 1) -> Iterator[Resource]:
    """Patients first, then a course of 100 observations each for as many patients as `total` asks for."""
    rng = random.Random(seed)
    for number in range(patients):
        yield patient(rng, number)
    for number in range(total - patients):
        yield observation(rng, identity("patient", number // 100), number % 100)


def moment(text: str) -> int:
    return millis(datetime.fromisoformat(text[:19]))


def tokens(coding: Resource) -> list[str]:
    return [f"{coding.get('system', '')}|{coding.get('code', '')}", coding.get("code", "")]


def values(resource: Resource) -> Values:
    """Search values by parameter: equality as "=value", word prefixes as ":prefix", bounds of spans as "<hex" and ">hex"."""
    found: Values = {"_id": ["=" + resource["id"]]}
    for element, value in resource.items():
        for item in value if isinstance(value, list) else [value]:
            found.setdefault(element.lower(), []).extend(_forms(element, item))
    return {parameter: sorted(set(forms)) for parameter, forms in found.items() if forms}


def _forms(element: str, item: Any) -> list[str]:
    if element == "identifier":
        return [f"={item.get('system', '')}|{item.get('value', '')}", f"={item.get('value', '')}"]
    if isinstance(item, dict) and "coding" in item:
        return ["=" + token for coding in item["coding"] for token in tokens(coding)]
    if isinstance(item, dict) and "reference" in item:
        return ["=" + item["reference"]]
    if isinstance(item, dict) and "family" in item:
        words = [item["family"], *item.get("given", ())]
        return [":" + word[:end].lower() for word in words for end in range(1, len(word) + 1)]
    if isinstance(item, dict) and isinstance(item.get("value"), int | float):
        return [f"<{int(item['value'] * 1000):012x}", f">{int(item['value'] * 1000):012x}"]
    if isinstance(item, str) and item[:4].isdigit() and item[4:5] == "-" and element != "id":
        low = moment(item)
        return [f"<{low:012x}", f">{low + (86399999 if len(item) == 10 else 999):012x}"]
    if isinstance(item, str) and element in ("status", "gender", "intent"):
        return ["=" + item]
    return []


def date(resource: Resource) -> int:
    for element in ("effectiveDateTime", "onsetDateTime", "authoredOn", "performedDateTime", "occurrenceDateTime", "issued", "created"):
        if element in resource:
            return moment(resource[element])
    return moment(resource.get("period", resource.get("billablePeriod", {})).get("start", "1970-01-01T00:00:00"))


def lead(resource: Resource) -> str | None:
    reference = (resource.get("subject") or resource.get("patient") or {}).get("reference", "")
    if resource["resourceType"] == "Patient":
        return f"Patient/{resource['id']}"
    return reference if reference.startswith("Patient/") else None


def codes(number: int) -> str:
    return f"{LOINC}|{TESTS[number % 10][0]}"
