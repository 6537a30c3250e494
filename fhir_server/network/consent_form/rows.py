"""A consent's facilities as they stand now: whose Patient is linked, whose is not and why.

NETWORK.md F014, F015, F065, D2, D4
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fhir_server.exchange import Resource
from fhir_server.network.consent_form.dissents import check_no_dissent
from fhir_server.network.consent_form.form import Form, Row, read
from fhir_server.network.consent_form.members import Place, place
from fhir_server.network.consent_form.states import INPUT, codes, reference_of
from fhir_server.network.desk import Desk
from fhir_server.network.matching.candidates import by_form
from fhir_server.network.matching.past import linked_at
from fhir_server.network.matching.persons import custodian, key, members
from fhir_server.outcome import FhirError, Issue


@dataclass(frozen=True, slots=True)
class Party:
    """A facility that the patient agreed to. `patient` is its Patient and `linked` when that was linked (名寄せ日時); else `lacking` says why not."""

    organization: str
    name: str
    patient: Resource | None
    linked: datetime | None
    lacking: str = ""

    @property
    def is_linked(self) -> bool:
        """Tell whether the facility's Patient is linked with the others'."""
        return self.linked is not None


async def form_of(desk: Desk, task: Resource) -> Form:
    """Read the form that a Task is about. Raises FhirError (409) where it is not there, or not readable, any more."""
    response = await desk.read(reference_of(task, "form") or "")
    form, _ = read(response) if response is not None else (None, [])
    if form is None:
        raise FhirError(Issue("conflict", "The form that this consent follows from is not there any more", ("Task.input",)))
    return form


def rows_of(task: Resource, rows: Sequence[Row]) -> list[Row]:
    """Give the form's rows and those added later."""
    added = [each["valueReference"] for each in task.get("input", ()) if codes(each["type"], INPUT) == ["added"]]
    later = [Row(each["reference"], (each.get("identifier") or {}).get("value"), "Task.input") for each in added]
    return [*rows, *later]


async def linked(desk: Desk, rows: Sequence[Row], consent: Resource, who: str) -> tuple[str | None, list[Party]]:
    """Link the Patients that the rows name as far as nothing speaks against it; give the golden one and every facility.

    The golden one is None where no row names a Patient. `who` decides: "Practitioner/1". Raises FhirError (422), having linked nobody, where
    one of them has said no.
    """
    places = [(row, await place(desk, row)) for row in rows]
    patients = [found.patient for _, found in places if found is not None and found.patient is not None]
    await check_no_dissent(desk, consent, patients)
    golden = await by_form(desk, patients, key(consent), who) if patients else None
    people = await members(desk, golden) if golden is not None else ()
    times = await linked_at(desk, golden) if golden is not None else {}
    await check_no_dissent(desk, consent, [key(each) for each in people] + ([golden] if golden is not None else []))
    return golden, [await _party(desk, row, found, people, times) for row, found in places]


async def _party(desk: Desk, row: Row, found: Place | None, people: Sequence[Resource], times: Mapping[str, datetime]) -> Party:
    if found is None:
        name = str((await desk.read(row.organization) or {}).get("name", row.organization))
        return Party(row.organization, name, None, None, "参加施設ではありません")
    named = next((each for each in people if key(each) == found.patient), None)
    patient = named or _of(people, row.organization)
    since = times.get(key(patient)) if patient is not None else None
    lacking = "" if since is not None else found.lacking[0] if found.lacking is not None else "名寄せ未了"
    return Party(row.organization, found.name, patient, since, lacking)


def _of(patients: Iterable[Resource], organization: str) -> Resource | None:
    """A Patient that the facility has and the secretariat has linked, whatever number the form says."""
    return next((each for each in patients if custodian(each) == organization), None)
