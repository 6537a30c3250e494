"""Certificates over HTTP: enrolling, renewing, lists; and what stands before everything else."""

import json
import logging
from base64 import b64decode, b64encode
from datetime import timedelta

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12
from fastapi import FastAPI, Request

from fhir_server.auth.throttle import WINDOWS, Throttle
from fhir_server.authorization.certificate_guard import CertificateGuard
from fhir_server.authorization.enrolment import Enrolling, add_enrolment
from tests.auth.certificates.network import CLERK, FACILITY, Hands, enrolled, founded, open_shelf, process, request_for

PROXY = "10.1.0.5"


@pytest.fixture
def hands():
    return Hands()


@pytest.fixture
async def shelf(mongodb_uri, database_name, hands):
    async with open_shelf(mongodb_uri, database_name, hands) as opened:
        yield opened


@pytest.fixture
async def pki(shelf, hands):
    return await founded(await process(shelf, hands), hands)


@pytest.fixture
def app(pki, shelf, hands):
    made = FastAPI()
    throttle = Throttle(shelf.records(WINDOWS), hands.clock, b"a secret of these tests")
    add_enrolment(made, lambda: Enrolling(pki, throttle, "K-MIX R"))

    @made.get("/anything")
    async def anything(request: Request) -> str:
        found = pki.binding.presented(request.scope)
        return found.holder.id if found else "nobody"

    return made


def asking(app, address="203.0.113.9"):
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(address, 40000)), base_url="https://localhost")


@pytest.fixture
async def http(app):
    async with asking(app) as client:
        yield client


def shown(certificate):
    return {"Client-Cert": ":" + b64encode(certificate.public_bytes(Encoding.DER)).decode() + ":"}


def diagnostics(answer):
    assert answer.headers["content-type"] == "application/fhir+json"
    return answer.json()["issue"][0]["diagnostics"]


async def test_a_program_enrols_with_a_request_of_its_own(pki, http):
    for as_json in (True, False):
        body = {"token": await pki.enrolment.invite(CLERK), "csr": request_for().decode()}
        answer = await http.post("/pki/enrol", **({"json": body} if as_json else {"data": body}))
        assert answer.status_code == 201
        assert answer.headers["content-type"] == "application/pem-certificate-chain"
        assert answer.headers["cache-control"] == "no-store"
        certificate, authority = x509.load_pem_x509_certificates(answer.content)
        certificate.verify_directly_issued_by(authority)


async def test_f050_a_program_without_a_key_gets_one_with_its_password(pki, http):
    answer = await http.post("/pki/enrol", json={"token": await pki.enrolment.invite(CLERK)})
    assert answer.status_code == 201
    told = answer.json()
    key, certificate, _ = pkcs12.load_key_and_certificates(b64decode(told["pkcs12"]), told["password"].encode())
    assert key.public_key() == certificate.public_key()
    assert told["number"] == "20260401001"


async def test_f049_what_is_no_invitation_is_refused_the_same_whatever_is_wrong(pki, http, hands):
    used = await pki.enrolment.invite(CLERK)
    await pki.enrolment.enrol(used, request_for())
    old = await pki.enrolment.invite(CLERK)
    hands.shift(timedelta(days=8))
    answers = [await http.post("/pki/enrol", json={"token": each, "csr": request_for().decode()}) for each in (used, old, FACILITY, "")]
    assert {each.status_code for each in answers} == {403}
    assert len({each.content for each in answers}) == 1


@pytest.mark.parametrize(
    ("content", "media", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"token": 1}', "application/json", 400),
        (b'{"token": "\xff"}', "application/json", 400),
        (b'{"token": "' + b"A" * 70_000 + b'"}', "application/json", 413),
        (b"token=%FF", "application/x-www-form-urlencoded", 400),
        (b"token=A", "text/plain", 415),
        (b"", "", 415),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused_in_plain_words(http, content, media, status):
    answer = await http.post("/pki/enrol", content=content, headers={"content-type": media})
    assert answer.status_code == status
    assert diagnostics(answer)


async def test_enrolling_is_limited_for_each_address(app, pki, hands):
    async with asking(app) as busy, asking(app, "203.0.113.10") as other:
        token = await pki.enrolment.invite(CLERK)
        answers = [await busy.post("/pki/enrol", json={"token": "guess"}) for _ in range(31)]
        assert [each.status_code for each in answers[-2:]] == [403, 429]
        assert int(answers[-1].headers["retry-after"]) <= 60
        assert (await busy.post("/pki/enrol", data={"token": token, "page": "1"})).status_code == 429
        assert (await other.post("/pki/enrol", json={"token": token})).status_code == 201
        hands.shift(timedelta(minutes=1))
        assert (await busy.post("/pki/enrol", json={"token": "guess"})).status_code == 403


async def test_the_page_gives_a_file_and_its_password_once(pki, http):
    token = await pki.enrolment.invite(CLERK)
    page = await http.get("/pki/enrol", headers={"accept-language": "en"})
    assert "Code of the invitation" in page.text
    assert "招待コード" in (await http.get("/pki/enrol")).text
    answer = await http.post("/pki/enrol", data={"token": token.lower(), "page": "1"})
    assert answer.status_code == 201
    password = answer.text.partition('id="password">')[2].partition("<")[0]
    content = b64decode(answer.text.partition("base64,")[2].partition('"')[0].replace("&#43;", "+"))
    assert pkcs12.load_key_and_certificates(content, password.encode())[1] is not None
    again = await http.post("/pki/enrol", data={"token": token, "page": "1"})
    assert again.status_code == 403
    assert "事務局に新しいコード" in again.text
    for each in (page, answer, again):
        assert "default-src 'none'" in each.headers["content-security-policy"]
        assert each.headers["cache-control"] == "no-store"
        assert token not in each.text


async def test_a_code_is_never_written_back_into_the_page(http):
    answer = await http.post("/pki/enrol?lang=%22%3E%3Cscript%3E", data={"token": "<script>alert(1)</script>", "page": "1"})
    assert answer.status_code == 403
    assert "<script" not in answer.text


async def test_s34_no_code_and_no_password_reach_the_log(pki, http, caplog):
    caplog.set_level(logging.DEBUG)
    token = await pki.enrolment.invite(CLERK)
    told = (await http.post("/pki/enrol", json={"token": token})).json()
    assert told["password"] not in caplog.text
    assert token not in caplog.text


async def test_a_certificate_is_renewed_over_the_connection_that_shows_it(app, pki):
    first = (await enrolled(pki)).certificate
    async with asking(app, PROXY) as proxy:
        answer = await proxy.post("/pki/renew", json={"csr": request_for().decode()}, headers=shown(first))
        assert answer.status_code == 201
        second = x509.load_pem_x509_certificates(answer.content)[0]
        assert (await proxy.get("/anything", headers=shown(second))).json() == CLERK.id
        assert (await proxy.post("/pki/renew", json={"csr": request_for().decode()})).status_code == 403
        assert (await proxy.post("/pki/renew", json={"csr": "nonsense"}, headers=shown(second))).status_code == 400


async def test_s52_nobody_renews_a_certificate_by_writing_it_into_a_header(pki, http):
    certificate = (await enrolled(pki)).certificate
    answer = await http.post("/pki/renew", json={"csr": request_for().decode()}, headers=shown(certificate))
    assert answer.status_code == 403
    assert len(await pki.register.listed()) == 1


async def test_the_lists_and_authorities_are_public(pki, http):
    issued = await enrolled(pki)
    await pki.register.revoke(issued.record.id, "lost")
    listed = await http.get("/pki/crl")
    assert listed.headers["content-type"] == "application/pkix-crl"
    assert x509.load_der_x509_crl(listed.content).get_revoked_certificate_by_serial_number(issued.certificate.serial_number)
    assert (await http.get(f"/pki/crl/{issued.record.authority}")).content == listed.content
    authority, root = x509.load_pem_x509_certificates((await http.get("/pki/ca")).content)
    assert authority == issued.above[0]
    assert root.subject == root.issuer
    assert x509.load_der_x509_certificate((await http.get(f"/pki/ca/{issued.record.authority}")).content) == authority
    for path in ("/pki/crl/00", "/pki/ca/00", "/pki/crl/%7B%22$ne%22%3A1%7D"):
        assert (await http.get(path)).status_code == 404


async def test_before_there_is_an_authority_the_list_is_not_there_yet(shelf, hands):
    made, pki = FastAPI(), await process(shelf, hands)
    add_enrolment(made, lambda: Enrolling(pki, Throttle(shelf.records(WINDOWS), hands.clock, b"x" * 16)))
    async with asking(made) as http:
        answer = await http.get("/pki/crl")
        assert answer.status_code == 503
        assert "tsunagi cert" in diagnostics(answer)
        assert (await http.get("/pki/ca")).content == b""


async def test_before_the_start_everything_says_so():
    made = FastAPI()
    add_enrolment(made, lambda: None)
    async with asking(CertificateGuard(made, lambda: None, required=True)) as http:
        assert (await http.get("/pki/enrol")).status_code == 503
        assert (await http.get("/anything")).status_code == 503


async def test_f051_where_a_certificate_is_required_nothing_but_the_way_to_one_is_open(app, pki):
    guarded = CertificateGuard(app, lambda: pki, required=True)
    certificate = (await enrolled(pki)).certificate
    async with asking(guarded, PROXY) as proxy, asking(guarded) as direct:
        assert (await proxy.get("/anything", headers=shown(certificate))).json() == CLERK.id
        for client in (proxy, direct):
            refused = await client.get("/anything")
            assert refused.status_code == 403
            assert "certificate" in diagnostics(refused)
            assert (await client.get("/pki/enrol")).status_code == 200
            assert (await client.get("/pki/crl")).status_code == 200
        assert (await direct.get("/anything", headers=shown(certificate))).status_code == 403
        assert (await direct.get("/pki/enrolments")).status_code == 403
        assert (await direct.get("/pki/renew")).status_code == 403


async def test_f101_a_revoked_certificate_is_refused_even_where_none_is_required(app, pki):
    issued = await enrolled(pki)
    guarded = CertificateGuard(app, lambda: pki, required=False)
    async with asking(guarded, PROXY) as proxy:
        assert (await proxy.get("/anything")).json() == "nobody"
        assert (await proxy.get("/anything", headers=shown(issued.certificate))).status_code == 200
        await pki.register.revoke(issued.record.id, "stolen")
        refused = await proxy.get("/anything", headers=shown(issued.certificate))
        assert refused.status_code == 403
        assert json.loads(refused.content)["issue"][0]["code"] == "security"


async def test_a_certificate_that_another_process_has_just_issued_is_known_at_once(app, shelf, pki, hands):
    other = await process(shelf, hands)
    issued = await enrolled(other)
    async with asking(CertificateGuard(app, lambda: pki, required=True), PROXY) as proxy:
        assert (await proxy.get("/anything", headers=shown(issued.certificate))).json() == CLERK.id
