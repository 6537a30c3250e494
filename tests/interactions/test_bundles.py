"""Batch and transaction."""

import pytest

from tests.rest.served import BASE, issue_of, observation, patient

URN = "urn:uuid:0f3c1a52-8f0e-4a8f-9d7f-0123456789a0"


def bundle(type, *entries):
    return {"resourceType": "Bundle", "type": type, "entry": list(entries)}


def asks(method, url, resource=None, full_url=None, **request):
    entry = {"request": {"method": method, "url": url, **request}}
    if resource is not None:
        entry["resource"] = resource
    return {"fullUrl": full_url, **entry} if full_url else entry


async def count(client, type):
    return (await client.get(f"/{type}?_total=accurate&_count=0")).json()["total"]


async def test_a_transaction_stores_everything_and_links_it(client):
    entries = [asks("POST", "Observation", observation(URN)), asks("POST", "Patient", patient(), URN)]
    response = await client.post("", json=bundle("transaction", *entries))
    answer = response.json()
    assert (response.status_code, answer["type"]) == (200, "transaction-response")
    assert [entry["response"]["status"] for entry in answer["entry"]] == ["201 Created", "201 Created"]
    locations = [entry["response"]["location"].split("/") for entry in answer["entry"]]
    assert [location[0] for location in locations] == ["Observation", "Patient"]
    assert answer["entry"][0]["response"]["etag"] == 'W/"1"'
    stored = (await client.get(f"/Observation/{locations[0][1]}")).json()
    assert stored["subject"]["reference"] == f"Patient/{locations[1][1]}"


async def test_a_transaction_links_uris_and_narratives_but_not_identifiers(client):
    resource = patient(
        id="p1",
        identifier=[{"system": "urn:ietf:rfc:3986", "value": URN}],
        extension=[{"url": "http://example.org/x", "valueUri": URN}, {"url": "http://example.org/y", "valueString": URN}],
        text={"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{URN}">x</a> {URN}</div>'},
    )
    await client.post("", json=bundle("transaction", asks("PUT", "Patient/p1", resource, URN)))
    stored = (await client.get("/Patient/p1")).json()
    assert stored["extension"][0]["valueUri"] == "Patient/p1"
    assert stored["extension"][1]["valueString"] == URN
    assert stored["identifier"][0]["value"] == URN
    assert stored["text"]["div"].count("Patient/p1") == 1


async def test_a_transaction_links_references_made_from_full_urls(client):
    full = "http://elsewhere.example/fhir/Patient/77"
    entries = [
        asks("POST", "Patient", patient(), full),
        asks("POST", "Observation", observation(full)),
        asks("POST", "Observation", observation("Patient/77")),
    ]
    answer = (await client.post("", json=bundle("transaction", *entries))).json()
    ids = [entry["response"]["location"].split("/")[1] for entry in answer["entry"]]
    for id in ids[1:]:
        assert (await client.get(f"/Observation/{id}")).json()["subject"]["reference"] == f"Patient/{ids[0]}"


async def test_a_transaction_answers_in_the_order_of_its_entries_and_works_in_the_order_of_fhir(client):
    await client.put("/Patient/old", json=patient(id="old"))
    entries = [
        asks("GET", "Patient/new"),
        asks("PUT", "Patient/new", patient(id="new")),
        asks("POST", "Observation", observation("Patient/new")),
        asks("DELETE", "Patient/old"),
        asks("GET", "Patient/old"),
    ]
    answer = (await client.post("", json=bundle("transaction", *entries))).json()
    assert [entry["response"]["status"][:3] for entry in answer["entry"]] == ["200", "201", "201", "204", "410"]
    assert answer["entry"][0]["resource"]["id"] == "new"
    assert (await client.get("/Patient/old")).status_code == 410


@pytest.mark.parametrize(
    ("entry", "status", "expression"),
    [
        (asks("POST", "Patient", patient(gender="unclear")), None, "Bundle.entry[1].resource.gender"),
        (asks("POST", "Observation", observation("urn:uuid:dead")), 400, "Bundle.entry[1].resource.subject.reference"),
        (asks("POST", "Observation", observation("Patient?identifier=1")), 412, "Bundle.entry[1].resource.subject.reference"),
        (asks("POST", "Observation", observation("Patient?nonsense=1")), 400, "Bundle.entry[1].resource.subject.reference"),
        (asks("POST", "Observation", observation("Nonsense?identifier=1")), 400, "Bundle.entry[1].resource.subject.reference"),
        (asks("PUT", "Patient/p1", patient(id="p2")), 400, "Bundle.entry[1].resource.id"),
        (asks("PUT", "Patient/p1", patient(id="p1"), ifMatch='W/"4"'), 412, "Bundle.entry[1]"),
        (asks("PUT", "Patient/first", patient(id="first")), 400, "Bundle.entry[1].request.url"),
        (asks("DELETE", "Patient?nonsense=x"), 400, "Bundle.entry[1].request"),
        (asks("DELETE", "Patient"), 400, "Bundle.entry[1].request"),
        (asks("PUT", "Patient?_count=1", patient()), 400, "Bundle.entry[1].request"),
        (asks("POST", "Patient?identifier=1", patient()), 400, "Bundle.entry[1].request.url"),
        (asks("POST", "Patient", patient(), ifNoneExist=""), 400, "Bundle.entry[1].request"),
        (asks("POST", "Patient", patient(), ifNoneExist="nonsense=1"), 400, "Bundle.entry[1].request"),
        (asks("PATCH", "Patient/p1", patient()), 400, "Bundle.entry[1].resource"),
        (asks("PATCH", "Patient/p1", {"resourceType": "Parameters"}), 404, "Bundle.entry[1]"),
        (asks("PATCH", "Patient?identifier=1", {"resourceType": "Parameters"}), 404, "Bundle.entry[1]"),
        (asks("PATCH", "Patient/p1", {"resourceType": "Binary", "contentType": "text/plain"}), 400, "Bundle.entry[1].resource.contentType"),
        (
            asks("PATCH", "Patient/p1", {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": "*"}),
            400,
            "Bundle.entry[1].resource.data",
        ),
        (asks("POST", "$meta", {"resourceType": "Parameters"}), 400, "Bundle.entry[1].request.method"),
        (asks("GET", "Patient/p1", ifModifiedSince="yesterday"), 400, "Bundle.entry[1].request"),
        (asks("POST", "Nonsense", {"resourceType": "Nonsense"}), 404, "Bundle.entry[1].request.url"),
        (asks("POST", "Observation", patient()), 400, "Bundle.entry[1].resource.resourceType"),
        (asks("POST", "//evil.example/Patient", patient()), 400, "Bundle.entry[1].request.url"),
        (asks("POST", "http://evil.example/Patient", patient()), 400, "Bundle.entry[1].request.url"),
        (asks("PUT", "Patient/../Observation", patient(id="x")), 405, "Bundle.entry[1].request.url"),
        (asks("POST", "Patient"), 400, "Bundle.entry[1].resource"),
        ({"resource": patient()}, 400, "Bundle.entry[1]"),
    ],
)
async def test_s41_a_transaction_with_one_bad_entry_stores_nothing_and_names_it(client, entry, status, expression):
    good = asks("PUT", "Patient/first", patient(id="first"))
    response = await client.post("", json=bundle("transaction", good, entry))
    assert response.status_code == (status or response.status_code)
    assert 400 <= response.status_code < 500
    assert issue_of(response)["expression"][0].startswith(expression)
    assert await count(client, "Patient") == 0


async def test_a_transaction_reports_the_mistakes_of_all_its_entries(client):
    bad = [asks("POST", "Patient", patient(gender="unclear")), asks("POST", "Patient", patient(birthDate="yesterday"))]
    response = await client.post("", json=bundle("transaction", *bad))
    found = [issue["expression"][0] for issue in response.json()["issue"]]
    assert found == ["Bundle.entry[0].resource.gender", "Bundle.entry[1].resource.birthDate"]


async def test_two_entries_with_the_same_full_url_are_refused(client):
    twice = [asks("POST", "Patient", patient(), URN), asks("POST", "Patient", patient(), URN)]
    response = await client.post("", json=bundle("transaction", *twice))
    assert response.status_code == 400
    assert issue_of(response)["expression"] == ["Bundle.entry[1].fullUrl"]


async def test_a_transaction_done_twice_changes_nothing_the_second_time(client):
    asked = bundle(
        "transaction", asks("PUT", "Patient/p1", patient(id="p1")), asks("PUT", "Observation/o1", observation("Patient/p1", id="o1"))
    )
    await client.post("", json=asked)
    again = (await client.post("", json=asked)).json()
    assert [entry["response"]["status"] for entry in again["entry"]] == ["200 OK", "200 OK"]
    assert [entry["response"]["etag"] for entry in again["entry"]] == ['W/"1"', 'W/"1"']


async def test_an_entry_that_only_creates_leaves_alone_what_exists(client):
    await client.put("/Patient/p1", json=patient(id="p1"))
    entries = [asks("PUT", f"Patient/{id}", patient(id=id, gender="male"), ifNoneMatch="*") for id in ("p1", "p2")]
    answer = (await client.post("", json=bundle("transaction", *entries))).json()
    assert [entry["response"]["status"] for entry in answer["entry"]] == ["200 OK", "201 Created"]
    assert (await client.get("/Patient/p1")).json()["gender"] == "female"


async def test_a_batch_does_what_it_can_and_reports_what_it_cannot(client):
    entries = [
        asks("PUT", "Patient/p1", patient(id="p1")),
        asks("GET", "Patient/never"),
        asks("POST", "Patient", patient(gender="unclear")),
        asks("BREW", "Patient/p1"),
        asks("GET", "metadata"),
        asks("POST", "Patient", patient()),
    ]
    response = await client.post("", json=bundle("batch", *entries))
    answer = response.json()
    assert (response.status_code, answer["type"]) == (200, "batch-response")
    statuses = [entry["response"]["status"][:3] for entry in answer["entry"]]
    assert statuses[:2] + statuses[4:] == ["201", "404", "200", "201"]
    assert statuses[2][0] == statuses[3][0] == "4"
    outcome = answer["entry"][2]["response"]["outcome"]
    assert outcome["issue"][0]["expression"] == ["Bundle.entry[2].resource.gender"]
    assert outcome["issue"][0]["severity"] == "error"
    assert await count(client, "Patient") == 2


async def test_a_batch_searches(client):
    await client.put("/Patient/p1", json=patient(id="p1"))
    answer = (await client.post("", json=bundle("batch", asks("GET", "Patient?gender=female")))).json()
    found = answer["entry"][0]["resource"]
    assert (found["type"], found["entry"][0]["fullUrl"]) == ("searchset", f"{BASE}/Patient/p1")


async def test_an_empty_transaction_is_answered(client):
    response = await client.post("", json={"resourceType": "Bundle", "type": "transaction"})
    assert (response.status_code, response.json()) == (200, {"resourceType": "Bundle", "type": "transaction-response"})


async def test_a_bundle_of_too_many_entries_is_refused(client):
    response = await client.post("", json=bundle("transaction", *[asks("POST", "Patient", patient())] * 201))
    assert (response.status_code, issue_of(response)["expression"]) == (413, ["Bundle.entry"])
    assert await count(client, "Patient") == 0


async def test_prefer_representation_brings_the_resources_back(client):
    entries = [asks("POST", "Patient", patient())]
    answer = (await client.post("", json=bundle("transaction", *entries), headers={"Prefer": "return=representation"})).json()
    assert answer["entry"][0]["resource"]["gender"] == "female"
