"""A server over TLS as a process of its own, certificates for it and for whoever comes, and clients of any settings."""

import http.client
import json
import signal
import ssl
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from fhir_server.auth.certificates.authority import pem
from fhir_server.auth.certificates.making import new_certificate
from fhir_server.store.mongod import free_port
from tests.auth.certificates.network import CLERK, NETWORK, Hands, request_for

SERVICE = Path(__file__).with_name("tls_service.py")


def written(path, content):
    path.write_bytes(content)
    return path


def server_certificate(folder, name="server", key=None):
    """The server's own certificate, signed by itself, as a test needs no more."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return written(folder / f"{name}.pem", certificate.public_bytes(Encoding.PEM)), written(folder / f"{name}-key.pem", private)


def private_pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class Server:
    """A started server; `get` asks it with a client of any settings."""

    def __init__(self, port, certificate):
        self.port = port
        self.certificate = certificate

    def client(self, holder=None, version=None, suites=None):
        made = ssl.create_default_context(cafile=self.certificate)
        if version is not None:
            made.minimum_version = made.maximum_version = version
        if suites is not None:
            made.set_ciphers(suites)
        if holder is not None:
            made.load_cert_chain(holder)
        return made

    def get(self, path="/", **options):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.client(**options), timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


@contextmanager
def running(uri, name, folder, **options):
    certificate, key = server_certificate(folder, key=options.pop("own_key", None))
    port = free_port()
    words = [str(port), uri, name, json.dumps({"certificate": str(certificate), "key": str(key), **options})]
    log = folder / "log"
    started = subprocess.Popen([sys.executable, SERVICE, *words], stdout=subprocess.PIPE, stderr=log.open("w"), text=True)
    try:
        assert started.stdout.readline() == "ready\n", log.read_text()
        yield Server(port, certificate)
    finally:
        started.send_signal(signal.SIGTERM)
        assert started.wait(20) == 0, log.read_text()
        started.stdout.close()


class Present(Hands):
    """Real time: the server is another process."""

    def clock(self):
        return datetime.now(UTC)

    def pulse(self):
        return time.monotonic()


async def holder_file(pki, folder, holder=CLERK, name="holder"):
    """Enrol, and write key and chain as a client keeps them."""
    key = ec.generate_private_key(ec.SECP256R1())
    issued = await pki.enrolment.enrol(await pki.enrolment.invite(holder), request_for(key))
    return written(folder / f"{name}.pem", private_pem(key) + issued.chain), issued


def foreign_file(folder, issuer, name, *, starts=None, lasts=timedelta(days=1)):
    """A certificate that says the same of its holder, signed by whoever `issuer` is."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = starts or datetime.now(UTC)
    made = new_certificate(issuer, key.public_key(), CLERK, network=NETWORK, number="1", now=now, ends=now + lasts)
    return written(folder / f"{name}.pem", private_pem(key) + pem([made, issuer.certificate]))


REFUSED = (ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)


def openssl(*words, text=""):
    return subprocess.run(["openssl", *words], input=text, capture_output=True, text=True, check=False, timeout=20)


def spoken(server, suite):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    made.minimum_version = made.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        made.set_ciphers(f"{suite}:@SECLEVEL=0")
    except ssl.SSLError:
        return False  # this client cannot speak it
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=made, timeout=10)
    try:
        connection.connect()
        return connection.sock.cipher()[0] == suite
    except REFUSED:
        return False
    finally:
        connection.close()
