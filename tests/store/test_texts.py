"""Full text: what the other conditions leave is read through."""

import pytest

from fhir_server.outcome import FhirError
from fhir_server.search.expression import Not, OfType, WithId
from fhir_server.store.documents import Prepared
from fhir_server.store.mongo import Limits, Mongo
from fhir_server.store.permit import Permit
from fhir_server.store.repository import Create, Repository
from tests.search.judge import found_by, query

CONCLUSIONS = {
    "a": ("p1", "２型糖尿病、改善傾向"),
    "b": ("p1", "高血圧症"),
    "c": ("p2", "糖尿病性腎症 と 高血圧"),
    "d": ("p2", "異常なし"),
}


@pytest.fixture
async def reports(repository):
    for id, (patient, conclusion) in CONCLUSIONS.items():
        report = {
            "resourceType": "DiagnosticReport", "id": id, "subject": {"reference": f"Patient/{patient}"}, "conclusion": conclusion,
            "text": {"status": "generated", "div": f"<div><p>{conclusion[:2]}</p></div>"},
        }  # fmt: skip
        await repository.commit([Create(Prepared("DiagnosticReport", id, report, found_by(report)))])
    patient = {"resourceType": "Patient", "id": "p1", "contact": [{"name": {"text": "佐藤 花子"}}]}
    await repository.commit([Create(Prepared("Patient", "p1", patient, found_by(patient)))])
    return repository


async def ids(repository, search):
    return {version.id for version in (await repository.find(query(search))).versions}


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("_content=糖尿病", "ac"), ("_content=糖尿病 高血圧", "c"), ("_content=糖尿病,異常", "acd"), ("patient=p1&_content=糖尿病", "a"),
        ("_content=糖尿病&_content=高血圧", "c"), ("_text=2型", "a"), ("_text=糖尿", "c"), ("_text=糖尿&_content=腎症", "c"), ("_content=肺炎", ""),
        ("subject:Patient._content=花子", "ab"), ("_id=a&_content=異常", ""),
    ],
)  # fmt: skip
async def test_words_are_found_in_what_the_other_conditions_leave(reports, search, found):
    assert await ids(reports, f"DiagnosticReport?{search}") == set(found)


async def test_what_is_hidden_is_not_read(reports, ticking):
    hiding = Repository(reports.mongo, Permit(otherwise=Not(WithId(("a",)))), ticking)
    assert await ids(hiding, "DiagnosticReport?_content=糖尿病") == {"c"}
    nothing = Repository(reports.mongo, Permit(otherwise=OfType(("Patient",))), ticking)
    assert await ids(nothing, "DiagnosticReport?_content=糖尿病") == set()


async def test_more_than_may_be_read_is_too_costly_and_says_so(reports, mongodb_uri, database_name, ticking):
    mongo = await Mongo.connect(mongodb_uri, database_name, Limits(scanned=3))
    try:
        limited = Repository(mongo, Permit.everything(), ticking)
        assert await ids(limited, "DiagnosticReport?patient=p1&_content=糖尿病") == {"a"}
        with pytest.raises(FhirError) as failure:
            await ids(limited, "DiagnosticReport?_content=糖尿病")
        assert failure.value.issues[0].code == "too-costly"
        assert "3 resources" in failure.value.issues[0].diagnostics
    finally:
        await mongo.close()


async def test_pages_and_totals_of_a_text_are_those_of_what_was_found(reports):
    page = await reports.find(query("DiagnosticReport?_content=糖尿病&_count=1&_total=accurate"))
    assert (len(page.versions), page.total) == (1, 2)
    assert page.after is not None


async def test_near_places_are_found_in_the_store(repository):
    for id, latitude, longitude in (("hall", 34.3401, 134.0434), ("station", 34.3503, 134.0468), ("osaka", 34.6937, 135.5023)):
        place = {"resourceType": "Location", "id": id, "position": {"latitude": latitude, "longitude": longitude}}
        await repository.commit([Create(Prepared("Location", id, place, found_by(place)))])
    await repository.commit(
        [Create(Prepared("Location", "nowhere", {"resourceType": "Location", "id": "nowhere"}, found_by({"resourceType": "Location"})))]
    )
    assert await ids(repository, "Location?near=34.34|134.04|5|km") == {"hall", "station"}
    assert await ids(repository, "Location?near=34.34|134.04") == {"hall", "station"}
    assert await ids(repository, "Location?near=34.34|134.04|200|km") == {"hall", "station", "osaka"}
    assert await ids(repository, "Location?near=34.3401|134.0434|100|m,34.6937|135.5023|1|m") == {"hall", "osaka"}


async def test_codes_are_found_by_their_texts_in_the_store(repository):
    for id, text in (("a", "ヘモグロビンA1c"), ("b", "血糖"), ("c", "ﾍﾓｸﾞﾛﾋﾞﾝ")):
        resource = {"resourceType": "Observation", "id": id, "code": {"text": text}}
        await repository.commit([Create(Prepared("Observation", id, resource, found_by(resource)))])
    assert await ids(repository, "Observation?code:text=ヘモグロビン") == {"a", "c"}
    assert await ids(repository, "Observation?code:text=へもぐろびんa") == {"a"}
    assert await ids(repository, "Observation?code:text=グ") == set()


async def test_quantities_are_found_in_other_units_in_the_store(repository):
    for id, value, unit in (("a", 1, "g/dL"), ("b", 10, "g/L"), ("c", 20, "g/L"), ("d", 10, "mmol/L")):
        quantity = {"value": value, "system": "http://unitsofmeasure.org", "code": unit}
        resource = {"resourceType": "Observation", "id": id, "valueQuantity": quantity}
        await repository.commit([Create(Prepared("Observation", id, resource, found_by(resource)))])
    assert await ids(repository, "Observation?value-quantity=1000|http://unitsofmeasure.org|mg/dL") == {"a", "b"}
    assert await ids(repository, "Observation?value-quantity=gt1|http://unitsofmeasure.org|g/dL") == {"c"}
    assert await ids(repository, "Observation?value-quantity=10") == {"b", "d"}
