"""Looking for who else a facility's Patient may be, and what to do with what is found.

NETWORK.md L32, D4, F069: certain matches link by themselves only where the network has agreed to it (`Terms.automatic_linking`); all others
wait as Tasks for the secretariat. The consent form is the strongest evidence: the patient himself lists his numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from fhir_server.exchange import Resource
from fhir_server.identity.score import Comparison
from fhir_server.network.desk import Desk
from fhir_server.network.matching import pairs
from fhir_server.network.matching.checking import shares_facility
from fhir_server.network.matching.comparing import CERTAIN, CERTAINLY_NOT, blocking, compared, warnings
from fhir_server.network.matching.decision import Grounds, settle
from fhir_server.network.matching.joining import enrolling, linking
from fhir_server.network.matching.pairs import CANCELLED, OPEN, REJECTED, proposed, tasks_between
from fhir_server.network.matching.persons import NETWORK, REGIONAL_ID, Person, golden_of, key, patient, person, version
from fhir_server.outcome import FhirError, invalid
from fhir_server.search.expression import And, HasPrefix, Not, Or
from fhir_server.store.repository import Changed

_MOST_CANDIDATES = 500
_MOST_PROPOSED = 20
_ATTEMPTS = 5
_AUTOMATIC = "確実な一致による自動名寄せ / linked automatically: the match is certain"
_BY_FORM = "患者同意書（様式6）の記載による名寄せ / linked: the patient lists these numbers on the consent form"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A Patient who may be the same person, how well she fits, and the Tasks between the two persons, in whatever state."""

    resource: Resource
    comparison: Comparison
    tasks: tuple[Resource, ...] = ()

    @property
    def reference(self) -> str:
        """The reference of the Patient."""
        return key(self.resource)


async def candidates(desk: Desk, reference: str) -> list[Candidate]:
    """Give who may be the same person as this Patient, the best first; of each person the one who fits best.

    Raises FhirError (404) where there is no such Patient.
    """
    own = await person(desk, reference)
    subject = await patient(desk, reference)
    best: dict[str, Candidate] = {}
    for found in await _found(desk, subject):
        whole = golden_of(found) or key(found)
        if whole == own.reference or key(found) == reference:
            continue
        comparison = compared(subject, found)
        if comparison.grade != CERTAINLY_NOT and (whole not in best or comparison.score > best[whole].comparison.score):
            best[whole] = Candidate(found, comparison)
    ordered = sorted(best.values(), key=lambda each: (-each.comparison.score, each.reference))[:_MOST_PROPOSED]
    return [
        Candidate(each.resource, each.comparison, tuple(await tasks_between(desk, own, await person(desk, each.reference))))
        for each in ordered
    ]


async def _found(desk: Desk, subject: Resource) -> list[Resource]:
    ways = blocking(subject)
    if not ways:
        return []
    return await desk.find("Patient", And((Or(tuple(ways)), Not(HasPrefix("identifier", f"{REGIONAL_ID}|")))), _MOST_CANDIDATES)


async def look(desk: Desk, reference: str) -> list[str]:
    """Look for who a facility's Patient may be: link the certain ones where that is agreed, file Tasks for the others.

    Gives the Tasks that wait for the secretariat because of this Patient. Doing it again changes nothing.
    Raises FhirError (404) where there is no such Patient.
    """
    waiting: list[str] = []
    for each in await candidates(desk, reference):
        if any(task["status"] == REJECTED for task in each.tasks):
            continue
        if desk.terms.automatic_linking and await _linked(desk, reference, each):
            continue
        waiting.append(await _filed(desk, reference, each))
    return waiting


async def _linked(desk: Desk, reference: str, found: Candidate) -> bool:
    """Link a certain match that nothing speaks against; what takes a person's judgement is left to one."""
    one, other = await person(desk, reference), await person(desk, found.reference)
    pairs_of_all = list(product(one.members, other.members))
    certain = found.comparison.grade == CERTAIN and not any(warnings(compared(*pair)) for pair in pairs_of_all)
    if not certain or shares_facility(one.members, other.members) or (one.golden is not None and other.golden is not None):
        return False
    grounds = Grounds(_AUTOMATIC, NETWORK, score=found.comparison.score, grade=str(found.comparison.grade))
    try:
        await settle(lambda: linking(desk, reference, found.reference), grounds, desk)
    except FhirError as failure:
        if failure.status >= 500:
            raise
        return False  # something has changed meanwhile: the secretariat sees
    return True


async def _filed(desk: Desk, reference: str, found: Candidate) -> str:
    """File the Task of a pair, unless one between the same two persons waits already; its grounds are renewed."""
    other = next((task for task in found.tasks if task["status"] == OPEN), None)
    if other is not None and other["id"] != pairs.task_id(reference, found.reference):
        return key(other)
    for _ in range(_ATTEMPTS):
        before = await desk.read(pairs.task_of(reference, found.reference))
        task = _again(reference, found, before, desk)
        if task is None:
            break
        try:
            await desk.store(task, versions={key(task): version(before)})
        except Changed:
            continue
        break
    return pairs.task_of(reference, found.reference)


def _again(reference: str, found: Candidate, before: Resource | None, desk: Desk) -> Resource | None:
    """The Task as it has to be; None where it is so already, or was decided meanwhile."""
    if before is not None and before["status"] not in (OPEN, CANCELLED):
        return None
    first, second = pairs.patients_of(before) if before is not None else (reference, found.reference)
    task = proposed(first, second, found.comparison, before, desk)
    if before is not None and before["status"] == OPEN and pairs.same_input(task, before):
        return None
    return task


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
    await settle(lambda: enrolling(desk, first), grounds, desk)
    for other in others:
        await _by_form(desk, first, other, consent, who)
    return (await person(desk, first)).reference


async def _by_form(desk: Desk, first: str, other: str, consent: str, who: str) -> None:
    one, two = await person(desk, first), await person(desk, other)
    if one.reference == two.reference:
        return
    comparison = compared(await patient(desk, first), await patient(desk, other), listed=True)
    tasks = tuple(await tasks_between(desk, one, two))
    found = Candidate(await patient(desk, other), comparison, tasks)
    if any(task["status"] == REJECTED for task in tasks):
        return
    if comparison.grade == CERTAIN and _agree(one, two):
        grounds = Grounds(_BY_FORM, who, (consent,), comparison.score, str(comparison.grade))
        try:
            await settle(lambda: linking(desk, first, other), grounds, desk)
        except FhirError as failure:
            if failure.status >= 500:
                raise
        else:
            return
    await _filed(desk, first, found)


def _agree(one: Person, other: Person) -> bool:
    """Whether nothing speaks against any pair of theirs, and neither of them has a golden Patient that would have to go."""
    if shares_facility(one.members, other.members) or (one.golden is not None and other.golden is not None):
        return False
    return not any(warnings(compared(*pair, listed=True)) for pair in product(one.members, other.members))
