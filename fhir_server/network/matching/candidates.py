"""Looking for who else a facility's Patient may be, and what to do with what is found.

NETWORK.md L32, D4, F069: certain matches link by themselves only where the network has agreed to it (`Terms.automatic_linking`); all others
wait as Tasks for the secretariat. The consent form is the strongest evidence: the patient himself lists his numbers.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from fhir_server.exchange import Resource
from fhir_server.identity.score import Comparison, Grade
from fhir_server.network.desk import Desk
from fhir_server.network.matching import pairs
from fhir_server.network.matching.checking import pairs_of, shares_facility
from fhir_server.network.matching.comparing import Known, compared, known, near
from fhir_server.network.matching.decision import Grounds, settle
from fhir_server.network.matching.joining import enrolling, linking
from fhir_server.network.matching.pairs import CANCELLED, OPEN, REJECTED, proposed, tasks_between
from fhir_server.network.matching.persons import NETWORK, REGIONAL_ID, golden_of, is_golden, key, patient, person, version
from fhir_server.outcome import FhirError, invalid
from fhir_server.search.expression import And, HasPrefix, Not, OfType, Present
from fhir_server.search.query import Query
from fhir_server.store.repository import Changed

_MOST_PROPOSED = 20
_ATTEMPTS = 20
_PAGE = 200
_AUTOMATIC = "確実な一致による自動名寄せ / linked automatically: the match is certain"
_BY_FORM = "患者同意書（様式6）の記載による名寄せ / linked: the patient lists these numbers on the consent form"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A Patient who may be the same person, how well she fits, and the Tasks between the two persons, in whatever state."""

    patient: Known
    comparison: Comparison
    tasks: tuple[Resource, ...] = ()

    @property
    def reference(self) -> str:
        """The reference of the Patient."""
        return self.patient.reference

    @property
    def rejected(self) -> bool:
        """Whether somebody has said that they are two persons."""
        return any(task["status"] == REJECTED for task in self.tasks)


async def candidates(desk: Desk, reference: str) -> list[Candidate]:
    """Give who may be the same person as this facility's Patient, the best first; of each person the one who fits best.

    Raises FhirError (404) where there is no such Patient.
    """
    own = await person(desk, reference)
    [subject] = await known(desk.everything, [await patient(desk, reference)])
    best: dict[str, Candidate] = {}
    for found in await near(desk.everything, subject.who, desk.serving.zone):
        whole = golden_of(found.resource) or found.reference
        if is_golden(found.reference) or whole == own.reference or found.reference == reference:
            continue
        comparison = compared(subject, found)
        if comparison.grade is not Grade.CERTAINLY_NOT and (whole not in best or comparison.score > best[whole].comparison.score):
            best[whole] = Candidate(found, comparison)
    ordered = sorted(best.values(), key=lambda each: (-each.comparison.score, each.reference))[:_MOST_PROPOSED]
    return [replace(each, tasks=tuple(await tasks_between(desk, own, await person(desk, each.reference)))) for each in ordered]


async def look(desk: Desk, reference: str) -> list[str]:
    """Look for who a facility's Patient may be: link the certain ones where that is agreed, file Tasks for the others.

    Gives the Tasks that wait for the secretariat because of this Patient. Doing it again changes nothing.
    Raises FhirError (404) where there is no such Patient.
    """
    waiting: list[str] = []
    for each in await candidates(desk, reference):
        if each.rejected or (desk.terms.automatic_linking and await _linked(desk, reference, each, Grounds(_AUTOMATIC))):
            continue
        if (task := await _filed(desk, reference, each)) is not None:
            waiting.append(task)
    return waiting


async def alone(desk: Desk) -> AsyncIterator[str]:
    """Give every facility's Patient who is linked with nobody, page by page."""
    unlinked = And((OfType(("Patient",)), Not(Present("link")), Not(HasPrefix("identifier", f"{REGIONAL_ID}|"))))
    query = Query("Patient", unlinked, count=_PAGE)
    while True:
        page = await desk.everything.find(query)
        for each in page.versions:
            yield each.reference
        if page.after is None:
            return
        query = replace(query, after=page.after)


async def by_form(desk: Desk, patients: Sequence[str], consent: str, who: str = NETWORK) -> str:
    """Link the Patients that a consent form lists, the first one's own facility's, and give their golden Patient.

    Those whose kana name and birth date agree, and of whom nothing speaks against it, are linked; for the others Tasks wait for the
    secretariat, and they stay as they are. `consent` is the evidence, `who` decides: "Practitioner/1". Doing it again changes nothing.
    Raises FhirError: 404 for a Patient that there is not, 422 for an empty list.
    """
    if not patients:
        raise invalid(
            "A consent form lists the patient's number at one facility at least", "Consent.provision.actor", code="required", status=422
        )
    first, *others = dict.fromkeys(patients)
    grounds = Grounds(_BY_FORM, who, (consent,))
    for each in others:
        await patient(desk, each)
    await settle(lambda: enrolling(desk, first), grounds, desk)
    for other in others:
        await _by_form(desk, first, other, grounds)
    return (await person(desk, first)).reference


async def _by_form(desk: Desk, first: str, other: str, grounds: Grounds) -> None:
    one, two = await person(desk, first), await person(desk, other)
    if one.reference == two.reference:
        return
    both = await known(desk.everything, [await patient(desk, first), await patient(desk, other)])
    found = Candidate(both[1], compared(*both, listed=True), tuple(await tasks_between(desk, one, two)))
    if not found.rejected and not await _linked(desk, first, found, grounds, listed=True):
        await _filed(desk, first, found)


async def _linked(desk: Desk, reference: str, found: Candidate, grounds: Grounds, *, listed: bool = False) -> bool:
    """Link a certain match that nothing speaks against; what takes a person's judgement is left to one."""
    one, other = await person(desk, reference), await person(desk, found.reference)
    if found.comparison.grade is not Grade.CERTAIN or shares_facility(one.members, other.members):
        return False
    if (one.golden is not None and other.golden is not None) or any(
        compared(*pair, listed=listed).guards for pair in await pairs_of(desk, one, other)
    ):
        return False
    measured = replace(grounds, score=found.comparison.score, grade=found.comparison.grade.value)
    try:
        await settle(lambda: linking(desk, reference, found.reference), measured, desk)
    except FhirError as failure:
        if failure.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        return False  # something has changed meanwhile: the secretariat sees
    return True


async def _filed(desk: Desk, reference: str, found: Candidate) -> str | None:
    """File the Task of a pair unless one between the same two persons waits, and renew its grounds; None where it is decided."""
    own = pairs.task_of(reference, found.reference)
    other = next((task for task in found.tasks if task["status"] == OPEN), None)
    if other is not None and key(other) != own:
        return key(other)
    for _ in range(_ATTEMPTS):
        before = await desk.read(own)
        if before is not None and before["status"] not in (OPEN, CANCELLED):
            return None
        task = _again(reference, found, before, desk)
        if task is None:
            return own
        try:
            await desk.store(task, versions={own: version(before)})
        except Changed:
            continue
        return own
    return own


def _again(reference: str, found: Candidate, before: Resource | None, desk: Desk) -> Resource | None:
    """The Task as it has to be; None where it is so already."""
    first, second = pairs.patients_of(before) if before is not None else (reference, found.reference)
    task = proposed(first, second, found.comparison, before, desk)
    if before is not None and before["status"] == OPEN and pairs.same_input(task, before):
        return None
    return task
