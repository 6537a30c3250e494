"""UCUM units against the judgement of ucumvert and pint, and against what UCUM says where those differ."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminology.systems.ucum import unit


@pytest.fixture(scope="module")
def registry():
    from ucumvert import PintUcumRegistry

    return PintUcumRegistry()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("mg/dL", "g/L"), ("10*3/uL", "10*9/L"), ("mL/min", "L/h"), ("U/L", "kat/L"), ("mmol/L", "umol/L"), ("fL", "uL"), ("pg", "ng"),
        ("[lb_av]", "kg"), ("[in_i]", "cm"), ("kg/m2", "g/cm2"), ("/min", "/h"), ("ug/kg/h", "mg/kg/d"), ("kPa", "bar"), ("wk", "d"),
        ("kcal", "J"), ("mg/(kg.d)", "ug/(kg.h)"), ("mL/min/{1.73_m2}", "mL/s"), ("meq/L", "mmol/L"), ("g/m3", "kg/L"), ("[gal_us]", "L"),
    ],
)  # fmt: skip
def test_a_conversion_is_the_one_that_pint_knows(registry, one, other):
    ours, theirs = unit(one), unit(other)
    assert ours is not None
    assert theirs is not None
    assert ours.dimension == theirs.dimension
    expected = registry.from_ucum(one).to(registry.from_ucum(other).units).magnitude
    assert float(ours.factor / theirs.factor) == pytest.approx(expected, rel=1e-6)


def test_pressure_is_what_a_column_of_mercury_weighs():
    assert unit("mm[Hg]").in_base_units(Decimal(1)) == Decimal(133322)  # gram per metre and second squared: 133.322 Pa


@pytest.mark.parametrize(
    ("value", "code", "kelvin"), [("0", "Cel", "273.15"), ("37", "Cel", "310.15"), ("98.6", "[degF]", "310.15"), ("32", "[degF]", "273.15")]
)
def test_temperatures_have_an_offset(value, code, kelvin):
    assert unit(code).in_base_units(Decimal(value)).quantize(Decimal("1e-20")) == Decimal(kelvin)


def test_arbitrary_units_are_compared_with_themselves_only():
    assert unit("m[IU]/mL") == unit("[iU]/L")
    assert len({unit(code).dimension for code in ("[IU]/L", "U/L", "[arb'U]/L", "{copies}/L", "[CFU]/L")}) == 5


@pytest.mark.parametrize("code", ["{ratio}", "1", "g/g", "{a}{b}"[:3]])
def test_what_has_no_unit_is_a_plain_number(code):
    assert unit(code).dimension == "1"


@pytest.mark.parametrize(
    "code",
    [
        "",
        "/",
        "g//L",
        "foo",
        "IU/L",
        "[pH]",
        "dB",
        "((g)",
        "g)",
        "[IU",
        "m999",
        "m" * 101,
        "00",
        "個",
        "g L",
        "mg/",
        ".g",
        "{",
        "Cel/s",
        "(" * 90,
    ],
)
def test_what_cannot_be_converted_is_none(code):
    assert unit(code) is None


@given(st.text(st.sampled_from("mgLs1029*/.()[]{}IU-+^%'dkul"), max_size=14))
def test_whatever_is_read_has_a_factor(code):
    found = unit(code)
    assert found is None or found.factor > 0
