"""Criteria in the entries of batch and transaction, and in place of references."""

import asyncio

import pytest

from tests.interactions.test_bundles import URN, asks, bundle, count
from tests.rest.served import issue_of, observation, patient

SYSTEM = "urn:x"


def numbered(number, **elements):
    return patient(identifier=[{"system": SYSTEM, "value": number}], **elements)


def by(number):
    return f"Patient?identifier={SYSTEM}|{number}"


async def send(client, type, *entries, **headers):
    response = await client.post("", json=bundle(type, *entries), headers=headers)
    assert response.status_code == 200, response.text
    return response.json()["entry"]


def statuses(answer):
    return [entry["response"]["status"] for entry in answer]


@pytest.fixture
async def stored(client):
    """Patients a and b, with numbers like their ids."""
    for id in ("a", "b"):
        await client.put(f"/Patient/{id}", json=numbered(id, id=id))
    return client


async def subject_of(client, entry):
    return (await client.get("/" + entry["response"]["location"].partition("/_history")[0])).json()["subject"]["reference"]


# -- conditional entries ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("type", ["batch", "transaction"])
async def test_conditional_entries_of_all_kinds_are_done(stored, type):
    parameters = {"resourceType": "Parameters", "parameter": []}
    entries = [
        asks("POST", "Patient", numbered("a"), ifNoneExist=f"identifier={SYSTEM}|a"),
        asks("POST", "Patient", numbered("c"), ifNoneExist=f"identifier={SYSTEM}|c"),
        asks("PUT", by("b"), numbered("b", active=True)),
        asks("PUT", by("d"), numbered("d", id="d")),
        asks("DELETE", by("never")),
    ]
    answer = await send(stored, type, *entries)
    assert statuses(answer) == ["200 OK", "201 Created", "200 OK", "201 Created", "204 No Content"]
    assert answer[0]["response"]["location"] == "Patient/a/_history/1"
    assert answer[2]["response"]["etag"] == 'W/"2"'
    assert answer[3]["response"]["location"] == "Patient/d/_history/1"
    entries = [asks("PATCH", by("a"), parameters), asks("DELETE", "Patient?active=true"), asks("DELETE", by("c"))]
    answer = await send(stored, type, *entries)
    assert statuses(answer) == ["200 OK", "204 No Content", "204 No Content"]
    assert [answer[0]["response"]["etag"], answer[1]["response"]["etag"]] == ['W/"1"', 'W/"3"']
    assert await count(stored, "Patient") == 2


async def test_a_conditional_delete_in_a_transaction_deletes_all_that_answer(stored):
    answer = await send(stored, "transaction", asks("DELETE", "Patient?gender=female"), asks("GET", "Patient/a"))
    assert statuses(answer) == ["204 No Content", "410 Gone"]
    assert await count(stored, "Patient") == 0


async def test_what_the_transaction_deletes_answers_no_criteria_of_it(stored):
    entries = [asks("POST", "Patient", numbered("a"), URN, ifNoneExist=f"identifier={SYSTEM}|a"), asks("DELETE", "Patient/a")]
    answer = await send(stored, "transaction", *entries, asks("PUT", by("b"), numbered("b")), asks("DELETE", by("b") + "&active=true"))
    assert statuses(answer) == ["201 Created", "204 No Content", "200 OK", "204 No Content"]
    entries = [asks("PUT", by("b"), numbered("b", active=True)), asks("DELETE", "Patient/b")]
    assert statuses(await send(stored, "transaction", *entries)) == ["201 Created", "204 No Content"]


async def test_references_lead_to_what_a_conditional_create_has_found_or_made(stored):
    for number, status in (("a", "200 OK"), ("new", "201 Created")):
        entries = [
            asks("POST", "Observation", observation(URN)),
            asks("POST", "Patient", numbered(number), URN, ifNoneExist=f"identifier={SYSTEM}|{number}"),
        ]
        answer = await send(stored, "transaction", *entries)
        assert answer[1]["response"]["status"] == status
        assert await subject_of(stored, answer[0]) == answer[1]["response"]["location"].partition("/_history")[0]


async def test_two_conditional_creates_with_the_same_criteria_make_one_resource(client):
    urns = [f"urn:uuid:0f3c1a52-8f0e-4a8f-9d7f-00000000000{n}" for n in range(2)]
    creates = [asks("POST", "Patient", numbered("c"), urn, ifNoneExist=f"identifier={SYSTEM}|c") for urn in urns]
    answer = await send(client, "transaction", *creates, *(asks("POST", "Observation", observation(urn)) for urn in urns))
    assert statuses(answer)[:2] == ["201 Created", "200 OK"]
    assert await subject_of(client, answer[2]) == await subject_of(client, answer[3])
    assert await count(client, "Patient") == 1


@pytest.mark.parametrize(
    ("entries", "status", "expression"),
    [
        ([asks("POST", "Patient", patient(), ifNoneExist="gender=female")], 412, "Bundle.entry[0].request"),
        ([asks("PUT", "Patient?gender=female", patient())], 412, "Bundle.entry[0].request"),
        ([asks("PATCH", "Patient?gender=female", {"resourceType": "Parameters"})], 412, "Bundle.entry[0].request"),
        ([asks("DELETE", "Patient?gender=female&_count=1")], 412, "Bundle.entry[0].request"),
        ([asks("PUT", by("a"), numbered("a")), asks("PUT", "Patient/a", patient(id="a"))], 400, "Bundle.entry[1].request.url"),
        ([asks("PUT", by("a"), numbered("a")), asks("DELETE", by("a"))], 201, None),
        ([asks("DELETE", "Patient?gender=female"), asks("DELETE", "Patient/a")], 400, "Bundle.entry[1].request.url"),
        ([asks("PATCH", by("a"), {"resourceType": "Parameters"}), asks("PUT", by("a"), numbered("a"))], 400, "Bundle.entry[1].request.url"),
        ([asks("PUT", by("a"), patient(id="b"))], 400, "Bundle.entry[0].resource.id"),
        ([asks("PUT", by("c"), patient(id="b"))], 409, "Bundle.entry[0].resource.id"),
        ([asks("PUT", by("a"), numbered("a"), ifMatch='W/"7"')], 412, "Bundle.entry[0]"),
        ([asks("PUT", by("a"), numbered("a", gender="unclear"))], 400, "Bundle.entry[0].resource.gender"),
        ([asks("POST", "Observation", observation("Patient?gender=female"))], 412, "Bundle.entry[0].resource.subject.reference"),
        ([asks("POST", "Observation", observation(by("c")))], 412, "Bundle.entry[0].resource.subject.reference"),
        (
            [asks("POST", "Observation", observation(by("a"))), asks("DELETE", "Patient/a")],
            412,
            "Bundle.entry[0].resource.subject.reference",
        ),
    ],
)
async def test_a_conditional_entry_that_cannot_be_done_is_named_and_nothing_is_done(stored, entries, status, expression):
    sent = bundle("transaction", asks("PUT", "Patient/first", patient(id="first", gender="other")), *entries)
    for entry in sent["entry"][1:]:
        entry.setdefault("fullUrl", f"urn:uuid:0f3c1a52-8f0e-4a8f-9d7f-1000000000{len(str(entry)):02}")
    response = await stored.post("", json=sent)
    if expression is None:
        assert response.status_code == 200
        return
    moved = expression.replace("[1]", "[2]").replace("[0]", "[1]")
    assert response.status_code == status or (status == 400 and response.status_code == 422)
    assert issue_of(response)["expression"][0].startswith(moved)
    assert await count(stored, "Patient") == 2
    assert [(await stored.get(f"/Patient/{id}")).headers["ETag"] for id in ("a", "b")] == ['W/"1"', 'W/"1"']


# -- conditional references -----------------------------------------------------------------------------------------------


async def test_a_conditional_reference_leads_to_what_is_stored_or_written_beside_it(stored):
    entries = [
        asks("POST", "Observation", observation(by("a"))),
        asks("POST", "Observation", observation(by("new"))),
        asks("POST", "Patient", numbered("new")),
        asks("PUT", "Patient/b", numbered("other", id="b")),
        asks("POST", "Observation", observation(by("other"))),
    ]
    answer = await send(stored, "transaction", *entries)
    made = answer[2]["response"]["location"].partition("/_history")[0]
    found = [await subject_of(stored, answer[number]) for number in (0, 1, 4)]
    assert found == ["Patient/a", made, "Patient/b"]


async def test_a_conditional_reference_goes_by_the_state_after_the_writes(stored):
    entries = [asks("PUT", "Patient/a", numbered("other", id="a")), asks("POST", "Observation", observation(by("a")))]
    response = await stored.post("", json=bundle("transaction", *entries))
    assert response.status_code == 412
    assert issue_of(response)["code"] == "not-found"


# -- the rest of a response ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("type", ["batch", "transaction"])
async def test_prefer_decides_what_the_entries_of_writes_hold(stored, type):
    entries = [asks("PUT", "Patient/a", numbered("a", id="a")), asks("DELETE", "Patient/b")]
    plain = await send(stored, type, *entries, Prefer="return=minimal, respond-async")
    assert [set(entry) for entry in plain] == [{"response"}] * 2
    told = await send(stored, type, *entries, Prefer="return=OperationOutcome")
    assert told[0]["response"]["outcome"]["issue"][0]["severity"] == "information"
    whole = await send(stored, type, *entries, Prefer="return=representation")
    assert whole[0]["resource"]["id"] == "a"


async def test_entries_that_read_mind_what_the_client_has(stored):
    entries = [
        asks("GET", "Patient/a", ifNoneMatch='W/"1"'),
        asks("GET", "Patient/a", ifModifiedSince="2999-01-01T00:00:00Z"),
        asks("HEAD", "Patient/a"),
        asks("GET", "Patient/a/_history/1"),
    ]
    for type in ("batch", "transaction"):
        answer = await send(stored, type, *entries)
        assert statuses(answer) == ["304 Not Modified", "304 Not Modified", "200 OK", "200 OK"]
        assert all(entry["response"]["etag"] == 'W/"1"' and entry["response"]["lastModified"] for entry in answer)


async def test_a_transaction_reads_and_searches_what_it_has_written(client):
    entries = [
        asks("GET", by("n")),
        asks("GET", "Patient/n"),
        asks("GET", "Patient/_history"),
        asks("PUT", "Patient/n", numbered("n", id="n")),
    ]
    answer = await send(client, "transaction", *entries)
    assert [answer[0]["resource"]["total"], answer[1]["resource"]["id"], answer[2]["resource"]["total"]] == [1, "n", 1]


async def test_searches_by_post_and_operations_are_done_in_a_batch(stored):
    entries = [
        asks("POST", by("a").replace("?", "/_search?")),
        asks("GET", "Patient/a/$everything"),
        asks("POST", "Patient/$validate", {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": patient()}]}),
        asks("GET", "Patient/a/$nothing"),
        asks("POST", "Patient/_search", patient()),
    ]
    answer = await send(stored, "batch", *entries)
    assert [status[:3] for status in statuses(answer)] == ["200", "200", "200", "404", "400"]
    assert [answer[0]["resource"]["total"], answer[2]["resource"]["resourceType"]] == [1, "OperationOutcome"]


# -- at the same time -------------------------------------------------------------------------------------------------------


async def test_transactions_that_bring_the_same_patient_along_at_once_make_it_once(client):
    entries = [
        asks("POST", "Patient", numbered("c"), URN, ifNoneExist=f"identifier={SYSTEM}|c"),
        asks("POST", "Observation", observation(URN)),
        asks("PUT", by("d"), numbered("d")),
    ]
    answers = await asyncio.gather(*(send(client, "transaction", *entries) for _ in range(10)))
    assert sorted(statuses(answer)[0] for answer in answers) == ["200 OK"] * 9 + ["201 Created"]
    assert len({answer[0]["response"]["location"] for answer in answers}) == 1
    assert [await count(client, type) for type in ("Patient", "Observation")] == [2, 10]
    assert len({await subject_of(client, answer[1]) for answer in answers}) == 1
