"""What the server speaks over TLS, and to whom: asked from outside, as testssl and sslyze do (NETWORK.md F051, F110, L06)."""

import asyncio
import http.client
import shutil
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from fhir_server.auth.certificates.making import new_authority, new_root
from fhir_server.command import CommandFailed
from fhir_server.command.tls import SUITES_1_2, Renewal, Tls, context
from tests.auth.certificates.network import NETWORK, open_shelf, process
from tests.running.tls_server import REFUSED, Present, foreign_file, holder_file, openssl, running, server_certificate, spoken, written

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="the command openssl is absent")


@pytest.fixture
async def pki(mongodb_uri, database_name):
    hands = Present()
    async with open_shelf(mongodb_uri, database_name, hands) as shelf:
        made = await process(shelf, hands)
        await made.authorities.install(NETWORK, new_root(NETWORK, datetime.now(UTC)))
        yield made


async def test_f051_l06_without_a_good_certificate_nobody_gets_in_where_one_is_required(pki, mongodb_uri, database_name, tmp_path):
    holder, issued = await holder_file(pki, tmp_path)
    other = new_authority(NETWORK, new_root(NETWORK, datetime.now(UTC)), datetime.now(UTC))
    own = (await pki.authorities.current()).issuer
    stranger = foreign_file(tmp_path, other, "stranger")
    expired = foreign_file(tmp_path, own, "expired", starts=datetime.now(UTC) - timedelta(days=9))
    unregistered = foreign_file(tmp_path, own, "unregistered")
    with running(mongodb_uri, database_name, tmp_path, clients="required") as server:
        assert server.get(holder=holder) == (200, "https clerk.sato")
        for each in (None, stranger, expired):
            with pytest.raises(REFUSED):
                server.get(holder=each)
        assert server.get(holder=unregistered) == (403, "unknown")
        await pki.register.revoke(issued.record.id, "stolen")
        started = time.monotonic()
        while (answer := server.get(holder=holder)) != (403, "revoked"):
            assert answer == (200, "https clerk.sato")
            assert time.monotonic() - started < 10  # F101: less than a minute
            await asyncio.sleep(0.1)


async def test_f101_a_connection_that_is_open_already_is_refused_too(pki, mongodb_uri, database_name, tmp_path):
    holder, issued = await holder_file(pki, tmp_path)
    with running(mongodb_uri, database_name, tmp_path, clients="optional") as server:
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=server.client(holder=holder), timeout=10)

        def asked():
            connection.request("GET", "/")
            return connection.getresponse().read()

        assert asked() == b"https clerk.sato"
        await pki.register.revoke(issued.record.id, "stolen")
        await asyncio.sleep(1)
        assert asked() == b"revoked"
        connection.close()


async def test_f101_a_resumed_session_proves_its_certificate_until_that_is_revoked(pki, mongodb_uri, database_name, tmp_path):
    holder, issued = await holder_file(pki, tmp_path)

    def asked(made, session=None):
        with made.wrap_socket(socket.create_connection(("127.0.0.1", server.port)), server_hostname="127.0.0.1", session=session) as wire:
            wire.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: wire.recv(4096), b""))
            return answer.rpartition(b"\r\n")[2], wire.session, wire.session_reused

    with running(mongodb_uri, database_name, tmp_path, clients="required") as server:
        made = server.client(holder=holder)
        answer, session, _ = asked(made)
        assert answer == b"https clerk.sato"
        answer, session, reused = asked(made, session)
        assert (answer, reused) == (b"https clerk.sato", True)
        await pki.register.revoke(issued.record.id, "stolen")
        await asyncio.sleep(1)
        assert asked(made, session)[0] == b"revoked"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
async def test_l06_only_tls_1_3_is_spoken_by_default(pki, mongodb_uri, database_name, tmp_path):
    with running(mongodb_uri, database_name, tmp_path) as server:
        assert server.get(version=ssl.TLSVersion.TLSv1_3)[0] == 200
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1):
            with pytest.raises(ssl.SSLError, match=r"(?i)alert|eof"):  # the server ends it: this client could
                server.get(version=version, suites="ALL:@SECLEVEL=0")


@needs_openssl
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize("own_key", [ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)], ids=["ecdsa", "rsa"])
async def test_f110_tls_1_2_speaks_suites_with_forward_secrecy_and_authenticated_encryption_only(
    pki, mongodb_uri, database_name, tmp_path, own_key
):
    listed = openssl("ciphers", "-tls1_2", "ALL:COMPLEMENTOFALL:@SECLEVEL=0").stdout
    suites = [each for each in listed.strip().split(":") if not each.startswith("TLS_")]
    assert any(each.startswith("AES") for each in suites)  # RSA key exchange: there is something to refuse
    with running(mongodb_uri, database_name, tmp_path, own_key=own_key, version="1.2") as server:
        accepted = [each for each in suites if spoken(server, each)]
        assert set(accepted) <= set(SUITES_1_2)
        assert len(accepted) == 3
        assert all(each.startswith("ECDHE-") and ("GCM" in each or "CHACHA20" in each) for each in accepted)
        for version in (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1):
            with pytest.raises(ssl.SSLError, match=r"(?i)alert|eof"):  # the server ends it: this client could
                server.get(version=version, suites="ALL:@SECLEVEL=0")


@needs_openssl
@pytest.mark.parametrize("version", ["1.3", "1.2"])
async def test_l06_nothing_is_compressed_or_renegotiated_and_http_1_1_is_named(pki, mongodb_uri, database_name, tmp_path, version):
    with running(mongodb_uri, database_name, tmp_path, version=version) as server:
        words = ["s_client", "-connect", f"127.0.0.1:{server.port}", "-alpn", "h2,http/1.1", "-comp", "-legacy_renegotiation"]
        flag = "-tls1_3" if version == "1.3" else "-tls1_2"
        told = openssl(*words, flag).stdout
        assert "Compression: NONE" in told
        assert "ALPN protocol: http/1.1" in told
        assert f"New, TLSv{version}" in told
        if version == "1.2":
            assert "no renegotiation" in openssl(*words, flag, text="R\n").stderr


async def test_the_limits_of_a_connection_hold_over_tls_too(pki, mongodb_uri, database_name, tmp_path):
    with running(mongodb_uri, database_name, tmp_path) as server:
        assert server.get("/" + "a" * 70_000)[0] == 414
        assert server.get() == (200, "https nobody")


def test_a_replaced_certificate_is_loaded_without_a_restart(tmp_path):
    certificate, key = server_certificate(tmp_path)
    tls = Tls(certificate, key)
    renewal = Renewal(tls, context(tls))
    assert not renewal.look()
    new, new_key = server_certificate(tmp_path, "new")
    new.replace(certificate)
    assert not renewal.look()  # halfway: the key is still the old one
    new_key.replace(key)
    assert renewal.look()
    assert not renewal.look()
    key.unlink()
    assert not renewal.look()


def test_files_that_cannot_be_used_are_one_clear_line(tmp_path):
    certificate, key = server_certificate(tmp_path)
    other, other_key = server_certificate(tmp_path, "other")
    secret = other_key.read_text()
    encrypted = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"a passphrase")
    )
    for tls in (
        Tls(certificate, other_key),
        Tls(key, key),
        Tls(certificate, certificate),
        Tls(certificate, written(tmp_path / "encrypted.pem", encrypted)),
        Tls(tmp_path / "absent.pem", key),
        Tls(certificate, key, clients="optional", authorities=b"nonsense"),
        Tls(certificate, key, clients="required"),
        Tls(certificate, key, clients="required", authorities=other.read_bytes()),
    ):
        with pytest.raises(CommandFailed) as failed:
            context(tls)
        assert "\n" not in str(failed.value)
        assert secret not in str(failed.value)
