"""fhirpy, a client that others wrote, works on a running server: one story after the other.

https://github.com/beda-software/fhir-py
"""

import pytest
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import AuthorizationError, ForbiddenError, MultipleResourcesFound, OperationOutcome, ResourceNotFound

from tests.clients import tester

SYSTEM = "urn:tsunagi:fhirpy"
LOINC = "http://loinc.org"


@pytest.fixture(scope="module")
def connect(base):
    """Connects with the tester's token, which the module gets once."""
    authorization = tester.authorization(base)["Authorization"]

    def connected(authorization=authorization, **headers):
        return SyncFHIRClient(base, authorization=authorization, extra_headers=headers)

    return connected


@pytest.fixture(scope="module")
def fhir(connect):
    return connect()


@pytest.fixture
def number(request):
    """A patient number that only this test has."""
    return request.node.name


def patient(fhir, number, **elements):
    return fhir.resource(
        "Patient", identifier=[{"system": SYSTEM, "value": number}], name=[{"family": "四国", "text": "四国 花子"}], **elements
    )


def observation(fhir, subject, day, value):
    return fhir.resource(
        "Observation",
        status="final",
        code={"coding": [{"system": LOINC, "code": "2345-7"}]},
        subject=subject.to_reference(),
        effectiveDateTime=f"2026-04-{day:02}",
        valueQuantity={"value": value, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"},
    )


@pytest.fixture
def measured(fhir, number):
    """A patient with 25 results, one a day."""
    somebody = patient(fhir, number)
    somebody.save()
    for day in range(1, 26):
        observation(fhir, somebody, day, 90 + day).save()
    return somebody


def test_a_patient_is_created_read_changed_and_deleted(fhir, number):
    somebody = patient(fhir, number, gender="female")
    somebody.save()
    assert somebody.id
    assert somebody["meta"]["versionId"] == "1"
    somebody["birthDate"] = "1984-03-02"
    somebody.save()
    again = fhir.reference("Patient", somebody.id).to_resource()
    assert (again["birthDate"], again["meta"]["versionId"]) == ("1984-03-02", "2")
    again.delete()
    with pytest.raises(ResourceNotFound):  # fhirpy's name for 404 and 410
        fhir.reference("Patient", somebody.id).to_resource()


def test_without_a_token_nothing_is_answered(connect):
    with pytest.raises(AuthorizationError, match="An access token is needed"):
        connect(None).resources("Patient").fetch()


@pytest.mark.parametrize("authorization", ["Bearer forged", "Bearer a.b.c", "Basic dGVzdGVyOnRlc3Rlcg=="])
def test_s35_what_is_no_token_of_the_server_is_refused(connect, authorization):
    with pytest.raises(AuthorizationError):
        connect(authorization).resources("Patient").fetch()


def test_a_token_of_fewer_scopes_does_no_more_than_they_say(base, connect, fhir, number):
    somebody = patient(fhir, number)
    somebody.save()
    reading = connect(f"Bearer {tester.token(base, scope='system/Patient.r')}")
    assert reading.reference("Patient", somebody.id).to_resource().id == somebody.id
    with pytest.raises(ForbiddenError, match=r"system/Patient\.s"):
        reading.resources("Patient").fetch()
    with pytest.raises(ForbiddenError, match=r"system/Patient\.c"):
        patient(reading, number).save()


def test_an_invalid_resource_is_refused_with_an_outcome_that_the_client_understands(fhir, number):
    with pytest.raises(OperationOutcome) as refused:
        patient(fhir, number, birthDate="1984-13-02").save()
    (issue,) = refused.value.resource["issue"]
    assert issue["expression"] == ["Patient.birthDate"]


def test_every_page_is_read_to_the_end(fhir, measured):
    found = fhir.resources("Observation").search(patient=measured.id).sort("date").limit(4).fetch_all()
    assert [each["effectiveDateTime"][-2:] for each in found] == [f"{day:02}" for day in range(1, 26)]


def test_a_parameter_of_another_server_is_ignored_where_the_client_is_lenient(connect, fhir, measured):
    """Fhirpy's count asks with _totalMethod, which R4 does not know."""
    with pytest.raises(OperationOutcome):
        fhir.resources("Observation").search(patient=measured.id).count()
    lenient = connect(Prefer="handling=lenient")
    assert lenient.resources("Observation").search(patient=measured.id).count() == 25


def test_a_search_goes_through_references_in_both_directions(fhir, measured, number):
    of_number = fhir.resources("Observation").search(patient__identifier=f"{SYSTEM}|{number}")
    assert len(of_number.fetch_all()) == 25
    of_name = fhir.resources("Observation").search(subject__Patient__name="四国", patient=measured.id, date__gt="2026-04-24")
    assert [each["effectiveDateTime"] for each in of_name.fetch_all()] == ["2026-04-25"]
    high = fhir.resources("Patient").search(_id=measured.id).has("Observation", "patient", value_quantity="gt114")
    assert [each.id for each in high.fetch()] == [measured.id]
    none = fhir.resources("Patient").search(_id=measured.id).has("Observation", "patient", value_quantity="gt1000")
    assert none.fetch() == []


def test_related_resources_come_along(fhir, measured):
    raw = fhir.resources("Observation").search(patient=measured.id).include("Observation", "subject").limit(2).fetch_raw()
    assert [(each.search["mode"], each.resource.resource_type) for each in raw.entry] == [
        ("match", "Observation"), ("match", "Observation"), ("include", "Patient"),
    ]  # fmt: skip
    back = fhir.resources("Patient").search(_id=measured.id).revinclude("Observation", "subject").fetch_raw()
    assert len(back.entry) == 26


def test_only_the_elements_that_are_asked_for_come(fhir, measured):
    (found,) = fhir.resources("Patient").search(_id=measured.id).elements("gender", "identifier").fetch()
    assert "name" not in found
    assert found["identifier"]


def test_conditions_decide_about_writes(connect, fhir, number):
    criteria = f"identifier={SYSTEM}|{number}"
    hopeful = connect(**{"If-None-Exist": criteria})
    first, second = patient(hopeful, number), patient(hopeful, number)
    first.save()
    second.save()
    assert second.id == first.id
    changed, created = fhir.resources("Patient").search(identifier=f"{SYSTEM}|{number}").update(patient(fhir, number, gender="male"))
    assert (changed.id, changed["gender"], created) == (first.id, "male", False)
    fhir.resources("Patient").search(identifier=f"{SYSTEM}|{number}").delete()
    assert fhir.resources("Patient").search(identifier=f"{SYSTEM}|{number}").first() is None


def test_criteria_that_find_several_are_refused(fhir, number):
    for _ in range(2):
        patient(fhir, number).save()
    search = fhir.resources("Patient").search(identifier=f"{SYSTEM}|{number}")
    with pytest.raises((MultipleResourcesFound, OperationOutcome)):
        search.update(patient(fhir, number))
    with pytest.raises(MultipleResourcesFound):
        search.get()


def test_a_patch_changes_one_element(fhir, measured):
    part = [
        {"name": "type", "valueCode": "add"},
        {"name": "path", "valueString": "Patient"},
        {"name": "name", "valueString": "birthDate"},
        {"name": "value", "valueDate": "1984-03-02"},
    ]
    patch = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": part}]}
    fhir.execute(f"Patient/{measured.id}", method="patch", data=patch)
    measured.refresh()
    assert measured["birthDate"] == "1984-03-02"


def test_a_merge_patch_which_fhir_does_not_know_changes_nothing(fhir, measured):
    with pytest.raises(OperationOutcome):
        measured.patch(gender="male")
    assert "gender" not in fhir.reference("Patient", measured.id).to_resource()


def test_a_transaction_is_done_as_a_whole_or_not_at_all(fhir, number):
    name = "urn:uuid:0b0ee43c-6c1c-4d0e-8c33-6bb3ab3a4b51"
    somebody = {"fullUrl": name, "resource": patient(fhir, number).serialize(), "request": {"method": "POST", "url": "Patient"}}
    result = {
        "resource": {"resourceType": "Observation", "status": "final", "code": {"text": "体重"}, "subject": {"reference": name}},
        "request": {"method": "POST", "url": "Observation"},
    }
    broken = {**result, "resource": {**result["resource"], "status": "unknowable"}}
    with pytest.raises(OperationOutcome):
        fhir.execute("", data={"resourceType": "Bundle", "type": "transaction", "entry": [somebody, broken]})
    search = fhir.resources("Patient").search(identifier=f"{SYSTEM}|{number}")
    assert search.first() is None
    fhir.execute("", data={"resourceType": "Bundle", "type": "transaction", "entry": [somebody, result]})
    stored = search.get()
    assert fhir.resources("Observation").search(subject=stored.to_reference().reference).get()


def test_operations_are_called_by_their_names(fhir, measured):
    everything = measured.execute("$everything", method="get", params={"_count": "100"})
    assert len(everything["entry"]) == 26
    latest = fhir.resources("Observation").execute("$lastn", method="get", params={"patient": measured.id, "max": "1"})
    assert [entry["resource"]["effectiveDateTime"] for entry in latest["entry"]] == ["2026-04-25"]
    assert measured.is_valid()
