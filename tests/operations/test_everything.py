"""A whole record: exactly the compartment, what it refers to, page by page. https://hl7.org/fhir/R4/patient-operation-everything.html"""

import asyncio

import pytest

from fhir_server.app import Application
from fhir_server.exchange import FhirRequest
from fhir_server.operations.compartment import belonging
from fhir_server.operations.perform import perform
from fhir_server.outcome import FhirError
from fhir_server.search.expression import EVERYTHING, NOTHING, ForPatient, Not
from fhir_server.store.permit import Permit
from profiles import json
from tests.operations.records import link, put, record, references
from tests.rest.served import BASE, issue_of, observation, patient


async def test_the_record_of_a_patient_is_the_compartment_and_nothing_of_others(client):
    await record(client)
    answer = await client.get("/Patient/p/$everything")
    bundle = answer.json()
    assert answer.status_code == 200
    assert bundle["type"] == "searchset"
    assert references(bundle)[0] == "Patient/p"
    assert set(references(bundle)) == {
        "Patient/p", "Encounter/e", "Observation/o1", "Observation/o2", "Observation/by-p", "AllergyIntolerance/a", "Appointment/both",
    }  # fmt: skip
    assert bundle["total"] == 7
    assert link(bundle, "self") == f"{BASE}/Patient/p/$everything"
    assert link(bundle, "next") is None


async def test_what_the_record_refers_to_comes_along_but_nothing_of_another_patient(client):
    await record(client)
    bundle = (await client.get("/Patient/p/$everything")).json()
    assert set(references(bundle, "include")) == {"Organization/hospital", "Practitioner/doctor", "Device/analyser"}


async def test_an_attachment_in_a_binary_comes_along(client):
    await put(client, patient(id="p"))
    await put(client, {"resourceType": "Binary", "id": "b", "contentType": "text/plain", "data": "44GC"})
    await put(client, {"resourceType": "DocumentReference", "id": "d", "status": "current", "subject": {"reference": "Patient/p"},
                       "content": [{"attachment": {"url": "Binary/b"}}]})  # fmt: skip
    assert references((await client.get("/Patient/p/$everything")).json(), "include") == ["Binary/b"]


async def test_an_encounter_brings_its_patient_and_not_what_others_have_of_it(client):
    await record(client)
    bundle = (await client.get("/Encounter/e/$everything")).json()
    assert references(bundle) == ["Encounter/e", "Observation/o1", "Observation/of-q"]
    assert set(references(bundle, "include")) == {"Patient/p", "Practitioner/doctor"}


async def test_the_compartment_is_the_one_of_its_definition(application: Application):
    parameters = application._endpoint.service.serving.parameters
    for compartment in ("Patient", "Encounter"):
        found = belonging(compartment, "x", parameters)
        assert set(found.types) | {compartment} == set(parameters.compartment(compartment)) | {compartment}
        for type, codes in parameters.compartment(compartment).items():
            known = parameters.of(type)
            for code in codes:
                if code in known:
                    assert type in (found.led if known[code].leads and compartment == "Patient" else found.named[code])


async def test_pages_hold_each_resource_once_and_end(client):
    await put(client, patient(id="p"))
    await asyncio.gather(*(put(client, observation("Patient/p", id=f"o{n}")) for n in range(23)))  # all at the same time
    await asyncio.gather(
        *(put(client, {"resourceType": "Condition", "id": f"c{n}", "subject": {"reference": "Patient/p"}}) for n in range(5))
    )
    seen: list[str] = []
    address, pages = f"{BASE}/Patient/p/$everything?_count=4", 0
    while address:
        bundle = (await client.get(address)).json()
        seen += references(bundle)
        pages += 1
        assert len(references(bundle)) <= 4
        assert "total" not in bundle
        address = link(bundle, "next")
        await put(client, observation("Patient/p", id=f"later{pages}", effectiveDateTime="2020-01-01"))  # stands before all of them
    assert len(seen) == len(set(seen))
    assert {each for each in seen if "later" not in each} == {"Patient/p"} | {f"Observation/o{n}" for n in range(23)} | {
        f"Condition/c{n}" for n in range(5)
    }


async def test_pages_of_one_go_through_the_whole_record(client):
    await record(client)
    seen, address = [], f"{BASE}/Patient/p/$everything?_count=1"
    while address:
        bundle = (await client.get(address)).json()
        seen += references(bundle)
        assert len(references(bundle)) == 1
        address = link(bundle, "next")
    assert seen == references((await client.get("/Patient/p/$everything")).json())


async def test_a_link_to_a_page_serves_nobody_else(client):
    await record(client)
    bundle = (await client.get("/Patient/p/$everything?_count=2")).json()
    token = link(bundle, "next").partition("_after=")[2]
    for address in (f"/Patient/q/$everything?_count=2&_after={token}", f"/Patient/p/$everything?_count=2&_type=Observation&_after={token}"):
        assert (await client.get(address)).status_code == 400
    assert (await client.get("/Patient/p/$everything?_count=2&_after=nonsense")).status_code == 400


async def test_a_period_of_care_leaves_out_what_was_done_at_other_times(client):
    await record(client)
    bundle = (await client.get("/Patient/p/$everything?start=2026-03-01&end=2026-03-30")).json()
    assert set(references(bundle)) == {"Patient/p", "Encounter/e", "AllergyIntolerance/a", "Appointment/both"}
    bundle = (await client.get("/Patient/p/$everything?end=2025-06")).json()
    assert "Observation/o2" in references(bundle)
    assert "Observation/o1" not in references(bundle)
    assert issue_of(await client.get("/Patient/p/$everything?start=2026-03-01&end=2026-02-01"))["expression"] == ["http.start"]
    assert (await client.get("/Patient/p/$everything?start=yesterday")).status_code == 400


async def test_only_what_changed_since_a_moment_is_given(client):
    await record(client)
    updated = (await client.get("/Observation/by-p")).json()["meta"]["lastUpdated"]
    bundle = (await client.get("/Patient/p/$everything", params={"_since": updated})).json()
    assert set(references(bundle)) == {"Observation/by-p", "AllergyIntolerance/a", "Appointment/both"}


async def test_types_limit_the_record_and_what_comes_along(client):
    await record(client)
    bundle = (await client.get("/Patient/p/$everything?_type=Observation,Practitioner")).json()
    assert set(references(bundle)) == {"Observation/o1", "Observation/o2", "Observation/by-p"}
    assert references(bundle, "include") == ["Practitioner/doctor"]
    assert issue_of(await client.get("/Patient/p/$everything?_type=Nothing"))["expression"] == ["http._type"]


async def test_the_parameters_may_come_in_a_body(client):
    await record(client)
    body = {
        "resourceType": "Parameters",
        "parameter": [{"name": "_type", "valueCode": "Encounter"}, {"name": "_type", "valueCode": "Patient"}],
    }
    assert references((await client.post("/Patient/p/$everything", json=body)).json()) == ["Patient/p", "Encounter/e"]


async def test_what_was_asked_for_by_post_goes_on_by_get(client):
    await record(client)
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "_type", "valueCode": "Observation"},
            {"name": "_count", "valueInteger": 2},
            {"name": "start", "valueDate": "2025"},
        ],
    }
    first = (await client.post("/Patient/p/$everything", json=body)).json()
    assert link(first, "self") == f"{BASE}/Patient/p/$everything?_type=Observation&_count=2&start=2025"
    second = (await client.get(link(first, "next"))).json()
    assert len(references(first)) == 2
    assert len(references(second)) == 1
    assert {*references(first), *references(second)} == {"Observation/o1", "Observation/o2", "Observation/by-p"}


async def test_without_a_patient_everything_is_refused(client):
    answer = await client.get("/Patient/$everything")
    assert answer.status_code == 400
    assert "[id]" in issue_of(answer)["diagnostics"]


@pytest.mark.parametrize("path", ["/Patient/nobody/$everything", "/Encounter/none/$everything"])
async def test_everything_of_what_is_not_known_is_answered_as_a_read_of_it(client, path):
    answer, read = await client.get(path), await client.get(path.removesuffix("/$everything"))
    assert (answer.status_code, answer.json()) == (404, read.json())


@pytest.mark.parametrize(
    "query",
    ["_count=0", "_count=-1", "_count=x", "_since=2026", "unknown=1", "_type=", "$where=1", "start=1&start=2", "_count=99999999999"],
)
async def test_parameters_that_cannot_be_understood_are_named(client, query):
    await put(client, patient(id="p"))
    answer = await client.get(f"/Patient/p/$everything?{query}")
    assert answer.status_code == 400
    assert issue_of(answer)["expression"]


async def test_s21_what_the_permit_hides_is_absent_from_the_record_as_if_it_never_was(client, application: Application):
    await record(client)
    serving = application._endpoint.service.serving

    async def everything(permit: Permit) -> list[str]:
        repository = application._endpoint.service._open_repository(permit)
        request = FhirRequest("operation", "Patient", "p", base=BASE, operation="everything", by_get=True)
        bundle = json.decode((await perform(request, repository, serving)).body)
        return references(bundle) + references(bundle, "include")

    seen = await everything(Permit({("search-type", "Practitioner"): NOTHING, ("search-type", "Observation"): NOTHING}, EVERYTHING))
    assert not {each for each in seen if each.startswith(("Practitioner", "Observation"))}
    seen = await everything(Permit({("search-type", "Observation"): ForPatient("Patient/p")}, EVERYTHING))
    assert "Observation/by-p" not in seen
    assert "Observation/o1" in seen
    with pytest.raises(FhirError) as hidden:
        await everything(Permit({("read", "Patient"): Not(EVERYTHING)}, EVERYTHING))
    assert hidden.value.status == 404
