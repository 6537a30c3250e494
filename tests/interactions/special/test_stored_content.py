"""Large content of a Binary: stored once, lost never, left behind never."""

import asyncio
import base64
import os

from tests.interactions.special.sending import EVERY_SIZE, JSON, LARGE, chunks, files, put_raw
from tests.rest.served import issue_of, patient


@EVERY_SIZE
async def test_the_same_content_again_makes_no_version_and_no_file(client, content, worker_database, database_name):
    await put_raw(client, content)
    before = files(worker_database, database_name), chunks(worker_database, database_name)
    assert (await put_raw(client, content)).headers["ETag"] == 'W/"1"'
    resource = (await client.get("/Binary/b", headers=JSON)).json()
    assert (await client.put("/Binary/b", json=resource)).headers["ETag"] == 'W/"1"'
    assert (files(worker_database, database_name), chunks(worker_database, database_name)) == before
    assert (await put_raw(client, content, type="image/png")).headers["ETag"] == 'W/"2"'  # another version, the same file
    assert (files(worker_database, database_name), chunks(worker_database, database_name)) == before
    assert (await client.get("/Binary/b/_history/1")).headers["Content-Type"] == "application/pdf"
    assert (await client.get("/Binary/b")).content == content


async def test_large_content_is_left_out_of_bundles_which_say_so(client):
    await put_raw(client, LARGE)
    for path in ("/Binary?_id=b", "/Binary/b/_history"):
        resource = (await client.get(path)).json()["entry"][0]["resource"]
        (extension,) = resource["_data"]["extension"]
        assert "data" not in resource
        assert {part["url"]: part.get("valueDecimal") for part in extension["extension"]}["size"] == len(LARGE)


async def test_what_came_without_its_content_cannot_take_that_of_others(client):
    await put_raw(client, LARGE)
    stored = (await client.get("/Binary?_id=b")).json()["entry"][0]["resource"]
    refused = await client.put("/Binary/other", json={**stored, "id": "other"})
    assert refused.status_code == 422
    assert issue_of(refused)["expression"] == ["Binary.data"]
    assert (await client.get("/Binary/other")).status_code == 404
    assert (await client.put("/Binary/b", json={**stored, "contentType": "text/plain"})).status_code == 200  # its own it may keep
    assert (await client.get("/Binary/b")).content == LARGE


async def test_content_is_created_only_where_nothing_answers_the_criteria(client, worker_database, database_name):
    tagged = {"resourceType": "Binary", "id": "b", "contentType": "a/b", "meta": {"tag": [{"system": "urn:x", "code": "1"}]}}
    await client.put("/Binary/b", json=tagged)
    headers = {"Content-Type": "a/b", "If-None-Exist": "_tag=urn:x|1"}
    assert (await client.post("/Binary", content=LARGE, headers=headers)).status_code == 200
    assert files(worker_database, database_name) == (0, 0)
    created = await client.post("/Binary", content=LARGE, headers={**headers, "If-None-Exist": "_tag=urn:x|2"})
    assert created.status_code == 201
    assert (await client.get(f"/Binary/{created.json()['id']}")).content == LARGE
    assert files(worker_database, database_name) == (1, 0)


async def test_a_write_that_fails_leaves_no_file_behind(client, worker_database, database_name):
    await put_raw(client, LARGE)
    assert (await put_raw(client, LARGE[::-1], **{"If-Match": 'W/"7"'})).status_code == 412
    assert (await put_raw(client, LARGE[::-1], **{"X-Security-Context": "?"})).status_code == 400
    resource = {"resourceType": "Binary", "id": "b", "contentType": "a/b", "data": base64.b64encode(LARGE[::-1]).decode()}
    assert (await client.put("/Binary/b", json=resource, headers={"If-Match": 'W/"7"'})).status_code == 412
    bad = {"resourceType": "Bundle", "type": "transaction", "entry": [
        {"resource": resource, "request": {"method": "PUT", "url": "Binary/b"}},
        {"resource": patient(id="p"), "request": {"method": "PUT", "url": "Patient/p", "ifMatch": 'W/"9"'}},
    ]}  # fmt: skip
    assert (await client.post("", json=bad)).status_code == 412
    assert files(worker_database, database_name) == (1, 0)
    assert chunks(worker_database, database_name) == 1
    assert (await client.get("/Binary/b")).content == LARGE


async def test_a_transaction_stores_large_content_too(client, worker_database, database_name):
    resource = {"resourceType": "Binary", "id": "b", "contentType": "a/b", "data": base64.b64encode(LARGE).decode()}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [
        {"resource": resource, "request": {"method": "PUT", "url": "Binary/b"}},
        {"resource": patient(id="p"), "request": {"method": "PUT", "url": "Patient/p"}},
    ]}  # fmt: skip
    assert (await client.post("", json=bundle)).status_code == 200
    assert (await client.get("/Binary/b")).content == LARGE
    assert files(worker_database, database_name) == (1, 0)


async def test_content_beyond_the_limit_is_refused_and_leaves_nothing(application, client, worker_database, database_name):
    application._endpoint.limits = type(application._endpoint.limits)(2_000_000, binary=1_000_000)

    async def unannounced():
        for _ in range(30):
            yield bytes(100_000)

    for content in (bytes(1_000_001), unannounced()):
        refused = await put_raw(client, content)
        assert refused.status_code == 413
        assert issue_of(refused)["code"] == "too-long"
    assert files(worker_database, database_name) == (0, 0)
    assert chunks(worker_database, database_name) == 0
    assert (await put_raw(client, bytes(1_000_000))).status_code == 201


async def test_many_send_large_content_at_once_and_each_gets_its_own(client, worker_database, database_name):
    contents = {f"b{n}": os.urandom(400_000 + n) for n in range(12)}
    answers = await asyncio.gather(*(put_raw(client, content, id) for id, content in contents.items()))
    assert {answer.status_code for answer in answers} == {201}
    reads = await asyncio.gather(*(client.get(f"/Binary/{id}") for id in contents))
    assert [read.content for read in reads] == list(contents.values())
    same = await asyncio.gather(*(put_raw(client, LARGE, "one") for _ in range(8)))
    assert {answer.status_code for answer in same} <= {200, 201}
    assert (await client.get("/Binary/one")).content == LARGE
    assert files(worker_database, database_name)[1] == 0
    for number in range(1, int((await client.get("/Binary/one")).headers["ETag"][3:-1]) + 1):
        assert (await client.get(f"/Binary/one/_history/{number}")).content == LARGE


async def test_a_deleted_binary_is_gone_and_its_versions_stay(client):
    await put_raw(client, LARGE)
    await client.delete("/Binary/b")
    assert (await client.get("/Binary/b")).status_code == 410
    assert (await client.get("/Binary/b/_history/1")).content == LARGE


async def test_a_client_that_goes_away_while_it_sends_leaves_nothing(application, client, worker_database, database_name):
    sent = []

    async def receive():
        sent.append(1)
        return {"type": "http.request", "body": bytes(500_000), "more_body": True} if len(sent) < 12 else {"type": "http.disconnect"}

    async def send(message):
        raise AssertionError("nobody is there to be answered")

    headers = [(b"host", b"tsunagi.example"), (b"content-type", b"application/pdf")]
    scope = {"type": "http", "method": "PUT", "path": "/fhir/Binary/b", "query_string": b"", "scheme": "http", "headers": headers}
    await application(scope, receive, send)
    assert files(worker_database, database_name) == (0, 0)
    assert chunks(worker_database, database_name) == 0
    assert (await client.get("/Binary/b")).status_code == 404
