"""Three requests to try, made from what the running server answers: each one has been asked before it is printed."""

import json
import urllib.parse
import urllib.request
from collections import Counter
from dataclasses import dataclass
from typing import Any

_HBA1C = "3D046000001906202"  # JLAC10
_SECONDS = 20.0

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Trial:
    """A request as a line for the terminal, and what it answered."""

    title: str
    command: str
    answer: str


def requests(base: str) -> list[Trial]:
    """Give patients by kana name, one patient's HbA1c values newest first, and his or her prescriptions.

    Raises LookupError where there are no such resources, OSError where the server does not answer.
    """
    system, patient = _somebody(base)
    kana = _kana(patient)
    name = [("name", kana)]
    values = [("patient", patient["id"]), ("code", f"{system}|{_HBA1C}"), ("_sort", "-date"), ("_count", "20")]
    prescriptions = [("patient", patient["id"]), ("_sort", "-authoredon"), ("_count", "10")]
    return [
        _trial(base, "Patients by kana name / カナ氏名で患者を探す", "Patient", name, _names),
        _trial(base, "One patient's HbA1c, newest first / HbA1c を新しい順に", "Observation", values, _values),
        _trial(base, "The same patient's prescriptions / 同じ患者の処方", "MedicationRequest", prescriptions, _medications),
    ]


def _somebody(base: str) -> tuple[str, Resource]:
    """Give the code's system, and the patient with most HbA1c values among those who have prescriptions."""
    found = _ask(base, "Observation", [("code", _HBA1C), ("_count", "500")])
    if not found:
        raise LookupError("no HbA1c value is stored")
    system = next(coding["system"] for coding in found[0]["code"]["coding"] if coding["code"] == _HBA1C)
    for subject, _ in Counter(resource["subject"]["reference"].partition("/")[2] for resource in found).most_common(10):
        if _ask(base, "MedicationRequest", [("patient", subject), ("_count", "1")]):
            return system, _ask(base, "Patient", [("_id", subject)])[0]
    raise LookupError("no patient has both HbA1c values and prescriptions")


def _kana(patient: Resource) -> str:
    families = [name["family"] for name in patient["name"] if "family" in name]
    return str(next((family for family in families if all("ァ" <= letter <= "ヿ" for letter in family)), families[0]))


def _trial(base: str, title: str, type: str, parameters: list[tuple[str, str]], told: Any) -> Trial:
    command = f"curl -sG {base}/{type} " + " ".join(f"--data-urlencode '{name}={value}'" for name, value in parameters)
    found = _ask(base, type, parameters)
    return Trial(title, command, f"{len(found)} {type}: {told(found)}")


def _ask(base: str, type: str, parameters: list[tuple[str, str]]) -> list[Resource]:
    with urllib.request.urlopen(f"{base}/{type}?{urllib.parse.urlencode(parameters)}", timeout=_SECONDS) as answer:  # noqa: S310 - ours
        bundle = json.load(answer)
    return [entry["resource"] for entry in bundle.get("entry", ())]


def _names(found: list[Resource]) -> str:
    return ", ".join(found_name["text"] for resource in found[:3] for found_name in resource["name"][:1] if "text" in found_name)


def _values(found: list[Resource]) -> str:
    return ", ".join(f"{each['effectiveDateTime'][:10]} {_quantity(each)}" for each in found[:3])


def _quantity(observation: Resource) -> str:
    quantity = observation.get("valueQuantity", {})
    return f"{quantity.get('value')} {quantity.get('unit', '')}".strip()


def _medications(found: list[Resource]) -> str:
    concepts = [resource.get("medicationCodeableConcept", {}) for resource in found[:3]]
    return ", ".join(concept.get("text") or concept.get("coding", [{}])[0].get("display", "") for concept in concepts)
