"""Statistics of what was measured. https://hl7.org/fhir/R4/observation-operation-stats.html"""

import statistics as standard
from decimal import Decimal

import pytest

from fhir_server.operations.statistics import STATISTICS, SYSTEM
from tests.operations.records import put
from tests.rest.served import issue_of, observation

LOINC = "http://loinc.org"
VALUES = [Decimal(value) for value in ("90", "100.5", "97", "110", "250", "92.25")]


def test_the_statistics_agree_with_pythons():
    def value(code: str) -> float:
        return float(STATISTICS[code](VALUES))

    assert value("average") == pytest.approx(float(standard.mean(VALUES)))
    assert value("median") == float(standard.median(VALUES))
    assert value("std-dev") == pytest.approx(float(standard.stdev(VALUES)))
    assert value("variance") == pytest.approx(float(standard.variance(VALUES)))
    assert (value("minimum"), value("maximum"), value("count"), value("sum")) == (90, 250, 6, float(sum(VALUES)))
    assert [value("4-lower"), value("median"), value("4-upper")] == [float(each) for each in standard.quantiles(VALUES, method="inclusive")]
    assert STATISTICS["variance"]([Decimal(1)]) is None


async def glucose(client) -> None:
    def quantity(value: float, unit: str = "mg/dL", **more: object) -> dict:
        return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit, **more}

    given = [("2026-01-01", quantity(90)), ("2026-02-01", quantity(100.5)), ("2026-03-01", quantity(5, "mmol/L")),
             ("2026-03-02", quantity(600, comparator=">"))]  # fmt: skip
    for number, (date, value) in enumerate(given):
        await put(client, observation("Patient/p", id=f"o{number}", effectiveDateTime=date, valueQuantity=value))
    await put(client, observation("Patient/p", id="wrong", status="entered-in-error", valueQuantity=quantity(9999)))
    await put(client, observation("Patient/q", id="other", valueQuantity=quantity(1)))
    await put(client, observation("Patient/p", id="panel", code={"text": "panel"}, effectiveDateTime="2026-01-05",
                                  component=[{"code": {"coding": [{"system": LOINC, "code": "2345-7"}]}, "valueQuantity": quantity(92)}]))  # fmt: skip


def computed(answer) -> list[dict[str, tuple[float, str | None]]]:
    assert answer.status_code == 200, answer.text
    return [
        {
            each["code"]["coding"][0]["code"]: (each["valueQuantity"]["value"], each["valueQuantity"].get("unit"))
            for each in resource["component"]
        }
        for resource in (each["resource"] for each in answer.json().get("parameter", []) if each["name"] == "statistics")
    ]


QUERY = f"/Observation/$stats?subject=Patient/p&system={LOINC}&code=2345-7&statistic=average,count&statistic=maximum"


async def test_each_unit_has_statistics_of_its_own_and_components_count(client):
    await glucose(client)
    found = computed(await client.get(QUERY))
    assert {"average": (pytest.approx(94.1666666667), "mg/dL"), "count": (3, None), "maximum": (100.5, "mg/dL")} in found
    assert {"average": (5, "mmol/L"), "count": (1, None), "maximum": (5, "mmol/L")} in found
    assert len(found) == 2


async def test_a_period_and_the_sources_may_be_asked_for(client):
    await glucose(client)
    body = {"resourceType": "Parameters", "parameter": [
        {"name": "subject", "valueUri": "Patient/p"}, {"name": "coding", "valueCoding": {"system": LOINC, "code": "2345-7"}},
        {"name": "statistic", "valueCode": "minimum"}, {"name": "period", "valuePeriod": {"start": "2026-01-15", "end": "2026-02-15"}},
        {"name": "include", "valueBoolean": True},
    ]}  # fmt: skip
    answer = await client.post("/Observation/$stats", json=body)
    assert computed(answer) == [{"minimum": (100.5, "mg/dL")}]
    assert [each["resource"]["id"] for each in answer.json()["parameter"] if each["name"] == "source"] == ["o1"]
    (statistic,) = (each["resource"] for each in answer.json()["parameter"] if each["name"] == "statistics")
    assert statistic["component"][0]["code"]["coding"][0]["system"] == SYSTEM
    assert statistic["subject"] == {"reference": "Patient/p"}


async def test_nothing_found_is_an_empty_answer(client):
    assert (await client.get(QUERY)).json() == {"resourceType": "Parameters"}


@pytest.mark.parametrize(
    ("query", "name"),
    [("subject=Patient/p&statistic=nonsense&code=1", "statistic"), ("subject=Patient/p&statistic=count", "code"),
     ("statistic=count&code=1", "subject"), ("subject=Patient/p&code=1", "statistic")],
)  # fmt: skip
async def test_what_is_missing_or_unknown_is_named(client, query, name):
    answer = await client.get(f"/Observation/$stats?{query}")
    assert answer.status_code == 400
    assert f"'{name}'" in issue_of(answer)["expression"][0]


@pytest.mark.parametrize("duration", [0, -1, 1e12])
async def test_a_duration_is_a_sensible_number_of_hours(client, duration):
    body = {"resourceType": "Parameters", "parameter": [
        {"name": "subject", "valueUri": "Patient/p"}, {"name": "code", "valueString": "1"}, {"name": "statistic", "valueCode": "count"},
        {"name": "duration", "valueDecimal": duration}]}  # fmt: skip
    assert issue_of(await client.post("/Observation/$stats", json=body))["code"] == "value"
