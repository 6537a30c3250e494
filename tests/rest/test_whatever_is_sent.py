"""Whatever is sent, the answer is FHIR and never a failure of the server: seeded mutations of good requests."""

import json
import random
from urllib.parse import quote

import pytest

from tests.rest.served import observation, patient

SEEDS = range(6)
STRANGE = [
    None, True, False, 0, -1, 1e308, 10**30, "", " ", "\u0000", "\ud83d\ude00", "讃岐", "urn:uuid:x", "Patient?x=y", "2026-02-30", "#",
    "a" * 300, [], {}, [[]], [None], [{}], {"": ""}, {"a": {"b": []}}, {"reference": 1}, {"reference": "urn:uuid:1"}, {"extension": [{}]},
    {"resourceType": "Patient"}, {"resourceType": "Nonsense"}, {"resourceType": []}, {"$ne": None}, {"__proto__": {}},
]  # fmt: skip
NAMES = ["id", "meta", "extension", "contained", "resourceType", "_birthDate", "value", "$where", "", "url", "reference", "text", "div"]
FINE = {200, 201, 204, 400, 404, 405, 409, 410, 412, 413, 415, 422}


def mutated(value, chance):
    """A copy with something strange in it, here and there."""
    if chance.random() < 0.08:
        return chance.choice(STRANGE)
    if isinstance(value, dict):
        copy = {name: mutated(child, chance) for name, child in value.items() if chance.random() > 0.04}
        if chance.random() < 0.1:
            copy[chance.choice(NAMES)] = chance.choice(STRANGE)
        return copy
    if isinstance(value, list):
        return [mutated(child, chance) for child in value]
    return value


def checked(response):
    assert response.status_code in FINE, (response.status_code, response.text[:500])
    if response.status_code >= 400:
        assert all(issue["expression"] and issue["diagnostics"] for issue in response.json()["issue"]), response.text[:500]
    return response


def sent(value):
    return json.dumps(value, ensure_ascii=True).encode()


@pytest.mark.parametrize("seed", SEEDS)
async def test_s45_a_mutated_resource_is_stored_or_refused(client, seed):
    chance = random.Random(seed)
    good = [
        patient(id="p1", contact=[{"name": {"family": "x"}, "period": {"start": "2026"}}], text={"status": "empty", "div": "<div/>"}),
        observation(
            "Patient/p1", id="o1", valueQuantity={"value": 1.5, "unit": "g"}, component=[{"code": {"text": "x"}, "valueString": "y"}]
        ),
    ]
    for _ in range(120):
        resource = chance.choice(good)
        response = checked(await client.put(f"/{resource['resourceType']}/{resource['id']}", content=sent(mutated(resource, chance))))
        if response.status_code < 300:
            assert checked(await client.get(f"/{resource['resourceType']}/{resource['id']}")).status_code == 200


@pytest.mark.parametrize("seed", SEEDS)
async def test_s45_a_mutated_bundle_is_done_or_refused(client, seed):
    chance = random.Random(seed)
    entries = [
        {"fullUrl": "urn:uuid:1", "resource": patient(), "request": {"method": "POST", "url": "Patient"}},
        {"resource": observation("urn:uuid:1", id="o1"), "request": {"method": "PUT", "url": "Observation/o1", "ifMatch": 'W/"1"'}},
        {"request": {"method": "GET", "url": "Patient?name=x&_count=1"}},
        {"request": {"method": "DELETE", "url": "Patient/none"}},
    ]
    for _ in range(80):
        bundle = {"resourceType": "Bundle", "type": chance.choice(["batch", "transaction"]), "entry": entries}
        checked(await client.post("", content=sent(mutated(bundle, chance))))


@pytest.mark.parametrize("seed", SEEDS)
async def test_s47_a_mutated_search_is_answered_or_refused(client, seed):
    chance = random.Random(seed)
    await client.put("/Patient/p1", json=patient(id="p1"))
    await client.put("/Observation/o1", json=observation("Patient/p1", id="o1"))
    names = [
        "_id", "_lastUpdated", "_tag", "code", "date", "subject", "patient", "value-quantity", "code-value-quantity", "patient.name", "_sort",
        "subject:Patient.birthdate", "_has:Provenance:target:agent", "_include", "_revinclude", "_count", "_total", "_summary", "_after",
        "code:not", "date:missing", "value-string:contains", "_elements", "_profile:below", "combo-code", "encounter:identifier", "_text",
    ]  # fmt: skip
    values = [
        "1", "ge2026", "2026-02-30", "lt", "|", "a|b", "|a", "a|", "$", "a$b", "\\", ",", "a,b", "\\,", "\U0001f600", "x" * 3000, "true", "-1",
        "Patient/p1", "http://x/Patient/1", "*", "Observation:subject", "Observation:subject:Patient", "-date,code", "1e400", "5.40|u|c", "NaN",
        "9" * 40, "sa9999-12-31T23:59:60Z", "ne1e-308", "%", "\x7f", "\u202e", "ap0001",
    ]  # fmt: skip
    for _ in range(150):
        pairs = [(chance.choice(names), chance.choice(values)) for _ in range(chance.randint(1, 4))]
        query = "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs)
        checked(await client.get(f"/{chance.choice(['Observation', 'Patient', 'Encounter'])}?{query}"))
