"""The searches of the workload are answered by an index, in order, and read no more than they show."""

from dataclasses import replace

import pytest

from fhir_server.search import compartment
from fhir_server.search.controls import Sort
from fhir_server.search.entries import UPDATED
from fhir_server.search.expression import And, Begins, Entries, ForPatient, Has, HasPrefix, OfType, Or, Span, Spans, StartsWith, WithId
from fhir_server.search.query import Query
from fhir_server.search.types.sortable import sortable_date
from fhir_server.store.documents import SERVED, Prepared, document
from fhir_server.store.in_order import by_time
from fhir_server.store.selection import selection
from fhir_server.store.ways import ways
from fhir_server.store.writing import to_the_millisecond
from tests.search.judge import parameters

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
    assert ways(And((OfType((type,)), expression)), (type,), place) == chosen
    return await explanation(mongo, {"filter": chosen.filter, "sort": {"o": -1}, **chosen.options})


async def explanation(mongo, command):
    command = {"find": "resource", "projection": SERVED, "limit": 21, **command}
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
    day = Begins("birthdate", sortable_date(100 * DAY))
    asked = And((And((day, Spans("birthdate", "eq", 100 * DAY, 101 * DAY - 1))), Has("gender", "f")))
    used, keys, documents, shown = await explained(filled, "Patient", asked)
    assert not used & {"COLLSCAN", "SORT"}
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


# -- several ways ------------------------------------------------------------------------------------------------------


def members(*types, patient="p7"):
    """What the compartment of a patient holds of these types, as a search across types asks it."""
    groups = {}
    for type in types:
        groups.setdefault(compartment.expression("Patient", patient, type, parameters()), []).append(type)
    return And((OfType(types), Or(tuple(And((OfType(tuple(each)), asked)) for asked, each in groups.items()))))


SEVERAL_WAYS = {
    "a type in a compartment": (("Observation",), And((OfType(("Observation",)), compartment.expression("Patient", "p7", "Observation", parameters())))),
    "a type and a code in a compartment": (
        ("Observation",),
        And((OfType(("Observation",)), compartment.expression("Patient", "p7", "Observation", parameters()), Has("code", "l|3"))),
    ),
    "some types of a compartment": (("Observation", "Condition", "Encounter"), members("Observation", "Condition", "Encounter")),
    "types without a question": (("Observation", "Patient"), OfType(("Observation", "Patient"))),
    "an identifier in any type": (tuple(sorted(parameters().types)), And((OfType(tuple(sorted(parameters().types))), Has("_tag", "s|17")))),
}  # fmt: skip


@pytest.mark.parametrize("asked", SEVERAL_WAYS)
@pytest.mark.parametrize("place", [None, {"$lte": 3500}], ids=["first page", "later page"])
async def test_several_ways_are_merged_in_order(filled, asked, place):
    types, expression = SEVERAL_WAYS[asked]
    chosen = ways(expression, types, place)
    used, keys, documents, shown = await explanation(filled, {"filter": chosen.filter, "sort": {"o": -1}, **chosen.options})
    assert "IXSCAN" in used
    assert not used & {"COLLSCAN", "SORT"}
    assert documents == shown
    assert keys <= 2 * shown + 2 * len(types) + 8


async def test_a_whole_compartment_reads_only_its_own(filled):
    types = compartment.members("Patient", sorted(parameters().types), parameters())
    assert len(types) == 66
    chosen = ways(members(*types), types)
    used, _, documents, _ = await explanation(filled, {"filter": chosen.filter, "sort": {"o": -1}, **chosen.options})
    assert "COLLSCAN" not in used
    assert documents <= 101  # the patient and a hundred observations


# -- other orders of an index -------------------------------------------------------------------------------------------


class Listening:
    """Stands before a collection and hears what is asked of it."""

    def __init__(self, collection):
        self._collection, self.commands = collection, []

    def find(self, filter, projection, **options):
        self.commands.append(
            {
                "filter": filter,
                "sort": dict(options["sort"]),
                "limit": options["limit"],
                **({"hint": options["hint"]} if options["hint"] else {}),
            }
        )
        return self._collection.find(filter, projection, **options)


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("limits", [(), (Spans(UPDATED, "gt", 0, 0),), (Spans(UPDATED, "le", 2**45, 2**45), Spans(UPDATED, "ge", 0, 0))])
@pytest.mark.parametrize("types", [("Observation",), ("Observation", "Patient")])
async def test_the_order_of_the_last_change_is_an_index(filled, descending, limits, types):
    heard = Listening(filled.resource)
    asked = Query("", And((OfType(types), *limits)), (Sort(UPDATED, descending, "date"),), 20, across=types)
    listening = replace(filled, resource=heard)
    _, after = await by_time(listening, asked, asked.expression, asked.sort[0])
    await by_time(listening, replace(asked, after=after), asked.expression, asked.sort[0])
    for command in heard.commands:
        used, keys, documents, shown = await explanation(filled, command)
        assert not used & {"COLLSCAN", "SORT"}
        assert documents == shown <= 21
        assert keys <= shown + 2 * len(types)
