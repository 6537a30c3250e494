"""The one door, from inside the process."""

import pytest

from fhir_server.app import open_service
from fhir_server.exchange import FhirRequest
from fhir_server.outcome import FhirError
from fhir_server.service import LOCAL, Requester
from fhir_server.settings import Settings
from tests.rest.served import observation, patient


@pytest.fixture
async def service(mongodb_uri, database_name):
    async with open_service(Settings(database=database_name), mongodb_uri) as service:
        yield service


def transaction(*resources):
    entries = [{"resource": each, "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}} for each in resources]
    return FhirRequest("transaction", body={"resourceType": "Bundle", "type": "transaction", "entry": entries})


async def test_a_transaction_tells_what_became_of_each_resource(service):
    first = await service.perform(transaction(patient(id="p1"), observation("Patient/p1", id="o1")), LOCAL)
    again = await service.perform(transaction(patient(id="p1"), observation("Patient/p1", id="o1", status="amended")), LOCAL)
    assert [version.reference for version in first.versions] == ["Patient/p1", "Observation/o1"]
    assert [version.change for version in first.versions] == ["created", "created"]
    assert [version.change for version in again.versions] == ["unchanged", "updated"]


async def test_a_resource_is_served_as_the_bytes_that_are_stored(service):
    written = await service.perform(transaction(patient(id="p1")), LOCAL)
    read = await service.perform(FhirRequest("read", "Patient", "p1"), LOCAL)
    assert read.body == written.versions[0].body


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (FhirRequest("read", "Patient", "p1"), "forbidden"),
        (FhirRequest("read", "Patient", "absent"), "forbidden"),
        (FhirRequest("vread", "Patient", "p1", "1"), "forbidden"),
        (FhirRequest("history-instance", "Patient", "p1"), "forbidden"),
        (FhirRequest("history-type", "Patient"), "forbidden"),
        (FhirRequest("search-type", "Patient"), "forbidden"),
        (FhirRequest("search-system"), "forbidden"),
        (FhirRequest("update", "Patient", "p1", body=patient(id="p1", active=True)), "forbidden"),
        (FhirRequest("create", "Patient", body=patient()), "forbidden"),
        (FhirRequest("delete", "Patient", "p1"), "forbidden"),
        (transaction(patient(id="p1", active=True)), "forbidden"),
    ],
)
async def test_s33_who_is_permitted_nothing_sees_and_changes_nothing(service, request_, code):
    await service.perform(transaction(patient(id="p1")), LOCAL)
    with pytest.raises(FhirError) as refused:
        await service.perform(request_, Requester("stranger"))
    assert refused.value.issues[0].code == code
    assert (await service.perform(FhirRequest("read", "Patient", "p1"), LOCAL)).version.version == 1
