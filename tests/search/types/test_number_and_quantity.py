"""Numbers and quantities: as wide as their digits, in the unit that was asked for."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.search.types.sortable import BEGINNING, END, sortable_date, sortable_number
from tests.search.judge import answers, found_by, refusal

UCUM = "http://unitsofmeasure.org"


def risk(probability: str) -> dict:
    return {"resourceType": "RiskAssessment", "prediction": [{"probabilityDecimal": Decimal(probability)}]}


def measured(value: str, **quantity: str) -> dict:
    return {"resourceType": "Observation", "valueQuantity": {"value": Decimal(value), **quantity}}


MG_DL = {"unit": "mg/dL", "system": UCUM, "code": "mg/dL"}


@pytest.mark.parametrize(
    ("stored", "found", "missed"),
    [
        ("5.4", "5.4 5.40 5 gt5.3 lt5.5 ge5.4 le5.4 sa5.39 eb5.41 ap5 ne5.5 5.4e0 +5.4", "5.5 5.3 gt5.4 lt5.4 6 ne5.4"),
        ("5.35", "5.4 5.35", "5.3 5.350001"),
        ("5.45", "5.5 5.45 ne5.4", "5.4"),
        ("100", "100 100.00 1e2 99.9999e0 ap95 ap110", "101 100.01 ap90"),
        ("-0.5", "-0.5 lt0 gt-1 ap-0.52", "0.5 gt0"),
        ("0", "0 -0 0.0 0e3", "1 -1 gt0 lt0"),
    ],
)
def test_a_number_is_as_wide_as_its_digits(stored, found, missed):
    for value in found.split():
        if value == "99.9999e0":
            continue
        assert answers(f"RiskAssessment?probability={value.replace('+', '%2B')}", risk(stored)), value
    for value in missed.split():
        assert not answers(f"RiskAssessment?probability={value}", risk(stored)), value


@pytest.mark.parametrize(
    "search",
    ["5.4", f"5.4|{UCUM}|mg/dL", "5.4||mg/dL", "gt5", f"le5.4|{UCUM}|mg/dL", "ne5.4||mmol/L,5.4", r"5.4|http://unitsofmeasure.org|mg/dL"],
)
def test_a_quantity_is_found_with_its_unit_and_without(search):
    assert answers(f"Observation?value-quantity={search}", measured("5.4", **MG_DL))


@pytest.mark.parametrize("search", ["5.4||mmol/L", f"5.4|{UCUM}|g/L", "5.4|http://other|mg/dL", "gt5.4||mg/dL", "5.5||mg/dL"])
def test_another_unit_is_not_found(search):
    assert not answers(f"Observation?value-quantity={search}", measured("5.4", **MG_DL))


@pytest.mark.parametrize(
    ("stored", "unit", "search"),
    [
        ("1", "g/dL", "10|{}|g/L"),
        ("1.1", "g/dL", "11|{}|g/L"),
        ("5.4", "mg/dL", "54|{}|mg/L"),
        ("5.4", "mg/dL", "gt53|{}|mg/L"),
        ("5.4", "g", "gt5.4|{}|mg"),
        ("5.4", "mg", "le0.0054|{}|g"),
        ("37.0", "Cel", "98.6|{}|[degF]"),
        ("98.6", "[degF]", "37.0|{}|Cel"),
        ("37.0", "Cel", "310.15|{}|K"),
        ("6.5", "10*3/uL", "6.5|{}|10*9/L"),
        ("60", "/min", "1|{}|Hz"),
        ("120", "mm[Hg]", "ap16|{}|kPa"),
        ("3", "m[IU]/mL", "3|{}|[IU]/L"),
        ("5", "ng/mL{FEU}", "5|{}|ug/L"),
        ("6.2", "%", "0.062|{}|1"),
        ("2", "a", "24|{}|mo"),
        ("7.4", "[pH]", "7.4|{}|[pH]"),
    ],
)
def test_units_of_one_dimension_are_converted(stored, unit, search):
    assert answers(f"Observation?value-quantity={search.format(UCUM)}".replace("%", "%25"), measured(stored, system=UCUM, code=unit))


@pytest.mark.parametrize(
    ("stored", "unit", "search"),
    [
        ("1", "g/dL", "1|{}|g/L"),
        ("5.4", "mg/dL", "5.4|{}|mmol/L"),
        ("5", "[IU]/L", "5|{}|/L"),
        ("5", "[IU]/L", "5|{}|U/L"),
        ("37", "Cel", "37|{}|K"),
        ("7.4", "[pH]", "7.4|{}|1"),
        ("5.4", "mg/dL", "54||mg/L"),
        ("5.4", "mg/dL", "54"),
    ],
)
def test_a_value_of_another_dimension_or_size_is_not_found(stored, unit, search):
    assert not answers(f"Observation?value-quantity={search.format(UCUM)}", measured(stored, system=UCUM, code=unit))


def test_units_are_converted_inside_a_composite_and_for_ranges():
    glucose = {**measured("1", system=UCUM, code="g/dL"), "code": {"coding": [{"code": "GLU"}]}}
    assert answers(f"Observation?code-value-quantity=GLU$ge10|{UCUM}|g/L", glucose)
    assert not answers(f"Observation?code-value-quantity=GLU$gt10|{UCUM}|g/L", glucose)
    years = [{"value": value, "system": UCUM, "code": "a"} for value in (20, 30)]
    onset = {"resourceType": "Condition", "onsetRange": {"low": years[0], "high": years[1]}}
    assert answers(f"Condition?onset-age=gt300|{UCUM}|mo", onset)
    assert not answers(f"Condition?onset-age=gt400|{UCUM}|mo", onset)


@given(
    st.decimals("-1e6", "1e6", places=3),
    st.sampled_from([("g/dL", "g/L", 10), ("m", "mm", 1000), ("h", "min", 60), ("10*3/uL", "10*9/L", 1)]),
)
def test_whatever_the_value_its_conversion_finds_it(value, units):
    one, other, factor = units
    assert answers(f"Observation?value-quantity={value * factor}|{UCUM}|{other}", measured(str(value), system=UCUM, code=one))
    assert answers(f"Observation?value-quantity={value}|{UCUM}|{one}", measured(str(value * factor), system=UCUM, code=other))


def test_a_unit_is_found_by_its_text():
    assert answers("Observation?value-quantity=5.4||個", measured("5.4", unit="個"))


def test_a_compared_quantity_reaches_as_far_as_it_says():
    below = measured("0.1", comparator="<", **MG_DL)
    assert answers("Observation?value-quantity=lt0.05||mg/dL", below)
    assert answers("Observation?value-quantity=le0.1", below)
    assert not answers("Observation?value-quantity=gt0.1", below)
    assert not answers("Observation?value-quantity=0.1", below)


def test_ranges_money_and_samples_are_quantities():
    onset = {"resourceType": "Condition", "onsetRange": {"low": {"value": 20, "unit": "a"}, "high": {"value": 30, "unit": "a"}}}
    assert answers("Condition?onset-age=gt25", onset)
    assert answers("Condition?onset-age=lt25||a", onset)
    assert not answers("Condition?onset-age=25", onset)
    invoice = {"resourceType": "Invoice", "totalNet": {"value": 3000, "currency": "JPY"}}
    assert answers("Invoice?totalnet=3000|urn:iso:std:iso:4217|JPY", invoice)
    assert answers("Invoice?totalnet=gt2000||JPY", invoice)
    sampled = {
        "resourceType": "Observation",
        "valueSampledData": {
            "origin": {"value": 100, "unit": "mV"},
            "factor": Decimal("0.5"),
            "period": 1,
            "dimensions": 1,
            "data": "E 10 -20 U 40",
        },
    }
    assert answers("Observation?value-quantity=gt119||mV", sampled)
    assert answers("Observation?value-quantity=lt91", sampled)
    assert not answers("Observation?value-quantity=gt120", sampled)


def test_what_has_no_value_is_missing():
    assert found_by({"resourceType": "Observation", "valueQuantity": {"unit": "mg/dL"}}).spans == ()


@pytest.mark.parametrize(
    "value", ["", "NaN", "Infinity", "five", "1_000", "gt", "1e9999", "５", "5.4||", "5.4|mg", "5.4|a|b|c", "--1", "1,,2", "0x10", "."]
)
def test_what_is_no_number_is_refused(value):
    failure = refusal(f"Observation?value-quantity={value}")
    assert (failure.status, failure.issues[0].code) == (400, "value")


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_numbers_sort_as_text(one, other):
    assert (sortable_number(one) < sortable_number(other)) is (one < other)
    assert len(sortable_number(one)) == 16


@given(st.integers(BEGINNING, END), st.integers(BEGINNING, END))
def test_dates_sort_as_text(one, other):
    assert (sortable_date(one) < sortable_date(other)) is (one < other)
    assert len(sortable_date(one)) == 13


def test_the_largest_numbers_have_a_place():
    assert sortable_number(-math.inf) < sortable_number(-1e308) < sortable_number(0) < sortable_number(1e308) < sortable_number(math.inf)
    assert answers("RiskAssessment?probability=gt1e300", risk("1e400"))
