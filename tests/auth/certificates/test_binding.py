"""What a connection proves by a certificate, and all that it does not prove."""

import time
from base64 import b64encode
from datetime import timedelta
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from fhir_server.auth.certificates.binding import Presented, Refused, networks
from fhir_server.auth.certificates.making import new_authority, new_certificate, new_root
from fhir_server.auth.certificates.pki import Proxies
from tests.auth.certificates.network import CLERK, EHR, NETWORK, PC, enrolled, plain_scope, process, tls_scope

PROXY = "10.1.0.5"


def header(certificate):
    return b"client-cert", b":" + b64encode(certificate.public_bytes(Encoding.DER)) + b":"


def escaped(certificate):
    return b"x-ssl-client-cert", quote(certificate.public_bytes(Encoding.PEM).decode(), safe="").encode()


async def test_the_servers_own_tls_proves_the_holder(pki):
    issued = await enrolled(pki, PC)
    found = pki.binding.presented(tls_scope(issued.certificate))
    assert isinstance(found, Presented)
    assert (found.facility, found.user, found.client, found.device) == (PC.facility, None, None, PC.id)
    assert found.thumbprint == issued.record.thumbprint
    assert found.serial == issued.record.serial
    assert found.not_after == issued.certificate.not_valid_after_utc


async def test_nothing_presented_proves_nothing(pki):
    for scope in (
        plain_scope(),
        {**plain_scope(), "extensions": None},
        {**plain_scope(), "extensions": {"tls": {"client_cert_chain": []}}},
    ):
        assert pki.binding.presented(scope) is None


@pytest.mark.parametrize("address", [PROXY, "192.168.7.200", "::ffff:10.1.0.5"])
async def test_a_proxy_that_the_operator_named_says_who_it_is(pki, address):
    issued = await enrolled(pki, EHR)
    assert pki.binding.presented(plain_scope(header(issued.certificate), client=address)).client == EHR.id


async def test_nginx_writes_it_percent_encoded(shelf, hands, pki):
    issued = await enrolled(pki, EHR)
    other = await process(shelf, hands, proxies=Proxies(PROXY, "X-SSL-Client-Cert"))
    assert other.binding.presented(plain_scope(escaped(issued.certificate), client=PROXY)).client == EHR.id


@pytest.mark.parametrize("address", ["203.0.113.9", "10.1.0.6", "192.168.8.1", "::1", "unix:", ""])
async def test_s52_the_header_from_anywhere_else_is_ignored_entirely(pki, address):
    certificate = (await enrolled(pki, EHR)).certificate
    for value in (header(certificate)[1], b"nonsense"):
        scope = plain_scope((b"client-cert", value), (b"client-cert", value), client=address)
        assert pki.binding.presented(scope) is None
    scope["client"] = None
    assert pki.binding.presented(scope) is None


async def test_s52_the_header_does_not_replace_what_the_connection_itself_proves(pki):
    own, others = await enrolled(pki, CLERK), await enrolled(pki, EHR)
    found = pki.binding.presented(tls_scope(own.certificate, headers=[header(others.certificate)]))
    assert found.holder == CLERK


async def test_s53_a_forwarded_address_makes_nobody_a_proxy(pki):
    certificate = (await enrolled(pki, EHR)).certificate
    forged = [(b"x-forwarded-for", PROXY.encode()), (b"forwarded", b"for=10.1.0.5"), (b"x-real-ip", PROXY.encode())]
    assert pki.binding.presented(plain_scope(header(certificate), *forged)) is None


async def test_s52_without_a_configured_header_no_address_is_a_proxy(shelf, hands, pki):
    certificate = (await enrolled(pki, EHR)).certificate
    other = await process(shelf, hands, proxies=Proxies("10.0.0.0/8", None))
    assert other.binding.presented(plain_scope(header(certificate), client=PROXY)) is None


async def test_a_proxys_own_certificate_is_not_the_requesters(pki):
    proxys = await enrolled(pki, PC)
    assert pki.binding.presented(tls_scope(proxys.certificate, client=PROXY)) is None


async def test_s52_a_header_that_comes_twice_is_refused(pki):
    one, other = await enrolled(pki, EHR), await enrolled(pki, CLERK)
    for pair in ((one, other), (one, one)):
        with pytest.raises(Refused) as refused:
            pki.binding.presented(plain_scope(*(header(each.certificate) for each in pair), client=PROXY))
        assert refused.value.reason == "twice"
        assert refused.value.status == 403


@pytest.mark.parametrize("value", [b":", b"::", b":!!!:", b":AAAA:", b"AAAA", b"%00", b"%", b"\xff", b":" + b"A" * 40_000 + b":"])
async def test_a_header_that_is_no_certificate_is_refused(pki, value):
    with pytest.raises(Refused) as refused:
        pki.binding.presented(plain_scope((b"client-cert", value), client=PROXY))
    assert refused.value.reason == "unreadable"


async def test_an_empty_header_is_no_certificate(pki):
    assert pki.binding.presented(plain_scope((b"client-cert", b" "), client=PROXY)) is None


async def test_a_certificate_of_another_network_of_the_same_name_is_refused(pki, hands):
    root = new_root(NETWORK, hands.moment)
    key = ec.generate_private_key(ec.SECP256R1())
    authority = new_authority(NETWORK, root, hands.moment)
    forged = new_certificate(
        authority, key.public_key(), CLERK, network=NETWORK, number="20260401001", now=hands.moment, ends=hands.moment + timedelta(days=365)
    )
    for scope in (tls_scope(forged), plain_scope(header(forged), client=PROXY)):
        with pytest.raises(Refused) as refused:
            pki.binding.presented(scope)
        assert refused.value.reason == "untrusted"


async def test_a_certificate_of_the_authority_that_the_register_does_not_know_is_refused(pki, hands):
    issuer = (await pki.authorities.current()).issuer
    key = ec.generate_private_key(ec.SECP256R1())
    unknown = new_certificate(
        issuer, key.public_key(), CLERK, network=NETWORK, number="1", now=hands.moment, ends=hands.moment + timedelta(days=9)
    )
    with pytest.raises(Refused) as refused:
        pki.binding.presented(tls_scope(unknown))
    assert refused.value.reason == "unknown"


async def test_a_servers_certificate_is_no_clients(pki, hands):
    issuer = (await pki.authorities.current()).issuer
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri) for uri in CLERK.uris])
    made = (
        x509.CertificateBuilder(issuer.certificate.subject, x509.Name([]), key.public_key(), x509.random_serial_number())
        .not_valid_before(hands.moment - timedelta(days=1))
        .not_valid_after(hands.moment + timedelta(days=1))
        .add_extension(names, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
        .sign(issuer.key, SHA256())
    )
    with pytest.raises(Refused) as refused:
        pki.binding.presented(tls_scope(made))
    assert refused.value.reason == "untrusted"


async def test_the_authority_itself_is_nobody(pki):
    with pytest.raises(Refused):
        pki.binding.presented(tls_scope((await pki.authorities.current()).issuer.certificate))


async def test_a_certificate_is_refused_after_its_end_even_where_it_was_seen_before(pki, hands):
    certificate = (await enrolled(pki)).certificate
    assert pki.binding.presented(tls_scope(certificate))
    hands.shift(timedelta(days=365, seconds=1))
    await pki.refresh()
    with pytest.raises(Refused) as refused:
        pki.binding.presented(tls_scope(certificate))
    assert refused.value.reason == "ended"


async def test_f101_a_certificate_behind_a_proxy_is_refused_as_soon_as_it_is_revoked(pki):
    issued = await enrolled(pki, EHR)
    scope = plain_scope(header(issued.certificate), client=PROXY)
    assert pki.binding.presented(scope)
    await pki.register.revoke(issued.record.id, "lost")
    with pytest.raises(Refused, match="revoked"):
        pki.binding.presented(scope)


async def test_other_authorities_are_accepted_where_the_operator_names_them(pki, shelf, hands):
    chain = await pki.chain()
    issued = await enrolled(pki)
    other = await process(shelf, hands, anchors=chain)
    assert other.binding.presented(tls_scope(issued.certificate))


async def test_asking_again_is_quick(pki):
    scope = plain_scope(header((await enrolled(pki)).certificate), client=PROXY)
    pki.binding.presented(scope)
    started = time.perf_counter()
    for _ in range(1000):
        pki.binding.presented(scope)
    assert time.perf_counter() - started < 0.1  # 0.1 ms each, generous for a busy machine; a few µs are usual


@pytest.mark.parametrize("text", ["10.0.0", "proxy.example", "10.0.0.1/8", "10.0.0.0/33"])
def test_addresses_of_proxies_are_addresses(text):
    with pytest.raises(ValueError, match=r"."):
        networks(text)


def test_no_addresses_are_no_proxies():
    assert networks(None) == networks("") == networks(" , ") == ()
