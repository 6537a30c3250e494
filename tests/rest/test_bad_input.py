"""Bad input: always an OperationOutcome with severity, code, diagnostics and expression; never a 500, never a partial write."""

import asyncio
import gzip
import json

import pytest

from fhir_server.rest.request import Limits
from tests.rest.served import BASE, issue_of, observation, patient

JSON = {"Content-Type": "application/fhir+json"}


def raw(resource):
    return json.dumps(resource, ensure_ascii=False).encode()


async def everything(client):
    found = 0
    for type in ("Patient", "Observation"):
        found += (await client.get(f"/{type}?_total=accurate&_count=0")).json()["total"]
    return found


BODIES = {
    "malformed JSON": (b'{"resourceType":"Patient",', {400}, "structure", "Patient"),
    "no JSON at all": (b"<Patient/>", {400}, "structure", "Patient"),
    "an empty body": (b"", {400}, "structure", "Patient"),
    "a list": (b"[]", {400}, "structure", "Patient"),
    "a text": (b'"Patient"', {400}, "structure", "Patient"),
    "null": (b"null", {400}, "structure", "Patient"),
    "NaN": (b'{"resourceType":"Patient","multipleBirthInteger":NaN}', {400}, "structure", "Patient"),
    "broken UTF-8": (b'{"resourceType":"Patient","name":[{"family":"\xff\xfe"}]}', {400}, "structure", "Patient"),
    "a lone surrogate": (b'{"resourceType":"Patient","name":[{"family":"\\ud800"}]}', {400, 422}, None, "Patient"),
    "deep nesting": (b'{"resourceType":"Patient","extension":' + b"[" * 5000 + b"]" * 5000 + b"}", {400}, "structure", "Patient"),
    "deep objects": (b'{"resourceType":"Patient","contact":' + b'{"a":' * 300 + b"1" + b"}" * 300 + b"}", {400}, "structure", "Patient"),
    "no resourceType": (b"{}", {400}, "structure", "Patient"),
    "another resourceType": (b'{"resourceType":"Observation"}', {400}, "invalid", "Patient.resourceType"),
    "a resourceType that is a number": (b'{"resourceType":1}', {400}, "invalid", "Patient.resourceType"),
    "an unknown element": (raw(patient(nickname="x")), {400}, "structure", "Patient"),
    "a wrong type": (raw(patient(active="yes")), {400, 422}, None, "Patient.active"),
    "an object for a list": (raw(patient(name={"family": "x"})), {400}, None, "Patient.name"),
    "a list for an object": (raw(patient(maritalStatus=[])), {400}, None, "Patient.maritalStatus"),
    "a bad date": (raw(patient(birthDate="2026-02-30")), {400, 422}, None, "Patient.birthDate"),
    "a code that is not in the value set": (raw(patient(gender="unclear")), {400, 422}, None, "Patient.gender"),
    "a null element": (raw(patient(gender=None)), {400}, None, "Patient.gender"),
    "two choices at once": (raw(patient(deceasedBoolean=True, deceasedDateTime="2026")), {400, 422}, None, "Patient.deceased"),
}


@pytest.mark.parametrize("name", BODIES)
async def test_s45_a_bad_body_is_refused_with_an_outcome_and_stores_nothing(client, name):
    body, statuses, code, expression = BODIES[name]
    response = await client.post("/Patient", content=body, headers=JSON)
    issue = issue_of(response)
    assert response.status_code in statuses
    assert code is None or issue["code"] == code
    assert issue["expression"][0].startswith(expression)
    assert await everything(client) == 0


async def test_a_missing_required_element_is_named(client):
    resource = observation("Patient/1")
    del resource["status"]
    response = await client.post("/Observation", json=resource)
    assert response.status_code in {400, 422}
    assert issue_of(response)["code"] == "required"
    assert issue_of(response)["expression"][0].startswith("Observation")


SEARCHES = {
    "an unknown parameter": "/Patient?nickname=x",
    "an unknown modifier": "/Patient?name:sounds=x",
    "a bad date": "/Patient?birthdate=2026-13-45",
    "a bad prefix": "/Patient?birthdate=xx2026",
    "a bad number": "/RiskAssessment?probability=much",
    "a bad quantity": "/Observation?value-quantity=a|b|c",
    "a bad _sort": "/Patient?_sort=nickname",
    "a bad _count": "/Patient?_count=many",
    "a negative _count": "/Patient?_count=-1",
    "a bad page": "/Patient?_after=xyz",
    "a chain into nothing": "/Observation?patient.nickname=x",
    "a chain through a type that is none": "/Observation?subject:Nonsense.name=x",
    "a _has of nothing": "/Patient?_has:Nonsense:subject:code=1",
    "a half _has": "/Patient?_has=1",
    "a bad include": "/Observation?_include=Observation:nickname",
    "broken percent-encoding": "/Patient?name=%zz",
    "percent-encoding that is not UTF-8": "/Patient?name=%ff",
    "a NUL": "/Patient?name=%00",
    "an operator of the database": "/Patient?name[$ne]=x",
    "the database's where": "/Patient?$where=1",
    "a prototype": "/Patient?__proto__=1",
}


@pytest.mark.parametrize("name", SEARCHES)
async def test_s47_a_search_that_cannot_be_understood_is_refused(client, name):
    response = await client.get(SEARCHES[name])
    assert response.status_code == 400
    issue_of(response)


@pytest.mark.parametrize("value", ['{"$ne":null}', "{$gt:''}", ".*", "(a+)+$", "\\", "a,b", "x|y|z"])
async def test_s48_text_that_means_something_elsewhere_is_only_text(client, value):
    await client.put("/Patient/p1", json=patient(id="p1"))
    for name in ("name", "name:contains", "name:exact", "gender", "identifier"):
        response = await client.get("/Patient", params={name: value})
        assert response.status_code in {200, 400}
        assert response.status_code == 400 or "entry" not in response.json()


async def test_lenient_handling_ignores_what_it_does_not_know_and_says_so(client):
    await client.put("/Patient/p1", json=patient(id="p1"))
    response = await client.get("/Patient?nickname=x&gender=female", headers={"Prefer": "handling=lenient"})
    bundle = response.json()
    assert response.status_code == 200
    modes = [entry["search"]["mode"] for entry in bundle["entry"]]
    assert sorted(modes) == ["match", "outcome"]
    outcome = next(entry["resource"] for entry in bundle["entry"] if entry["search"]["mode"] == "outcome")
    assert "nickname" in outcome["issue"][0]["diagnostics"]
    assert outcome["issue"][0]["severity"] == "warning"
    assert "nickname" not in next(link["url"] for link in bundle["link"] if link["relation"] == "self")


ADDRESSES = {
    "an unknown resource type": ("GET", "/Nonsense/1", 404, "not-supported"),
    "a type in lower case": ("GET", "/patient/1", 404, "not-supported"),
    "an abstract type": ("GET", "/DomainResource/1", 404, "not-supported"),
    "a bad id": ("GET", "/Patient/a_b", 400, "value"),
    "an id that is too long": ("GET", "/Patient/" + "a" * 65, 400, "value"),
    "an id that climbs": ("GET", "/Patient/..%2f..", 400, "value"),
    "broken percent-encoding": ("GET", "/Patient/%zz", 400, "invalid"),
    "percent-encoding that is not UTF-8": ("GET", "/Patient/%ff", 400, "invalid"),
    "a version that is no number": ("GET", "/Patient/p1/_history/x", 404, "not-found"),
    "a version that is too large": ("GET", "/Patient/p1/_history/99999999999999999999", 404, "not-found"),
    "version zero": ("GET", "/Patient/p1/_history/0", 404, "not-found"),
    "an unknown operation": ("GET", "/Patient/p1/$nothing", 404, "not-supported"),
    "an operation on the system": ("POST", "/$export", 404, "not-supported"),
    "an address with too many parts": ("GET", "/Patient/p1/a/b/c", 404, "not-supported"),
    "a resource that was never there": ("GET", "/Patient/never", 404, "not-found"),
    "a conditional delete without criteria": ("DELETE", "/Patient", 400, "required"),
    "a conditional delete by what is unknown": ("DELETE", "/Patient?nonsense=1", 400, "not-supported"),
    "a patch without a body": ("PATCH", "/Patient/p1", 400, "structure"),
    "a patch of a version": ("PATCH", "/Patient/p1/_history/1", 405, "not-supported"),
    "a method that is none": ("BREW", "/Patient/p1", 405, "not-supported"),
}


@pytest.mark.parametrize("name", ADDRESSES)
async def test_s57_an_address_that_is_not_served_says_so(client, name):
    method, path, status, code = ADDRESSES[name]
    await client.put("/Patient/p1", json=patient(id="p1"))
    response = await client.request(method, path)
    assert (response.status_code, issue_of(response)["code"]) == (status, code)
    assert status != 405 or response.headers["Allow"]
    assert await everything(client) == 1


HEADERS = {
    "XML": ("POST", {"Content-Type": "application/fhir+xml"}, 415),
    "another charset": ("POST", {"Content-Type": "application/fhir+json; charset=shift_jis"}, 415),
    "another FHIR version": ("POST", {"Content-Type": "application/fhir+json; fhirVersion=5.0"}, 415),
    "a form": ("POST", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
    "an unknown encoding": ("POST", {**JSON, "Content-Encoding": "br"}, 415),
    "what is said to be gzip": ("POST", {**JSON, "Content-Encoding": "gzip"}, 400),
    "an answer in XML only": ("GET", {"Accept": "application/fhir+xml"}, 406),
    "an answer in FHIR R5 only": ("GET", {"Accept": "application/fhir+json; fhirVersion=5.0"}, 406),
    "If-Match without quotes": ("PUT", {**JSON, "If-Match": "1"}, 400),
    "If-Match of nonsense": ("PUT", {**JSON, "If-Match": 'W/"x"'}, 412),
    "If-None-Match of nonsense": ("GET", {"If-None-Match": '"1'}, 400),
    "If-Modified-Since that is no date": ("GET", {"If-Modified-Since": "yesterday"}, 400),
    "a conditional create by what is unknown": ("POST", {**JSON, "If-None-Exist": "nonsense=1"}, 400),
    "a conditional create by what is not UTF-8": ("POST", {**JSON, "If-None-Exist": b"family=\xff"}, 400),
    "a bad Host": ("GET", {"Host": "a b<script>"}, 400),
}


@pytest.mark.parametrize("name", HEADERS)
async def test_a_header_that_cannot_be_served_says_so(client, name):
    method, headers, status = HEADERS[name]
    await client.put("/Patient/p1", json=patient(id="p1"))
    path, body = ("/Patient", raw(patient())) if method == "POST" else ("/Patient/p1", raw(patient(id="p1")) if method == "PUT" else None)
    response = await client.request(method, path, content=body, headers=headers)
    assert response.status_code == status
    issue_of(response)
    assert await everything(client) == 1
    assert (await client.get("/Patient/p1")).headers["ETag"] == 'W/"1"'


async def test_s53_headers_of_proxies_change_no_link(client):
    spoofed = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.example"}
    response = await client.post("/Patient", json=patient(), headers=spoofed)
    assert response.headers["Location"].startswith(BASE)
    assert "evil" not in (await client.get("/Patient", headers=spoofed)).text


@pytest.mark.parametrize(
    "accept",
    ["*/*", "application/json", "application/fhir+json;fhirVersion=4.0", "text/html, */*;q=0.1", "application/xml, application/json;q=0.5"],
)
async def test_an_accept_header_that_json_satisfies_is_served(client, accept):
    assert (await client.get("/Patient", headers={"Accept": accept})).status_code == 200


@pytest.mark.parametrize(("format", "status"), [("json", 200), ("application/fhir+json", 200), ("xml", 406), ("ttl", 406)])
async def test_the_format_parameter_goes_before_the_accept_header(client, format, status):
    assert (await client.get(f"/Patient?_format={format}", headers={"Accept": "application/fhir+xml"})).status_code == status


async def test_a_body_that_says_it_is_too_long_is_refused_before_it_is_read(client):
    response = await client.post("/Patient", content=b" " * (2 * 1024 * 1024 + 1), headers=JSON)
    assert (response.status_code, issue_of(response)["code"]) == (413, "too-long")


async def test_a_body_that_turns_out_too_long_is_refused_on_the_way(client):
    async def stream():
        for _ in range(40):
            yield b" " * 65536

    response = await client.post("/Patient", content=stream(), headers=JSON)
    assert (response.status_code, issue_of(response)["code"]) == (413, "too-long")


async def test_a_body_that_does_not_arrive_is_not_waited_for(application):
    endpoint = application._endpoint
    endpoint.limits = Limits(body=1000, seconds=0.05)
    sent = []

    async def receive():
        await asyncio.sleep(60)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/fhir/Patient", "raw_path": b"/fhir/Patient", "query_string": b"", "scheme": "http"}
    await application({**scope, "headers": [(b"host", b"tsunagi.example")], "server": ("127.0.0.1", 8080)}, receive, send)
    assert sent[0]["status"] == 408
    assert json.loads(sent[1]["body"])["issue"][0]["code"] == "timeout"


async def test_a_small_gzip_that_unpacks_to_too_much_is_refused(client):
    response = await client.post("/Patient", content=gzip.compress(b" " * (3 * 1024 * 1024)), headers={**JSON, "Content-Encoding": "gzip"})
    assert (response.status_code, issue_of(response)["code"]) == (413, "too-long")


async def test_a_gzipped_body_is_taken(client):
    response = await client.post("/Patient", content=gzip.compress(raw(patient())), headers={**JSON, "Content-Encoding": "gzip"})
    assert response.status_code == 201


async def test_an_update_without_an_id_or_with_another_one_is_refused(client):
    for body in (patient(), patient(id="p2"), patient(id=1)):
        response = await client.put("/Patient/p1", json=body)
        assert (response.status_code, issue_of(response)["expression"]) == (400, ["Patient.id"])
    assert await everything(client) == 0


BUNDLES = {
    "no Bundle": (patient(), "Bundle.resourceType"),
    "a Bundle of another type": ({"resourceType": "Bundle", "type": "collection"}, "Bundle.type"),
    "a Bundle without a type": ({"resourceType": "Bundle"}, "Bundle.type"),
    "entries that are no list": ({"resourceType": "Bundle", "type": "transaction", "entry": {}}, "Bundle.entry"),
    "entries that are no objects": ({"resourceType": "Bundle", "type": "transaction", "entry": [1]}, "Bundle.entry[0]"),
    "an unknown element": ({"resourceType": "Bundle", "type": "transaction", "items": []}, "Bundle"),
}


@pytest.mark.parametrize("name", BUNDLES)
async def test_a_bundle_that_cannot_be_understood_is_refused(client, name):
    body, expression = BUNDLES[name]
    response = await client.post("", json=body)
    assert response.status_code == 400
    assert issue_of(response)["expression"][0].startswith(expression)


@pytest.mark.parametrize("value", ["花子讃岐", "0099887766"])
async def test_s34_an_error_never_repeats_what_was_sent(client, value):
    attempts = [
        lambda: client.post("/Patient", json=patient(gender=value)),
        lambda: client.post("/Patient", json=patient(birthDate=value)),
        lambda: client.post("/Patient", json={**patient(), "active": value}),
        lambda: client.get("/Patient", params={"birthdate": value + "x"}),
        lambda: client.get("/Observation", params={"value-quantity": value + "x"}),
        lambda: client.post("/Patient", content=f'{{"resourceType":"Patient","name":{value}x'.encode(), headers=JSON),
    ]
    for attempt in attempts:
        response = await attempt()
        assert response.status_code >= 400
        assert value not in response.text
