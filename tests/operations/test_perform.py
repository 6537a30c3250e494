"""Operations are found and checked by their definitions. https://hl7.org/fhir/R4/operations.html"""

import pytest

from fhir_server.interactions.statement import requirements
from fhir_server.network.table import PERFORMERS as OF_THE_NETWORK
from fhir_server.operations.perform import PERFORMERS, operations
from profiles.definitions import r4
from tests.operations.records import put
from tests.rest.served import issue_of, patient


def stated() -> set[tuple[str | None, str, str]]:
    """Type, code and definition of every operation that the network's statement requires."""
    (rest,) = requirements(r4())["rest"]
    found = {(None, each["name"], each["definition"]) for each in rest["operation"]}
    return found | {(kind["type"], each["name"], each["definition"]) for kind in rest["resource"] for each in kind["operation"]}


def test_the_statement_lists_exactly_the_operations_that_are_performed():
    found = set()
    for each in (known for group in operations(r4()).values() for known in group):
        types = each.types if each.types is not None else frozenset(r4().resource_types)
        if each.levels & {"type", "instance"}:
            found |= {(type, each.code, each.url) for type in types}
        if "system" in each.levels:
            found.add((None, each.code, each.url))
    assert stated() == found


def test_every_performer_has_its_definition():
    assert not PERFORMERS.keys() & OF_THE_NETWORK.keys()
    assert {each.id for group in operations(r4()).values() for each in group} == PERFORMERS.keys() | OF_THE_NETWORK.keys()


@pytest.mark.parametrize(
    ("path", "hint"),
    [("/Patient/p/$nothing", "metadata"), ("/$everything", "Patient/[id]"), ("/Observation/o/$everything", "Encounter/[id]"),
     ("/$validate", "[type]/$validate"), ("/Observation/o/$lastn", "Observation/$lastn"), ("/Patient/$meta-add", "[id]/$meta-add")],
)  # fmt: skip
async def test_an_operation_that_is_not_defined_there_says_where_it_is(client, path, hint):
    answer = await client.post(path)
    assert (answer.status_code, issue_of(answer)["code"]) == (404, "not-supported")
    assert hint in issue_of(answer)["diagnostics"]


async def test_get_is_refused_where_parameters_need_a_body(client):
    await put(client, patient(id="p"))
    answer = await client.get("/Patient/p/$meta-add")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert (await client.delete("/Patient/p/$meta-add")).status_code == 405


async def test_head_answers_as_get_does(client):
    await put(client, patient(id="p"))
    head = await client.head("/Patient/p/$everything")
    assert (head.status_code, head.content) == (200, b"")


BODIES = {
    "no object": ([1], "Parameters"),
    "another resource": ({"resourceType": "Patient"}, "Parameters.resourceType"),
    "no list": ({"resourceType": "Parameters", "parameter": {}}, "Parameters.parameter"),
    "no name": ({"resourceType": "Parameters", "parameter": [{"valueCode": "x"}]}, "Parameters.parameter[0].name"),
    "an unknown name": ({"resourceType": "Parameters", "parameter": [{"name": "x", "valueCode": "x"}]}, "Parameters.parameter[0].name"),
    "no value": ({"resourceType": "Parameters", "parameter": [{"name": "meta"}]}, "Parameters.parameter[0]"),
    "another type": ({"resourceType": "Parameters", "parameter": [{"name": "meta", "valueString": "x"}]}, "Parameters.parameter[0]"),
    "no object as value": ({"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": 1}]}, "Parameters.parameter[0]"),
    "a number as parameter": ({"resourceType": "Parameters", "parameter": [1]}, "Parameters.parameter[0].name"),
    "nothing": ({"resourceType": "Parameters"}, "Parameters.parameter.where(name='meta')"),
    "a value twice": (
        {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {}}] * 2}, "Parameters.parameter.where(name='meta')"),
    "tags that are none": (
        {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": ["x"]}}]},
        "Parameters.parameter.where(name='meta').value.tag"),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
async def test_a_body_that_does_not_fit_the_definition_is_refused_with_its_place(client, name):
    await put(client, patient(id="p"))
    body, expression = BODIES[name]
    answer = await client.post("/Patient/p/$meta-add", json=body)
    assert answer.status_code == 400
    assert issue_of(answer)["expression"] == [expression]
    assert (await client.get("/Patient/p")).headers["ETag"] == 'W/"1"'


async def test_a_body_that_is_no_json_is_refused(client):
    await put(client, patient(id="p"))
    assert (await client.post("/Patient/p/$meta-add", content=b"{", headers={"Content-Type": "application/json"})).status_code == 400
    assert (await client.post("/Patient/p/$meta-add", content=b"x", headers={"Content-Type": "text/plain"})).status_code == 415
    assert (await client.post("/Patient/p/$meta-add")).status_code == 400


async def test_an_operation_may_stand_in_a_batch(client):
    await put(client, patient(id="p"))
    batch = {"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": "Patient/p/$everything?_count=5"}}]}
    (entry,) = (await client.post("", json=batch)).json()["entry"]
    assert entry["response"]["status"].startswith("200")
    assert entry["resource"]["type"] == "searchset"
