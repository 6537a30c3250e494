"""Create, update, delete and history of single resources."""

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from fhir_server.outcome import FhirError
from fhir_server.search.expression import Entries, OfType
from fhir_server.search.query import Query
from fhir_server.store.repository import Create, Delete, Put


async def versions_of(repository, id, type="Patient"):
    page = await repository.history(type, id, 100)
    return [version.version for version in page.versions]


async def test_a_created_resource_is_served_exactly_as_it_was_sent_apart_from_its_stamps(repository, prepared):
    sent = prepared("a", extension=[{"url": "urn:x", "valueDecimal": Decimal("1.00")}], name=[{"text": "佐藤"}])
    (made,) = await repository.commit([Create(sent)])
    read = await repository.get("Patient", "a")
    assert read.body == made.body
    assert read.body.decode() == (
        '{"resourceType":"Patient","id":"a","meta":{"versionId":"1","lastUpdated":"2026-04-01T00:00:00.123Z"},'
        '"extension":[{"url":"urn:x","valueDecimal":1.00}],"name":[{"text":"佐藤"}]}'
    )
    assert (made.version, made.change, made.method, read.change) == (1, "created", "POST", None)
    assert read.updated == datetime(2026, 4, 1, 0, 0, 0, 123000, tzinfo=UTC)


async def test_meta_keeps_its_place_and_what_else_it_says(repository, prepared):
    resource = prepared("a", active=True, meta={"profile": ["urn:p"], "tag": [{"code": "t"}]})
    (made,) = await repository.commit([Put(resource)])
    assert list(json.loads(made.body)) == ["resourceType", "id", "active", "meta"]
    assert list(json.loads(made.body)["meta"]) == ["versionId", "lastUpdated", "profile", "tag"]


async def test_what_was_read_and_put_back_is_unchanged(repository, prepared):
    await repository.commit([Put(prepared("a", meta={"profile": ["urn:p"]}))])
    read = await repository.get("Patient", "a")
    body = json.loads(read.body)
    del body["resourceType"], body["id"]
    (again,) = await repository.commit([Put(prepared("a", **body), unless_same=True)])
    assert (again.change, again.version) == ("unchanged", 1)
    assert again.body == read.body
    (different,) = await repository.commit([Put(prepared("a", **body, active=True), unless_same=True)])
    assert (different.change, different.version) == ("updated", 2)


async def test_an_id_that_exists_cannot_be_created_again(repository, prepared):
    await repository.commit([Create(prepared("a"))])
    with pytest.raises(FhirError) as failure:
        await repository.commit([Create(prepared("a"))])
    assert failure.value.status == 409


async def test_of_many_creates_at_once_only_the_duplicate_fails(repository, prepared, mongo):
    await repository.commit([Create(prepared("7"))])
    outcomes = await asyncio.gather(*(repository.commit([Create(prepared(str(n)))]) for n in range(40)), return_exceptions=True)
    failed = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, Exception)]
    assert failed == [7]
    assert outcomes[7].status == 409
    assert await mongo.resource.count_documents({}) == 40


async def test_of_many_creates_at_once_only_the_too_large_one_fails(repository, prepared):
    texts = ["x" * (17_000_000 if n == 3 else 10) for n in range(8)]
    outcomes = await asyncio.gather(
        *(repository.commit([Create(prepared(str(n), note=text))]) for n, text in enumerate(texts)), return_exceptions=True
    )
    assert [n for n, outcome in enumerate(outcomes) if isinstance(outcome, Exception)] == [3]
    assert outcomes[3].status == 413


async def test_every_version_stays_in_the_history_newest_first(repository, prepared, ticking):
    for number in range(5):
        await repository.commit([Put(prepared("a", active=number % 2 == 0, number=number))])
        ticking.shift(1)
    first = await repository.history("Patient", "a", 2)
    assert ([version.version for version in first.versions], first.after, first.total) == ([5, 4], (4,), 5)
    second = await repository.history("Patient", "a", 2, before=4)
    assert ([version.version for version in second.versions], second.after) == ([3, 2], (2,))
    last = await repository.history("Patient", "a", 2, before=2)
    assert ([version.version for version in last.versions], last.after) == ([1], None)
    assert [json.loads((await repository.get_version("Patient", "a", str(n))).body)["number"] for n in (1, 3, 5)] == [0, 2, 4]


async def test_a_deleted_resource_is_gone_and_its_versions_count_on(repository, prepared):
    await repository.commit([Put(prepared("a"))])
    (gone,) = await repository.commit([Delete("Patient", "a")])
    assert (gone.change, gone.version, gone.body) == ("deleted", 2, None)
    (again,) = await repository.commit([Delete("Patient", "a")])
    assert (again.change, again.version) == ("unchanged", 2)
    for wanted in (repository.get("Patient", "a"), repository.get_version("Patient", "a", "2")):
        with pytest.raises(FhirError) as failure:
            await wanted
        assert failure.value.status == 410
    assert (await repository.find(Query("Patient", OfType(("Patient",)), count=10))).versions == ()
    (back,) = await repository.commit([Put(prepared("a"))])
    assert (back.change, back.version) == ("created", 3)
    assert await versions_of(repository, "a") == [3, 2, 1]
    assert [version.method for version in (await repository.history("Patient", "a", 9)).versions] == ["PUT", "DELETE", "PUT"]


async def test_deleting_what_never_was_succeeds_and_stores_nothing(repository, mongo):
    (version,) = await repository.commit([Delete("Patient", "never")])
    assert (version.change, version.version) == ("unchanged", 0)
    assert await mongo.resource.count_documents({}) == 0


@pytest.mark.parametrize("number", ["0", "2", "x", "1e0", "-1", "٣", "99999999999999999999"])
async def test_a_version_that_never_was_is_not_found(repository, prepared, number):
    await repository.commit([Put(prepared("a"))])
    with pytest.raises(FhirError) as failure:
        await repository.get_version("Patient", "a", number)
    assert failure.value.status == 404


async def test_an_update_for_another_version_fails_with_412(repository, prepared):
    for write in (Put(prepared("a"), if_match=1), Delete("Patient", "a", if_match=1)):
        with pytest.raises(FhirError) as failure:
            await repository.commit([write])
        assert failure.value.status == 412
    await repository.commit([Put(prepared("a"))])
    (second,) = await repository.commit([Put(prepared("a", active=True), if_match=1)])
    assert second.version == 2
    with pytest.raises(FhirError) as failure:
        await repository.commit([Put(prepared("a"), if_match=1)])
    assert failure.value.status == 412


async def test_of_two_updates_for_the_same_version_one_wins(repository, prepared):
    await repository.commit([Put(prepared("a"))])
    outcomes = await asyncio.gather(
        *(repository.commit([Put(prepared("a", number=n), if_match=1)]) for n in range(2)), return_exceptions=True
    )
    assert sorted(getattr(outcome, "status", 200) for outcome in outcomes) == [200, 412]
    assert await versions_of(repository, "a") == [2, 1]


async def test_fifty_updates_at_once_make_fifty_versions_in_an_unbroken_history(repository, prepared):
    versions = await asyncio.gather(*(repository.commit([Put(prepared("a", number=n))]) for n in range(50)))
    assert sorted(version.version for (version,) in versions) == list(range(1, 51))
    assert await versions_of(repository, "a") == list(range(50, 0, -1))
    for (version,) in versions:
        assert (await repository.get_version("Patient", "a", str(version.version))).body == version.body


async def test_only_create_leaves_what_exists(repository, prepared):
    (first,) = await repository.commit([Put(prepared("a", number=1), only_create=True)])
    (second,) = await repository.commit([Put(prepared("a", number=2), only_create=True)])
    assert (first.change, second.change, second.body) == ("created", "unchanged", first.body)


async def test_last_updated_never_goes_backwards(repository, prepared, ticking):
    (first,) = await repository.commit([Put(prepared("a", number=1))])
    ticking.shift(-3600)
    (second,) = await repository.commit([Put(prepared("a", number=2))])
    (gone,) = await repository.commit([Delete("Patient", "a")])
    assert first.updated == second.updated == gone.updated


async def test_a_version_kept_by_an_interrupted_update_is_shown_once(repository, prepared, mongo):
    await repository.commit([Put(prepared("a", number=1))])
    current = await mongo.resource.find_one({"_id": "Patient/a"})
    await mongo.history.insert_one({"_id": "Patient/a/1", "r": "Patient/a", "v": 1, "u": current["u"], "m": "PUT", "b": current["b"]})
    assert await versions_of(repository, "a") == [1]
    await repository.commit([Put(prepared("a", number=2))])
    assert await versions_of(repository, "a") == [2, 1]


async def test_an_update_keeps_the_place_in_the_default_order(repository, prepared, ticking):
    for id in ("a", "b", "c"):
        await repository.commit([Create(prepared(id))])
        ticking.shift(1)
    await repository.commit([Put(prepared("a", active=True))])
    page = await repository.find(Query("Patient", OfType(("Patient",)), count=10))
    assert [version.id for version in page.versions] == ["c", "b", "a"]


async def test_entries_follow_the_update(repository, prepared):
    from fhir_server.search.expression import Has

    await repository.commit([Put(prepared("a", found=Entries(("code=x",))))])
    await repository.commit([Put(prepared("a", active=True, found=Entries(("code=y",))))])
    assert (await repository.find(Query("Patient", Has("code", "x"), count=10))).versions == ()
    assert len((await repository.find(Query("Patient", Has("code", "y"), count=10))).versions) == 1
