"""Who is whom in a sandbox (名寄せ): golden Patients with the fixture's 地域患者ID, one who waits for the secretariat, one who was not told.

NETWORK.md §5, D4, F089, L28. Done by the decisions that the secretariat takes; what is linked already stays as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fhir_server.auth.members import person_id
from fhir_server.consent.vocabulary import ACT_CODE
from fhir_server.exchange import Resource
from fhir_server.network.desk import Desk
from fhir_server.network.matching.candidates import look
from fhir_server.network.matching.decision import Activity, Change, Decision, Grounds, settle
from fhir_server.network.matching.joining import linking
from fhir_server.network.matching.persons import Person, golden_of, key, new_golden, pointing
from fhir_server.sandbox.network import AGREEMENTS, PATIENTS, Member
from fhir_server.sandbox.people import IMPORTED
from fhir_server.search.expression import ForPatient

SECRETARY: Final = "s1"
_WHY: Final = "見本データの名寄せ / identities of the sandbox"
_UNTOLD: Final = {
    "system": ACT_CODE,
    "code": "NOPAT",
    "display": "no disclosure to patient, family or caregivers without attending provider",
}
_LEFT_OUT: Final = {agreement.patient for agreement in AGREEMENTS if agreement.status == "deleted"}
"""Who asked for deletion is nobody to the network any more (D8)."""


@dataclass(frozen=True, slots=True)
class Identities:
    """The network's desk, and the ids that facilities' patients have."""

    desk: Desk
    patient_id: Callable[[str, str], str]

    async def patients(self, member: Member) -> dict[str, Resource]:
        """Give a member's Patients that were imported, by the code of the facility."""
        codes = [each.code for each in IMPORTED if each.code in member.numbers]
        found = {code: await self.desk.read(f"Patient/{self.patient_id(code, member.numbers[code])}") for code in codes}
        return {code: patient for code, patient in found.items() if patient is not None}

    async def link(self) -> None:
        """Link who was matched, look for who may be the one that was not, and label what one was not told."""
        for member in PATIENTS:
            patients = [key(each) for each in (await self.patients(member)).values()]
            if patients and member.regional_id is not None and member.key not in _LEFT_OUT:
                await self._link(patients, member.regional_id)
            elif len(patients) > 1 and member.regional_id is None:
                await look(self.desk, patients[0])
            if patients and member.person.withheld is not None:
                await self._withhold(patients)

    async def _link(self, patients: list[str], number: str) -> None:
        grounds, first = Grounds(_WHY, f"Practitioner/{person_id(SECRETARY)}"), patients[0]

        async def enrolled() -> Decision | None:
            """As `enrolling` does it, with a number that is known beforehand."""
            patient = await self.desk.read(first)
            if patient is None or golden_of(patient) is not None:
                return None
            golden = new_golden(patient, number)
            changes = (Change(None, golden), Change(patient, pointing(patient, key(golden))))
            return Decision(Activity.LINK, changes, (Person((patient,), golden),))

        await settle(enrolled, grounds, self.desk)
        for other in patients[1:]:
            patient = await self.desk.read(other)
            if patient is not None and golden_of(patient) is None:
                await settle(lambda reference=other: linking(self.desk, first, reference), grounds, self.desk)  # type: ignore[misc]

    async def _withhold(self, patients: list[str]) -> None:
        """A storage says only that a diagnosis is very restricted (PRB-25): that its patient was not told is the doctor's to say."""
        for patient in patients:
            for condition in await self.desk.find("Condition", ForPatient(patient)):
                labels = condition["meta"].get("security", [])
                codes = {each.get("code") for each in labels}
                if "V" in codes and "NOPAT" not in codes:
                    await self.desk.store({**condition, "meta": {**condition["meta"], "security": [*labels, _UNTOLD]}})
