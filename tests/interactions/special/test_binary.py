"""A Binary comes and goes as it is, or as FHIR JSON. https://hl7.org/fhir/R4/binary.html"""

import base64
import json
import os

import pytest

from fhir_server.search.expression import EVERYTHING, WithId
from fhir_server.store.permit import Permit
from tests.interactions.special.sending import EVERY_SIZE, JSON, SMALL, put_raw
from tests.rest.served import BASE, issue_of


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


@EVERY_SIZE
async def test_a_label_added_to_a_binary_leaves_its_content_alone(client, content):
    await put_raw(client, content)
    meta = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [{"system": "urn:x", "code": "y"}]}}]}
    assert (await client.post("/Binary/b/$meta-add", json=meta)).status_code == 200
    assert (await client.get("/Binary/b")).content == content
    assert (await client.get("/Binary/b", headers=JSON)).json()["meta"]["tag"] == [{"system": "urn:x", "code": "y"}]


@EVERY_SIZE
async def test_a_patch_of_a_binary_leaves_its_content_alone(client, content):
    await put_raw(client, content)
    patch = [{"op": "replace", "path": "/contentType", "value": "image/png"}]
    patched = await client.patch("/Binary/b", content=json.dumps(patch), headers={"Content-Type": "application/json-patch+json"})
    assert (patched.status_code, patched.headers["ETag"]) == (200, 'W/"2"')
    read = await client.get("/Binary/b")
    assert (read.content, read.headers["Content-Type"]) == (content, "image/png")


@pytest.mark.parametrize("type", ["nonsense", "a" * 300 + "/b"])
async def test_content_needs_a_media_type(client, type):
    assert issue_of(await put_raw(client, SMALL, type=type))["expression"] == ["http.Content-Type"]


async def test_empty_content_is_content(client):
    assert (await put_raw(client, b"")).status_code == 201
    read = await client.get("/Binary/b")
    assert (read.status_code, read.content, read.headers["Content-Length"]) == (200, b"", "0")


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


@EVERY_SIZE
async def test_s39_a_hidden_binary_is_absent_in_every_form(application, client, content):
    await put_raw(client, content)
    service = application._endpoint.service
    nothing = WithId(("another",))

    async def permit(_):
        return Permit({("read", "Binary"): nothing, ("search-type", "Binary"): nothing}, EVERYTHING)

    service._access.permit = permit
    absent = await client.get("/Binary/never")
    for address, headers in (("/Binary/b", {}), ("/Binary/b", JSON), ("/Binary/b", {"Range": "bytes=0-1"}), ("/Binary/b/_history/1", {})):
        hidden = await client.get(address, headers=headers)
        assert hidden.status_code == 404
        assert hidden.json() == json.loads(absent.text.replace("never", "b"))
        assert "Accept-Ranges" not in hidden.headers
    assert "entry" not in (await client.get("/Binary?_id=b")).json()
