"""Searches: what is found, in which order, page by page."""

import asyncio
import itertools

import pytest

from fhir_server.outcome import FhirError
from fhir_server.search.controls import Sort
from fhir_server.search.expression import (
    And,
    Entries,
    ForPatient,
    Has,
    Not,
    OfType,
    Or,
    Related,
    RelatedBy,
    Span,
    Spans,
    StartsWith,
    WithId,
)
from fhir_server.search.query import Query
from fhir_server.store.mongo import Limits, Mongo
from fhir_server.store.permit import Permit
from fhir_server.store.repository import Create, Delete, Put, Repository

DAY = 86_400_000


def query(expression, type="Observation", **controls):
    return Query(type, And((OfType((type,)), expression)), **{"count": 10, **controls})


async def pages(repository, asked):
    """The ids of all pages, page by page."""
    found = []
    while True:
        page = await repository.find(asked)
        found.append([version.id for version in page.versions])
        if page.after is None:
            return found
        asked = Query(asked.type, asked.expression, asked.sort, asked.count, after=page.after)


@pytest.fixture
async def observations(repository, prepared):
    """Forty of two patients and three codes; several have the same date."""
    for n in range(40):
        patient = f"Patient/p{n % 2}"
        code = f"c{n % 3}"
        entries = Entries(
            (f"code={code}", f"subject={patient}", f"patient={patient}", "status=final"),
            (f"note=text {n:02d}",),
            (Span("date", n // 4 * DAY, n // 4 * DAY + DAY - 1), Span("value", n * 1.5, n * 1.5)),
            patient=patient,
            date=(n // 4 + 1) * DAY,
        )
        await repository.commit([Create(prepared(f"o{n:02d}", "Observation", entries))])
    for n in range(2):
        await repository.commit(
            [Create(prepared(f"p{n}", found=Entries((f"identifier=s|{n}", f"name:{'たか'[n]}"), (f"name:{'たか'[n]}",))))]
        )
    return repository


@pytest.mark.parametrize("count", [1, 3, 4, 7, 39, 40, 41])
@pytest.mark.parametrize("descending", [True, False])
async def test_pages_show_everything_once_in_order_of_date(observations, count, descending):
    sort = (Sort("date", descending, "date", main=True),)
    found = await pages(observations, query(And(), sort=sort, count=count))
    ids = list(itertools.chain(*found))
    assert sorted(ids) == [f"o{n:02d}" for n in range(40)]
    days = [int(id[1:]) // 4 for id in ids]
    assert days == sorted(days, reverse=descending)
    assert all(len(page) == count for page in found[:-1])


async def test_the_default_order_is_newest_first(observations):
    (ids,) = await pages(observations, query(And(), count=100))
    assert [int(id[1:]) // 4 for id in ids] == sorted((n // 4 for n in range(40)), reverse=True)


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ((Sort("value", False, "quantity"),), lambda n: n),
        ((Sort("value", True, "quantity"),), lambda n: -n),
        ((Sort("note", True, "string"),), lambda n: -n),
        ((Sort("code"), Sort("value", True, "quantity")), lambda n: (n % 3, -n)),
        ((Sort("patient", True, "reference"), Sort("code"), Sort("date", False, "date")), lambda n: (-(n % 2), n % 3, n // 4)),
        ((Sort("_id", True),), lambda n: -n),
        ((Sort("_lastUpdated", True, "date"), Sort("_id")), lambda n: n),
        ((Sort("nothing"), Sort("_id")), lambda n: n),
    ],
)
@pytest.mark.parametrize("count", [1, 7, 40])
async def test_pages_show_everything_once_in_any_order(observations, sort, order, count):
    ids = list(itertools.chain(*await pages(observations, query(And(), sort=sort, count=count))))
    keys = [order(int(id[1:])) for id in ids]
    assert len(set(ids)) == len(ids) == 40
    assert keys == sorted(keys)


async def test_what_has_no_value_comes_last_either_way(observations, repository, prepared):
    await repository.commit([Create(prepared("none", "Observation", Entries(("code=c9",))))])
    for descending in (True, False):
        found = await pages(repository, query(And(), sort=(Sort("value", descending, "quantity"),), count=7))
        assert found[-1][-1] == "none"
        assert sum(map(len, found)) == 41


async def test_pages_miss_and_repeat_nothing_while_others_write(observations, repository, prepared):
    done = asyncio.Event()

    async def disturb():
        for n in itertools.count():
            if done.is_set():
                return
            found = Entries(("code=c0",), date=(n % 12 + 1) * DAY)
            await repository.commit([Put(prepared(f"x{n % 50}", "Observation", found, number=n))])
            if n % 7 == 6:
                await repository.commit([Delete("Observation", f"x{n % 50}")])

    disturbing = asyncio.create_task(disturb())
    try:
        for sort in ((), (Sort("code", True), Sort("_id"))):
            ids = list(itertools.chain(*await pages(repository, query(And(), sort=sort, count=3))))
            mine = [id for id in ids if id.startswith("o")]
            assert len(mine) == len(set(mine)) == 40
    finally:
        done.set()
        await disturbing


async def test_a_hundred_resources_of_one_moment_are_paged_through(repository, prepared):
    await repository.commit([Create(prepared(str(n), found=Entries(("a=b",)))) for n in range(100)])
    for count in (1, 9):
        ids = list(itertools.chain(*await pages(repository, query(Has("a", "b"), "Patient", count=count))))
        assert len(ids) == len(set(ids)) == 100


async def test_the_total_is_told_when_asked_and_where_it_is_free(observations):
    code = Has("code", "c0")
    assert (await observations.find(query(code, count=3))).total is None
    assert (await observations.find(query(code, count=3, total="accurate"))).total == 14
    assert (await observations.find(query(code, count=50))).total == 14
    assert (await observations.find(query(code, count=50, total="none"))).total is None
    counted = await observations.find(query(code, count=0))
    assert (counted.total, counted.versions, counted.after) == (14, (), None)


@pytest.mark.parametrize("after", [(), (1,), ("x", "y"), (1, 2), (1, "a", "b"), (None, "a"), (1.5, "a")])
async def test_a_place_of_another_search_is_refused(observations, after):
    for sort in ((), (Sort("code"), Sort("value", False, "quantity"))):
        with pytest.raises(FhirError) as failure:
            await observations.find(query(And(), sort=sort, after=after))
        assert failure.value.status == 400


async def test_a_patients_resources_are_found_through_the_patient(observations, repository, prepared):
    both = Entries(("code=c1", "status=final"), patient="*", patients=("Patient/p0", "Patient/p1"), date=5 * DAY)
    await repository.commit([Create(prepared("both", "Observation", both))])
    for patient in ("p0", "p1"):
        asked = query(And((ForPatient(f"Patient/{patient}"), Has("code", "c1"), Has("status", "final"))), count=4)
        found = list(itertools.chain(*await pages(repository, asked)))
        expected = {f"o{n:02d}" for n in range(40) if n % 2 == int(patient[1]) and n % 3 == 1}
        assert set(found) == expected | {"both"}
        assert len(found) == len(set(found))
    either = Or((ForPatient("Patient/p0"), ForPatient("Patient/p1")))
    assert len(list(itertools.chain(*await pages(repository, query(either, count=9))))) == 41
    none = query(And((either, ForPatient("Patient/p9"))))
    assert (await repository.find(none)).versions == ()


async def test_chains_and_has_are_resolved(observations):
    chained = Related("subject", ("Patient",), Has("identifier", "s|1"), leads=True)
    found = await observations.find(query(And((chained, Has("code", "c0"))), count=50))
    assert {version.id for version in found.versions} == {f"o{n:02d}" for n in range(40) if n % 2 == 1 and n % 3 == 0}
    plain = Related("subject", ("Patient", "Group"), Has("identifier", "s|1"))
    assert len((await observations.find(query(plain, count=50))).versions) == 20
    asked = RelatedBy("Observation", "patient", And((Has("code", "c0"), Spans("value", "lt", 1.0, 1.0))))
    assert [version.id for version in (await observations.find(query(asked, "Patient"))).versions] == ["p0"]
    negated = And((Not(asked), StartsWith("name", "か")))
    assert [version.id for version in (await observations.find(query(negated, "Patient"))).versions] == ["p1"]
    nested = RelatedBy("Observation", "patient", Related("subject", ("Patient",), Has("identifier", "s|0"), leads=True))
    assert [version.id for version in (await observations.find(query(nested, "Patient"))).versions] == ["p0"]
    nobody = Related("subject", ("Patient",), Has("identifier", "s|9"), leads=True)
    assert (await observations.find(query(nobody))).versions == ()


async def test_a_chain_over_too_many_resources_is_refused(observations, mongodb_uri, database_name):
    mongo = await Mongo.connect(mongodb_uri, database_name, Limits(related=10))
    limited = Repository(mongo, Permit.everything())
    assert len((await limited.find(query(RelatedBy("Observation", "patient", And()), "Patient"))).versions) == 2  # forty, of two
    with pytest.raises(FhirError) as failure:
        await limited.find(query(Related("subject", ("Observation",), And())))
    assert failure.value.issues[0].code == "too-costly"
    await mongo.close()


async def test_ids_are_found_by_the_key(observations):
    found = await observations.find(query(WithId(("o01", "o39", "nothing"))))
    assert [version.id for version in found.versions] == ["o39", "o01"]


async def test_a_search_that_takes_too_long_ends(observations, mongodb_uri, database_name, prepared):
    mongo = await Mongo.connect(mongodb_uri, database_name, Limits(milliseconds=1))
    await observations.commit(
        [Create(prepared(f"z{n}", "Observation", Entries(("a=b",), ("note:" + "x" * 400,) * 50))) for n in range(2000)]
    )
    limited = Repository(mongo, Permit.everything())
    with pytest.raises(FhirError) as failure:
        await limited.find(query(And(), sort=(Sort("note", False, "string"),), count=1000))
    assert failure.value.issues[0].code == "timeout"
    assert "query_time" in failure.value.issues[0].diagnostics
    await mongo.close()
