"""A Binary comes and goes as it is, or as FHIR JSON. https://hl7.org/fhir/R4/binary.html"""

import asyncio
import base64
import json
import os

import pytest

from fhir_server.search.expression import EVERYTHING, NOTHING
from fhir_server.store.permit import Permit
from tests.rest.served import BASE, issue_of, patient

JSON = {"Accept": "application/fhir+json"}
LARGE = os.urandom(700_000)  # beyond what stays in the document
SMALL = b"\x00\xff small \r\n"
EVERY_SIZE = pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])


def files(worker_database, database_name) -> tuple[int, int]:
    """How many files there are, and how many of them are pending."""
    client, _ = worker_database
    found = client[database_name]["binary.files"]
    return found.count_documents({}), found.count_documents({"metadata.pending": True})


def chunks(worker_database, database_name) -> int:
    return worker_database[0][database_name]["binary.chunks"].count_documents({})


async def put_raw(client, content: bytes, id: str = "b", type: str = "application/pdf", **headers: str):
    return await client.put(f"/Binary/{id}", content=content, headers={"Content-Type": type, **headers})


@EVERY_SIZE
async def test_content_sent_as_it_is_is_given_as_it_is(client, content):
    created = await client.post("/Binary", content=content, headers={"Content-Type": "application/pdf"})
    assert created.status_code == 201
    read = await client.get(f"/Binary/{created.json()['id']}")
    assert (read.status_code, read.content) == (200, content)
    assert read.headers["Content-Type"] == "application/pdf"
    assert read.headers["Content-Length"] == str(len(content))
    assert read.headers["ETag"] == 'W/"1"'
    assert read.headers["X-Content-Type-Options"] == "nosniff"


@EVERY_SIZE
async def test_both_forms_hold_the_same(client, content):
    await put_raw(client, content)
    resource = (await client.get("/Binary/b", headers=JSON)).json()
    assert base64.b64decode(resource["data"]) == content
    assert (resource["contentType"], resource["id"], resource["meta"]["versionId"]) == ("application/pdf", "b", "1")
    assert "_data" not in resource
    resource["data"] = base64.b64encode(content[::-1]).decode()
    updated = await client.put("/Binary/b", json=resource, headers={"Content-Type": "application/fhir+json"})
    assert (updated.status_code, updated.headers["ETag"]) == (200, 'W/"2"')
    assert (await client.get("/Binary/b")).content == content[::-1]
    assert (await client.get("/Binary/b/_history/1")).content == content
    assert base64.b64decode((await client.get("/Binary/b/_history/1?_format=json")).json()["data"]) == content


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


@EVERY_SIZE
async def test_a_part_is_given_where_a_range_is_asked(client, content):
    await put_raw(client, content)
    size = len(content)
    for header, start, end in (("bytes=2-4", 2, 5), ("bytes=3-", 3, size), ("bytes=-4", size - 4, size), (f"bytes=1-{size * 2}", 1, size)):
        part = await client.get("/Binary/b", headers={"Range": header})
        assert (part.status_code, part.content) == (206, content[start:end])
        assert part.headers["Content-Range"] == f"bytes {start}-{end - 1}/{size}"
    beyond = await client.get("/Binary/b", headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")
    assert issue_of(beyond)["expression"] == ["http.Range"]
    for ignored in ("bytes=5-2", "bytes=0-1,3-4", "lines=1-2", "bytes=x"):
        assert (await client.get("/Binary/b", headers={"Range": ignored})).status_code == 200
    assert (await client.get("/Binary/b", headers={"Range": "bytes=0-1", "If-Range": 'W/"1"'})).status_code == 200


@EVERY_SIZE
async def test_the_whole_resource_comes_back_from_a_write_where_it_is_preferred(client, content):
    wish = {"Prefer": "return=representation"}
    created = await put_raw(client, content, **wish)
    assert (created.status_code, created.headers["Location"]) == (201, f"{BASE}/Binary/b/_history/1")
    assert base64.b64decode(created.json()["data"]) == content
    assert created.content == (await client.get("/Binary/b", headers=JSON)).content
    assert (await put_raw(client, content[1:], Prefer="return=minimal")).content == b""
    sent = {"resourceType": "Binary", "id": "b", "contentType": "a/b", "data": base64.b64encode(content).decode()}
    assert (await client.put("/Binary/b", json=sent, headers=wish)).json()["data"] == sent["data"]


async def test_a_range_may_lie_across_chunks(client):
    content = os.urandom(3_000_000)
    await put_raw(client, content)
    part = await client.get("/Binary/b", headers={"Range": "bytes=1044470-2088970"})
    assert part.content == content[1044470:2088971]


@EVERY_SIZE
async def test_head_and_conditional_reads_know_both_forms(client, content):
    await put_raw(client, content)
    head = await client.head("/Binary/b")
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", str(len(content)))
    as_json = await client.head("/Binary/b", headers=JSON)
    assert as_json.headers["Content-Length"] == str(len((await client.get("/Binary/b", headers=JSON)).content))
    assert (await client.get("/Binary/b", headers={"If-None-Match": 'W/"1"'})).status_code == 304
    assert (await client.get("/Binary/b", headers={"Accept": "application/fhir+xml"})).status_code == 406


@pytest.mark.parametrize("type", ["text/html", "image/svg+xml", "application/xml", "application/javascript", "application/x-unknown"])
async def test_what_a_browser_could_run_is_offered_for_download(client, type):
    await put_raw(client, b"<script>alert(1)</script>", type=type)
    read = await client.get("/Binary/b", headers={"Accept": "text/html,*/*;q=0.8"})
    assert read.headers["Content-Disposition"] == "attachment"
    assert read.headers["Content-Security-Policy"].startswith("sandbox")
    assert read.headers["Content-Type"] == type
    assert read.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_content_type_never_becomes_another_header(client):
    resource = {"resourceType": "Binary", "id": "b", "contentType": "text/html\nX-Evil: 1", "data": "44GC"}
    if (await client.put("/Binary/b", json=resource)).status_code == 201:
        read = await client.get("/Binary/b")
        assert read.headers["Content-Type"] == "application/octet-stream"
        assert "X-Evil" not in read.headers


async def test_the_security_context_may_come_as_a_header(client):
    assert (await put_raw(client, SMALL, **{"X-Security-Context": f"{BASE}/Patient/p"})).status_code == 201
    assert (await client.get("/Binary/b", headers=JSON)).json()["securityContext"] == {"reference": "Patient/p"}
    assert (await client.get("/Binary/b")).headers["X-Security-Context"] == "Patient/p"
    refused = await put_raw(client, SMALL, **{"X-Security-Context": "who knows"})
    assert issue_of(refused)["expression"] == ["http.X-Security-Context"]


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


@EVERY_SIZE
async def test_a_label_added_to_a_binary_leaves_its_content_alone(client, content):
    await put_raw(client, content)
    meta = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [{"system": "urn:x", "code": "y"}]}}]}
    assert (await client.post("/Binary/b/$meta-add", json=meta)).status_code == 200
    assert (await client.get("/Binary/b")).content == content
    assert (await client.get("/Binary/b", headers=JSON)).json()["meta"]["tag"] == [{"system": "urn:x", "code": "y"}]


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


@pytest.mark.parametrize("type", ["nonsense", "a" * 300 + "/b"])
async def test_content_needs_a_media_type(client, type):
    assert issue_of(await put_raw(client, SMALL, type=type))["expression"] == ["http.Content-Type"]


async def test_empty_content_is_content(client):
    assert (await put_raw(client, b"")).status_code == 201
    read = await client.get("/Binary/b")
    assert (read.status_code, read.content, read.headers["Content-Length"]) == (200, b"", "0")


async def test_a_deleted_binary_is_gone_and_its_versions_stay(client):
    await put_raw(client, LARGE)
    await client.delete("/Binary/b")
    assert (await client.get("/Binary/b")).status_code == 410
    assert (await client.get("/Binary/b/_history/1")).content == LARGE


async def test_an_attachment_that_is_too_large_is_sent_to_a_binary(application, client):
    application._endpoint.limits = type(application._endpoint.limits)(40_000_000)
    data = base64.b64encode(bytes(13_000_000)).decode()
    document = {
        "resourceType": "DocumentReference",
        "id": "d",
        "status": "current",
        "content": [{"attachment": {"contentType": "application/pdf", "data": data}}],
    }
    refused = await client.put("/DocumentReference/d", json=document)
    assert refused.status_code == 413
    assert "16 MB" in issue_of(refused)["diagnostics"]
    assert "Binary" in issue_of(refused)["diagnostics"]


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


@EVERY_SIZE
async def test_s39_a_hidden_binary_is_absent_in_every_form(application, client, content):
    await put_raw(client, content)
    service = application._endpoint.service
    service._grant = lambda requester: Permit({("read", "Binary"): NOTHING, ("search-type", "Binary"): NOTHING}, EVERYTHING)
    absent = await client.get("/Binary/never")
    for address, headers in (("/Binary/b", {}), ("/Binary/b", JSON), ("/Binary/b", {"Range": "bytes=0-1"}), ("/Binary/b/_history/1", {})):
        hidden = await client.get(address, headers=headers)
        assert hidden.status_code == 404
        assert hidden.json() == json.loads(absent.text.replace("never", "b"))
        assert "Accept-Ranges" not in hidden.headers
    assert "entry" not in (await client.get("/Binary?_id=b")).json()
