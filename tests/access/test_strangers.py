"""Who brings no valid token gets nothing: S33-S36, S52, S53, S56 over HTTP."""

import base64
import json
import logging
from datetime import timedelta

import httpx
import pytest

from fhir_server.app import create_app
from fhir_server.auth.roles import Role
from fhir_server.settings import Settings
from tests.access.records import EVERYTHING
from tests.access.secured import BASE, requester, store, token
from tests.rest.served import issue_of, patient

ADDRESSES = [
    ("GET", "/Patient/p1"), ("GET", "/Patient"), ("GET", "/"), ("POST", "/"), ("POST", "/Patient/_search"), ("PUT", "/Patient/p1"),
    ("PATCH", "/Patient/p1"), ("DELETE", "/Patient/p1"), ("GET", "/_history"), ("GET", "/Patient/p1/$everything"), ("POST", "/Patient/$validate"),
    ("GET", "/Binary/b"), ("GET", "/Nonsense"), ("GET", "/Nonsense/x"), ("BREW", "/Patient"), ("GET", "/metadata/x"), ("POST", "/metadata"),
    ("GET", "/%2e%2e/metadata"), ("GET", "/CodeSystem/$subsumes"), ("HEAD", "/Patient/p1"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "address"), ADDRESSES)
async def test_without_a_token_nothing_is_answered_and_nothing_told(secured, stranger, method, address):
    await store(secured, *EVERYTHING)
    answer = await stranger.request(method, address)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith('Bearer realm="Tsunagi"')
    if method != "HEAD":
        assert issue_of(answer)["code"] == "login"
        assert answer.text == (await stranger.get("/Patient/none")).text


async def test_everybody_may_ask_what_the_server_is(stranger):
    assert (await stranger.get("/metadata")).json()["resourceType"] == "CapabilityStatement"
    assert (await stranger.get(f"{BASE}/.well-known/smart-configuration")).json()["issuer"] == "http://tsunagi.example"
    for path in ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration", "/auth/jwks", "/health/live"):
        assert (await stranger.get(f"http://tsunagi.example{path}")).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "", "Bearer", "Bearer ", "bearer", "Basic dXNlcjpwYXNz", "Bearer a b", "Bearer é", "Token x", "Bearer null", "Bearer undefined",
        "Bearer {token}x", "Bearer {token}.", "Bearer {token},Bearer {token}", "Bearer  {token}", "Bearer {id_token}", "Bearer {none}",
        'Bearer {{"$ne": null}}', "DPoP {token}",
    ],
)  # fmt: skip
async def test_s35_nothing_but_an_access_token_in_the_right_form_is_taken(secured, stranger, header):
    await store(secured, *EVERYTHING)
    good = await token(secured, requester(Role.PHYSICIAN))
    identity = await secured.registry.identity.tokens.identity("app", "somebody", {}, timedelta(minutes=5))
    none = (
        base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "at+jwt"}).encode()).decode().rstrip("=")
        + "."
        + good.split(".")[1]
        + "."
    )
    sent = header.format(token=good, id_token=identity, none=none)
    answer = await stranger.get("/Patient/p1", headers={"Authorization": sent.encode("latin-1")})
    assert answer.status_code == 401
    assert good not in answer.text
    assert (await stranger.get("/Patient/p1", headers={"Authorization": f"bearer {good}"})).status_code == 200


async def test_s35_a_token_of_another_server_or_issuer_is_refused(secured, stranger, mongodb_uri, database_name):
    other = create_app(Settings(database=database_name, base_url="http://other.example/fhir"), mongodb_uri)
    async with other.outer.router.lifespan_context(other.outer):
        text = await token(other, requester(Role.PHYSICIAN))  # even with the same keys
    answer = await stranger.get("/Patient", headers={"Authorization": f"Bearer {text}"})
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_s33_hidden_and_absent_have_the_same_answer_on_every_way(secured, ask):
    await store(secured, *EVERYTHING)
    who = requester(Role.PHYSICIAN, "patient/*.cruds", patient="Patient/p1")
    for method, address in (
        ("GET", "/Observation/lab-{}"), ("GET", "/Observation/lab-{}/_history"), ("GET", "/Observation/lab-{}/_history/1"),
        ("GET", "/Observation?_id=lab-{}&_total=accurate"), ("GET", "/Patient/{}"), ("GET", "/Patient/{}/$everything"),
        ("GET", "/Observation?subject=Patient/{}&_total=accurate"), ("GET", "/Patient/{}/Observation"), ("DELETE", "/Observation/lab-{}"),
        ("GET", "/Observation/lab-{}/$meta"),
    ):  # fmt: skip
        hidden, absent = await ask(who, method, address.format("p2")), await ask(who, method, address.format("p9"))
        assert hidden.status_code == absent.status_code, address
        assert hidden.text.replace("p2", "p9") == absent.text, address
        same = {"etag", "last-modified", "location"}
        assert same & hidden.headers.keys() == same & absent.headers.keys(), address


async def test_s34_neither_answers_nor_logs_repeat_who_or_what(secured, ask, stranger, caplog):
    await store(secured, *EVERYTHING)
    caplog.set_level(logging.DEBUG)
    text = await token(secured, requester(Role.PHYSICIAN))
    for headers in ({"Authorization": f"Bearer {text}x"}, {"Authorization": f"Basic {text}"}, {}):
        answer = await stranger.get("/Patient?name=讃岐", headers=headers)
        assert "讃岐" not in answer.text
        assert text not in answer.text
    answer = await ask(requester(Role.SECRETARIAT), "GET", "/Observation?patient.name=讃岐")
    assert "讃岐" not in answer.text
    await ask(requester(Role.PHYSICIAN), "PUT", "/Patient/p1", json=patient(id="p1", link=[{"other": {"display": "讃岐"}, "type": "x"}]))
    assert not any("讃岐" in record.getMessage() or text in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Tenant": "Organization/other"}, {"X-Organization": "Organization/other"}, {"X-Forwarded-User": "S1"}, {"X-Remote-User": "S1"},
        {"X-SSL-Client-Cert": "-----BEGIN%20CERTIFICATE-----"}, {"Client-Cert": ":AAAA:"}, {"X-Role": "tester"}, {"X-Scope": "system/*.cruds"},
    ],
)  # fmt: skip
async def test_s52_no_header_makes_anybody_another_one(secured, ask, stranger, headers):
    await store(secured, *EVERYTHING)
    assert (await stranger.get("/Patient/p1", headers=headers)).status_code == 401
    assert (await ask(requester(Role.SECRETARIAT), "GET", "/Observation/lab-p1", headers=headers)).status_code == 403
    who = requester(Role.PHYSICIAN, "patient/*.rs", patient="Patient/p1")
    assert (await ask(who, "GET", "/Observation/lab-p2", headers=headers)).status_code == 404


async def test_s53_links_do_not_follow_what_a_client_says_of_proxies(secured, ask):
    await store(secured, *EVERYTHING)
    spoofed = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "gopher",
        "X-Forwarded-Prefix": "/evil",
        "Forwarded": "host=evil.example",
    }
    answer = await ask(requester(Role.PHYSICIAN), "GET", "/Patient?_count=1", headers=spoofed | {"Host": "evil.example"})
    assert "evil" not in answer.text
    assert all(link["url"].startswith(BASE) for link in answer.json()["link"])


async def test_s56_nobody_but_the_secretariat_says_who_is_whom(secured, ask):
    await store(secured, *EVERYTHING)
    link = [{"other": {"reference": "Patient/p2"}, "type": "seealso"}]
    merged = patient(id="p1", link=[{"other": {"reference": "Patient/p2"}, "type": "replaced-by"}])
    for who in (
        requester(Role.PHYSICIAN), requester(Role.SYSTEM), requester(Role.UPLOADER), requester(Role.CLERK),
        requester(Role.PHYSICIAN, "patient/*.cruds", patient="Patient/p1"),
    ):  # fmt: skip
        assert (await ask(who, "PUT", "/Patient/p1", json=merged)).status_code == 403
        entry = {"request": {"method": "PUT", "url": "Patient/p1"}, "resource": merged}
        assert (await ask(who, "POST", "", json={"resourceType": "Bundle", "type": "transaction", "entry": [entry]})).status_code == 403
    patch = [{"op": "add", "path": "/link", "value": link}]
    headers = {"Content-Type": "application/json-patch+json"}
    assert (await ask(requester(Role.PHYSICIAN), "PATCH", "/Patient/p1", json=patch, headers=headers)).status_code == 403
    new = {name: value for name, value in merged.items() if name != "id"}
    assert (await ask(requester(Role.PHYSICIAN), "POST", "/Patient", json=new)).status_code == 403
    assert (await ask(requester(Role.SECRETARIAT), "PUT", "/Patient/p1", json=merged)).status_code == 200
    kept = patient(id="p1", link=merged["link"], active=True)
    assert (await ask(requester(Role.PHYSICIAN), "PUT", "/Patient/p1", json=kept)).status_code == 200
    left_out = await ask(requester(Role.PHYSICIAN), "PUT", "/Patient/p1", json=patient(id="p1"))
    assert left_out.status_code == 200
    assert left_out.json()["link"] == merged["link"]


async def test_s07_the_link_of_one_page_shows_another_requester_what_that_one_may_see(secured, ask):
    await store(secured, *EVERYTHING)
    first = (await ask(requester(Role.PHYSICIAN), "GET", "/Observation?_count=1")).json()
    following = next(link["url"] for link in first["link"] if link["relation"] == "next")
    limited = requester(Role.PHYSICIAN, "patient/*.rs", patient="Patient/p1")
    found = set()
    while following:
        page = (await ask(limited, "GET", following)).json()
        found |= {each["resource"]["id"] for each in page.get("entry", ())}
        following = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)
    assert found <= {"lab-p1", "vital-p1"}
    assert (
        await ask(requester(Role.SECRETARIAT), "GET", next(each["url"] for each in first["link"] if each["relation"] == "next"))
    ).status_code == 403


async def test_a_batch_judges_every_entry_by_itself(secured, ask):
    await store(secured, *EVERYTHING)
    entries = [
        {"request": {"method": "GET", "url": url}}
        for url in ("Patient/p1", "Observation/lab-p1", "Observation?code=x", "AuditEvent/audit-p1")
    ]
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    answer = await ask(requester(Role.CLERK), "POST", "", json=bundle)
    assert [each["response"]["status"][:3] for each in answer.json()["entry"]] == ["200", "403", "403", "403"]


async def test_operations_are_within_the_permit(secured, ask):
    await store(secured, *EVERYTHING)
    clerk = requester(Role.CLERK)
    for address in ("/Observation/$lastn?patient=p1&code=x", "/Observation/lab-p1/$meta", "/Observation/$meta"):
        assert (await ask(clerk, "GET", address)).status_code == 403
    record = (await ask(clerk, "GET", "/Patient/p1/$everything")).json()
    types = {each["resource"]["resourceType"] for each in record["entry"]}
    assert types == {"Patient", "Encounter", "Coverage", "Consent"}
    tag = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [{"system": "urn:x", "code": "y"}]}}]}
    assert (await ask(requester(Role.PHARMACIST), "POST", "/Observation/lab-p1/$meta-add", json=tag)).status_code == 403


async def test_hsts_is_sent_where_the_server_is_reached_over_tls(mongodb_uri, database_name):
    app = create_app(Settings(database=database_name, base_url="https://fhir.example.jp/fhir"), mongodb_uri)
    async with app.outer.router.lifespan_context(app.outer), httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        for path in ("/fhir/metadata", "/fhir/Patient", "/health/live", "/auth/jwks", "/nothing"):
            answer = await client.get(f"https://fhir.example.jp{path}")
            assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
