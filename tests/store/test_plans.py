"""The searches of the workload are answered by an index, in order, and read no more than they show."""

import pytest

from fhir_server.search.expression import And, Entries, ForPatient, Has, HasPrefix, OfType, Or, Span, Spans, StartsWith, WithId
from fhir_server.search.types.sortable import sortable_date
from fhir_server.store.documents import SERVED, Prepared, document
from fhir_server.store.selection import selection
from fhir_server.store.writing import to_the_millisecond

DAY = 86_400_000


def resources(now):
    """Three hundred patients; a hundred observations of ten codes for each of the first thirty."""
    for n in range(300):
        born = n * DAY
        dates = (f"birthdate<{sortable_date(born)}", f"birthdate>{sortable_date(born + DAY - 1)}")
        entries = (f"identifier=s|{n}", f"identifier={n}", f"name:{'高三香'[n % 3]}", f"gender={'fm'[n % 2]}", *dates)
        found = Entries(entries, (f"name:{'高三香'[n % 3]}",), (Span("birthdate", born, born + DAY - 1),))
        yield document(Prepared("Patient", f"p{n}", {}, found), b"{}", version=1, updated=now, method="PUT", place=n)
    for n in range(3000):
        patient = f"Patient/p{n % 30}"
        entries = (f"code=l|{n // 30 % 10}", f"code={n // 30 % 10}", f"subject={patient}", f"patient={patient}", "status=final")
        found = Entries(entries, spans=(Span("date", n, n),), patient=patient, date=n)
        yield document(Prepared("Observation", f"o{n}", {}, found), b"{}", version=1, updated=now, method="PUT", place=1000 + n)


@pytest.fixture
async def filled(mongo, ticking):
    await mongo.resource.insert_many(resources(to_the_millisecond(ticking())))
    return mongo


def stages(plan):
    yield plan["stage"]
    for inner in (*plan.get("inputStages", ()), *([plan["inputStage"]] if "inputStage" in plan else [])):
        yield from stages(inner)


async def explained(mongo, type, expression, place=None):
    """The stages of the plan, and how many keys and documents were read for how many results."""
    chosen = selection(And((OfType((type,)), expression)), (type,), place)
    command = {"find": "resource", "filter": chosen.filter, "projection": SERVED, "sort": {"o": -1}, "limit": 21, **chosen.options}
    told = await mongo.database.command({"explain": command, "verbosity": "executionStats"})
    winner = told["queryPlanner"]["winningPlan"]
    stats = told["executionStats"]
    return set(stages(winner.get("queryPlan", winner))), stats["totalKeysExamined"], stats["totalDocsExamined"], stats["nReturned"]


IN_ORDER = {
    "identifier": ("Patient", Has("identifier", "s|17")),
    "name": ("Patient", StartsWith("name", "高")),
    "everything of a type": ("Patient", And()),
    "a code of all patients": ("Observation", Has("code", "l|3")),
    "one of two codes": ("Observation", Or((Has("code", "l|3"), Has("code", "l|4")))),
    "patient and code": ("Observation", And((ForPatient("Patient/p7"), Has("code", "l|3")))),
    "patient, code and status": ("Observation", And((ForPatient("Patient/p7"), Has("code", "l|3"), Has("status", "final")))),
    "patient": ("Observation", ForPatient("Patient/p7")),
    "one of two patients": ("Observation", Or((ForPatient("Patient/p7"), ForPatient("Patient/p8")))),
}


@pytest.mark.parametrize("asked", IN_ORDER)
@pytest.mark.parametrize("place", [None, {"$lte": 3500}], ids=["first page", "later page"])
async def test_a_search_of_the_workload_reads_what_it_shows_in_order(filled, asked, place):
    used, keys, documents, shown = await explained(filled, *IN_ORDER[asked], place)
    assert "IXSCAN" in used
    assert not used & {"COLLSCAN", "SORT"}
    assert documents == shown
    assert keys <= 2 * shown + 8


async def test_a_birth_date_with_a_gender_reads_the_few_born_on_that_day(filled):
    asked = And((Spans("birthdate", "eq", 100 * DAY, 101 * DAY - 1), Has("gender", "f")))
    used, keys, documents, shown = await explained(filled, "Patient", asked)
    assert "COLLSCAN" not in used
    assert (documents, shown) == (1, 1)
    assert keys <= 4


async def test_a_system_without_a_code_is_a_range_of_the_index(filled):
    used, _, documents, shown = await explained(filled, "Patient", HasPrefix("identifier", "t|"))
    assert "COLLSCAN" not in used
    assert (documents, shown) == (0, 0)


async def test_ids_are_read_by_their_key(filled):
    used, _, documents, shown = await explained(filled, "Patient", And((WithId(("p3", "p4")), Has("gender", "m"))))
    assert "COLLSCAN" not in used
    assert (documents, shown) == (2, 1)
