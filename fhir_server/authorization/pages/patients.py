"""The patients somebody may choose from, found by name, number or birth date.

https://hl7.org/fhir/R4/patient.html#search
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#launch-context-arrives-with-your-access_token

The search is the server's own, in the name of the person: it finds what she may see and nothing else, on every page of it.
"""

import re
import unicodedata
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from fhir_server.auth.accounts.session import Session
from fhir_server.auth.directory import Assignment
from fhir_server.auth.requester import Requester
from fhir_server.auth.roles import Role
from fhir_server.exchange import FhirRequest, FhirResponse, Resource
from fhir_server.outcome import FhirError
from fhir_server.search import paging
from profiles import json

PAGE: Final = 20
_REFERENCE: Final = re.compile(r"Patient/[A-Za-z0-9\-.]{1,64}")
_NUMBER: Final = re.compile(r"[0-9A-Za-z]*[0-9][0-9A-Za-z\-]*")
_KANA: Final = re.compile(r"[\u3041-\u30ff\uff66-\uff9f\s・]+")
_SPECIAL: Final = re.compile(r"([\\,$|])")
_MOST_WORDS: Final = 4

Perform = Callable[[FhirRequest, Requester], Awaitable[FhirResponse]]


@dataclass(frozen=True, slots=True)
class PatientLine:
    """What tells one patient from another: `birth` as FHIR writes it, `sex` a code of AdministrativeGender."""

    reference: str
    name: str
    kana: str
    birth: str
    sex: str
    number: str


@dataclass(frozen=True, slots=True)
class Found:
    """One page of patients; `next` is what the next page is asked for with, None on the last."""

    lines: tuple[PatientLine, ...]
    next: str | None = None


class Patients:
    """Searches and reads patients; `perform` is the server's one door."""

    def __init__(self, perform: Perform) -> None:
        self._perform = perform

    async def find(self, requester: Requester, text: str, birth: str | None, page: str | None = None) -> Found:
        """Give the patients with this name or number, born on this day; raises FhirError where the page is none of this search."""
        asked = [*criteria(text), *([("birthdate", birth)] if birth else []), ("_sort", "name"), ("_count", str(PAGE))]
        if page:
            asked.append((paging.PARAMETER, page))
        answer = await self._perform(FhirRequest("search-type", "Patient", parameters=asked), requester)
        bundle = json.decode(answer.body or b"{}")
        found = [entry["resource"] for entry in bundle.get("entry", ()) if entry.get("search", {}).get("mode") == "match"]
        return Found(tuple(map(line, found)), _next(bundle.get("link", ())))

    async def one(self, requester: Requester, reference: str) -> PatientLine | None:
        """Give one patient; None where there is none, or the person may not see it."""
        if not _REFERENCE.fullmatch(reference):
            return None
        try:
            answer = await self._perform(FhirRequest("read", "Patient", reference.partition("/")[2]), requester)
        except FhirError as failure:
            if failure.status in (403, 404, 410):
                return None
            raise
        return line(json.decode(answer.body or b"{}"))


def criteria(text: str) -> list[tuple[str, str]]:
    """Read what somebody typed: a number where it has a digit, else the parts of a name, which must all fit."""
    words = unicodedata.normalize("NFKC", text).split()[:_MOST_WORDS]
    return [("identifier" if _NUMBER.fullmatch(word) else "name", _SPECIAL.sub(r"\\\1", word)) for word in words]


def asking(session: Session, assignment: Assignment | None) -> Requester:
    """Give the person as who looks for patients: by her role at the facility she has chosen, and nothing but patients."""
    is_patient = session.fhir_user.startswith("Patient/")
    return Requester(
        subject=session.account,
        role=Role.PATIENT if is_patient else assignment.role if assignment else None,
        scope="user/Patient.rs",
        organization=assignment.organization if assignment else None,
        facility=assignment.facility if assignment else None,
        facility_roles=assignment.facility_roles if assignment else frozenset(),
        fhir_user=session.fhir_user,
        patient=session.fhir_user if is_patient else None,
    )


def line(patient: Resource) -> PatientLine:
    """Read a Patient."""
    names = [each for each in patient.get("name", ()) if isinstance(each, dict)]
    kana = next((each for each in names if _KANA.fullmatch(_name(each) or "-")), None)
    written = next((each for each in names if each is not kana), None)
    return PatientLine(
        reference=f"Patient/{patient['id']}",
        name=_name(written or kana or {}),
        kana=_name(kana) if kana and written else "",
        birth=str(patient.get("birthDate", "")),
        sex=str(patient.get("gender", "unknown")),
        number=next((str(each["value"]) for each in patient.get("identifier", ()) if "value" in each), ""),
    )


def _name(name: Mapping[str, Any]) -> str:
    return str(name.get("text") or " ".join([name.get("family", ""), *name.get("given", ())])).strip()


def _next(links: Iterable[Mapping[str, str]]) -> str | None:
    url = next((link["url"] for link in links if link.get("relation") == "next"), None)
    return dict(parse_qsl(urlsplit(url).query)).get(paging.PARAMETER) if url else None
