"""Conditional create, update and delete: the criteria decide which resource is meant."""

import asyncio
import sys
from asyncio.subprocess import PIPE

import httpx
import pytest

from fhir_server.app import create_app
from fhir_server.exchange import FhirRequest
from fhir_server.interactions.create import create
from fhir_server.interactions.delete import delete
from fhir_server.search.expression import And, Has, OfType
from fhir_server.settings import Settings
from fhir_server.store.guarding import question
from fhir_server.store.permit import Permit
from tests.rest.served import BASE, issue_of, patient
from tests.shared import REPOSITORY

NUMBER = "urn:oid:1.2.392.100495.20.3.51.13710000017|0099887766"
BY_NUMBER = {"If-None-Exist": f"identifier={NUMBER}"}


async def count(client, type="Patient"):
    return (await client.get(f"/{type}?_total=accurate&_count=0")).json()["total"]


@pytest.fixture
async def two(client):
    """Two patients of the same name and another number each."""
    for id in ("a", "b"):
        await client.put(f"/Patient/{id}", json=patient(id=id, identifier=[{"system": "urn:x", "value": id}]))
    return client


# -- create -------------------------------------------------------------------------------------------------------------


async def test_a_conditional_create_stores_what_nothing_answers(client):
    response = await client.post("/Patient", json=patient(), headers=BY_NUMBER)
    assert (response.status_code, response.headers["ETag"]) == (201, 'W/"1"')
    assert await count(client) == 1


async def test_a_conditional_create_answers_with_what_exists(client):
    first = await client.post("/Patient", json=patient())
    second = await client.post("/Patient", json=patient(gender="male"), headers=BY_NUMBER)
    assert second.status_code == 200
    assert second.headers["Location"] == first.headers["Location"]
    assert second.content == first.content
    assert await count(client) == 1


async def test_a_conditional_create_that_several_answer_fails(two):
    response = await two.post("/Patient", json=patient(), headers={"If-None-Exist": "family=讃岐".encode()})
    assert (response.status_code, issue_of(response)["code"]) == (412, "multiple-matches")
    assert await count(two) == 2


async def test_what_was_deleted_answers_no_criteria(client):
    created = await client.post("/Patient", json=patient(), headers=BY_NUMBER)
    await client.delete(f"/Patient/{created.json()['id']}")
    assert (await client.post("/Patient", json=patient(), headers=BY_NUMBER)).status_code == 201


REFUSED = [
    "",
    "?",
    "nonsense=1",
    "identifier=",
    "_count=1",
    "identifier=1&_sort=_id",
    "_include=Patient:organization",
    "name:wrong=x",
    "$where=1",
]


@pytest.mark.parametrize("criteria", REFUSED)
async def test_criteria_that_are_missing_or_not_understood_are_refused(two, criteria):
    """Never "all": a criterion that is left out would make the others mean more."""
    lenient = {"Prefer": "handling=lenient"}
    answers = [await two.post("/Patient", json=patient(), headers={"If-None-Exist": criteria, **lenient})]
    query = criteria.removeprefix("?")
    answers.append(await two.put(f"/Patient?{query}", json=patient(), headers=lenient))
    answers.append(await two.delete(f"/Patient?{query}", headers=lenient))
    for response in answers:
        assert response.status_code == 400
        assert issue_of(response)["expression"]
    assert await count(two) == 2


# -- update -------------------------------------------------------------------------------------------------------------


async def test_a_conditional_update_changes_the_one_that_answers(two):
    for body in (patient(active=True, identifier=[{"system": "urn:x", "value": "a"}]), patient(id="a", gender="male")):
        response = await two.put("/Patient?identifier=urn:x|a", json=body)
        assert (response.status_code, response.json()["id"]) == (200, "a")
    assert (await two.get("/Patient/a")).headers["ETag"] == 'W/"3"'


async def test_a_conditional_update_that_nothing_answers_creates(client):
    response = await client.put("/Patient?identifier=urn:x|a", json=patient())
    assert response.status_code == 201
    assert response.headers["Location"].startswith(f"{BASE}/Patient/")
    with_id = await client.put("/Patient?identifier=urn:x|b", json=patient(id="mine"))
    assert (with_id.status_code, with_id.json()["id"]) == (201, "mine")


async def test_a_conditional_update_names_no_other_id_than_the_one_found(two):
    response = await two.put("/Patient?identifier=urn:x|a", json=patient(id="c"))
    assert (response.status_code, issue_of(response)["expression"]) == (400, ["Patient.id"])


async def test_a_conditional_update_that_nothing_answers_takes_no_id_that_somebody_has(two):
    response = await two.put("/Patient?identifier=urn:x|c", json=patient(id="a"))
    assert (response.status_code, issue_of(response)["expression"]) == (409, ["Patient.id"])
    assert (await two.get("/Patient/a")).headers["ETag"] == 'W/"1"'


async def test_a_conditional_update_that_several_answer_fails(two):
    response = await two.put("/Patient?gender=female", json=patient(gender="male"))
    assert (response.status_code, issue_of(response)["code"]) == (412, "multiple-matches")


@pytest.mark.parametrize(
    ("header", "number", "status"),
    [
        ({"If-Match": 'W/"1"'}, "a", 200),
        ({"If-Match": 'W/"2"'}, "a", 412),
        ({"If-Match": 'W/"1"'}, "c", 412),
        ({"If-None-Match": "*"}, "a", 412),
        ({"If-None-Match": "*"}, "c", 201),
    ],
)
async def test_a_conditional_update_minds_the_other_preconditions(two, header, number, status):
    response = await two.put(f"/Patient?identifier=urn:x|{number}", json=patient(active=True), headers=header)
    assert response.status_code == status


# -- delete -------------------------------------------------------------------------------------------------------------


async def test_a_conditional_delete_deletes_all_that_answer(two):
    assert (await two.delete("/Patient?identifier=urn:x|a")).status_code == 204
    assert [(await two.get(f"/Patient/{id}")).status_code for id in ("a", "b")] == [410, 200]
    await two.put("/Patient/a", json=patient(id="a"))
    assert (await two.delete("/Patient?gender=female")).status_code == 204
    assert [(await two.get(f"/Patient/{id}")).status_code for id in ("a", "b")] == [410, 410]


async def test_a_conditional_delete_that_nothing_answers_succeeds(two):
    assert (await two.delete("/Patient?identifier=urn:x|c")).status_code == 204
    assert await count(two) == 2


async def test_a_conditional_delete_of_more_than_was_allowed_deletes_none(two):
    response = await two.delete("/Patient?gender=female&_count=1")
    assert (response.status_code, issue_of(response)["code"]) == (412, "multiple-matches")
    assert "1 resources" in issue_of(response)["diagnostics"]
    assert await count(two) == 2


async def test_the_server_limits_a_conditional_delete(mongodb_uri, database_name):
    app = create_app(Settings(authentication="off", database=database_name, delete_limit=3), mongodb_uri)
    async with (
        app.outer.router.lifespan_context(app.outer),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as client,
    ):
        for n in range(4):
            await client.put(f"/Patient/{n}", json=patient(id=str(n)))
        assert (await client.delete("/Patient?gender=female&_count=1000")).status_code == 412
        assert await count(client) == 4
        await client.delete("/Patient/0")
        assert (await client.delete("/Patient?gender=female")).status_code == 204
        assert await count(client) == 0


# -- at the same time ---------------------------------------------------------------------------------------------------


async def test_of_many_conditional_creates_at_once_one_creates(client):
    answers = await asyncio.gather(*(client.post("/Patient", json=patient(), headers=BY_NUMBER) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await count(client) == 1


async def test_criteria_that_name_the_same_identifier_guard_each_other(client):
    headers = [
        BY_NUMBER,
        {"If-None-Exist": f"gender=female&identifier={NUMBER}"},
        {"If-None-Exist": f"identifier={NUMBER}&birthdate=1984-03-02"},
    ]
    posts = [client.post("/Patient", json=patient(), headers=headers[n % 3]) for n in range(12)]
    puts = [client.put(f"/Patient?identifier={NUMBER}", json=patient(multipleBirthInteger=n)) for n in range(8)]
    answers = await asyncio.gather(*posts, *puts)
    assert [answer.status_code for answer in answers].count(201) == 1
    assert {answer.status_code for answer in answers} == {200, 201}
    assert await count(client) == 1


async def test_conditional_updates_at_once_all_come_through(client):
    await client.put("/Patient/a", json=patient(id="a"))
    puts = [client.put(f"/Patient?identifier={NUMBER}", json=patient(multipleBirthInteger=n)) for n in range(12)]
    assert {answer.status_code for answer in await asyncio.gather(*puts)} == {200}
    assert (await client.get("/Patient/a")).headers["ETag"] == 'W/"13"'


async def test_a_conditional_delete_deletes_nothing_that_has_ceased_to_answer(client):
    """What changes between the search and the deletion is searched again."""
    for n in range(10):
        await client.put(f"/Patient/{n}", json=patient(id=str(n)))
    changes = [client.put(f"/Patient/{n}", json=patient(id=str(n), gender="male")) for n in range(10)]
    deletion, *answers = await asyncio.gather(client.delete("/Patient?gender=female"), *changes)
    assert deletion.status_code == 204
    for n, answer in enumerate(answers):
        history = (await client.get(f"/Patient/{n}/_history")).json()["entry"]
        deleted = [at for at, entry in enumerate(history) if entry["request"]["method"] == "DELETE"]
        assert answer.status_code in (200, 201)
        assert all(history[at + 1]["resource"]["gender"] == "female" for at in deleted)


async def test_processes_that_create_conditionally_at_once_make_one_resource(client, mongodb_uri, database_name):
    command = [sys.executable, "-m", "tests.interactions.elsewhere", mongodb_uri, database_name, "100", "12"]
    others = [await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, cwd=REPOSITORY) for _ in range(2)]
    try:
        async with asyncio.timeout(60):
            assert [await other.stdout.readline() for other in others] == [b"ready\n"] * 2
            told = await asyncio.gather(*(other.communicate(b"go\n") for other in others))
    finally:
        for other in others:
            if other.returncode is None:
                other.kill()
            await other.wait()
    told = [answer for answer, _ in told]
    assert sum(map(int, told)) == 12
    assert await count(client) == 12


# -- questions and permits ----------------------------------------------------------------------------------------------------


A, B, BORN = Has("identifier", "s|a"), Has("identifier", "s|b"), Has("birthdate", "x")
OF_TYPE = OfType(("Patient",))


def test_the_same_question_is_one_however_it_is_put():
    asked = question("Patient", And((OF_TYPE, Has("gender", "f"), BORN)))
    assert asked == question("Patient", And((BORN, And((Has("gender", "f"), OF_TYPE)))))
    assert asked != question("Patient", And((OF_TYPE, BORN)))
    assert asked != question("Person", And((OF_TYPE, Has("gender", "f"), BORN)))
    assert question("Patient", And((OF_TYPE, A))) == question("Patient", And((OF_TYPE, BORN, A)))
    assert question("Patient", And((OF_TYPE, A))) != question("Patient", And((OF_TYPE, B)))


async def test_s33_criteria_mean_nothing_that_the_permit_hides(application, two):
    """Of patients a and b only those that are active may be seen, and only they are deleted."""
    await two.put("/Patient/c", json=patient(id="c", active=True))
    service = application._endpoint.service
    active = {(interaction, "Patient"): Has("active", "true") for interaction in ("read", "search-type", "update", "delete", "create")}
    repository = service._open_repository(Permit(active))
    serving = service.serving
    request = FhirRequest("delete", "Patient", parameters=(("gender", "female"),))
    deleted = await delete(request, repository, serving)
    assert [version.id for version in deleted.versions] == ["c"]
    request = FhirRequest("create", "Patient", body=patient(active=True), headers={"if-none-exist": "identifier=urn:x|a"})
    assert (await create(request, repository, serving)).status == 201
    assert await count(two) == 3
