"""A network with its root, an issuing authority and a register on a real database; and whoever wants a certificate."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pymongo import AsyncMongoClient

from fhir_server.auth.certificates.enrolment import Policy
from fhir_server.auth.certificates.holder import Holder
from fhir_server.auth.certificates.making import new_root
from fhir_server.auth.certificates.pki import Pki, Proxies
from fhir_server.auth.certificates.records import KINDS
from fhir_server.auth.sealing import Sealer
from fhir_server.store.records import Shelf

NETWORK = "K-MIX R"
FACILITY = "3710000017"
CLERK = Holder(FACILITY, "user", "clerk.sato")
PC = Holder(FACILITY, "device", "受付 PC 1")
PROXIES = Proxies("10.1.0.5, 192.168.7.0/24", "Client-Cert")
EHR = Holder("3710000025", "client", "ehr-1")


class Hands:
    """The wall clock and the pulse of a test; both move together."""

    def __init__(self):
        self.moment = datetime(2026, 4, 1, 0, 0, tzinfo=UTC)
        self.seconds = 1000.0

    def clock(self):
        return self.moment

    def pulse(self):
        return self.seconds

    def shift(self, delta):
        self.moment += delta
        self.seconds += delta.total_seconds()


@asynccontextmanager
async def open_shelf(uri, name, hands):
    async with AsyncMongoClient(uri, tz_aware=True, tzinfo=UTC) as client:
        shelf = Shelf(client[name], clock=hands.clock)
        await shelf.ensure(KINDS)
        yield shelf


async def process(shelf, hands, *, cut=None, proxies=PROXIES, anchors=None):
    """What one process of the server knows of the certificates; call it twice for two processes."""
    sealer, policy = Sealer(b"a secret of these tests"), Policy(network=NETWORK)
    address = "https://fhir.example.jp"
    pki = Pki(shelf, sealer, policy, address=address, cut=cut, proxies=proxies, anchors=anchors, pulse=hands.pulse)
    await pki.start()
    return pki


async def founded(pki, hands):
    """Give the network its authority."""
    await pki.authorities.install(NETWORK, new_root(NETWORK, hands.moment))
    hands.shift(timedelta(seconds=25))
    await pki.refresh()
    return pki


def request_for(key=None, name="whatever I like"):
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return x509.CertificateSigningRequestBuilder(subject).sign(key, SHA256()).public_bytes(Encoding.PEM)


async def enrolled(pki, holder=CLERK):
    return await pki.enrolment.enrol(await pki.enrolment.invite(holder), request_for())


def tls_scope(certificate, client="203.0.113.9", headers=()):
    chain = [certificate.public_bytes(Encoding.PEM).decode()]
    return {"type": "http", "client": (client, 40000), "headers": list(headers), "extensions": {"tls": {"client_cert_chain": chain}}}


def plain_scope(*headers, client="203.0.113.9"):
    return {"type": "http", "client": (client, 40000), "headers": list(headers)}
