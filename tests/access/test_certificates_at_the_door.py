"""A token and the certificate of its connection are of the same one (F051, F105): neither is worth more for the other."""

from base64 import b64encode

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from fhir_server.app import create_app
from fhir_server.auth.certificates.holder import Holder
from fhir_server.auth.certificates.making import new_root
from fhir_server.auth.roles import Role
from fhir_server.settings import Settings
from fhir_server.store.records import now
from tests.access.secured import BASE, requester, token
from tests.auth.certificates.network import request_for

CODE = "3710000025"
DOCTOR = requester(Role.PHYSICIAN)
SYSTEM = requester(Role.SYSTEM)
SECRETARY = requester(Role.SECRETARIAT, organization="Organization/network", facility=None)


@pytest.fixture
async def application(mongodb_uri, database_name):
    settings = Settings(database=database_name, base_url=BASE, proxy_addresses="127.0.0.1", proxy_certificate_header="Client-Cert")
    app = create_app(settings, mongodb_uri)
    async with app.outer.router.lifespan_context(app.outer):
        pki = app.registry.identity.pki
        await pki.authorities.install("K-MIX R", new_root("K-MIX R", now()))
        pki._looked = float("-inf")
        await pki.refresh()
        yield app


async def shown(app, holder):
    """The header of a proxy at whose other end is this holder's certificate."""
    pki = app.registry.identity.pki
    issued = await pki.enrolment.enrol(await pki.enrolment.invite(holder), request_for())
    der = x509.load_pem_x509_certificates(issued.chain)[0].public_bytes(Encoding.DER)
    return {"Client-Cert": f":{b64encode(der).decode()}:"}


@pytest.mark.parametrize(
    ("holder", "who", "status"),
    [
        (Holder(CODE, "user", "somebody"), DOCTOR, 200),
        (Holder(CODE, "user", "another"), DOCTOR, 401),
        (Holder(CODE, "user", "somebody"), SYSTEM, 200),  # the id is the subject's, whatever it is
        (Holder(CODE, "client", "app"), DOCTOR, 200),  # an app's own connection, in which a person is logged in
        (Holder(CODE, "client", "another"), DOCTOR, 401),
        (Holder(CODE, "device", "診察室1"), DOCTOR, 200),
        (Holder("3710000017", "device", "診察室1"), DOCTOR, 401),
        (Holder("network", "device", "事務局1"), DOCTOR, 401),
        (Holder("network", "device", "事務局1"), SECRETARY, 200),
        (Holder(CODE, "device", "診察室1"), SECRETARY, 401),
        (Holder(CODE, "device", "診察室1"), requester(Role.PATIENT, organization=None, facility=None), 401),
    ],
)
async def test_f105_a_certificate_of_somebody_else_is_worse_than_none(application, holder, who, status):
    text = await token(application, who)
    headers = {"Authorization": f"Bearer {text}", **await shown(application, holder)}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url=BASE) as client:
        answer = await client.get("/Organization?_id=none", headers=headers)
        assert answer.status_code == status
        if status == 401:
            assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        bare = await client.get("/Organization?_id=none", headers={"Authorization": f"Bearer {text}"})
        assert bare.status_code == 200  # whether a certificate is needed at all is a setting
