"""Modifiers, units, texts and places over HTTP; what each means is tested beside its type."""

import pytest
from httpx import ASGITransport, AsyncClient

from fhir_server.app import create_app
from fhir_server.settings import Settings
from tests.rest.served import BASE, issue_of, observation, patient

SAMPLES = {
    "token": ("Observation", "code"),
    "string": ("Patient", "name"),
    "date": ("Observation", "date"),
    "number": ("RiskAssessment", "probability"),
    "quantity": ("Observation", "value-quantity"),
    "reference": ("Observation", "subject"),
    "uri": ("ValueSet", "url"),
    "composite": ("Observation", "code-value-quantity"),
    "special": ("Location", "near"),
    "text": ("Patient", "_content"),
    "id": ("Patient", "_id"),
}
MODIFIERS = (
    "missing", "exact", "contains", "not", "text", "in", "not-in", "below", "above", "Patient", "Location", "identifier", "of-type", "iterate",
    "code-text", "x", "",
)  # fmt: skip
# https://hl7.org/fhir/R4/search.html#modifiers; what may still be refused for its value is tested beside the types.
DEFINED = {
    "token": {"missing", "not", "text", "in", "not-in", "below", "above", "of-type"},
    "string": {"missing", "exact", "contains"},
    "date": {"missing"},
    "number": {"missing"},
    "quantity": {"missing"},
    "reference": {"missing", "Patient", "Location", "identifier", "above", "below"},
    "uri": {"missing", "above", "below"},
    "composite": set(),
    "special": {"missing"},
    "text": set(),
    "id": {"missing"},
}
VALUES = ("true", "x", "a|b", "a|b|c", "http://a/b", "2024", "5.4", "Patient/1", "1|2|3|km", "ValueSet/1", "$", "\\", "é佐")


async def store(client, *resources):
    for resource in resources:
        response = await client.put(f"/{resource['resourceType']}/{resource['id']}", json=resource)
        assert response.status_code == 201, response.text


async def ids(client, search):
    response = await client.get(f"/{search}")
    assert response.status_code == 200, response.text
    return {entry["resource"]["id"] for entry in response.json().get("entry", [])}


@pytest.mark.parametrize("kind", SAMPLES)
async def test_every_modifier_is_served_or_refused_as_not_defined_for_the_type(client, kind):
    type, code = SAMPLES[kind]
    for modifier in MODIFIERS:
        for value in VALUES:
            response = await client.get(f"/{type}", params={f"{code}:{modifier}": value})
            assert response.status_code in (200, 400, 404), (modifier, value, response.text)
            if modifier and modifier not in DEFINED[kind]:
                assert response.status_code == 400, (modifier, value)
                assert issue_of(response)["code"] == "not-supported", (modifier, value)


async def test_a_unit_a_text_and_a_value_set_are_asked_over_http(client):
    ucum = "http://unitsofmeasure.org"
    concept = {"coding": [{"system": "urn:lab", "code": "A", "display": "総蛋白"}]}
    await store(
        client,
        observation("Patient/p1", id="o1", code=concept, valueQuantity={"value": 7.2, "system": ucum, "code": "g/dL"}),
        {"resourceType": "ValueSet", "id": "v", "url": "urn:v", "status": "active",
         "compose": {"include": [{"system": "urn:lab", "concept": [{"code": "A"}]}]}},
    )  # fmt: skip
    assert await ids(client, f"Observation?value-quantity=72|{ucum}|g/L") == {"o1"}
    assert await ids(client, "Observation?code:text=総") == {"o1"}
    assert await ids(client, "Observation?code:in=ValueSet/v") == {"o1"}
    assert await ids(client, "Observation?code:in=urn:v&_content=総蛋白") == {"o1"}
    assert await ids(client, "Observation?code:not-in=urn:v") == set()
    response = await client.get("/Observation?code:in=urn:nobody")
    assert (response.status_code, issue_of(response)["code"]) == (404, "not-found")


async def test_a_reference_with_our_own_address_is_found_as_a_local_one(mongodb_uri, database_name):
    app = create_app(Settings(authentication="off", database=database_name, base_url=BASE), mongodb_uri)
    async with app.outer.router.lifespan_context(app.outer), AsyncClient(transport=ASGITransport(app), base_url=BASE) as client:
        await _found_as_a_local_one(client)


async def _found_as_a_local_one(client):
    await store(client, patient(id="p1"), observation(f"{BASE}/Patient/p1", id="o1"), observation("Patient/p1", id="o2"))
    for search in ("subject=Patient/p1", "patient=p1", f"subject={BASE}/Patient/p1", "subject=p1", "patient.name=讃岐"):
        assert await ids(client, f"Observation?{search}") == {"o1", "o2"}, search


async def test_romaji_kana_and_kanji_find_the_same_person(client):
    names = [{"family": "佐藤", "given": ["太郎"]}, {"family": "サトウ", "given": ["タロウ"]}]
    await store(client, patient(id="p1", name=names))
    for name in ("佐藤", "さとう", "ｻﾄｳ", "サトー", "sato", "satou", "satō taro", "TARO SATO"):
        assert await ids(client, f"Patient?name={name}") == {"p1"}, name
