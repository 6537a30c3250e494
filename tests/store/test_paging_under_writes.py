"""Whatever the order, and whatever is written between two pages: what was there all the time is shown once."""

import asyncio
import itertools
import random
from dataclasses import replace

import pytest

from fhir_server.search.controls import Sort
from fhir_server.search.expression import And, Entries, Has, OfType, Or, Span
from fhir_server.search.query import Query
from fhir_server.search.types.found import Found
from fhir_server.search.types.sortable import add_dates
from fhir_server.store.repository import Create, Delete, Put

DAY = 86_400_000
TYPES = ("Observation", "Condition")
SORTS = {
    "default": (),
    "-date": (Sort("date", descending=True, type="date", main=True),),
    "date": (Sort("date", type="date", main=True),),
    "-_lastUpdated": (Sort("_lastUpdated", descending=True, type="date"),),
    "_lastUpdated": (Sort("_lastUpdated", type="date"),),
    "_id": (Sort("_id"),),
    "-_id": (Sort("_id", descending=True),),
    "code,-value": (Sort("code"), Sort("value", descending=True, type="quantity")),
    "-note,date": (Sort("note", descending=True, type="string"), Sort("date", type="date")),
    "-code,_lastUpdated,-_id": (Sort("code", descending=True), Sort("_lastUpdated", type="date"), Sort("_id", descending=True)),
    "nothing": (Sort("nothing"),),
}


def entries(rng: random.Random) -> Entries:
    """Each value may be there or not, and is often the same as another's."""
    found = Found()
    day = rng.choice([None, *range(6)])
    if day is not None:
        add_dates("date", day * DAY, day * DAY + DAY - 1, found)
    if rng.random() < 0.8:
        found.entries.append(f"code=c{rng.randrange(3)}")
    if rng.random() < 0.7:
        value = rng.randrange(5) / 2
        found.spans.append(Span("value", value, value))
    if rng.random() < 0.7:
        found.words.append("note=" + rng.choice(["あ", "い" * 150, "い" * 150 + "う", "う"]))
    found.entries.append("all=x")
    return Entries(tuple(found.entries), tuple(found.words), tuple(found.spans), date=0 if day is None else (day + 1) * DAY)


async def every_page(repository, query, between):
    while True:
        page = await repository.find(query)
        yield [version.reference for version in page.versions]
        if page.after is None:
            return
        query = replace(query, after=page.after)
        await between()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("types", [TYPES[:1], TYPES], ids=["one type", "across types"])
async def test_what_was_there_all_the_time_is_shown_once(repository, prepared, ticking, sort, seed, types):
    rng = random.Random(f"{sort}{seed}")
    lasting, changing = [], []
    for n in range(rng.randrange(20, 60)):
        kept = rng.random() < 0.6
        type = rng.choice(types)
        (lasting if kept else changing).append((type, f"{'k' if kept else 'x'}{n}"))
    for chunk in itertools.batched([*lasting, *changing], 7) if hasattr(itertools, "batched") else [[*lasting, *changing]]:
        await repository.commit([Create(prepared(id, type, entries(rng))) for type, id in chunk])
        ticking.shift(rng.choice([0, 0.001, 5]))

    async def disturb():
        ticking.shift(rng.choice([0, 0.001, 5]))
        for _ in range(rng.randrange(4)):
            type, id = rng.choice(changing) if changing and rng.random() < 0.7 else (rng.choice(types), f"n{rng.randrange(1000)}")
            await repository.commit([Delete(type, id) if rng.random() < 0.4 else Put(prepared(id, type, entries(rng), n=rng.random()))])

    asked = And((OfType(types), Or((Has("all", "x"), Has("code", "c1")))))
    query = Query(
        types[0] if len(types) == 1 else "", asked, SORTS[sort], rng.choice([1, 2, 5, 13]), across=types if len(types) > 1 else ()
    )
    before = [reference async for page in every_page(repository, query, lambda: asyncio.sleep(0)) for reference in page]
    assert len(before) == len(set(before)) == len(lasting) + len(changing)
    shown = [reference async for page in every_page(repository, query, disturb) for reference in page]
    of_lasting = {f"{type}/{id}" for type, id in lasting}
    met = [reference for reference in shown if reference in of_lasting]
    assert met == [reference for reference in before if reference in of_lasting]


@pytest.mark.parametrize("sort", ["-date", "date"])
async def test_what_has_no_main_date_comes_last(repository, prepared, sort):
    rng = random.Random(7)
    found = {f"r{n}": entries(rng) for n in range(40)}
    for id, each in found.items():
        await repository.commit([Create(prepared(id, "Observation", each))])
    for count in (1, 3, 40, 100):
        query = Query("Observation", OfType(("Observation",)), SORTS[sort], count)
        pages = [page async for page in every_page(repository, query, lambda: asyncio.sleep(0))]
        dates = [found[reference.partition("/")[2]].date for page in pages for reference in page]
        dated = [date for date in dates if date]
        assert dates == sorted(dated, reverse=sort == "-date") + [0] * (len(dates) - len(dated))
        assert len(dates) == 40
        assert all(len(page) == count for page in pages[:-1])
        assert pages[-1]
