"""A whole record is read from two indexes in order: no sort, no scan, and no more than the page needs."""

import pytest

from fhir_server.search.expression import EVERYTHING, Entries, Not, Present
from fhir_server.store import belonging as subject
from fhir_server.store.belonging import Belonging
from fhir_server.store.documents import Prepared, document
from fhir_server.store.indexes import BY_ENTRY, BY_PATIENT
from fhir_server.store.writing import to_the_millisecond

TYPES = ("AllergyIntolerance", "Condition", "Encounter", "Immunization", "MedicationRequest", "Observation", "Procedure")
ASKED = Belonging("Patient/p7", TYPES, {"performer": ("Observation", "Procedure"), "recorder": ("AllergyIntolerance",)})


@pytest.fixture
async def filled(mongo, ticking):
    """Forty patients with seventy resources each; each tenth is about several, each seventh performed by the next patient."""
    now = to_the_millisecond(ticking())
    documents = []
    for n in range(2800):
        owner, other, type = f"Patient/p{n % 40}", f"Patient/p{(n + 1) % 40}", TYPES[n // 40 % 7]
        several = (owner, other) if n // 40 % 10 == 0 else ()
        performed = (f"performer={other}",) if type == "Observation" and n // 40 % 2 else ()
        entries = Entries((f"patient={owner}", *performed), patient="*" if several else owner, patients=several, date=n)
        made = document(Prepared(type, f"r{n}", {}, entries), b"{}", version=1, updated=now, method="PUT", place=n // 90)
        documents.append(made)
    await mongo.resource.insert_many(documents)
    return mongo


async def pages(mongo, count, limit=EVERYTHING):
    after, found = None, []
    while True:
        page = await subject.belongings(mongo, ASKED, limit, count, after)
        found += [version.reference for version in page.versions]
        assert len(page.versions) <= count
        if page.after is None:
            return found
        after = page.after


async def expected(mongo):
    ways = [{"p": "Patient/p7"}, {"ps": "Patient/p7"}, {"e": "performer=Patient/p7", "t": {"$in": ["Observation", "Procedure"]}}]
    return {document["_id"] async for document in mongo.resource.find({"$or": ways}, {"_id": 1})}


@pytest.mark.parametrize("count", [1, 3, 10, 1000])
async def test_pages_of_any_size_hold_each_resource_once_in_the_same_order(filled, count):
    found = await pages(filled, count)
    assert len(found) == len(set(found))
    assert set(found) == await expected(filled)
    assert found == await pages(filled, 7)
    assert [reference.partition("/")[0] for reference in found] == sorted(reference.partition("/")[0] for reference in found)


async def test_a_limit_is_part_of_the_query(filled):
    assert await pages(filled, 5, Not(Present("performer"))) == [
        reference for reference in await pages(filled, 100) if reference in set(await without_performer(filled))
    ]


async def without_performer(mongo):
    return [document["_id"] async for document in mongo.resource.find({"e": {"$not": {"$regex": "^performer="}}}, {"_id": 1})]


def stages(plan):
    yield plan["stage"]
    for inner in (*plan.get("inputStages", ()), *([plan["inputStage"]] if "inputStage" in plan else [])):
        yield from stages(inner)


@pytest.mark.parametrize("after", [None, ("Immunization", 12, "r1105,r1145"), ("Procedure", 30, "x")], ids=["first", "later", "last"])
@pytest.mark.parametrize("hint", [BY_PATIENT, BY_ENTRY])
async def test_each_way_is_an_index_in_order(filled, after, hint):
    beyond = subject._beyond(after)
    ways = subject._led(ASKED, beyond) if hint == BY_PATIENT else subject._named(ASKED, beyond)
    command = {"find": "resource", "filter": {"$or": ways}, "sort": dict(subject._ORDER), "limit": 11, "hint": hint}
    told = await filled.database.command({"explain": command, "verbosity": "executionStats"})
    winner = told["queryPlanner"]["winningPlan"]
    found = set(stages(winner.get("queryPlan", winner)))
    assert not found & {"SORT", "COLLSCAN"}, found
    stats = told["executionStats"]
    assert stats["totalDocsExamined"] <= 11 + len(ways)
