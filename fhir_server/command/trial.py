"""Three requests to try, made from what the running server answers: each one has been asked before it is printed.

They are asked with a token of the sandbox's integration tester, got as the printed command gets it.
"""

import base64
import json
import urllib.parse
import urllib.request
from collections import Counter
from dataclasses import dataclass
from typing import Any

from fhir_server.sandbox.people import TESTER, secret_of

_HBA1C = "3D046000001906202"  # JLAC10
_SECONDS = 20.0
_SCOPE = "system/*.cruds"

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Trial:
    """A request as a line for the terminal, and what it answered."""

    title: str
    command: str
    answer: str


@dataclass(frozen=True, slots=True)
class Server:
    """The running server: where it is, and the token to ask it with."""

    base: str
    token: str

    def ask(self, type: str, parameters: list[tuple[str, str]]) -> list[Resource]:
        """Give the resources that a search finds."""
        address = f"{self.base}/{type}?{urllib.parse.urlencode(parameters)}"
        request = urllib.request.Request(address, headers={"Authorization": f"Bearer {self.token}"})  # noqa: S310 - ours
        return [entry["resource"] for entry in _answer(request).get("entry", ())]


def token_command(issuer: str) -> str:
    """Give the line for the terminal that puts a token of the tester into the variable TOKEN."""
    form = f"-d grant_type=client_credentials --data-urlencode 'scope={_SCOPE}' {issuer}/auth/token"
    return f"""TOKEN=$(curl -s -u {TESTER}:{secret_of(TESTER)} {form} | sed 's/.*"access_token" *: *"\\([^"]*\\)".*/\\1/')"""


def requests(issuer: str, base: str) -> list[Trial]:
    """Give patients by kana name, one patient's HbA1c values newest first, and his or her prescriptions.

    Raises LookupError where there are no such resources, OSError where the server does not answer, or gives no token.
    """
    server = Server(base, _token(issuer))
    system, patient = _somebody(server)
    kana = _kana(patient)
    name = [("name", kana)]
    values = [("patient", patient["id"]), ("code", f"{system}|{_HBA1C}"), ("_sort", "-date"), ("_count", "20")]
    prescriptions = [("patient", patient["id"]), ("_sort", "-authoredon"), ("_count", "10")]
    return [
        _trial(server, "Patients by kana name / カナ氏名で患者を探す", "Patient", name, _names),
        _trial(server, "One patient's HbA1c, newest first / HbA1c を新しい順に", "Observation", values, _values),
        _trial(server, "The same patient's prescriptions / 同じ患者の処方", "MedicationRequest", prescriptions, _medications),
    ]


def _token(issuer: str) -> str:
    """Get a token as the printed command does."""
    form = urllib.parse.urlencode([("grant_type", "client_credentials"), ("scope", _SCOPE)]).encode()
    credentials = base64.b64encode(f"{TESTER}:{secret_of(TESTER)}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/x-www-form-urlencoded"}
    return str(_answer(urllib.request.Request(f"{issuer}/auth/token", form, headers))["access_token"])  # noqa: S310 - ours


def _answer(request: urllib.request.Request) -> dict[str, Any]:
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - ours
        found: dict[str, Any] = json.load(answer)
    return found


def _somebody(server: Server) -> tuple[str, Resource]:
    """Give the code's system, and the patient with most HbA1c values among those who have prescriptions."""
    found = server.ask("Observation", [("code", _HBA1C), ("_count", "500")])
    if not found:
        raise LookupError("no HbA1c value is stored")
    system = next(coding["system"] for coding in found[0]["code"]["coding"] if coding["code"] == _HBA1C)
    for subject, _ in Counter(resource["subject"]["reference"].partition("/")[2] for resource in found).most_common(10):
        if server.ask("MedicationRequest", [("patient", subject), ("_count", "1")]):
            return system, server.ask("Patient", [("_id", subject)])[0]
    raise LookupError("no patient has both HbA1c values and prescriptions")


def _kana(patient: Resource) -> str:
    families = [name["family"] for name in patient["name"] if "family" in name]
    return str(next((family for family in families if all("ァ" <= letter <= "ヿ" for letter in family)), families[0]))


def _trial(server: Server, title: str, type: str, parameters: list[tuple[str, str]], told: Any) -> Trial:
    asked = " ".join(f"--data-urlencode '{name}={value}'" for name, value in parameters)
    found = server.ask(type, parameters)
    return Trial(title, f'curl -sG {server.base}/{type} -H "Authorization: Bearer $TOKEN" {asked}', f"{len(found)} {type}: {told(found)}")


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
