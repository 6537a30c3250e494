"""Value sets, code systems and wholes that are stored here."""

import pytest

from fhir_server.outcome import FhirError
from fhir_server.search.expression import NOTHING
from fhir_server.store.documents import Prepared
from fhir_server.store.mongo import Limits, Mongo
from fhir_server.store.permit import Permit
from fhir_server.store.repository import Create, Repository
from tests.search.judge import found_by, query

SYSTEM = {
    "resourceType": "CodeSystem", "id": "s", "url": "urn:s", "status": "active", "content": "complete",
    "concept": [{"code": "a", "concept": [{"code": "b", "concept": [{"code": "c"}]}]}, {"code": "d"}],
}  # fmt: skip
INNER = {
    "resourceType": "ValueSet", "id": "inner", "url": "urn:inner", "version": "1", "status": "active",
    "compose": {"include": [{"system": "urn:s", "filter": [{"property": "concept", "op": "is-a", "value": "b"}]}]},
}  # fmt: skip
OUTER = {
    "resourceType": "ValueSet", "id": "outer", "url": "urn:outer", "status": "active",
    "compose": {"include": [{"valueSet": ["urn:inner|1"]}, {"system": "urn:t", "concept": [{"code": "x"}]}]},
}  # fmt: skip
UNKNOWN = {
    "resourceType": "ValueSet", "id": "unknown", "url": "urn:unknown", "status": "active",
    "compose": {"include": [{"system": "http://snomed.info/sct", "filter": [{"property": "concept", "op": "is-a", "value": "1"}]}]},
}  # fmt: skip


def observation(system, code):
    return {"resourceType": "Observation", "id": code, "status": "final", "code": {"coding": [{"system": system, "code": code}]}}


def location(id, whole=None):
    return {"resourceType": "Location", "id": id, **({"partOf": {"reference": f"Location/{whole}"}} if whole else {})}


async def stored(repository, *resources):
    for each in resources:
        await repository.commit([Create(Prepared(each["resourceType"], each["id"], each, found_by(each)))])


async def ids(repository, search):
    return {version.id for version in (await repository.find(query(search))).versions}


@pytest.fixture
async def coded(repository):
    resources = [observation("urn:s", code) for code in "abcd"] + [observation("urn:t", "x"), observation("urn:u", "y")]
    await stored(repository, SYSTEM, INNER, OUTER, UNKNOWN, *resources)
    return repository


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("code:in=urn:outer", "bcx"), ("code:in=ValueSet/outer", "bcx"), ("code:in=urn:inner|1", "bc"), ("code:in=urn:inner", "bc"),
        ("code:not-in=urn:outer", "ady"), ("code:not-in=urn:outer,ValueSet/inner", "ady"), ("code:in=ValueSet/inner&code:below=urn:s|c", "c"),
        ("code:below=urn:s|b", "bc"), ("code:above=urn:s|b", "ab"), ("code:above=urn:s|c,urn:s|d", "abcd"), ("code:below=urn:s|nothing", ""),
    ],
)  # fmt: skip
async def test_terminology_that_is_stored_here_decides(coded, search, found):
    assert await ids(coded, f"Observation?{search}") == set(found)


@pytest.mark.parametrize(
    ("search", "code"),
    [
        ("code:in=urn:nobody", "not-found"),
        ("code:in=ValueSet/nobody", "not-found"),
        ("code:in=urn:inner|2", "not-found"),
        ("code:in=urn:unknown", "not-supported"),
        ("code:below=urn:nobody|1", "not-supported"),
    ],
)
async def test_what_cannot_be_told_is_refused(coded, search, code):
    with pytest.raises(FhirError) as failure:
        await ids(coded, f"Observation?{search}")
    assert (failure.value.status, failure.value.issues[0].code) == (404 if code == "not-found" else 400, code)


async def test_a_hidden_value_set_is_like_one_that_never_was(coded, ticking):
    for type in ("ValueSet", "CodeSystem"):
        hiding = Repository(coded.mongo, Permit({("search-type", type): NOTHING}, otherwise=Permit.everything().otherwise), ticking)
        with pytest.raises(FhirError):
            await ids(hiding, "Observation?code:in=ValueSet/outer")


async def test_a_value_set_of_too_many_codes_says_so(coded, mongodb_uri, database_name, ticking):
    mongo = await Mongo.connect(mongodb_uri, database_name, Limits(codes=2))
    try:
        with pytest.raises(FhirError, match=r".*") as failure:
            await ids(Repository(mongo, Permit.everything(), ticking), "Observation?code:in=urn:outer")
        assert failure.value.issues[0].code == "too-costly"
    finally:
        await mongo.close()


@pytest.fixture
async def wards(repository):
    places = [location("hospital"), location("wing", "hospital"), location("ward", "wing"), location("bed", "ward"), location("other")]
    stays = [
        {"resourceType": "Encounter", "id": f"in-{place['id']}", "location": [{"location": {"reference": f"Location/{place['id']}"}}]}
        for place in places
    ]
    await stored(repository, *places, *stays, location("loop-a", "loop-b"), location("loop-b", "loop-a"))
    return repository


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("Encounter?location:below=wing", {"in-wing", "in-ward", "in-bed"}),
        ("Encounter?location:below=Location/hospital", {"in-hospital", "in-wing", "in-ward", "in-bed"}),
        ("Encounter?location:above=ward", {"in-ward", "in-wing", "in-hospital"}),
        ("Encounter?location:below=nowhere", set()),
        ("Location?partof:below=wing", {"ward", "bed"}),
        ("Location?partof:below=loop-a", {"loop-a", "loop-b"}),
        ("Location?partof:above=loop-a", {"loop-a", "loop-b"}),
    ],
)
async def test_a_place_is_found_by_what_it_is_part_of(wards, search, found):
    assert await ids(wards, search) == found


async def test_a_hidden_whole_ends_the_way(wards, ticking):
    hiding = Repository(wards.mongo, Permit({("search-type", "Location"): NOTHING}, otherwise=Permit.everything().otherwise), ticking)
    assert await ids(hiding, "Encounter?location:below=wing") == {"in-wing"}
