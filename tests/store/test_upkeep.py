"""The operator's view: the state of the indexes, and entries made anew when the definitions change."""

from zoneinfo import ZoneInfo

import pytest
from pymongo import MongoClient

from fhir_server.outcome import FhirError
from fhir_server.search.entries import entries
from fhir_server.search.expression import And, ForPatient, OfType, Or
from fhir_server.search.fingerprint import fingerprint
from fhir_server.search.parameters import Parameters
from fhir_server.search.query import Query
from fhir_server.store import building
from fhir_server.store.mongo import Mongo
from fhir_server.store.permit import Permit
from fhir_server.store.repository import Create, Delete, Prepared, Put, Repository
from fhir_server.store.upkeep import Upkeep
from profiles.definitions import r4

TOKYO, BERLIN = ZoneInfo("Asia/Tokyo"), ZoneInfo("Europe/Berlin")
PARAMETERS = Parameters(r4())


def upkeep(mongo: Mongo, zone: ZoneInfo) -> Upkeep:
    digest = fingerprint(r4().search_parameters, zone.key)
    return Upkeep(mongo, digest, lambda resource: entries(resource, PARAMETERS, zone))


def born(id: str, zone: ZoneInfo, date: str = "1970-01-01") -> Prepared:
    resource = {"resourceType": "Patient", "id": id, "birthDate": date}
    return Prepared("Patient", id, resource, entries(resource, PARAMETERS, zone))


@pytest.fixture
async def fresh(mongodb_uri, fresh_database_name):
    mongo = await Mongo.connect(mongodb_uri, fresh_database_name)
    yield mongo
    await mongo.close()


async def test_an_empty_store_takes_on_the_definitions_and_all_its_indexes_are_ready(fresh):
    status = await upkeep(fresh, TOKYO).status()
    assert status.entries == "current"
    assert {(index.collection, index.name) for index in status.indexes} >= {
        ("resource", "_id_"),
        ("resource", "by_entry"),
        ("resource", "by_patient"),
        ("history", "by_resource"),
    }
    assert {index.state for index in status.indexes} == {"ready"}


async def test_a_store_of_another_time_zone_is_outdated_and_rebuilt(fresh):
    assert await upkeep(fresh, TOKYO).entries() == "current"
    repository = Repository(fresh, Permit.everything())
    await repository.commit([Create(born(str(number), TOKYO)) for number in range(3)])
    await repository.commit([Put(born("0", TOKYO, "1980"))])
    await repository.commit([Delete("Patient", "1")])
    before = [await repository.get_version("Patient", "0", number) for number in ("1", "2")]

    elsewhere = upkeep(fresh, BERLIN)
    assert await elsewhere.entries() == "outdated"
    done = [each async for each in elsewhere.rebuild()]
    assert (done[-1].seen, done[-1].changed) == (3, 2)
    assert await elsewhere.entries() == "current"
    stored = await fresh.resource.find_one({"_id": "Patient/0"})
    spans = {span["k"]: (span["a"], span["z"]) for span in stored["s"]}
    assert spans["birthdate"][0] == 315_532_800_000 - 3600_000
    assert [await repository.get_version("Patient", "0", number) for number in ("1", "2")] == before
    page = await repository.find(Query("Patient", And((OfType(("Patient",)),)), count=10))
    assert {each.id for each in page.versions} == {"0", "2"}


async def test_an_interrupted_rebuild_goes_on_where_it_was(fresh, monkeypatch):
    monkeypatch.setattr("fhir_server.store.upkeep._AT_ONCE", 2)
    await upkeep(fresh, TOKYO).entries()
    await Repository(fresh, Permit.everything()).commit([Create(born(str(number), TOKYO)) for number in range(7)])
    async for done in upkeep(fresh, BERLIN).rebuild():
        if done.seen >= 4:
            break
    rest = [each async for each in upkeep(fresh, BERLIN).rebuild()]
    assert (rest[0].seen, rest[-1].seen, rest[-1].changed) == (6, 7, 7)


async def test_a_rebuild_holds_few_large_resources_at_a_time(fresh, monkeypatch):
    monkeypatch.setattr("fhir_server.store.upkeep._HEAVIEST", 150)
    await upkeep(fresh, TOKYO).entries()
    await Repository(fresh, Permit.everything()).commit([Create(born(str(number), TOKYO)) for number in range(5)])
    assert [(done.seen, done.changed) async for done in upkeep(fresh, BERLIN).rebuild()] == [(2, 2), (4, 4), (5, 5)]


async def test_a_rebuild_changes_nothing_where_nothing_is_to_change(fresh):
    await upkeep(fresh, TOKYO).entries()
    await Repository(fresh, Permit.everything()).commit([Create(born("1", TOKYO))])
    before = await fresh.resource.find_one({})
    assert [done.changed async for done in upkeep(fresh, TOKYO).rebuild()] == [0]
    assert await fresh.resource.find_one({}) == before


async def test_an_index_missing_from_a_large_store_is_built_while_the_server_works(mongodb_uri, fresh_database_name, monkeypatch):
    monkeypatch.setattr("fhir_server.store.indexes._QUICK", 1)
    mongo = await Mongo.connect(mongodb_uri, fresh_database_name)
    await Repository(mongo, Permit.everything()).commit([Create(born(str(number), TOKYO)) for number in range(5)])
    await mongo.close()
    with MongoClient(mongodb_uri) as client:
        client[fresh_database_name]["resource"].drop_index("by_entry")

    again = await Mongo.connect(mongodb_uri, fresh_database_name)
    assert len(again.building) == 1
    for each in again.building:
        await each.finished()
    assert {index.state for index in (await upkeep(again, TOKYO).status()).indexes} == {"ready"}
    assert await building.progress(again.database, "resource") is None
    await again.close()


async def test_while_an_index_is_missing_a_search_scans_or_is_asked_to_come_again(fresh):
    repository = Repository(fresh, Permit.everything())
    await repository.commit([Create(born("1", TOKYO))])
    for name in ("by_entry", "by_patient"):
        await fresh.resource.drop_index(name)
    assert {index.name for index in (await upkeep(fresh, TOKYO).status()).indexes if index.state == "missing"} == {"by_entry", "by_patient"}
    page = await repository.find(Query("Patient", And((OfType(("Patient",)),)), count=10))
    assert [each.id for each in page.versions] == ["1"]
    either = Or((ForPatient("Patient/1"), ForPatient("Patient/2")))
    with pytest.raises(FhirError) as refused:
        await repository.find(Query("Observation", And((OfType(("Observation",)), either)), count=10))
    assert refused.value.status == 503
